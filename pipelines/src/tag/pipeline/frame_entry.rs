//! Where decoded frames enter the analysis: they get their numbers and times in the file.

use std::mem;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use gst::prelude::*;
use gst_video::VideoInfo;

use super::demuxed_times::{DemuxedTime, DemuxedTimes};
use super::shared::Shared;
use crate::tag::frame_in_file::FrameInFile;
use crate::tag::sdr_convert;
use crate::tag::settings::SamplingRate;
use crate::tag::time_line::{DemuxerTime, TimeLine, plain_segment, probe_return, signed};

/// Frames after each other have time stamps at least this far apart: muxers and encoders take no equal ones.
const SHORTEST_STEP: gst::ClockTime = gst::ClockTime::from_mseconds(1);
/// The duration of a frame if nothing tells it.
const USUAL_DURATION: gst::ClockTime = gst::ClockTime::from_mseconds(40);
/// A higher rate in a file is wrong.
const HIGHEST_RATE: i32 = 1000;

/// Numbers and times frames, and leaves some out.
struct FrameEntry {
    line: TimeLine,
    /// `None` if the file has no demuxer.
    demuxed: Option<Arc<DemuxedTimes>>,
    every: Option<SamplingRate>,
    segment: Option<gst::Segment>,
    /// How much later than the edit list says the first frame is.
    late: Option<DemuxerTime>,
    last: Option<gst::ClockTime>,
    last_duration: gst::ClockTime,
    /// Whether the last frame had a time.
    is_timed: bool,
    first_time: Option<gst::ClockTime>,
    last_slot: Option<u64>,
}

/// Gives the frames that reach `entry` their numbers and times in the file, and drops those that `every` leaves out.
///
/// From there on the time stamp of a frame is its time in the file, later if another frame has the same.
pub(super) fn install(
    entry: &gst::Pad,
    line: TimeLine,
    demuxed: Option<Arc<DemuxedTimes>>,
    every: Option<SamplingRate>,
    shared: Arc<Shared>,
) {
    let state = Mutex::new(FrameEntry {
        line,
        demuxed,
        every,
        segment: None,
        late: None,
        last: None,
        last_duration: USUAL_DURATION,
        is_timed: false,
        first_time: None,
        last_slot: None,
    });
    let types = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM;
    entry.add_probe(types, move |_, info| {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let passes = match &mut info.data {
            Some(gst::PadProbeData::Buffer(buffer)) => state.admit(buffer.make_mut(), &shared),
            Some(gst::PadProbeData::Event(event)) => match event.view() {
                // If audio begins before the video, the muxer of GStreamer 1.22 waits for ever behind a gap.
                gst::EventView::Gap(_) => false,
                gst::EventView::Segment(segment) => {
                    let is_first = state.segment.is_none();
                    state.segment = Some(segment.segment().to_owned());
                    *event = plain_segment(event.seqnum());
                    is_first
                }
                gst::EventView::Caps(caps) => {
                    let info = VideoInfo::from_caps(caps.caps()).ok();
                    if let Some(transfer) = info.as_ref().and_then(sdr_convert::hdr_transfer) {
                        // Set already by the caps before a change in the stream.
                        let _ = shared.hdr.set(transfer);
                    }
                    if let Some(caps) = corrected_rate(caps.caps()) {
                        *event = gst::event::Caps::new(&caps);
                    }
                    true
                }
                _ => true,
            },
            _ => true,
        };
        probe_return(passes)
    });
}

/// The caps with a variable frame rate if the stated one cannot be: encoders derive durations from it.
fn corrected_rate(caps: &gst::CapsRef) -> Option<gst::Caps> {
    let rate = caps.structure(0)?.get::<gst::Fraction>("framerate").ok()?;
    if i64::from(rate.numer()) <= i64::from(HIGHEST_RATE) * i64::from(rate.denom()) {
        return None;
    }
    let mut caps = caps.to_owned();
    caps.make_mut().set("framerate", gst::Fraction::new(0, 1));
    Some(caps)
}

impl FrameEntry {
    /// Whether the frame is analysed.
    fn admit(&mut self, buffer: &mut gst::BufferRef, shared: &Shared) -> bool {
        let demuxed = self.demuxed.as_ref().and_then(|times| times.of(buffer));
        // Where only some frames of a packet have times, decoders give wrong ones to the others.
        let follows = self.last.map(|last| last + self.last_duration);
        let is_guessed = self.demuxed.is_some() && self.line.has_packets && follows.is_some();
        let time = demuxed.or_else(|| {
            if is_guessed {
                return None;
            }
            let (time, is_shown) = self.line.demuxer_time(self.segment.as_ref(), buffer.pts()?);
            Some(DemuxedTime { time, is_shown })
        });
        if time.is_some_and(|time| !time.is_shown) {
            return false;
        }
        let number = shared.decoded.fetch_add(1, Ordering::SeqCst);
        let late = time.map_or(0, |time| self.late(time.time, buffer.duration()));
        let time = time.map(|time| self.line.player_time(time.time - late));
        let time = time.or(follows.filter(|_| self.is_timed));
        let pts = match (time, self.last) {
            (Some(time), Some(last)) => time.max(last + SHORTEST_STEP),
            // Where no frame has a time, as in some streams of pictures.
            (time, _) => time.or(follows).unwrap_or_default(),
        };
        self.is_timed = time.is_some();
        // One that is derived from a wrong frame rate is none.
        let stated = buffer
            .duration()
            .filter(|duration| *duration >= SHORTEST_STEP);
        let step = self.last.map(|last| pts.saturating_sub(last));
        self.last_duration = stated.or(step).unwrap_or(USUAL_DURATION);
        self.last = Some(pts);
        let pts = Some(pts);
        buffer.set_pts(pts);
        buffer.set_dts(None);
        // Without one, the last frame of an annotated video would not be shown. A picture has none.
        let is_video = self.demuxed.is_some();
        buffer.set_duration(stated.or(is_video.then_some(self.last_duration)));
        let is_sampled = self.is_sampled(time);
        if is_sampled {
            shared.frames.add(pts, FrameInFile { number, time });
        }
        is_sampled
    }

    /// Where an edit begins within a frame, players begin with the next frame, at the time of the edit.
    fn late(&mut self, time: DemuxerTime, duration: Option<gst::ClockTime>) -> DemuxerTime {
        let segment = self.segment.as_ref().filter(|_| self.line.has_edits);
        *self.late.get_or_insert_with(|| {
            let segment = segment.and_then(|segment| segment.downcast_ref::<gst::ClockTime>());
            let cuts =
                segment.filter(|segment| segment.start().is_some_and(|start| !start.is_zero()));
            let late = cuts.map_or(0, |segment| time - segment.time().map_or(0, signed));
            let is_in_frame = (0..signed(duration.unwrap_or(USUAL_DURATION))).contains(&late);
            if is_in_frame { late } else { 0 }
        })
    }

    fn is_sampled(&mut self, time: Option<gst::ClockTime>) -> bool {
        let (Some(every), Some(time)) = (self.every, time) else {
            return true;
        };
        let since_first = time.saturating_sub(*self.first_time.get_or_insert(time));
        let slot = Some(every.slot(since_first));
        mem::replace(&mut self.last_slot, slot) != slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_impossible_frame_rate_becomes_variable() {
        gst::init().unwrap();
        for (rate, is_possible) in [
            ("25/1", true),
            ("240/1", true),
            ("0/1", true),
            ("90000/1", false),
        ] {
            let caps: gst::Caps = format!("video/x-raw,framerate={rate}").parse().unwrap();
            let corrected = corrected_rate(&caps);
            assert_eq!(corrected.is_none(), is_possible, "{rate}");
        }
    }
}
