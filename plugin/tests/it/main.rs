//! The elements between test pads, and with the programs that they talk to.

mod common;

#[cfg(feature = "v1_24")]
mod analytics;
mod camera;
mod emotionclassify;
mod emotionclassify_certainty;
mod emotionclassify_steady;
mod emotionoverlay;
mod emotionoverlay_privacy;
mod emotionoverlay_reference;
mod emotionoverlay_uncertain;
mod emotionpublish;
#[cfg(feature = "kafka")]
mod emotionpublish_kafka;
mod emotionpublish_mqtt;
mod emotionzones;
mod facedetect;
mod facedetect_cascade;
mod facedetect_network;
mod frames;
mod late;
mod privacy_marks;
mod properties;
mod publishing;
mod record_schema;
mod robustness;
mod steadiness;
