//! What holds for the properties of every element.

use gst::prelude::*;
use gst_video::VideoFormat;

use crate::common::*;

/// A property, a value that it takes, one that it rejects, and a part of the reason.
const TEXTS: [(&str, &str, &str, &str, &str); 5] = [
    (
        "emotionfacedetect",
        "region",
        "0,0,0.5,1",
        "left",
        "x,y,width,height",
    ),
    (
        "emotionfacedetect",
        "detection-interval",
        "200ms",
        "often",
        "often",
    ),
    (
        "emotionclassify",
        "classify-interval",
        "200ms",
        "often",
        "often",
    ),
    (
        "emotionclassify",
        "labels",
        "happy=Freude",
        "happy",
        "OLD=NEW",
    ),
    (
        "emotionoverlay",
        "label-names",
        "happy=joyful",
        "happy",
        "happy",
    ),
];

#[test]
fn a_value_that_is_rejected_while_running_is_a_warning_and_the_old_one_stays() {
    let (info, _) = blank(VideoFormat::I420, 64, 64);
    for (factory, name, good, bad, reason) in TEXTS {
        let h = harness(factory, &info);
        let element = h.element().unwrap();
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        element.set_property(name, good);

        element.set_property(name, bad);

        let warning = next_warning(&bus);
        assert!(
            warning.contains(reason) && warning.contains(&format!("{name} stays as it was")),
            "{warning}"
        );
        assert_eq!(element.property::<String>(name), good);
        element.set_state(gst::State::Null).unwrap();
        element.set_state(gst::State::Paused).unwrap();
        element.set_state(gst::State::Null).unwrap();
    }
}

#[test]
fn a_value_that_is_rejected_before_the_start_prevents_it_until_another_is_set() {
    init();
    for (factory, name, good, bad, reason) in TEXTS {
        let element = gst::ElementFactory::make(factory)
            .property(name, good)
            .property(name, bad)
            .build()
            .unwrap();
        assert_eq!(element.property::<String>(name), good);
        let error = error_at_start(&element);
        assert!(error.contains(reason), "{error}");

        element.set_property(name, good);
        element.set_state(gst::State::Paused).unwrap();
        element.set_state(gst::State::Null).unwrap();
    }
}

#[test]
fn notify_is_the_deprecated_name_of_post_messages() {
    init();
    for factory in ["emotionfacedetect", "emotionclassify"] {
        let element = gst::ElementFactory::make(factory)
            .property_from_str("notify", "frame")
            .build()
            .unwrap();
        let nick = |name: &str| {
            let value = element.property_value(name);
            let (_, value) = gst::glib::EnumValue::from_value(&value).unwrap();
            value.nick().to_owned()
        };
        assert_eq!(nick("post-messages"), "frame", "{factory}");

        element.set_property_from_str("post-messages", "change");
        assert_eq!(nick("notify"), "change", "{factory}");

        let is_deprecated = |name: &str| {
            let flags = element.find_property(name).unwrap().flags();
            flags.contains(gst::glib::ParamFlags::DEPRECATED)
        };
        assert!(is_deprecated("notify") && !is_deprecated("post-messages"));
    }
}
