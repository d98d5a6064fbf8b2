use super::*;

const FRAME: Duration = Duration::from_millis(40);

/// Simulates the decoding of `frames` frames, 25 a second, with a key frame every `group` frames. A decoded frame takes
/// `cost`, a dropped one nothing. Returns the highest age and the number of decoded frames.
fn decoded(
    cost: Duration,
    group: u32,
    frames: u32,
    delay: impl Fn(u32) -> Duration,
) -> (Duration, u32) {
    let began = Instant::now();
    let (mut dropper, mut free, mut oldest, mut count) =
        (LateFrameDropper::default(), began, Duration::ZERO, 0);
    for frame in 0..frames {
        let due = began + frame * FRAME;
        let now = free.max(due + delay(frame));
        let age = now - due;
        if dropper.admits(age, frame % group == 0, now) {
            free = now + cost;
            count += 1;
            oldest = oldest.max(age);
        }
    }
    (oldest, count)
}

#[test]
fn no_frame_of_a_decoder_that_is_fast_enough_is_dropped() {
    let (oldest, count) = decoded(FRAME / 2, 50, 500, |_| Duration::from_millis(200));
    assert_eq!((oldest, count), (Duration::from_millis(200), 500));
    // A pipeline that takes most of a second to start catches up.
    let late = |frame: u32| Duration::from_millis(800_u64.saturating_sub(40 * u64::from(frame)));
    assert!(decoded(FRAME / 4, 50, 500, late).1 > 400);
    // After half a second without a frame the decoder catches up.
    let hiccup = |frame| {
        Duration::from_millis(if (100..112).contains(&frame) {
            40 * u64::from(112 - frame)
        } else {
            0
        })
    };
    assert_eq!(decoded(FRAME / 2, 50, 500, hiccup).1, 500);
}

#[test]
fn a_slow_decoder_is_less_than_a_second_late() {
    for (cost, group) in [
        (FRAME * 3 / 2, 25),
        (FRAME * 2, 50),
        (FRAME * 5, 1),
        (FRAME * 3, 250),
    ] {
        let (oldest, count) = decoded(cost, group, 2000, |_| Duration::from_millis(200));
        assert!(oldest < Duration::from_millis(1000), "{oldest:?}");
        assert!(count >= 2000 / group.max(10), "{count} of {group}");
    }
}

#[test]
fn no_frame_is_decoded_without_its_reference_frames() {
    let began = Instant::now();
    let mut dropper = LateFrameDropper::default();
    let mut admits = |ms, behind, is_key| {
        let now = began + Duration::from_millis(ms);
        dropper.admits(Duration::from_millis(behind), is_key, now)
    };
    assert!(admits(0, 0, true));
    assert!(admits(500, 450, false), "it may be a short interruption");
    assert!(!admits(900, 600, false));
    assert!(!admits(901, 561, false), "its reference frame was dropped");
    assert!(!admits(902, 180, true), "younger frames are waiting");
    assert!(!admits(903, 100, false));
    assert!(admits(943, 100, true));
    assert!(admits(983, 100, false));
}

#[test]
fn clocks_that_move_apart_do_not_drop_frames_for_long() {
    let jump = |frame| Duration::from_secs(if frame < 100 { 0 } else { 5 });
    let (_, count) = decoded(FRAME / 2, 25, 1000, jump);
    assert!(count > 900, "{count}");
}
