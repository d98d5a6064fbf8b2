//! A running line of the elements, and what upstream may send it: caps, frames with regions, seeks, gaps.

#![no_main]

use std::sync::Once;

use arbitrary::Arbitrary;
use gst::prelude::*;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoInfo, VideoRegionOfInterestMeta};
use libfuzzer_sys::fuzz_target;

const LINE: &str = "emotionfacedetect ! emotionclassify ! emotionzones zones=\"all=0,0 1,0 1,1 0,1\" \
                    ! emotionoverlay privacy=blur privacy-missing=show ! emotionpublish location=/dev/null";
const FORMATS: [VideoFormat; 8] = [
    VideoFormat::Gray8,
    VideoFormat::I420,
    VideoFormat::Nv12,
    VideoFormat::Rgb,
    VideoFormat::Bgra,
    VideoFormat::Yuy2,
    VideoFormat::P01010le,
    VideoFormat::V210,
];

static START: Once = Once::new();

#[derive(Debug, Arbitrary)]
enum Step {
    Caps {
        format: u8,
        width: u8,
        height: u8,
        pixel: [u8; 2],
    },
    Frame {
        milliseconds: Option<u16>,
        missing_bytes: u8,
        regions: Vec<Region>,
    },
    Gap(u16),
    Flush,
    Property(u8, String),
}

#[derive(Debug, Arbitrary)]
struct Region {
    kind: Option<String>,
    rectangle: [u32; 4],
    id: i32,
    confidence: Option<f64>,
    label: Option<String>,
}

fuzz_target!(|steps: Vec<Step>| {
    START.call_once(|| {
        gst::init().expect("GStreamer starts");
        gstemotion::plugin_register_static().expect("GStreamer takes the plugin");
    });
    let mut harness = Harness::new_parse(LINE);
    let mut info = VideoInfo::builder(VideoFormat::Gray8, 64, 48)
        .build()
        .expect("they fit");
    harness.set_src_caps(info.to_caps().expect("they are caps"));
    for step in steps.iter().take(32) {
        take(&mut harness, &mut info, step);
        while harness.try_pull().is_some() {}
    }
});

fn take(harness: &mut Harness, info: &mut VideoInfo, step: &Step) {
    match step {
        Step::Caps {
            format,
            width,
            height,
            pixel,
        } => {
            let format = FORMATS[usize::from(*format) % FORMATS.len()];
            let [number, denominator] = pixel.map(|side| i32::from(side).max(1));
            let changed =
                VideoInfo::builder(format, u32::from(*width).max(1), u32::from(*height).max(1))
                    .par(gst::Fraction::new(number, denominator))
                    .build();
            if let Ok(changed) = changed {
                harness.set_src_caps(changed.to_caps().expect("they are caps"));
                *info = changed;
            }
        }
        Step::Frame {
            milliseconds,
            missing_bytes,
            regions,
        } => {
            let size = info.size().saturating_sub(usize::from(*missing_bytes / 16));
            let mut buffer = gst::Buffer::from_mut_slice(vec![90_u8; size]);
            let writable = buffer.make_mut();
            writable.set_pts(milliseconds.map(|time| gst::ClockTime::from_mseconds(time.into())));
            for region in regions.iter().take(16) {
                add(writable, region);
            }
            // A frame that is refused is an error of the stream, and the next one may pass.
            let _ = harness.push(buffer);
        }
        Step::Gap(milliseconds) => {
            let start = gst::ClockTime::from_mseconds((*milliseconds).into());
            harness.push_event(gst::event::Gap::new(start, None));
        }
        Step::Flush => {
            harness.push_event(gst::event::FlushStart::new());
            harness.push_event(gst::event::FlushStop::new(true));
            let segment = gst::FormattedSegment::<gst::ClockTime>::new();
            harness.push_event(gst::event::Segment::new(&segment));
        }
        Step::Property(which, value) => set_property(harness, *which, value),
    }
}

fn add(buffer: &mut gst::BufferRef, region: &Region) {
    let kind = region.kind.as_deref().unwrap_or("face");
    // GLib keeps each name for ever, and takes none with NUL.
    if kind.len() > 8 || kind.contains('\0') {
        return;
    }
    let [x, y, width, height] = region.rectangle;
    let mut roi = VideoRegionOfInterestMeta::add(buffer, kind, (x, y, width, height));
    roi.set_id(region.id);
    if let Some(confidence) = region.confidence {
        let label = region.label.as_deref().unwrap_or("happy").replace('\0', "");
        roi.add_param(
            gst::Structure::builder("emotion")
                .field("label", label)
                .field("confidence", confidence)
                .build(),
        );
    }
}

/// Sets a property of one of the elements from text, as gst-launch-1.0 does.
fn set_property(harness: &Harness, which: u8, value: &str) {
    let Some(bin) = harness.element().and_downcast::<gst::Bin>() else {
        return;
    };
    let properties: Vec<(gst::Element, gst::glib::ParamSpec)> = bin
        .iterate_recurse()
        .into_iter()
        .flatten()
        .flat_map(|element| {
            let specs = element.list_properties().to_vec();
            specs.into_iter().map(move |spec| (element.clone(), spec))
        })
        .collect();
    let (element, spec) = &properties[usize::from(which) % properties.len()];
    // Files and addresses are left alone: the target writes nothing and calls nobody.
    let is_harmless = !["location", "address", "name", "parent", "method"]
        .iter()
        .any(|name| spec.name().contains(name));
    if is_harmless
        && spec.flags().contains(gst::glib::ParamFlags::WRITABLE)
        && let Ok(value) = gst::glib::Value::deserialize_with_pspec(&value.replace('\0', ""), spec)
    {
        element.set_property_from_value(spec.name(), &value);
    }
}
