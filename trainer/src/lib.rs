//! Trains and evaluates the emotion networks on FER-2013, and the face detector.
//!
//! - [`run`]: the training loop and all that any training needs: state, checkpoint, schedule, optimiser.
//! - [`emotion`] and [`detector`]: the two kinds of training.
//! - [`data`]: faces with labels, and the batches made of them.
//! - [`quantization`]: networks in integers of eight bits.
//! - [`formats`]: weights for and from other programs.
//! - [`plots`]: figures as SVG.
//! - [`cli`] and [`commands`]: the program.
//!
//! Settings, seed and data alone decide a run: every random number has an address of its own ([`random`]), so neither
//! threads nor interruptions change a result. Faces reach the network through `emotion_models::preprocess`, as they do
//! in the plugin.

pub mod cli;
pub mod commands;
pub mod data;
pub mod detector;
pub mod emotion;
pub mod formats;
mod hash;
pub mod plots;
mod progress_bar;
pub mod quantization;
pub mod random;
pub mod run;
#[cfg(test)]
mod testing;
