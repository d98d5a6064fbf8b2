use std::time::Duration;

use emotion_analysis::zones::{
    CrossingDirection, DwellSummary, LineCounts, PersonInZone, ZoneCounts, ZoneEvent,
    ZoneEventKind, ZoneLayout,
};
use gst::meta::CustomMeta;
use gst_video::VideoRegionOfInterestMeta;

use super::write::META_NAME;
use super::*;
use crate::face;

const SIZE: (u32, u32) = (200, 100);
const MS: fn(u64) -> Duration = Duration::from_millis;

fn layout() -> ZoneLayout {
    ZoneLayout::parse(
        "hall=0,0.5 0.6,0.5 0.6,1 0,1 limit=1; till=0.7,0.1 1,0.1 1,0.3",
        "door=0.5,0.2 0.5,0.9 in=entering",
    )
    .unwrap()
}

fn counts() -> FrameZones {
    let hall = ZoneCounts {
        name: "hall".into(),
        people: vec![
            PersonInZone {
                id: 7,
                dwell: MS(1500),
            },
            PersonInZone {
                id: 9,
                dwell: MS(40),
            },
        ],
        entered: 5,
        left: 3,
        limit: Some(1),
        is_exceeded: true,
        dwell: DwellSummary {
            count: 3,
            mean: MS(2500),
            longest: MS(4000),
        },
        emotions: vec![("happy".into(), 0.75), ("sad".into(), 0.25)],
    };
    let till = ZoneCounts {
        name: "till".into(),
        ..ZoneCounts::default()
    };
    let event = |ago, kind| ZoneEvent { ago: MS(ago), kind };
    let (zone, id) = ("hall".to_owned(), 9);
    FrameZones {
        zones: vec![hall, till],
        lines: vec![LineCounts {
            name: "door".into(),
            inwards: "entering".into(),
            outwards: "out".into(),
            crossed_in: 5,
            crossed_out: 2,
        }],
        events: vec![
            event(
                0,
                ZoneEventKind::Entered {
                    zone: zone.clone(),
                    id,
                    people: 2,
                },
            ),
            event(
                80,
                ZoneEventKind::Left {
                    zone: zone.clone(),
                    id,
                    people: 1,
                    dwell: MS(4000),
                },
            ),
            event(
                0,
                ZoneEventKind::Crossed {
                    line: "door".into(),
                    id,
                    direction: CrossingDirection::In,
                    name: "entering".into(),
                },
            ),
            event(
                0,
                ZoneEventKind::LimitExceeded {
                    zone: zone.clone(),
                    people: 2,
                    limit: 1,
                },
            ),
            event(
                0,
                ZoneEventKind::LimitKept {
                    zone,
                    people: 1,
                    limit: 1,
                },
            ),
        ],
    }
}

fn buffer() -> gst::Buffer {
    gst::init().unwrap();
    let mut buffer = gst::Buffer::new();
    set_zones(buffer.make_mut(), SIZE, 2.0, &layout(), &counts());
    buffer
}

/// What an element does to the regions: moves each, or drops it.
fn change_regions(
    buffer: &mut gst::BufferRef,
    moved: impl Fn((u32, u32, u32, u32)) -> Option<(u32, u32, u32, u32)>,
) {
    let regions: Vec<_> = buffer
        .iter_meta::<VideoRegionOfInterestMeta>()
        .map(|roi| (roi.rect(), roi.id()))
        .collect();
    while let Some(roi) = buffer.meta_mut::<VideoRegionOfInterestMeta>() {
        roi.remove().unwrap();
    }
    for (rect, id) in regions {
        if let Some(rect) = moved(rect) {
            VideoRegionOfInterestMeta::add(buffer, "any", rect).set_id(id);
        }
    }
}

#[test]
fn zones_and_lines_are_read_back() {
    let buffer = buffer();
    assert_eq!(frame_zones(&buffer), Some(counts()));
    assert_eq!(shapes(&buffer, SIZE, 2.0), Some(layout()));
    assert_eq!(frame_zones(&gst::Buffer::new()), None);
    assert_eq!(shapes(&gst::Buffer::new(), SIZE, 2.0), None);
}

#[test]
fn other_tools_find_the_regions_and_the_counts() {
    let buffer = buffer();
    let regions: Vec<_> = buffer
        .iter_meta::<VideoRegionOfInterestMeta>()
        .map(|roi| (crate::foreign::roi_type(&roi).unwrap(), roi.rect()))
        .collect();
    assert_eq!(
        regions,
        [
            (ZONE_ROI_TYPE, (0, 50, 120, 50)),
            (ZONE_ROI_TYPE, (140, 10, 60, 20)),
            (LINE_ROI_TYPE, (100, 20, 1, 70)),
        ]
    );
    let meta = CustomMeta::from_buffer(&buffer, META_NAME).unwrap();
    let zones = meta.structure().get::<gst::ArrayRef<'_>>("zones").unwrap();
    let hall = zones[0].get::<&gst::StructureRef>().unwrap();
    assert_eq!(hall.get::<&str>("name"), Ok("hall"));
    assert_eq!(hall.get::<u32>("people"), Ok(2));
    assert_eq!(hall.get::<u64>("entered"), Ok(5));
    assert_eq!(hall.get::<bool>("exceeded"), Ok(true));
    let longest = hall.get::<gst::ClockTime>("longest-dwell");
    assert_eq!(longest, Ok(gst::ClockTime::from_seconds(4)));
    let till = zones[1].get::<&gst::StructureRef>().unwrap();
    assert!(!till.has_field("limit") && !till.has_field("exceeded"));
}

#[test]
fn shapes_follow_a_picture_that_is_scaled() {
    let mut buffer = buffer();
    // videoscale to a third, with rectangles rounded down.
    change_regions(buffer.make_mut(), |(x, y, width, height)| {
        Some((x / 3, y / 3, (width / 3).max(1), height / 3))
    });
    assert_eq!(shapes(&buffer, (66, 33), 2.0), Some(layout()));
}

#[test]
fn a_picture_that_was_changed_has_counts_and_no_shapes() {
    let keep = Some;
    let drop_all = |_| None;
    // One of them survives.
    let drop_lines = |rect: (u32, u32, u32, u32)| (rect.2 > 1).then_some(rect);
    // As a newer GStreamer moves the rectangles of a flipped picture.
    let flip =
        |(x, y, width, height): (u32, u32, u32, u32)| Some((SIZE.0 - x - width, y, width, height));
    type Change = dyn Fn((u32, u32, u32, u32)) -> Option<(u32, u32, u32, u32)>;
    let cases: [(&Change, f64, bool); 5] = [
        (&keep, 2.0, true),
        (&keep, 1.0, false),
        (&drop_all, 2.0, false),
        (&drop_lines, 2.0, false),
        (&flip, 2.0, false),
    ];
    for (index, (change, aspect, is_shown)) in cases.into_iter().enumerate() {
        let mut buffer = buffer();
        change_regions(buffer.make_mut(), change);
        assert_eq!(shapes(&buffer, SIZE, aspect).is_some(), is_shown, "{index}");
        assert_eq!(frame_zones(&buffer), Some(counts()), "{index}");
    }
    assert_eq!(shapes(&buffer(), SIZE, f64::NAN), None);
}

#[test]
fn the_regions_of_zones_hide_no_lost_face() {
    gst::init().unwrap();
    let mut buffer = gst::Buffer::new();
    let buffer = buffer.make_mut();
    let face = face::DetectedFace {
        x: 10,
        y: 10,
        width: 20,
        height: 20,
        confidence: 0.9,
        landmarks: None,
    };
    face::add_detected(buffer, SIZE.0, SIZE.1, &[face, face]);
    change_regions(buffer, |_| None);
    set_zones(buffer, SIZE, 2.0, &layout(), &counts());
    assert_eq!(face::lost_regions(buffer), 2);
}

#[test]
fn a_second_writer_replaces_the_first() {
    let mut buffer = buffer();
    let layout = ZoneLayout::parse("other=0,0 1,0 1,1", "").unwrap();
    let counts = FrameZones {
        zones: vec![ZoneCounts {
            name: "other".into(),
            ..ZoneCounts::default()
        }],
        ..FrameZones::default()
    };
    set_zones(buffer.make_mut(), SIZE, 2.0, &layout, &counts);
    assert_eq!(frame_zones(&buffer), Some(counts));
    assert_eq!(shapes(&buffer, SIZE, 2.0), Some(layout));
}

#[test]
fn what_others_have_written_into_the_meta_is_left_out() {
    let mut buffer = buffer();
    {
        let mut meta = CustomMeta::from_mut_buffer(buffer.make_mut(), META_NAME).unwrap();
        let structure = meta.mut_structure();
        let zone = gst::Structure::builder("zone").field("name", 5).build();
        structure.set("zones", gst::Array::new([zone]));
        structure.set("lines", "door");
        structure.set("events", gst::Array::new([1, 2]));
    }
    assert_eq!(frame_zones(&buffer), Some(FrameZones::default()));
    assert_eq!(shapes(&buffer, SIZE, 2.0), None);
}
