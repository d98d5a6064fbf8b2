//! What holds for the properties of every element.

use gst::glib;
use gst::prelude::*;
use gst_video::VideoFormat;

use crate::common::*;

/// A property, a value that it takes, one that it rejects, and a part of the reason.
const TEXTS: [(&str, &str, &str, &str, &str); 7] = [
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
    (
        "emotionzones",
        "zones",
        "hall=0,0 1,0 1,1",
        "hall=0,0 1,1",
        "zones: hall: expected 3 to 100 corners, found 2",
    ),
    (
        "emotionzones",
        "lines",
        "door=0,0 1,1",
        "door",
        "lines: expected NAME=X,Y X,Y",
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

const ELEMENTS: [&str; 5] = [
    "emotionfacedetect",
    "emotionclassify",
    "emotionoverlay",
    "emotionpublish location=/dev/null",
    "emotionzones",
];

#[test]
fn the_blurb_of_stats_names_every_field_and_the_element_its_page() {
    let (info, _) = blank(VideoFormat::I420, 64, 64);
    for line in ELEMENTS {
        let h = harness(line, &info);
        let element = h.element().unwrap();
        let spec = element.find_property("stats").unwrap();
        let blurb = spec.blurb().unwrap().to_string();
        for (field, _) in element.property::<gst::Structure>("stats").iter() {
            assert!(blurb.contains(&**field), "{line}: {field} in {blurb}");
        }
        let factory = element.factory().unwrap();
        let page = factory.metadata("doc-uri").unwrap();
        assert!(page.contains("/docs/elements.md#"), "{page}");
    }
}

#[test]
fn what_can_be_set_while_playing_can_be_controlled_unless_it_is_text() {
    init();
    for line in ELEMENTS {
        let element = gst::parse::launch(line).unwrap();
        for spec in element.list_properties().iter() {
            if !spec.owner_type().name().starts_with("GstEmotion")
                || spec.flags().contains(glib::ParamFlags::DEPRECATED)
            {
                continue;
            }
            let has = |flag| spec.flags().contains(flag);
            let is_text = spec.value_type() == glib::Type::STRING;
            assert_eq!(
                has(gst::PARAM_FLAG_CONTROLLABLE),
                has(gst::PARAM_FLAG_MUTABLE_PLAYING) && !is_text,
                "{line} {}",
                spec.name()
            );
        }
    }
}

/// A value of some kind for the property, often one at an end of its range.
fn some_value(spec: &glib::ParamSpec, random: &mut impl FnMut(usize) -> usize) -> glib::Value {
    let end = random(4);
    macro_rules! number {
        ($spec:ty, $number:ty) => {
            if let Some(spec) = spec.downcast_ref::<$spec>() {
                let (least, most) = (spec.minimum(), spec.maximum());
                let between =
                    least + ((most - least) as f64 / (1_u64 << random(60)) as f64) as $number;
                return [least, most, between, between][end].to_value();
            }
        };
    }
    number!(glib::ParamSpecUInt, u32);
    number!(glib::ParamSpecUInt64, u64);
    number!(glib::ParamSpecFloat, f32);
    number!(glib::ParamSpecDouble, f64);
    if spec.value_type() == glib::Type::BOOL {
        return (random(2) == 0).to_value();
    }
    if let Some(class) = glib::EnumClass::with_type(spec.value_type()) {
        let values = class.values();
        return values[random(values.len())].to_value(&class);
    }
    let texts = [
        "",
        " ",
        "0",
        "-1",
        "1e400",
        "NaN",
        "auto",
        "200ms",
        "3",
        "0,0,1,1",
        "0.5,0,0.5,1",
        "1,2,3",
        "happy=joy",
        "happy=,=",
        "a=b,c=d,happy=x+y",
        "😀=漢",
        "\u{202e}",
        "=",
        ",,,",
        "18446744073709551615",
        "99999999999s",
    ];
    Some(texts[random(texts.len())])
        .filter(|_| end > 0)
        .to_value()
}

#[test]
fn ten_thousand_settings_in_a_running_line_break_nothing() {
    let (info, buffer) = portrait(VideoFormat::I420);
    let (info, buffer) = {
        let small = crate::common::info(VideoFormat::I420, 96, 96);
        (small.clone(), convert(buffer, &info, &small))
    };
    for (seed, line) in ELEMENTS.into_iter().enumerate() {
        let mut h = harness(line, &info);
        let element = h.element().unwrap();
        let bus = gst::Bus::new();
        bus.set_flushing(true);
        element.set_bus(Some(&bus));
        let specs: Vec<glib::ParamSpec> = element
            .list_properties()
            .iter()
            .filter(|spec| {
                spec.owner_type().name().starts_with("GstEmotion")
                    && spec.flags().contains(glib::ParamFlags::WRITABLE)
                    // These load files, or networks, each time.
                    && !["model", "model-location", "cascade-file"].contains(&spec.name())
                    // Privacy without a detector is an error.
                    && !spec.name().starts_with("privacy")
            })
            .cloned()
            .collect();
        let mut random = random(seed as u64);
        for step in 0..2500 {
            let spec = &specs[random(specs.len())];
            let value = some_value(spec, &mut random);
            element.set_property_from_value(spec.name(), &value);
            let _ = element.property_value("stats");
            if step % 50 == 0 {
                h.push_and_pull(at(buffer.clone(), 40 * step)).unwrap();
            }
        }
    }
}
