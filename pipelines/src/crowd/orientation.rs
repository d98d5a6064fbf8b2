//! How a picture is turned and mirrored to stand upright.

use gst_video::VideoOrientationMethod;

/// Quarter turns clockwise, and then whether left and right change sides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Orientation {
    quarter_turns: u8,
    is_mirrored: bool,
}

impl Orientation {
    /// Turned by so many quarters clockwise.
    pub(super) fn turned(quarter_turns: u8) -> Self {
        Self {
            quarter_turns: quarter_turns % 4,
            is_mirrored: false,
        }
    }

    /// The orientation that GStreamer's method makes.
    pub(super) fn from_method(method: VideoOrientationMethod) -> Self {
        let (quarter_turns, is_mirrored) = match method {
            VideoOrientationMethod::_90r => (1, false),
            VideoOrientationMethod::_180 => (2, false),
            VideoOrientationMethod::_90l => (3, false),
            VideoOrientationMethod::Horiz => (0, true),
            VideoOrientationMethod::UlLr => (1, true),
            VideoOrientationMethod::Vert => (2, true),
            VideoOrientationMethod::UrLl => (3, true),
            _ => (0, false),
        };
        Self {
            quarter_turns,
            is_mirrored,
        }
    }

    /// The same, and then left and right change sides.
    pub(super) fn mirrored(self) -> Self {
        Self {
            is_mirrored: !self.is_mirrored,
            ..self
        }
    }

    /// The value of the property `video-direction` of `videoflip`; `None` if nothing changes.
    pub(super) fn direction(self) -> Option<&'static str> {
        match (self.quarter_turns, self.is_mirrored) {
            (1, false) => Some("90r"),
            (2, false) => Some("180"),
            (3, false) => Some("90l"),
            (0, true) => Some("horiz"),
            (1, true) => Some("ul-lr"),
            (2, true) => Some("vert"),
            (3, true) => Some("ur-ll"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use gst::prelude::*;

    use super::*;
    use crate::crowd::element_chain::ElementChain;

    /// The pixels of the rows 123 and 456 after the change.
    fn changed(orientation: Orientation) -> Vec<u8> {
        crate::init().expect("GStreamer starts");
        let Some(direction) = orientation.direction() else {
            return vec![1, 2, 3, 4, 5, 6];
        };
        let flip = gst::ElementFactory::make("videoflip")
            .build()
            .expect("it is installed");
        flip.set_property_from_str("video-direction", direction);
        let caps = |width: i32, height: i32| {
            gst::Caps::builder("video/x-raw")
                .field("format", "RGBx")
                .field("width", width)
                .field("height", height)
                .field("framerate", gst::Fraction::new(0, 1))
                .build()
        };
        let pixels = (1..=6).flat_map(|value| [value; 4]).collect::<Vec<u8>>();
        let mut chain = ElementChain::new(&[flip]).expect("it starts");
        let frame = chain.run(gst::Buffer::from_slice(pixels), &caps(3, 2));
        let frame = frame.expect("it runs").expect("a frame");
        let map = frame.buffer.map_readable().expect("memory");
        map.iter().step_by(4).copied().collect()
    }

    #[test]
    fn turns_are_clockwise_and_mirroring_comes_after_them() {
        assert_eq!(changed(Orientation::turned(1)), [4, 1, 5, 2, 6, 3]);
        assert_eq!(changed(Orientation::turned(3)), [3, 6, 2, 5, 1, 4]);
        assert_eq!(
            changed(Orientation::turned(1).mirrored()),
            [1, 4, 2, 5, 3, 6]
        );
        assert_eq!(
            changed(Orientation::turned(3).mirrored()),
            [6, 3, 5, 2, 4, 1]
        );
        assert_eq!(
            changed(Orientation::turned(2).mirrored()),
            [4, 5, 6, 1, 2, 3]
        );
        assert_eq!(
            Orientation::turned(0).mirrored().mirrored(),
            Orientation::default()
        );
    }

    #[test]
    fn each_method_of_gstreamer_is_its_own_orientation() {
        for (method, nick) in [
            (VideoOrientationMethod::_90r, Some("90r")),
            (VideoOrientationMethod::_90l, Some("90l")),
            (VideoOrientationMethod::Horiz, Some("horiz")),
            (VideoOrientationMethod::UlLr, Some("ul-lr")),
            (VideoOrientationMethod::UrLl, Some("ur-ll")),
            (VideoOrientationMethod::Identity, None),
        ] {
            assert_eq!(Orientation::from_method(method).direction(), nick);
        }
    }
}
