//! `facedetect` behind a camera: a source that chooses its mode as v4l2src does, from written lists of modes.

use std::sync::Mutex;

use crate::common::*;
use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::base_src::CreateSuccess;
use gst_base::subclass::prelude::*;

/// By which rule v4l2src sorts the modes that downstream can take.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum Rule {
    /// Up to 1.22: those at least as large as the preference first, the smallest of them first; the others as they come.
    #[default]
    SizeFirst,
    /// Later: the rate nearest to that of the preference, then the number of pixels.
    RateFirst,
}

mod imp {
    use super::*;

    #[derive(Default)]
    pub(super) struct Camera {
        pub(super) modes: Mutex<Option<gst::Caps>>,
        pub(super) rule: Mutex<Rule>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Camera {
        const NAME: &'static str = "GstEmotionTestCamera";
        type Type = super::Camera;
        type ParentType = gst_base::PushSrc;
    }

    impl ObjectImpl for Camera {}
    impl GstObjectImpl for Camera {}

    impl ElementImpl for Camera {
        fn pad_templates() -> &'static [gst::PadTemplate] {
            static TEMPLATES: std::sync::LazyLock<Vec<gst::PadTemplate>> =
                std::sync::LazyLock::new(|| {
                    let caps = gst::Caps::new_any();
                    let template = gst::PadTemplate::new(
                        "src",
                        gst::PadDirection::Src,
                        gst::PadPresence::Always,
                        &caps,
                    );
                    vec![template.unwrap()]
                });
            TEMPLATES.as_ref()
        }
    }

    impl BaseSrcImpl for Camera {
        fn caps(&self, filter: Option<&gst::Caps>) -> Option<gst::Caps> {
            let modes = self.modes.lock().unwrap().clone()?;
            Some(filter.map_or(modes.clone(), |filter| filter.intersect(&modes)))
        }

        fn negotiate(&self) -> Result<(), gst::LoggableError> {
            let modes = self.modes.lock().unwrap().clone().unwrap();
            let pad = self.obj().src_pad().clone();
            let peer = pad.peer_query_caps(None);
            let possible = peer.intersect_with_mode(&modes, gst::CapsIntersectMode::First);
            let preferred = fixated(peer.structure(0).unwrap(), Mode::LARGEST);
            let rule = *self.rule.lock().unwrap();
            let mut sorted: Vec<(gst::Caps, Mode)> = Vec::new();
            for (structure, features) in possible.iter_with_features() {
                let (structure, mode) = with_mode(structure, preferred);
                let caps = gst::Caps::builder_full()
                    .structure_with_features(structure, features.to_owned())
                    .build();
                let place = sorted
                    .iter()
                    .position(|(_, other)| rule.prefers(mode, *other, preferred));
                sorted.insert(place.unwrap_or(sorted.len()), (caps, mode));
            }
            let Some((mut caps, _)) = sorted.into_iter().next() else {
                return Err(gst::loggable_error!(gst::CAT_DEFAULT, "no mode"));
            };
            caps.fixate();
            self.obj().set_caps(&caps)?;
            Ok(())
        }
    }

    impl PushSrcImpl for Camera {
        fn create(&self, _: Option<&mut gst::BufferRef>) -> Result<CreateSuccess, gst::FlowError> {
            Err(gst::FlowError::Eos)
        }
    }
}

glib::wrapper! {
    struct Camera(ObjectSubclass<imp::Camera>) @extends gst_base::PushSrc, gst_base::BaseSrc, gst::Element, gst::Object;
}

/// A size with a rate.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Mode {
    width: i32,
    height: i32,
    rate: i32,
}

impl Mode {
    const LARGEST: Self = Self {
        width: 3840,
        height: 2160,
        rate: 120,
    };

    fn reaches(self, other: Self) -> bool {
        self.width >= other.width && self.height >= other.height
    }
}

impl Rule {
    /// Whether a mode goes before one that is in the list already.
    fn prefers(self, mode: Mode, other: Mode, preferred: Mode) -> bool {
        let excess = |mode: Mode| {
            let (right, down) = (mode.width - preferred.width, mode.height - preferred.height);
            right.max(1) * down.max(1) - i32::from(right == 0) - i32::from(down == 0)
        };
        let pixels = |mode: Mode| mode.width * mode.height;
        let rate = |mode: Mode| mode.rate.abs_diff(preferred.rate);
        let area = |mode: Mode| pixels(mode).abs_diff(pixels(preferred));
        match self {
            Self::SizeFirst => {
                mode.reaches(preferred)
                    && (!other.reaches(preferred) || excess(mode) < excess(other))
            }
            Self::RateFirst => (rate(mode), area(mode)) < (rate(other), area(other)),
        }
    }
}

/// The structure with the size and rate nearest to `target`, and which these are.
fn with_mode(structure: &gst::StructureRef, target: Mode) -> (gst::Structure, Mode) {
    let mut fixed = structure.to_owned();
    fixed.fixate_field_nearest_int("width", target.width);
    fixed.fixate_field_nearest_int("height", target.height);
    fixed.fixate_field_nearest_fraction("framerate", gst::Fraction::new(target.rate, 1));
    let rate = fixed.get::<gst::Fraction>("framerate");
    let mode = Mode {
        width: fixed.get("width").unwrap_or(target.width),
        height: fixed.get("height").unwrap_or(target.height),
        rate: rate.map_or(target.rate, |rate| rate.numer() / rate.denom()),
    };
    (fixed, mode)
}

fn fixated(structure: &gst::StructureRef, target: Mode) -> Mode {
    with_mode(structure, target).1
}

/// The caps that a camera with these modes runs in before our elements.
fn chosen(modes: &[&str], rule: Rule, line: &str) -> gst::Caps {
    init();
    let camera: Camera = glib::Object::new();
    let modes: Vec<gst::Caps> = modes.iter().map(|mode| mode.parse().unwrap()).collect();
    let modes = modes
        .into_iter()
        .fold(gst::Caps::new_empty(), |mut all, mode| {
            all.get_mut().unwrap().append(mode);
            all
        });
    *camera.imp().modes.lock().unwrap() = Some(modes);
    *camera.imp().rule.lock().unwrap() = rule;
    let elements = gst::parse::bin_from_description(line, true).unwrap();
    let sink = gst::ElementFactory::make("fakesink").build().unwrap();
    let pipeline = gst::Pipeline::new();
    pipeline
        .add_many([
            camera.upcast_ref::<gst::Element>(),
            elements.upcast_ref(),
            &sink,
        ])
        .unwrap();
    gst::Element::link_many([
        camera.upcast_ref::<gst::Element>(),
        elements.upcast_ref(),
        &sink,
    ])
    .unwrap();
    let bus = pipeline.bus().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let ended = bus.timed_pop_filtered(
        gst::ClockTime::from_seconds(60),
        &[gst::MessageType::Eos, gst::MessageType::Error],
    );
    let ended = ended.expect("it ends");
    assert_eq!(ended.type_(), gst::MessageType::Eos, "{ended:?}");
    let caps = camera.static_pad("src").unwrap().current_caps().unwrap();
    pipeline.set_state(gst::State::Null).unwrap();
    caps
}

fn mode_of(caps: &gst::Caps) -> Mode {
    fixated(caps.structure(0).unwrap(), Mode::LARGEST)
}

const LINES: [&str; 3] = [
    "facedetect",
    "queue ! facedetect ! emotionclassify ! emotionoverlay",
    "facedetect ! emotionclassify ! emotionoverlay ! capsfilter caps=\"video/x-raw,format={YUY2,I420}\"",
];

/// What USB 2 carries of raw pictures.
const USB_2: [&str; 6] = [
    "video/x-raw,format=YUY2,width=2304,height=1536,framerate=2/1",
    "video/x-raw,format=YUY2,width=1920,height=1080,framerate=5/1",
    "video/x-raw,format=YUY2,width=1280,height=720,framerate={10/1,5/1}",
    "video/x-raw,format=YUY2,width=800,height=600,framerate={24/1,15/1,5/1}",
    "video/x-raw,format=YUY2,width=640,height=480,framerate={30/1,15/1,5/1}",
    "video/x-raw,format=YUY2,width=320,height=240,framerate={30/1,15/1,5/1}",
];

#[test]
fn a_camera_runs_at_the_rate_that_it_can_and_not_in_its_largest_mode() {
    for rule in [Rule::SizeFirst, Rule::RateFirst] {
        for line in LINES {
            let line = line.replace("facedetect", "emotionfacedetect");
            let caps = chosen(&USB_2, rule, &line);
            let expected = Mode {
                width: 640,
                height: 480,
                rate: 30,
            };
            assert_eq!(mode_of(&caps), expected, "{rule:?}, {line}");
        }
    }
}

#[test]
fn of_fast_modes_the_largest_is_taken_up_to_720p() {
    let fast = [
        "video/x-raw,format=NV12,width=1920,height=1080,framerate=30/1",
        "video/x-raw,format=NV12,width=1280,height=720,framerate={60/1,30/1}",
        "video/x-raw,format=NV12,width=640,height=480,framerate={60/1,30/1}",
    ];
    for rule in [Rule::SizeFirst, Rule::RateFirst] {
        let mode = mode_of(&chosen(&fast, rule, "emotionfacedetect"));
        assert_eq!((mode.width, mode.height), (1280, 720), "{rule:?}");
        assert!(mode.rate >= 30);
    }
}

#[test]
fn an_infrared_camera_and_one_that_is_always_slow_run_as_they_can() {
    for (modes, expected) in [
        (
            ["video/x-raw,format=GRAY8,width=340,height=340,framerate=15/1"].as_slice(),
            (340, 15),
        ),
        (
            ["video/x-raw,format=YUY2,width=1920,height=1080,framerate=5/1"].as_slice(),
            (1920, 5),
        ),
    ] {
        for rule in [Rule::SizeFirst, Rule::RateFirst] {
            let mode = mode_of(&chosen(modes, rule, "emotionfacedetect"));
            assert_eq!((mode.width, mode.rate), expected, "{rule:?}");
        }
    }
}

#[test]
fn system_memory_is_taken_from_a_camera_that_offers_drm_formats_first() {
    let modes = [
        "video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format=YUYV,width=1280,height=720,framerate=30/1",
        "video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format=YUYV,width=640,height=480,framerate=30/1",
        "video/x-raw,format=YUY2,width=1280,height=720,framerate=30/1",
        "video/x-raw,format=YUY2,width=640,height=480,framerate=30/1",
    ];
    for rule in [Rule::SizeFirst, Rule::RateFirst] {
        for line in LINES {
            let line = line.replace("facedetect", "emotionfacedetect");
            let caps = chosen(&modes, rule, &line);
            let structure = caps.structure(0).unwrap();
            assert_eq!(structure.get::<&str>("format"), Ok("YUY2"), "{line}");
            assert_eq!(mode_of(&caps).width, 1280, "{rule:?}, {line}");
        }
    }
}

#[test]
fn where_nothing_is_to_be_chosen_the_caps_are_those_of_every_frame() {
    init();
    // A converter keeps the size that it gets.
    for size in ["width=1920,height=1080", "width=64,height=48"] {
        let line = format!(
            "videotestsrc num-buffers=1 ! video/x-raw,format=I420,{size} ! videoconvert ! videoscale ! emotionfacedetect name=detect ! fakesink"
        );
        let pipeline = gst::parse::launch(&line)
            .unwrap()
            .downcast::<gst::Pipeline>()
            .unwrap();
        let detect = pipeline.by_name("detect").unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        let bus = pipeline.bus().unwrap();
        let ended = bus.timed_pop_filtered(
            gst::ClockTime::from_seconds(60),
            &[gst::MessageType::Eos, gst::MessageType::Error],
        );
        assert_eq!(ended.unwrap().type_(), gst::MessageType::Eos);
        let caps = detect.static_pad("sink").unwrap().current_caps().unwrap();
        pipeline.set_state(gst::State::Null).unwrap();
        let expected: Vec<&str> = size.split(['=', ',']).collect();
        let width = caps.structure(0).unwrap().get::<i32>("width").unwrap();
        assert_eq!(width.to_string(), expected[1], "{caps}");
    }
}
