//! The networks through their public interface.

mod engine;
mod fused;
mod layers;
mod networks;
mod weights;
