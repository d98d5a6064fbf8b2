//! The networks through their public interface.

mod inference;
mod layers;
mod networks;
mod training;
mod weights;
