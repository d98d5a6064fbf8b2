//! Whole pipelines, as users run them.

mod bad_input;
mod between_elements;
mod file_scripts;
mod leaks;
mod live_scripts;
mod made_clip;
mod name_clash;
mod readme;
mod scripts;
mod standard_output;
mod tracking_element;
mod tracking_made_clip;
mod videos;
mod window;
mod zones_made_clip;
