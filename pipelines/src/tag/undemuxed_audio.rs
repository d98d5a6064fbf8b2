//! Sound of MPEG transport streams that the demuxer of GStreamer leaves out, because the program map does not tell what it
//! is, or in a way that the demuxer does not know: DTS, and AAC in the streams of discs and cameras.

use std::io;
use std::path::Path;

use anyhow::Context as _;
use gst::glib::translate::IntoGlib as _;
use gst::prelude::*;

use super::elementary_stream::ElementaryStream;
use super::time_line::{DemuxerTime, TimeLine};
use super::transport_stream::{MappedTrack, ProgramClock};

/// How much of the sound is looked at to find out what it is, in bytes.
const EXAMINED: usize = 1 << 15;
/// How much of the file is searched for that, in bytes.
const SEARCHED: u64 = 16 << 20;
/// How much of it waits for the decoder, in bytes.
const WAITING: u64 = 1 << 20;
/// A step of time that is not between these is a break in the clock, in nanoseconds.
const STEPS: std::ops::RangeInclusive<DemuxerTime> = -1_000_000_000..=10_000_000_000;

/// A track of sound that the demuxer leaves out.
#[derive(Debug, Clone)]
pub(super) struct UndemuxedAudio {
    pub(super) track: MappedTrack,
    clock: ProgramClock,
    /// What it is; `None` if that is not known.
    pub(super) caps: Option<gst::Caps>,
}

impl UndemuxedAudio {
    /// Finds out what the sound of a track is; `None` if it need not be sound.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub(super) fn find(
        path: &Path,
        track: &MappedTrack,
        clock: ProgramClock,
    ) -> io::Result<Option<Self>> {
        let mut start = Vec::new();
        for packet in ElementaryStream::open(path, track, SEARCHED)? {
            start.extend(packet.data);
            if start.len() >= EXAMINED {
                break;
            }
        }
        let found = gst_base::type_find_helper_for_data(gst::Object::NONE, &start).ok();
        let possible = gst::TypeFindProbability::Possible.into_glib();
        let is_likely = |found: gst::TypeFindProbability| found.into_glib() >= possible;
        let found = found.filter(|(caps, probability)| is_audio(caps) && is_likely(*probability));
        let caps = found.map(|(caps, _)| caps);
        let is_sound = caps.is_some() || track.is_declared;
        Ok(is_sound.then_some(Self {
            track: *track,
            clock,
            caps,
        }))
    }

    /// What it is called in messages.
    pub(super) fn shown(&self) -> String {
        format!("sound with the PID {:#x}", self.track.pid)
    }

    /// The element through which [`feed`](Self::feed) gives it to a pipeline.
    ///
    /// # Errors
    ///
    /// If GStreamer has no appsrc.
    pub(super) fn source(&self) -> anyhow::Result<gst_app::AppSrc> {
        let source = gst::ElementFactory::make("appsrc").build()?;
        let source = source.downcast::<gst_app::AppSrc>().ok();
        let source = source.context("the element appsrc is no source")?;
        source.set_caps(self.caps.as_ref());
        source.set_format(gst::Format::Time);
        source.set_block(true);
        source.set_max_bytes(WAITING);
        Ok(source)
    }

    /// Pushes the sound into `source` with the times that a player shows on `line`, up to the end of the file or the
    /// pipeline.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub(super) fn feed(
        &self,
        path: &Path,
        line: TimeLine,
        source: &gst_app::AppSrc,
    ) -> io::Result<()> {
        let mut times = Times::default();
        for packet in ElementaryStream::open(path, &self.track, u64::MAX)? {
            let time = packet.pts.map(|stamp| self.clock.time_of(stamp));
            let time = time.map(|time| times.without_break(time));
            // What lies before the start is not heard.
            if time.is_some_and(|time| time < line.start) {
                continue;
            }
            let mut buffer = gst::Buffer::from_mut_slice(packet.data);
            if let Some(buffer) = buffer.get_mut() {
                buffer.set_pts(time.map(|time| line.player_time(time)));
            }
            if source.push_buffer(buffer).is_err() {
                // The pipeline has ended.
                return Ok(());
            }
        }
        // As above.
        let _ = source.end_of_stream();
        Ok(())
    }
}

fn is_audio(caps: &gst::CapsRef) -> bool {
    let mut structures = caps.iter();
    structures.any(|structure| structure.name().starts_with("audio/"))
}

/// Times that go on where the clock of the stream has a break.
#[derive(Debug, Default)]
struct Times {
    last: Option<DemuxerTime>,
    shift: DemuxerTime,
}

impl Times {
    fn without_break(&mut self, time: DemuxerTime) -> DemuxerTime {
        if let Some(last) = self.last {
            let step = time + self.shift - last;
            if !STEPS.contains(&step) {
                self.shift -= step;
            }
        }
        let time = time + self.shift;
        self.last = Some(time);
        time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_on_after_a_break_of_the_clock() {
        let second = 1_000_000_000;
        let mut times = Times::default();
        let found = [100, 101, 5, 6, 7, 50_000].map(|at| times.without_break(at * second) / second);
        assert_eq!(found, [100, 101, 101, 102, 103, 103]);
    }
}
