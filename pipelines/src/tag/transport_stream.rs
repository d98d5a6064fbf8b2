//! The tracks of an MPEG transport stream (ISO/IEC 13818-1) as its program map tells them.
//!
//! The demuxer of GStreamer leaves out tracks of types that it does not know: DTS, and AAC in the streams of Blu-ray
//! discs and cameras (m2ts). Their times count for the start of the file all the same.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// How much of a file is searched for the program map and the first times, in bytes.
const SEARCHED: u64 = 2 << 20;
pub(super) const SYNC: u8 = 0x47;
/// The size of a packet.
pub(super) const PACKET: usize = 188;
/// Packets that have to follow each other.
const CONSECUTIVE: usize = 8;

/// How packets are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PacketLayout {
    /// The size of a packet with the time stamp in front of it or the checksum behind it.
    pub(super) stride: usize,
    /// The size of what is in front of it.
    pub(super) skipped: usize,
}

const LAYOUTS: [PacketLayout; 3] = [
    PacketLayout {
        stride: PACKET,
        skipped: 0,
    },
    PacketLayout {
        stride: 192,
        skipped: 4,
    },
    PacketLayout {
        stride: 204,
        skipped: 0,
    },
];

/// A track of a transport stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MappedTrack {
    pub(super) pid: u16,
    pub(super) kind: MappedKind,
    /// Whether its type or a descriptor says what it contains.
    pub(super) is_declared: bool,
    /// The first time, in units of 90 kHz.
    pub(super) first: Option<u64>,
    pub(super) layout: PacketLayout,
}

impl MappedTrack {
    /// Whether it contains neither pictures nor sound.
    fn is_neither(&self) -> bool {
        self.kind == MappedKind::Other && self.is_declared
    }

    /// Whether it may be sound.
    pub(super) fn may_be_sound(&self) -> bool {
        self.kind == MappedKind::Audio || !self.is_declared
    }
}

/// Ties the clock of a stream to a time line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ProgramClock {
    /// A time of the clock, in units of 90 kHz.
    pub(super) stamp: u64,
    /// The same time on the time line, in nanoseconds.
    pub(super) time: i64,
}

impl ProgramClock {
    /// The time on the time line of another time of the clock.
    pub(super) fn time_of(&self, stamp: u64) -> i64 {
        self.time + difference(stamp, self.stamp)
    }
}

/// What a track contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MappedKind {
    Video,
    Audio,
    Other,
}

/// The tracks of the first program; `None` if the file is no transport stream.
///
/// # Errors
///
/// If the file cannot be read.
pub(super) fn tracks(path: &Path) -> io::Result<Option<Vec<MappedTrack>>> {
    let mut data = Vec::new();
    File::open(path)?.take(SEARCHED).read_to_end(&mut data)?;
    Ok(tracks_in(&data))
}

/// How much later `time` is than `other`, both of 33 bits and in units of 90 kHz, in nanoseconds.
fn difference(time: u64, other: u64) -> i64 {
    // The bit that the wrapping of 33 bits leaves is the sign.
    let units = (time.wrapping_sub(other) << 31).cast_signed() >> 31;
    units * 100_000 / 9
}

fn tracks_in(data: &[u8]) -> Option<Vec<MappedTrack>> {
    let layout = layout(data)?;
    let PacketLayout { stride, skipped } = layout;
    let mut map_pid = None;
    let mut tracks: BTreeMap<u16, MappedTrack> = BTreeMap::new();
    let packets = data[skipped..]
        .chunks(stride)
        .filter_map(|packet| packet.get(..PACKET));
    for packet in packets.filter_map(Packet::new) {
        if packet.pid == 0 && map_pid.is_none() {
            map_pid = packet.section(0).and_then(program_map_pid);
        } else if Some(packet.pid) == map_pid && tracks.is_empty() {
            tracks = packet
                .section(2)
                .map(|map| streams(map, layout))
                .unwrap_or_default();
        } else if let Some(track) = tracks.get_mut(&packet.pid) {
            track.first = track.first.or_else(|| packet.time());
            if tracks
                .values()
                .all(|track| track.is_neither() || track.first.is_some())
            {
                break;
            }
        }
    }
    Some(tracks.into_values().collect())
}

fn layout(data: &[u8]) -> Option<PacketLayout> {
    LAYOUTS.into_iter().find(|layout| {
        let packets = data.get(layout.skipped..).unwrap_or_default();
        let packets = packets.chunks(layout.stride).take(CONSECUTIVE);
        let syncs = packets.filter(|packet| packet.first() == Some(&SYNC));
        syncs.count() == CONSECUTIVE
    })
}

/// A packet of a transport stream.
pub(super) struct Packet<'a> {
    pub(super) pid: u16,
    pub(super) is_start: bool,
    pub(super) payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// `None` if it is damaged, or has no data that can be read.
    pub(super) fn new(packet: &'a [u8]) -> Option<Self> {
        let &[SYNC, high, low, flags, ref rest @ ..] = packet else {
            return None;
        };
        // Scrambled, or without payload.
        if flags & 0xc0 != 0 || flags & 0x10 == 0 {
            return None;
        }
        let skipped = match flags & 0x20 {
            0 => 0,
            _ => 1 + usize::from(*rest.first()?),
        };
        Some(Self {
            pid: u16::from_be_bytes([high & 0x1f, low]),
            is_start: high & 0x40 != 0,
            payload: rest.get(skipped..)?,
        })
    }

    /// The body of the section with this table id that begins in the packet, without its checksum.
    fn section(&self, table: u8) -> Option<&'a [u8]> {
        let pointer = usize::from(*self.payload.first().filter(|_| self.is_start)?);
        let section = self.payload.get(1 + pointer..)?;
        let &[id, high, low, ref body @ ..] = section else {
            return None;
        };
        let length = usize::from(u16::from_be_bytes([high & 0x0f, low]));
        let body = body.get(..length.min(body.len()))?;
        body.get(5..body.len().checked_sub(4)?)
            .filter(|_| id == table)
    }

    /// The presentation time of the packet of the elementary stream that begins here.
    pub(super) fn time(&self) -> Option<u64> {
        let header: &[u8; 14] = self.payload.first_chunk().filter(|_| self.is_start)?;
        let [0, 0, 1, _, _, _, _, flags, _, a, b, c, d, e] = *header else {
            return None;
        };
        let bits = |byte: u8, from: u32| u64::from(byte) >> from;
        let time = (bits(a, 1) & 7) << 30
            | bits(b, 0) << 22
            | bits(c, 1) << 15
            | bits(d, 0) << 7
            | bits(e, 1);
        (flags & 0x80 != 0).then_some(time)
    }
}

/// The packets with the program map of the first program in a program association.
fn program_map_pid(association: &[u8]) -> Option<u16> {
    let programs = association.as_chunks::<4>().0.iter();
    let mut maps = programs.filter(|[a, b, ..]| (*a, *b) != (0, 0));
    maps.next()
        .map(|&[_, _, high, low]| u16::from_be_bytes([high & 0x1f, low]))
}

fn streams(map: &[u8], layout: PacketLayout) -> BTreeMap<u16, MappedTrack> {
    let mut streams = BTreeMap::new();
    let length = |high: u8, low: u8| usize::from(u16::from_be_bytes([high & 0x0f, low]));
    let Some(&[_, _, high, low]) = map.first_chunk() else {
        return streams;
    };
    let mut rest = map.get(4 + length(high, low)..).unwrap_or_default();
    while let &[stream_type, high, low, info_high, info_low, ref after @ ..] = rest {
        let (info, next) = after
            .split_at_checked(length(info_high, info_low))
            .unwrap_or((after, &[]));
        let (kind, is_declared) = kind(stream_type, info);
        let pid = u16::from_be_bytes([high & 0x1f, low]);
        let track = MappedTrack {
            pid,
            kind,
            is_declared,
            first: None,
            layout,
        };
        streams.insert(pid, track);
        rest = next;
    }
    streams
}

/// What a stream contains by its type and descriptors (ETSI EN 300 468, ATSC A/53, Blu-ray), and whether they say so.
fn kind(stream_type: u8, mut descriptors: &[u8]) -> (MappedKind, bool) {
    match stream_type {
        0x01 | 0x02 | 0x10 | 0x1b | 0x24 | 0x33 | 0xd1 | 0xea => return (MappedKind::Video, true),
        0x03 | 0x04 | 0x0f | 0x11 | 0x81..=0x8a | 0xa1 | 0xa2 => return (MappedKind::Audio, true),
        0x06 => {}
        _ => return (MappedKind::Other, true),
    }
    // Private data whose descriptors tell what it is: AC-3, E-AC-3, DTS, AAC, or a name. What has a language and is not
    // teletext, subtitles or other data (VBI) is sound.
    let mut unnamed = MappedKind::Other;
    while let &[tag, length, ref rest @ ..] = descriptors {
        let (body, next) = rest.split_at_checked(length.into()).unwrap_or((rest, &[]));
        match tag {
            0x6a | 0x7a | 0x7b | 0x7c => return (MappedKind::Audio, true),
            0x45 | 0x46 | 0x56 | 0x59 => return (MappedKind::Other, true),
            0x0a => unnamed = MappedKind::Audio,
            0x05 if body.starts_with(b"Opus")
                || body.starts_with(b"AC-3")
                || body.starts_with(b"DTS") =>
            {
                return (MappedKind::Audio, true);
            }
            0x05 if body.starts_with(b"HEVC") || body.starts_with(b"AV01") => {
                return (MappedKind::Video, true);
            }
            _ => {}
        }
        descriptors = next;
    }
    (unnamed, false)
}

#[cfg(test)]
pub(super) mod tests;
