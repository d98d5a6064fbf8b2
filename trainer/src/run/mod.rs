//! The training loop and all that any training needs.
//!
//! A [`trainer`] trains a [`task`] and keeps the run in a [`folder`].

pub mod checkpoint;
pub mod ema;
pub mod files;
pub mod folder;
pub mod interrupt;
pub mod log;
pub mod network;
pub mod optimizer;
pub mod params;
pub mod progress;
pub mod schedule;
pub mod settings;
pub mod state;
pub mod task;
mod train_state;
pub mod trainer;
