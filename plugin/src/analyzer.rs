//! The common part of the elements that analyse the picture and pass the same buffer on with metadata: their caps, the
//! luma of the frame, skipping late frames, and statistics.

use std::sync::Mutex;
use std::time::Duration;

use gst_video::{VideoFrameRef, VideoInfo};

use crate::luma::{self, LumaReader, LumaView};
use crate::pads;
use crate::stats::Stats;

/// Input format, lateness and statistics of an element that analyses frames.
#[derive(Debug, Default)]
pub(crate) struct FrameAnalyzer {
    input: Mutex<Option<Input>>,
    deadline: Mutex<Deadline>,
    stats: Mutex<Stats>,
}

#[derive(Debug)]
struct Input {
    info: VideoInfo,
    luma: LumaReader,
}

/// Why the luma of a frame cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("no caps before the first buffer")]
    NoCaps,
    #[error(transparent)]
    Caps(#[from] gst::glib::BoolError),
    #[error("expected a {width}×{height} frame in {format:?}, found a buffer of {size} bytes")]
    Map {
        width: u32,
        height: u32,
        format: gst_video::VideoFormat,
        size: usize,
    },
    #[error(transparent)]
    Luma(#[from] luma::Error),
}

impl FrameAnalyzer {
    /// The pads `sink` and `src` with the formats whose luma can be read.
    pub(crate) fn pad_templates() -> Vec<gst::PadTemplate> {
        let caps = gst_video::VideoCapsBuilder::new().format_list(luma::FORMATS);
        pads::templates(&caps.build())
    }

    /// Forgets the previous stream and its statistics.
    pub(crate) fn reset(&self) {
        *self.input.lock().unwrap() = None;
        *self.deadline.lock().unwrap() = Deadline::default();
        *self.stats.lock().unwrap() = Stats::default();
    }

    /// Call it from `set_caps`.
    pub(crate) fn set_caps(&self, caps: &gst::Caps) -> Result<(), Error> {
        let info = VideoInfo::from_caps(caps)?;
        let luma = LumaReader::new(&info)?;
        *self.input.lock().unwrap() = Some(Input { info, luma });
        Ok(())
    }

    /// Call it from `sink_event`.
    pub(crate) fn observe_sink_event(&self, event: &gst::Event) {
        if event.type_() == gst::EventType::FlushStop {
            *self.deadline.lock().unwrap() = Deadline::default();
        }
    }

    /// Call it from `src_event`.
    pub(crate) fn observe_src_event(&self, event: &gst::Event) {
        if let gst::EventView::Qos(qos) = event.view() {
            let (_, _, jitter, timestamp) = qos.get();
            self.deadline.lock().unwrap().update(jitter, timestamp);
        }
    }

    /// Whether `buffer`, with this running time, would reach the sink too late to be worth the work. If so it counts as
    /// skipped.
    ///
    /// An element whose work takes a small part of a frame's duration does not make the stream late, and never skips:
    /// the frames that are in time again because a slower element skipped them still deserve its results.
    pub(crate) fn skips(
        &self,
        buffer: &gst::BufferRef,
        running_time: Option<gst::ClockTime>,
    ) -> bool {
        let mut stats = self.stats.lock().unwrap();
        let is_quick = buffer
            .duration()
            .is_some_and(|frame| stats.mean() < Duration::from(frame) / 4);
        let skips = !is_quick && self.deadline.lock().unwrap().is_missed(running_time);
        if skips {
            stats.add_skipped();
        }
        skips
    }

    /// Calls `read` with the luma of the frame. The buffer is mapped only that long.
    pub(crate) fn with_luma<T>(
        &self,
        buffer: &gst::BufferRef,
        read: impl FnOnce(&LumaView<'_>) -> T,
    ) -> Result<T, Error> {
        let input = self.input.lock().unwrap();
        let Input { info, luma } = input.as_ref().ok_or(Error::NoCaps)?;
        let frame =
            VideoFrameRef::from_buffer_ref_readable(buffer, info).map_err(|_| Error::Map {
                width: info.width(),
                height: info.height(),
                format: info.format(),
                size: buffer.size(),
            })?;
        let view = luma.view(&frame)?;
        Ok(read(&view))
    }

    /// The duration of a frame by the frame rate of the caps, if they have one.
    pub(crate) fn frame_duration(&self) -> Option<Duration> {
        let input = self.input.lock().unwrap();
        let fps = input.as_ref()?.info.fps();
        let (frames, seconds) = (fps.numer(), fps.denom());
        (frames > 0 && seconds > 0)
            .then(|| Duration::from_secs_f64(f64::from(seconds) / f64::from(frames)))
    }

    /// Counts an analysed frame with `faces` faces; the element worked on it for `time`.
    pub(crate) fn add_analysed(&self, faces: usize, time: Duration) {
        self.stats.lock().unwrap().add_analysed(faces, time);
    }

    /// The value of the `stats` property.
    pub(crate) fn stats(&self) -> gst::Structure {
        self.stats.lock().unwrap().to_structure()
    }
}

/// The running time up to which frames are too late, by the last QoS event of the sink.
#[derive(Debug, Default)]
struct Deadline(Option<gst::ClockTime>);

impl Deadline {
    /// `jitter` is how many nanoseconds too late the frame with the running time `timestamp` came, negative if it was
    /// early. A late stream catches up by skipping twice as much as it is late.
    fn update(&mut self, jitter: i64, timestamp: Option<gst::ClockTime>) {
        self.0 = match (timestamp, u64::try_from(jitter)) {
            (Some(timestamp), Ok(late)) if late > 0 => {
                timestamp.checked_add(gst::ClockTime::from_nseconds(late.saturating_mul(2)))
            }
            _ => None,
        };
    }

    fn is_missed(&self, running_time: Option<gst::ClockTime>) -> bool {
        running_time.is_some_and(|time| self.0.is_some_and(|deadline| time <= deadline))
    }
}

#[cfg(test)]
mod tests;
