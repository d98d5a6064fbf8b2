//! GStreamer's own metadata of analysed pictures, the one `GstAnalyticsRelationMeta` of a buffer, from GStreamer 1.24 on.
//!
//! Detectors, trackers, classifiers, overlays and payloaders of GStreamer pass their results on in it. This module reads and
//! writes what faces need; how objects belong to regions of interest is the business of [`crate::face`]:
//!
//! | of a face | entry |
//! |---|---|
//! | box, type, confidence | object detection; the box is in stored pixels |
//! | track | tracking: id, first and last time, and whether the last detection has missed it |
//! | emotion | classification: the shown label first, then the others with their probabilities; where no emotion is certain enough, the first is [`UNCERTAIN`](emotion_models::UNCERTAIN) with the probability of the best guess, and all emotions follow |
//!
//! Track and classification are related to their object in both directions, as *relate-to*: GStreamer's overlay looks for
//! them from the object. Entries cannot be removed; what is outdated loses its relations.

mod emotion_classes;
mod object;
mod raw;
mod read;
mod write;

pub(crate) use self::object::{AnalyticsObject, ObjectTrack};
pub(crate) use self::read::{details, objects};
pub(crate) use self::write::{NewObject, add_objects, set_emotion, set_track};

#[cfg(test)]
mod tests;
