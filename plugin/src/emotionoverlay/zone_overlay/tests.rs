use std::time::Duration;

use emotion_analysis::zones::{DwellSummary, PersonInZone};

use super::super::draw::Painter;
use super::*;

const FRAME: Size = Size {
    width: 320,
    height: 200,
};

fn shown(zones: &str, lines: &str) -> ShownZones {
    let layout = ZoneLayout::parse(zones, lines).unwrap();
    let zones = layout.zones().iter().map(|zone| ZoneCounts {
        name: zone.name().to_owned(),
        people: vec![PersonInZone {
            id: 1,
            dwell: Duration::ZERO,
        }],
        limit: zone.limit(),
        is_exceeded: zone.limit() == Some(0),
        dwell: DwellSummary::default(),
        ..ZoneCounts::default()
    });
    let lines = layout.lines().iter().map(|line| LineCounts {
        name: line.name().to_owned(),
        inwards: line.inwards().to_owned(),
        outwards: line.outwards().to_owned(),
        crossed_in: 3,
        crossed_out: 2,
    });
    let counts = FrameZones {
        zones: zones.collect(),
        lines: lines.collect(),
        events: Vec::new(),
    };
    ShownZones { layout, counts }
}

fn texts(shown: &ShownZones) -> Vec<String> {
    let plates = shown.plates(FRAME, Style::Default).into_iter();
    plates
        .map(|plate| match plate.spec {
            SpriteSpec::Label(label) => label.name.unwrap(),
            other => panic!("expected a label, found {other:?}"),
        })
        .collect()
}

#[test]
fn plates_have_the_name_and_the_counts() {
    let shown = shown(
        "hall=0,0 1,0 1,1; till=0,0 1,0 1,1 limit=0",
        "door=0.5,0.1 0.5,0.9 in=entering",
    );
    assert_eq!(
        texts(&shown),
        ["hall: 1", "till: 1/0", "door: entering 3, out 2"]
    );
}

/// The pixels of a sprite, with the place of each.
fn pixels(spec: &SpriteSpec, at: Rect) -> BTreeMap<(i32, i32), [u8; 4]> {
    let sprite = Painter::new(Style::Default, "Sans").paint(spec).unwrap();
    let bytes = sprite.pixels.map_readable().unwrap();
    let mut pixels = BTreeMap::new();
    for y in 0..at.height {
        let row = &bytes[y as usize * sprite.stride..];
        for x in 0..at.width {
            let pixel = row.as_chunks().0[x as usize];
            if pixel != [0; 4] {
                pixels.insert((at.x + x, at.y + y), pixel);
            }
        }
    }
    pixels
}

#[test]
fn the_tiles_of_an_outline_are_all_of_it_and_cover_little_of_the_frame() {
    gst::init().unwrap();
    for (zones, lines, most) in [
        (
            "star=0,0 0.5,0.2 1,0 0.8,0.5 1,1 0.5,0.9 0,1 0.1,0.4",
            "",
            20,
        ),
        ("", "door=0.1,0.9 0.9,0.2", 12),
        ("edge=0,0 1,0 1,1 0,1 limit=0", "post=0.99,0.5 0.99,0.9", 20),
    ] {
        let shown = shown(zones, lines);
        let mut overlay = ZoneOverlay::default();
        let tiles = overlay.outlines(&shown, FRAME, Style::Default).to_vec();
        assert!(tiles.len() <= most, "{zones}{lines}: {}", tiles.len());
        for outline in shown
            .zones()
            .map(|(zone, counts)| zone_outline(zone, counts, FRAME, Style::Default))
            .chain(
                shown
                    .lines()
                    .map(|(line, _)| line_outline(line, FRAME, Style::Default)),
            )
        {
            let whole = Rect::new(0, 0, FRAME.width, FRAME.height);
            let outline = Arc::new(outline);
            let drawn = pixels(
                &SpriteSpec::Outline {
                    outline: Arc::clone(&outline),
                    tile: whole,
                },
                whole,
            );
            let mut cut = BTreeMap::new();
            for (spec, place) in &tiles {
                assert!(place.lies_in(FRAME), "{place:?}");
                if matches!(spec, SpriteSpec::Outline { outline: of, .. } if *of == outline) {
                    cut.extend(pixels(spec, *place));
                }
            }
            assert!(!drawn.is_empty());
            // Edges are smoothed a little differently from tile to tile.
            let value =
                |of: &BTreeMap<(i32, i32), [u8; 4]>, at| of.get(at).copied().unwrap_or_default();
            for at in drawn.keys().chain(cut.keys()) {
                let (whole, part) = (value(&drawn, at), value(&cut, at));
                let is_close = whole.iter().zip(part).all(|(a, b)| a.abs_diff(b) <= 32);
                assert!(
                    is_close,
                    "{zones}{lines} {at:?}: {part:?} instead of {whole:?}"
                );
            }
        }
    }
}

#[test]
fn the_arrow_of_a_line_points_inwards() {
    let shown = shown("", "door=0.5,0.1 0.5,0.9");
    let (line, _) = shown.lines().next().unwrap();
    let outline = line_outline(line, FRAME, Style::Default);
    let tip = outline.paths[2].points[1];
    // Who looks down the picture has its left side at the right hand.
    assert!(tip.0 < 160 && tip.1 == 100, "{tip:?}");
    assert!(line.crossing_is_inwards_to(tip));
}

trait Inwards {
    fn crossing_is_inwards_to(&self, tip: (i32, i32)) -> bool;
}

impl Inwards for Line {
    /// What the analysis counts for a way along the arrow.
    fn crossing_is_inwards_to(&self, (x, y): (i32, i32)) -> bool {
        use emotion_analysis::zones::{PersonPosition, ZoneAnalyzer, ZoneOptions};
        let layout = ZoneLayout::new(Vec::new(), vec![self.clone()]).unwrap();
        let mut room = ZoneAnalyzer::new(layout);
        let [from, to] = self.ends();
        let middle = ((from.x + to.x) / 2.0, (from.y + to.y) / 2.0);
        let (x, y) = (
            f64::from(x) / f64::from(FRAME.width),
            f64::from(y) / f64::from(FRAME.height),
        );
        for centre in [
            FramePoint {
                x: 2.0 * middle.0 - x,
                y: 2.0 * middle.1 - y,
            },
            FramePoint { x, y },
        ] {
            let person = PersonPosition {
                id: 1,
                centre,
                size: (0.01, 0.01),
                emotion: None,
                unseen: Duration::ZERO,
            };
            room.update(None, &[person], &ZoneOptions::default());
        }
        room.lines()[0].crossed_in == 1
    }
}

#[test]
fn outlines_are_made_anew_only_when_one_changes() {
    let mut overlay = ZoneOverlay::default();
    let first = shown("hall=0,0 1,0 1,1", "");
    let address = |tiles: &[(SpriteSpec, Rect)]| tiles.as_ptr();
    let before = address(overlay.outlines(&first, FRAME, Style::Default));
    let again = address(overlay.outlines(&first, FRAME, Style::Default));
    assert_eq!(before, again);
    let exceeded = shown("hall=0,0 1,0 1,1 limit=0", "");
    let colours: BTreeSet<_> = overlay
        .outlines(&exceeded, FRAME, Style::Default)
        .iter()
        .map(|(spec, _)| match spec {
            SpriteSpec::Outline { outline, .. } => outline.colour.rgb().0.to_bits(),
            other => panic!("expected an outline, found {other:?}"),
        })
        .collect();
    assert_eq!(
        colours,
        BTreeSet::from([palette::EXCEEDED.rgb().0.to_bits()])
    );
}

#[test]
fn a_plate_finds_a_place_in_the_frame_for_a_zone_anywhere() {
    let shown = shown(
        "a=0,0 0.01,0 0.01,0.01 0,0.01; b=0.99,0.99 1,0.99 1,1",
        "c=0,0 1,0; d=1,1 0,1",
    );
    for plate in shown.plates(FRAME, Style::Default) {
        let size = Size {
            width: 90,
            height: 20,
        };
        let slots = plate.slots(size, FRAME);
        assert!(slots.len() >= 3);
        assert!(slots.iter().all(|slot| slot.lies_in(FRAME)), "{slots:?}");
    }
}
