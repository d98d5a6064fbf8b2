//! Data, runs and the program of the trainer.

mod common;

mod cli;
mod detector_training;
mod distillation;
mod evaluate;
mod fer2013;
mod folder;
#[cfg(feature = "keras")]
mod keras;
mod killed;
mod predict_and_export;
mod resume;
mod teacher;
mod training;
mod turned;
mod votes;
