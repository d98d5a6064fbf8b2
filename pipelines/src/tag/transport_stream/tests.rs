use super::*;

/// A packet that begins a section or an elementary stream.
pub(in crate::tag) fn packet(pid: u16, payload: &[u8]) -> [u8; PACKET] {
    let mut packet = [0xff; PACKET];
    let [high, low] = pid.to_be_bytes();
    packet[..4].copy_from_slice(&[SYNC, 0x40 | high, low, 0x10]);
    packet[4..4 + payload.len()].copy_from_slice(payload);
    packet
}

fn section(table: u8, body: &[u8]) -> Vec<u8> {
    let length = body.len() as u8 + 9;
    [&[0, table, 0xb0, length, 0, 1, 0xc1, 0, 0], body, &[0; 4]].concat()
}

pub(in crate::tag) fn elementary(time: u64) -> Vec<u8> {
    let bits = |from: u32, mask: u64| (time >> from & mask) as u8;
    let a = 0x21 | bits(30, 7) << 1;
    let stamp = [
        a,
        bits(22, 0xff),
        bits(15, 0x7f) << 1 | 1,
        bits(7, 0xff),
        bits(0, 0x7f) << 1 | 1,
    ];
    [&[0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5][..], &stamp].concat()
}

fn stream() -> Vec<[u8; PACKET]> {
    let map = [
        &[0xe1, 0x00, 0xf0, 0x00][..],
        &[0x1b, 0xe1, 0x00, 0xf0, 0x00],
        &[0x0f, 0xe1, 0x01, 0xf0, 0x03, 0x0a, 0x01, 0x00],
        &[
            0x06, 0xe1, 0x02, 0xf0, 0x06, 0x05, 0x04, b'O', b'p', b'u', b's',
        ],
        &[0x06, 0xe1, 0x03, 0xf0, 0x00],
    ];
    let mut packets = vec![
        packet(0, &section(0, &[0, 0, 0xe0, 0x10, 0, 1, 0xf0, 0x00])),
        packet(0x1000, &section(2, &map.concat())),
        packet(0x100, &elementary(0x1_2345_6789)),
        packet(0x101, &elementary(90_000)),
        packet(0x102, &elementary(1)),
    ];
    packets.resize(12, packet(0x1fff, &[]));
    packets
}

#[test]
fn tracks_have_their_kinds_and_first_times() {
    let expected = [
        (0x100, MappedKind::Video, true, Some(0x1_2345_6789)),
        (0x101, MappedKind::Audio, true, Some(90_000)),
        (0x102, MappedKind::Audio, true, Some(1)),
        (0x103, MappedKind::Other, false, None),
    ];
    let found = |data: &[u8]| {
        let tracks = tracks_in(data).unwrap().into_iter();
        let tracks = tracks.map(|track| {
            let MappedTrack { pid, kind, .. } = track;
            (pid, kind, track.is_declared, track.first)
        });
        tracks.collect::<Vec<_>>()
    };
    assert_eq!(found(&stream().concat()), expected);
    let stamped: Vec<u8> = stream()
        .iter()
        .flat_map(|packet| [&[0; 4], &packet[..]].concat())
        .collect();
    assert_eq!(found(&stamped), expected);
}

#[test]
fn private_data_with_a_language_is_sound_unless_it_is_text() {
    let language = [0x0a, 4, b'e', b'n', b'g', 0];
    let teletext = [0x56, 1, 0];
    assert_eq!(kind(0x06, &language), (MappedKind::Audio, false));
    assert_eq!(
        kind(0x06, &[&language[..], &teletext].concat()),
        (MappedKind::Other, true)
    );
    assert_eq!(kind(0x06, &[]), (MappedKind::Other, false));
}

#[test]
fn times_are_compared_over_the_end_of_their_33_bits() {
    assert_eq!(difference(90_000, 45_000), 500_000_000);
    assert_eq!(difference(45_000, 90_000), -500_000_000);
    assert_eq!(difference(0, (1 << 33) - 90), 1_000_000);
}

#[test]
fn what_is_no_transport_stream_or_damaged_has_no_tracks() {
    assert_eq!(tracks_in(b""), None);
    assert_eq!(tracks_in(&[SYNC; 100]), None);
    assert_eq!(tracks_in(&[0; 4000]), None);
    for length in 0..plain_length() {
        // Cut anywhere it must not panic.
        let _ = tracks_in(&stream().concat()[..length]);
    }
    for at in 0..2 * PACKET {
        let mut damaged = stream().concat();
        damaged[at] ^= 0xff;
        let _ = tracks_in(&damaged);
    }
}

fn plain_length() -> usize {
    stream().concat().len()
}
