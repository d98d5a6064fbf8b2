//! The common part of the elements that analyse the picture and pass the same buffer on with metadata: their caps, the
//! luma of the frame in square pixels, skipping late frames, and statistics.

use std::sync::Mutex;
use std::time::Duration;

use emotion_models::preprocess::GreyRows;
use gst::prelude::*;
use gst_video::{VideoFrameRef, VideoInfo, VideoInterlaceMode};

use crate::frame_time::FrameTime;
use crate::lateness::{Lateness, SkippedFrame};
use crate::luma::{self, LumaReader, LumaView};
use crate::pixels::{PixelGrid, SquarePixels};
use crate::stats::Stats;
use crate::work_latency::{self, WorkLatency};

/// Input format, lateness and statistics of an element that analyses frames.
#[derive(Debug, Default)]
pub(crate) struct FrameAnalyzer {
    input: Mutex<Option<Input>>,
    lateness: Mutex<Lateness>,
    stats: Mutex<Stats>,
    latency: Mutex<WorkLatency>,
}

#[derive(Debug)]
struct Input {
    info: VideoInfo,
    luma: LumaReader,
    grid: PixelGrid,
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

/// What is done with the luma of a frame.
pub(crate) trait ReadsLuma {
    /// The result.
    type Output;

    /// Reads the frame, whose pixels are square, and `grid` says which part of the stored frame each is.
    fn read(self, image: &impl GreyRows, grid: &PixelGrid) -> Self::Output;
}

impl FrameAnalyzer {
    /// Forgets the previous stream and its statistics.
    pub(crate) fn reset(&self) {
        *self.input.lock().unwrap() = None;
        *self.lateness.lock().unwrap() = Lateness::default();
        *self.stats.lock().unwrap() = Stats::default();
        *self.latency.lock().unwrap() = WorkLatency::default();
    }

    /// Call it from `set_caps`.
    pub(crate) fn set_caps(&self, caps: &gst::Caps) -> Result<(), Error> {
        let info = VideoInfo::from_caps(caps)?;
        let luma = LumaReader::new(&info)?;
        let grid = PixelGrid::new(&info);
        *self.input.lock().unwrap() = Some(Input { info, luma, grid });
        Ok(())
    }

    /// Call it from `sink_event`.
    pub(crate) fn observe_sink_event(&self, event: &gst::Event) {
        if event.type_() == gst::EventType::FlushStop {
            *self.lateness.lock().unwrap() = Lateness::default();
        }
    }

    /// Call it from `src_event`.
    pub(crate) fn observe_src_event(&self, event: &gst::Event) {
        if let gst::EventView::Qos(qos) = event.view() {
            let (_, proportion, jitter, timestamp) = qos.get();
            let mut lateness = self.lateness.lock().unwrap();
            lateness.update(jitter, timestamp, proportion);
        }
    }

    /// The frame, if it is skipped because the stream is late.
    pub(crate) fn skipped(&self, buffer: &gst::BufferRef, time: FrameTime) -> Option<SkippedFrame> {
        let mut stats = self.stats.lock().unwrap();
        (self.lateness.lock().unwrap()).skipped(buffer, time, &mut stats)
    }

    /// Gives the luma of the frame to `reader`. The buffer is mapped only that long.
    pub(crate) fn with_luma<R: ReadsLuma>(
        &self,
        buffer: &gst::BufferRef,
        reader: R,
    ) -> Result<R::Output, Error> {
        let input = self.input.lock().unwrap();
        let Input { info, luma, grid } = input.as_ref().ok_or(Error::NoCaps)?;
        let map_error = || Error::Map {
            width: info.width(),
            height: info.height(),
            format: info.format(),
            size: buffer.size(),
        };
        if info.interlace_mode() == VideoInterlaceMode::Alternate {
            let data = buffer.map_readable().map_err(|_| map_error())?;
            return Ok(read(reader, &luma.view_field(buffer, &data)?, grid));
        }
        let frame =
            VideoFrameRef::from_buffer_ref_readable(buffer, info).map_err(|_| map_error())?;
        Ok(read(reader, &luma.view(&frame)?, grid))
    }

    /// The pixels of the frames, once there are caps.
    pub(crate) fn grid(&self) -> Option<PixelGrid> {
        self.input.lock().unwrap().as_ref().map(|input| input.grid)
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
        self.latency.lock().unwrap().add(time);
    }

    /// Tells the pipeline if frames take longer than the element has said. Call it without a lock at the end of a frame: a
    /// listener may seek or read properties.
    pub(crate) fn post_latency(&self, element: &impl IsA<gst::Element>) {
        let has_grown = self.latency.lock().unwrap().take_growth();
        if has_grown {
            work_latency::post(element);
        }
    }

    /// Call it from `query` with whether others have `answered`, and return the same.
    pub(crate) fn add_latency(&self, answered: bool, query: &mut gst::QueryRef) -> bool {
        if answered && let gst::QueryViewMut::Latency(query) = query.view_mut() {
            self.latency.lock().unwrap().add_to(query);
        }
        answered
    }

    /// The value of the `stats` property.
    pub(crate) fn stats(&self) -> gst::Structure {
        self.stats.lock().unwrap().to_structure()
    }
}

fn read<R: ReadsLuma>(reader: R, view: &LumaView<'_>, grid: &PixelGrid) -> R::Output {
    if grid.is_square() {
        reader.read(view, grid)
    } else {
        reader.read(&SquarePixels::new(view, grid), grid)
    }
}
