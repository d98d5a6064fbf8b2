//! Figures of the emotion networks.

mod confusion;
mod curves;
mod reliability;

pub use confusion::confusion;
pub use curves::curves;
pub use reliability::reliability;
