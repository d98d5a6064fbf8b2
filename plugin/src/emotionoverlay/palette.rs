//! A colour for each emotion.
//!
//! The hues are those of Okabe and Ito (“Color Universal Design”, 2008). Their lightness is changed so that people with
//! normal sight, protanopia, deuteranopia and tritanopia can tell all seven apart, and so that they contrast with a dark
//! plate. The tests measure how far apart they are.

use crate::face::UNCERTAIN;

/// An opaque sRGB colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Colour(pub(super) u8, pub(super) u8, pub(super) u8);

impl Colour {
    /// Red, green and blue from 0 to 1, as cairo takes them.
    pub(super) fn rgb(self) -> (f64, f64, f64) {
        let share = |value: u8| f64::from(value) / 255.0;
        (share(self.0), share(self.1), share(self.2))
    }
}

/// The colour of a face without an emotion or with an uncertain one.
pub(super) const UNCLASSIFIED: Colour = Colour(0xb4, 0xbc, 0xc6);

/// The colour of zones and lines.
pub(super) const ZONE: Colour = Colour(0x8f, 0xe6, 0xff);

/// The colour of a zone with more people than its limit.
pub(super) const EXCEEDED: Colour = Colour(0xff, 0x45, 0x3a);

const EMOTIONS: [(&str, Colour); 7] = [
    ("angry", Colour(0xd0, 0x40, 0x0e)),
    ("disgust", Colour(0x12, 0xc2, 0x9d)),
    ("fear", Colour(0xa3, 0x5f, 0x94)),
    ("happy", Colour(0xff, 0xcc, 0x2b)),
    ("sad", Colour(0x2d, 0x6e, 0xf7)),
    ("surprise", Colour(0xee, 0x85, 0x00)),
    ("neutral", Colour(0xf2, 0xf5, 0xf9)),
];

/// The colour of an emotion. A label that is not one of FER-2013's gets one by its index, so that the labels of any model
/// have colours.
pub(super) fn colour(label: &str, label_id: usize) -> Colour {
    if label == UNCERTAIN {
        return UNCLASSIFIED;
    }
    let known = EMOTIONS.iter().find(|(name, _)| *name == label);
    known.unwrap_or(&EMOTIONS[label_id % EMOTIONS.len()]).1
}

#[cfg(test)]
mod tests;
