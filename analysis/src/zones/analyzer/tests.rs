use super::*;
use crate::zones::ZoneEventKind;

const MS: fn(u64) -> Duration = Duration::from_millis;
const OPTIONS: ZoneOptions = ZoneOptions {
    max_absence: Duration::from_secs(2),
    emotion_window: Duration::from_secs(10),
};
/// The right half of the frame.
const HALL: &str = "hall=0.5,0 1,0 1,1 0.5,1";
/// The border of the hall; inwards is to the right.
const DOOR: &str = "door=0.5,1 0.5,0";

fn room(zones: &str, lines: &str) -> ZoneAnalyzer {
    ZoneAnalyzer::new(ZoneLayout::parse(zones, lines).unwrap())
}

/// Somebody with a face of a tenth of the frame.
fn at(id: i32, x: f64, y: f64) -> PersonPosition<'static> {
    PersonPosition {
        id,
        centre: FramePoint { x, y },
        size: (0.1, 0.1),
        emotion: None,
        unseen: Duration::ZERO,
    }
}

/// Shows `people` at `ms` milliseconds; the names of what happened, with the time since the start in milliseconds.
fn show(room: &mut ZoneAnalyzer, ms: u64, people: &[PersonPosition<'_>]) -> Vec<String> {
    let events = room.update(Some(MS(ms)), people, &OPTIONS);
    let now = room.now;
    events
        .into_iter()
        .map(|event| {
            let when = (now - event.ago).as_millis();
            match event.kind {
                ZoneEventKind::Entered { zone, id, people } => {
                    format!("{when}: {id} enters {zone} ({people})")
                }
                ZoneEventKind::Left {
                    zone,
                    id,
                    people,
                    dwell,
                } => format!(
                    "{when}: {id} leaves {zone} after {} ({people})",
                    dwell.as_millis()
                ),
                ZoneEventKind::Crossed { line, id, name, .. } => {
                    format!("{when}: {id} crosses {line} {name}")
                }
                ZoneEventKind::LimitExceeded { people, limit, .. } => {
                    format!("{when}: {people} > {limit}")
                }
                ZoneEventKind::LimitKept { people, limit, .. } => {
                    format!("{when}: {people} <= {limit}")
                }
            }
        })
        .collect()
}

/// One person at each of these times and places.
fn walk(room: &mut ZoneAnalyzer, way: &[(u64, f64)]) -> Vec<String> {
    way.iter()
        .flat_map(|&(ms, x)| show(room, ms, &[at(1, x, 0.5)]))
        .collect()
}

#[test]
fn who_walks_in_and_out_is_counted_at_the_frames_that_show_it() {
    let mut room = room(HALL, DOOR);
    let events = walk(
        &mut room,
        &[
            (0, 0.3),
            (100, 0.45),
            (200, 0.55),
            (300, 0.7),
            (1500, 0.7),
            (3000, 0.7),
            (4300, 0.7),
            (4400, 0.45),
        ],
    );
    assert_eq!(
        events,
        [
            "200: 1 crosses door in",
            "200: 1 enters hall (1)",
            "4400: 1 crosses door out",
            "4400: 1 leaves hall after 4200 (0)",
        ]
    );
    let hall = &room.zones()[0];
    assert_eq!((hall.entered, hall.left, hall.people.len()), (1, 1, 0));
    assert_eq!(hall.dwell.longest, MS(4200));
    let door = &room.lines()[0];
    assert_eq!((door.crossed_in, door.crossed_out), (1, 1));
}

#[test]
fn jitter_on_the_border_counts_once_and_from_the_first_frame_behind_it() {
    let mut room = room(HALL, DOOR);
    // A slow walk over the border with boxes that jump by a fifth of the face.
    let way: Vec<_> = (0..100u64)
        .map(|i| {
            let jump = if i % 2 == 0 { 0.01 } else { -0.01 };
            (100 * i, 0.45 + 0.001 * i as f64 + jump)
        })
        .collect();
    let events = walk(&mut room, &way);
    // From frame 59 on, even the frames that jump back are behind the border.
    let first = way.iter().rposition(|(_, x)| *x < 0.5).unwrap() + 1;
    let when = 100 * first;
    assert_eq!(
        events,
        [
            format!("{when}: 1 crosses door in"),
            format!("{when}: 1 enters hall (1)")
        ]
    );
}

#[test]
fn who_stays_close_behind_the_border_is_in_after_a_second() {
    let mut room = room(HALL, DOOR);
    let way: Vec<_> = (0..20u64)
        .map(|i| (100 * i, if i < 5 { 0.49 } else { 0.51 }))
        .collect();
    for (ms, x) in way {
        let events = show(&mut room, ms, &[at(1, x, 0.5)]);
        match ms {
            1500 => assert_eq!(events, ["500: 1 crosses door in", "500: 1 enters hall (1)"]),
            _ => assert!(events.is_empty(), "{ms}: {events:?}"),
        }
    }
}

#[test]
fn a_track_that_is_lost_for_a_moment_stays_and_one_that_ends_leaves_when_it_was_last_seen() {
    let mut room = room(HALL, "");
    show(&mut room, 0, &[at(1, 0.8, 0.5), at(2, 0.7, 0.5)]);
    show(&mut room, 1000, &[at(1, 0.8, 0.5), at(2, 0.7, 0.5)]);
    // The first one is lost for two seconds, the other one for good.
    assert!(show(&mut room, 2000, &[]).is_empty());
    assert!(show(&mut room, 3000, &[at(1, 0.8, 0.5)]).is_empty());
    assert_eq!(room.zones()[0].people.len(), 2);
    let events = show(&mut room, 3100, &[at(1, 0.8, 0.5)]);
    assert_eq!(events, ["1000: 2 leaves hall after 1000 (1)"]);
    let left = room.zones()[0].people.clone();
    assert_eq!(
        left,
        [PersonInZone {
            id: 1,
            dwell: MS(3100)
        }]
    );
    // Whoever comes back later enters anew.
    let events = show(&mut room, 3200, &[at(1, 0.8, 0.5), at(2, 0.7, 0.5)]);
    assert_eq!(events, ["3200: 2 enters hall (2)"]);
}

#[test]
fn the_time_for_which_a_tracker_only_guesses_a_place_is_no_stay() {
    let mut room = room(HALL, "");
    let guessed = |unseen| PersonPosition {
        unseen: MS(unseen),
        ..at(1, 0.8, 0.5)
    };
    show(&mut room, 0, &[at(1, 0.8, 0.5)]);
    show(&mut room, 1000, &[guessed(0)]);
    for ms in [1200, 1500, 3000] {
        assert!(show(&mut room, ms, &[guessed(ms - 1000)]).is_empty());
        assert_eq!(room.zones()[0].people.len(), 1);
    }
    // Still guessed, but too long unseen to be there; and it does not enter again.
    let events = show(&mut room, 3100, &[guessed(2100)]);
    assert_eq!(events, ["1000: 1 leaves hall after 1000 (0)"]);
    assert!(show(&mut room, 3200, &[guessed(2200)]).is_empty());
    let events = show(&mut room, 3300, &[guessed(0)]);
    assert_eq!(events, ["3300: 1 enters hall (1)"]);
}

#[test]
fn a_track_that_is_missing_for_too_long_has_left_even_if_no_frame_came_between() {
    let mut room = room(HALL, "");
    show(&mut room, 0, &[at(1, 0.8, 0.5)]);
    let events = show(&mut room, 60_000, &[at(1, 0.8, 0.5)]);
    assert_eq!(
        events,
        ["0: 1 leaves hall after 0 (0)", "60000: 1 enters hall (1)"]
    );
}

#[test]
fn two_lines_are_crossed_between_two_frames_and_by_two_people() {
    let mut room = room("", "first=0.4,1 0.4,0; second=0.6,1 0.6,0");
    show(&mut room, 0, &[at(1, 0.2, 0.5), at(2, 0.8, 0.5)]);
    let events = show(&mut room, 200, &[at(1, 0.8, 0.5), at(2, 0.2, 0.5)]);
    assert_eq!(
        events,
        [
            "200: 1 crosses first in",
            "200: 1 crosses second in",
            "200: 2 crosses first out",
            "200: 2 crosses second out",
        ]
    );
}

#[test]
fn a_zone_that_is_passed_between_two_frames_was_not_entered() {
    let mut room = room("strip=0.4,0 0.6,0 0.6,1 0.4,1", "");
    assert!(walk(&mut room, &[(0, 0.2), (200, 0.8)]).is_empty());
    assert_eq!(room.zones()[0].entered, 0);
}

#[test]
fn who_crosses_and_is_lost_right_behind_the_line_has_crossed_it() {
    let mut room = room("", DOOR);
    assert!(walk(&mut room, &[(0, 0.4), (100, 0.51)]).is_empty());
    let events = show(&mut room, 2200, &[]);
    assert_eq!(events, ["100: 1 crosses door in"]);
}

#[test]
fn a_line_is_crossed_while_the_track_is_lost() {
    let mut room = room("", DOOR);
    let events = walk(&mut room, &[(0, 0.3), (1500, 0.7)]);
    assert_eq!(events, ["1500: 1 crosses door in"]);
}

#[test]
fn around_the_end_of_a_line_and_over_it_again_are_two_crossings() {
    let mut room = room("", "post=0.5,0.6 0.5,0.4");
    let way = [
        (0.4, 0.41),
        // Over it, around its end within the margin, and over it again.
        (0.51, 0.41),
        (0.51, 0.39),
        (0.49, 0.39),
        (0.49, 0.41),
        (0.51, 0.41),
        (0.6, 0.41),
    ];
    let events: Vec<_> = way
        .iter()
        .enumerate()
        .flat_map(|(i, &(x, y))| show(&mut room, 100 * i as u64, &[at(1, x, y)]))
        .collect();
    assert_eq!(events, ["100: 1 crosses post in", "500: 1 crosses post in"]);
}

#[test]
fn a_limit_is_exceeded_at_once_and_kept_after_two_seconds() {
    let mut room = room(&format!("{HALL} limit=1"), "");
    let one = [at(1, 0.8, 0.2)];
    let two = [at(1, 0.8, 0.2), at(2, 0.8, 0.8)];
    let gone = [at(1, 0.8, 0.2), at(2, 0.2, 0.8)];
    let mut seen = Vec::new();
    for (ms, people) in [
        (0, &one[..]),
        (1000, &two),
        // The second one looks out of the door for a second.
        (2000, &gone),
        (3000, &two),
        (4000, &gone),
        (5000, &gone),
        (6000, &gone),
        (7000, &gone),
    ] {
        let events = show(&mut room, ms, people);
        seen.extend(
            events
                .into_iter()
                .filter(|event| event.contains('=') || event.contains('>')),
        );
        assert_eq!(
            room.zones()[0].is_exceeded,
            (1000..6000).contains(&ms),
            "{ms}"
        );
    }
    assert_eq!(seen, ["1000: 2 > 1", "6000: 1 <= 1"]);
}

#[test]
fn shares_of_emotions_count_the_time_that_people_in_the_zone_show_them() {
    let mut room = room(HALL, "");
    let showing = |emotion, x| PersonPosition {
        emotion: Some(emotion),
        ..at(1, x, 0.5)
    };
    // Outside it counts for nothing.
    for ms in [0, 500] {
        show(&mut room, ms, &[showing("angry", 0.2)]);
    }
    // Three seconds at 2 frames a second, then one second at 20.
    for i in 1..=6 {
        show(&mut room, 500 + 500 * i, &[showing("happy", 0.8)]);
    }
    for i in 1..=20 {
        show(&mut room, 3500 + 50 * i, &[showing("sad", 0.8)]);
    }
    let shares = room.zones()[0].emotions.clone();
    let [(happy, share), (sad, other)] = &shares[..] else {
        panic!("expected two emotions, found {shares:?}");
    };
    assert_eq!((&**happy, &**sad), ("happy", "sad"));
    assert!(
        (share - 0.75).abs() < 1e-9 && (other - 0.25).abs() < 1e-9,
        "{shares:?}"
    );
    // The window moves on.
    show(&mut room, 14_600, &[showing("sad", 0.8)]);
    assert_eq!(room.zones()[0].emotions, [("sad".to_owned(), 1.0)]);
    show(&mut room, 30_000, &[]);
    assert_eq!(room.zones()[0].emotions, []);
}

#[test]
fn where_time_stands_still_or_goes_back_nobody_stays_longer() {
    let mut room = room(HALL, DOOR);
    walk(&mut room, &[(5000, 0.8), (6000, 0.8)]);
    // A loop begins anew, the track goes on; a frame without a time comes between.
    walk(&mut room, &[(6000, 0.8), (0, 0.8)]);
    room.update(None, &[at(1, 0.8, 0.5)], &OPTIONS);
    walk(&mut room, &[(0, 0.8), (500, 0.8)]);
    let people = room.zones()[0].people.clone();
    assert_eq!(
        people,
        [PersonInZone {
            id: 1,
            dwell: MS(1500)
        }]
    );
    let events = walk(&mut room, &[(0, 0.3)]);
    assert_eq!(
        events,
        [
            "1500: 1 crosses door out",
            "1500: 1 leaves hall after 1500 (0)"
        ]
    );
}

#[test]
fn of_two_people_with_one_id_the_first_counts() {
    let mut room = room(HALL, "");
    show(&mut room, 0, &[at(1, 0.2, 0.5), at(1, 0.8, 0.5)]);
    assert_eq!(room.zones()[0].people, []);
    show(&mut room, 40, &[at(1, f64::NAN, 0.5)]);
    assert_eq!(room.zones()[0].people, []);
}

#[test]
fn a_zone_that_stays_keeps_its_counts_when_others_change() {
    let mut room = room(&format!("{HALL}; left=0,0 0.5,0 0.5,1 0,1"), DOOR);
    walk(&mut room, &[(0, 0.2), (1000, 0.8)]);
    let (zones, lines) = (
        "new=0.6,0 1,0 1,1 0.6,1; hall=0.5,0 1,0 1,1 0.5,1 limit=0",
        "gate=0,0 1,1",
    );
    room.set_layout(ZoneLayout::parse(zones, lines).unwrap());
    let events = walk(&mut room, &[(2000, 0.8)]);
    assert_eq!(events, ["2000: 1 enters new (1)", "2000: 1 > 0"]);
    let [new, hall] = &room.zones()[..] else {
        panic!("expected two zones");
    };
    assert_eq!((new.entered, hall.entered), (1, 1));
    assert_eq!(hall.people[0].dwell, MS(1000));
    assert_eq!(
        (room.lines()[0].name.as_str(), room.lines()[0].crossed_in),
        ("gate", 0)
    );
    // A zone at another place begins anew.
    room.set_layout(ZoneLayout::parse("hall=0.6,0 1,0 1,1", "").unwrap());
    assert_eq!(
        (room.zones()[0].entered, room.zones()[0].people.len()),
        (0, 0)
    );
}

#[test]
fn when_tracks_end_everybody_leaves_and_counts_stay() {
    let mut room = room(HALL, "");
    show(&mut room, 0, &[at(1, 0.8, 0.5)]);
    show(&mut room, 700, &[at(1, 0.8, 0.5)]);
    let events = room.end_tracks();
    assert!(
        matches!(events[..], [ZoneEvent { kind: ZoneEventKind::Left { dwell, .. }, .. }] if dwell == MS(700)),
        "{events:?}"
    );
    let hall = &room.zones()[0];
    assert_eq!((hall.entered, hall.left, hall.people.len()), (1, 1, 0));
}

/// Numbers from 0 to 1 that depend on the seed alone.
fn random(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[test]
fn counts_add_up_however_people_walk_and_times_run() {
    for seed in 1..60 {
        let mut next = random(seed);
        let mut room = room(
            &format!("{HALL}; star=0.1,0.1 0.5,0.3 0.9,0.1 0.7,0.5 0.9,0.9 0.3,0.8 limit=2"),
            DOOR,
        );
        let mut places: Vec<(i32, f64, f64)> = (0..5).map(|id| (id, next(), next())).collect();
        // Everybody begins clearly on one side.
        let start: Vec<bool> = (places.iter_mut())
            .map(|place| {
                place.1 = if place.1 < 0.5 { 0.2 } else { 0.8 };
                place.1 > 0.5
            })
            .collect();
        let people: Vec<_> = places.iter().map(|&(id, x, y)| at(id, x, y)).collect();
        show(&mut room, 0, &people);
        let mut exceeded = room.zones()[1].is_exceeded;
        let mut time = 0.0;
        for _ in 0..400 {
            time += match next() {
                step if step < 0.05 => -500.0 * step,
                step if step < 0.1 => 0.0,
                step => 200.0 * step,
            };
            for place in &mut places {
                place.1 = (place.1 + 0.2 * (next() - 0.5)).clamp(0.0, 0.999);
                place.2 = (place.2 + 0.2 * (next() - 0.5)).clamp(0.0, 0.999);
            }
            let seen = places.iter().filter(|_| next() > 0.2);
            let people: Vec<_> = seen.map(|&(id, x, y)| at(id, x, y)).collect();
            let time = Duration::from_millis(time as u64);
            for event in room.update(Some(time), &people, &OPTIONS) {
                match event.kind {
                    ZoneEventKind::LimitExceeded { people, limit, .. } => {
                        assert!(!exceeded && people > limit, "{seed}");
                        exceeded = true;
                    }
                    ZoneEventKind::LimitKept { people, limit, .. } => {
                        assert!(exceeded && people <= limit, "{seed}");
                        exceeded = false;
                    }
                    _ => {}
                }
            }
            for zone in room.zones() {
                let present = zone.entered - zone.left;
                assert_eq!(present, zone.people.len() as u64, "{seed} {zone:?}");
                assert_eq!(zone.dwell.count, zone.left, "{seed} {zone:?}");
                assert!(zone.dwell.mean <= zone.dwell.longest, "{seed} {zone:?}");
                assert!(zone.dwell.longest <= room.now, "{seed} {zone:?}");
            }
        }
        // Everybody walks away from the door; crossings then tell who is on which side.
        let people: Vec<_> = (places.iter())
            .map(|&(id, x, y)| at(id, if x < 0.5 { 0.2 } else { 0.8 }, y))
            .collect();
        for step in 1..=20 {
            let time = room.last_time.unwrap() + MS(100 * step);
            room.update(Some(time), &people, &OPTIONS);
        }
        let right = |is_right: bool| i64::from(is_right);
        let moved: i64 = (places.iter().zip(&start))
            .map(|(place, &was)| right(place.1 >= 0.5) - right(was))
            .sum();
        let door = &room.lines()[0];
        let net =
            i64::try_from(door.crossed_in).unwrap() - i64::try_from(door.crossed_out).unwrap();
        assert_eq!(net, moved, "{seed}");
    }
}

#[test]
fn memory_does_not_grow_with_the_number_of_tracks() {
    let mut room = room(HALL, DOOR);
    for id in 0..10_000 {
        show(&mut room, 100 * id as u64, &[at(id, 0.8, 0.5)]);
    }
    // Two seconds of tracks.
    assert!(room.people.len() <= 21, "{}", room.people.len());
    assert_eq!(room.zones()[0].entered, 10_000);
}
