//! The programs as people run them.

mod common;

mod emotion_crowd;
mod emotion_demo;
mod emotion_tag;
mod emotion_tag_inputs;
mod emotion_tag_isolation;
mod emotion_tag_mutations;
mod emotion_tag_networks;
mod emotion_tag_pictures;
mod emotion_tag_report;
#[cfg(feature = "s3")]
mod emotion_tag_s3;
mod emotion_tag_shards;
mod emotion_tag_stills;
mod emotion_tag_times;
mod killed;
#[cfg(feature = "s3")]
mod object_store;
mod trace;
mod upgrade;
