//! The data of one track in an MPEG transport stream (ISO/IEC 13818-1).

use std::fs::File;
use std::io::{self, BufReader, Read, Take};
use std::path::Path;

use super::transport_stream::{MappedTrack, PACKET, Packet, PacketLayout, SYNC};

/// The length of the header of a packet of an elementary stream up to the byte that tells the rest.
const HEADER: usize = 9;
/// A longer one is damaged.
const LONGEST_PACKET: usize = 4 << 20;

/// The packets of an elementary stream.
pub(super) struct ElementaryStream<R> {
    file: R,
    pid: u16,
    layout: PacketLayout,
    buffer: [u8; 256],
    growing: Option<PesPacket>,
}

/// A packet of an elementary stream.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PesPacket {
    /// When it is shown or heard, in units of 90 kHz.
    pub(super) pts: Option<u64>,
    pub(super) data: Vec<u8>,
}

impl ElementaryStream<BufReader<Take<File>>> {
    /// The track in the first `limit` bytes of the file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub(super) fn open(path: &Path, track: &MappedTrack, limit: u64) -> io::Result<Self> {
        let file = File::open(path)?.take(limit);
        Ok(Self::new(BufReader::with_capacity(1 << 18, file), track))
    }
}

impl<R: Read> ElementaryStream<R> {
    fn new(file: R, track: &MappedTrack) -> Self {
        Self {
            file,
            pid: track.pid,
            layout: track.layout,
            buffer: [0; 256],
            growing: None,
        }
    }

    /// Reads the next packet of the file into the buffer and returns its place there; `None` at the end.
    fn read_packet(&mut self) -> Option<std::ops::Range<usize>> {
        let PacketLayout { stride, skipped } = self.layout;
        self.file.read_exact(&mut self.buffer[..stride]).ok()?;
        while self.buffer[skipped] != SYNC {
            // Something is missing or too much.
            let next = self.buffer[skipped + 1..stride]
                .iter()
                .position(|byte| *byte == SYNC);
            let shift = next.map_or(stride - skipped, |next| next + 1);
            self.buffer.copy_within(shift..stride, 0);
            let missing = &mut self.buffer[stride - shift..stride];
            self.file.read_exact(missing).ok()?;
        }
        Some(skipped..(skipped + PACKET).min(stride))
    }
}

impl<R: Read> Iterator for ElementaryStream<R> {
    type Item = PesPacket;

    fn next(&mut self) -> Option<PesPacket> {
        loop {
            let Some(place) = self.read_packet() else {
                return self.growing.take();
            };
            let Some(packet) = Packet::new(&self.buffer[place]) else {
                continue;
            };
            if packet.pid != self.pid {
                continue;
            }
            if !packet.is_start {
                if let Some(growing) = &mut self.growing
                    && growing.data.len() < LONGEST_PACKET
                {
                    growing.data.extend_from_slice(packet.payload);
                }
                continue;
            }
            let whole = self.growing.take();
            self.growing = first_data(packet.payload).map(|data| PesPacket {
                pts: packet.time(),
                data: data.to_vec(),
            });
            if whole.is_some() {
                return whole;
            }
        }
    }
}

/// What follows the header of a packet of an elementary stream.
fn first_data(payload: &[u8]) -> Option<&[u8]> {
    let header = payload.strip_prefix(&[0, 0, 1])?;
    let rest = *header.get(HEADER - 4)?;
    payload.get(HEADER + usize::from(rest)..)
}

#[cfg(test)]
mod tests {
    use super::super::transport_stream::MappedKind;
    use super::super::transport_stream::tests::{elementary, packet};
    use super::*;

    fn track(layout: PacketLayout) -> MappedTrack {
        MappedTrack {
            pid: 0x101,
            kind: MappedKind::Audio,
            is_declared: false,
            first: None,
            layout,
        }
    }

    fn continued(pid: u16, payload: &[u8]) -> [u8; PACKET] {
        let mut packet = packet(pid, payload);
        packet[1] &= !0x40;
        packet
    }

    /// Two packets of the track between those of others.
    fn packets() -> Vec<[u8; PACKET]> {
        let start = |time, data: &[u8]| packet(0x101, &[&elementary(time), data].concat());
        vec![
            continued(0x101, b"of a packet that began before"),
            packet(0x100, &elementary(5)),
            start(90_000, b"first"),
            continued(0x100, b"picture"),
            continued(0x101, b"second"),
            start(93_000, b"third"),
        ]
    }

    fn assert_is_whole(found: &[PesPacket]) {
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].pts, found[1].pts), (Some(90_000), Some(93_000)));
        assert!(found[0].data.starts_with(b"first"));
        // The rest of a packet in the test is filled.
        assert_eq!(found[0].data.len(), 2 * (PACKET - 4) - 14);
        assert!(found[1].data.starts_with(b"third"));
    }

    #[test]
    fn the_packets_of_a_track_are_put_together() {
        let plain = PacketLayout {
            stride: PACKET,
            skipped: 0,
        };
        let data = packets().concat();
        let found = ElementaryStream::new(&data[..], &track(plain));
        assert_is_whole(&found.collect::<Vec<_>>());

        let stamped = PacketLayout {
            stride: 192,
            skipped: 4,
        };
        let data: Vec<u8> = packets()
            .iter()
            .flat_map(|packet| [&[0; 4], &packet[..]].concat())
            .collect();
        let found = ElementaryStream::new(&data[..], &track(stamped));
        assert_is_whole(&found.collect::<Vec<_>>());
    }

    #[test]
    fn what_does_not_belong_between_packets_is_left_out() {
        let plain = PacketLayout {
            stride: PACKET,
            skipped: 0,
        };
        let mut data = packets()[..2].concat();
        data.extend([0; 77]);
        data.extend(packets()[2..].concat());
        let found = ElementaryStream::new(&data[..], &track(plain));
        assert_is_whole(&found.collect::<Vec<_>>());
    }
}
