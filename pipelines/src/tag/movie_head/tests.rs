use std::fs;

use super::*;

/// A box of this kind.
fn made(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let size = (body.len() as u32 + 8).to_be_bytes();
    [&size, kind, body].concat()
}

fn header(kind: &[u8; 4], timescale: u32, units: u32) -> Vec<u8> {
    let fields = [0, 0, 0, timescale, units, 0, 0, 0, 0, 0];
    made(kind, &fields.map(u32::to_be_bytes).concat())
}

fn track(handler: &[u8; 4], timescale: u32, units: u32) -> Vec<u8> {
    let handler = made(b"hdlr", &[&[0; 8], &handler[..], &[0; 12]].concat());
    let media = [header(b"mdhd", timescale, units), handler].concat();
    made(b"trak", &made(b"mdia", &media))
}

/// The units of movie and tracks after the corrections.
fn corrected(movie_ms: u32, tracks: &[Vec<u8>]) -> Vec<u32> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("movie.mp4");
    let mut moov = header(b"mvhd", 1000, movie_ms);
    tracks.iter().for_each(|track| moov.extend(track));
    let mut bytes = made(b"ftyp", b"isom\0\0\0\0");
    bytes.extend(made(b"mdat", &[7; 100]));
    bytes.extend(made(b"moov", &moov));
    fs::write(&path, &bytes).unwrap();
    let corrections = corrections(&path).unwrap();
    // In two parts, as a demuxer reads it.
    let middle = bytes.len() - moov.len() + 25;
    let (first, second) = bytes.split_at_mut(middle);
    for (offset, data) in [(0, first), (middle as u64, second)] {
        for correction in &corrections {
            if correction.concerns(offset, data.len()) {
                correction.apply(offset, data);
            }
        }
    }
    let kinds: [&[u8; 4]; 2] = [b"mvhd", b"mdhd"];
    let at =
        (0..bytes.len() - 4).filter(|at| kinds.iter().any(|kind| bytes[*at..].starts_with(*kind)));
    at.map(|at| u32::from_be_bytes(bytes[at + 20..at + 24].try_into().unwrap()))
        .collect()
}

#[test]
fn a_movie_is_as_long_as_the_media_of_its_longest_track() {
    let tracks = [
        track(b"vide", 12_800, 8 * 12_800),
        track(b"soun", 44_100, 3 * 44_100),
    ];
    assert_eq!(corrected(3000, &tracks), [8000, 8 * 12_800, 3 * 44_100]);
}

#[test]
fn a_short_track_of_pictures_or_sound_is_no_preview() {
    let tracks = [
        track(b"vide", 1000, 10_000),
        track(b"soun", 1000, 1000),
        track(b"text", 1000, 1000),
    ];
    assert_eq!(corrected(10_000, &tracks), [10_000, 10_000, 2500, 1000]);
}

#[test]
fn nothing_changes_in_an_ordinary_movie_or_another_file() {
    let tracks = [
        track(b"vide", 12_800, 12_800),
        track(b"soun", 44_100, 44_000),
    ];
    assert_eq!(corrected(1000, &tracks), [1000, 12_800, 44_000]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other");
    for content in [
        &b""[..],
        b"moov",
        b"\0\0\0\x08moov",
        b"\0\0\0\x10moov\0\0\0\x08mvhd",
        b"RIFF and more",
    ] {
        fs::write(&path, content).unwrap();
        assert_eq!(corrections(&path).unwrap(), []);
    }
}

#[test]
fn tracks_of_sound_and_no_others_can_be_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("movie.mp4");
    let tracks = [
        track(b"vide", 1000, 1000),
        track(b"soun", 1000, 1000),
        track(b"text", 1000, 1000),
    ];
    let moov = made(b"moov", &tracks.concat());
    let mut bytes = [made(b"ftyp", b"isom\0\0\0\0"), moov].concat();
    fs::write(&path, &bytes).unwrap();
    for correction in hidden_sound(&path).unwrap() {
        correction.apply(0, &mut bytes);
    }
    fs::write(&path, &bytes).unwrap();
    let mut file = File::open(&path).unwrap();
    let length = bytes.len() as u64;
    let moov = boxes(&mut file, 0..length, b"moov").unwrap().pop().unwrap();
    let kinds = boxes(&mut file, moov.body, b"").unwrap();
    let kinds: Vec<_> = kinds.iter().map(|found| found.kind).collect();
    assert_eq!(kinds, [*b"trak", *b"free", *b"trak"]);
}
