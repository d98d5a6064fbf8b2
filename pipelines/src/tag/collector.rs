//! Collects the results of a pipeline: writes records to their file, keeps the timeline and thumbnails in memory.

use anyhow::Context as _;
use gst_video::VideoInfo;
use gstemotion::face;
use gstemotion::frame_time::FrameTime;
use gstemotion::record::Record;

use super::frame_in_file::FrameInFile;
use super::recording::Recording;
use super::records::RecordFile;
use super::thumbnails::FaceThumbnails;
use super::timeline::EmotionTimeline;

/// Collects the results of one file.
pub(super) struct FrameCollector {
    pub(super) records: RecordFile,
    pub(super) timeline: EmotionTimeline,
    pub(super) thumbnails: Option<FaceThumbnails>,
    /// The path of the file below the root, in each record.
    pub(super) source: String,
    /// Whether frames are skipped, so that a frame stands for a longer time than its own duration.
    pub(super) is_sampled: bool,
    /// When and with what the file was recorded.
    pub(super) recording: Recording,
    /// The caps of the last frame with what they mean.
    pub(super) format: Option<(gst::Caps, VideoInfo)>,
}

impl FrameCollector {
    /// Adds a frame with its metadata, and returns its time in the file.
    pub(super) fn add(
        &mut self,
        sample: &gst::Sample,
        frame: Option<FrameInFile>,
    ) -> anyhow::Result<Option<gst::ClockTime>> {
        let frame = frame.context("a frame came that did not enter the analysis")?;
        let buffer = sample.buffer().context("the sample has no buffer")?;
        let caps = sample.caps().context("the sample has no caps")?;
        let info = match &self.format {
            Some((known, info)) if known.as_ref() == caps => info.clone(),
            _ => {
                let info = VideoInfo::from_caps(caps)?;
                self.format = Some((caps.to_owned(), info.clone()));
                info
            }
        };
        let time = FrameTime {
            stream: frame.time,
            running: frame.time,
        };
        let faces = face::faces(buffer);
        let record = Record::new(time, info.width(), info.height(), &faces)
            .with_source(Some(self.source.clone()))
            .with_frame(Some(frame.number))
            .with_pixel_aspect_ratio(info.par());
        if self.timeline.frames == 0 {
            self.recording.add_first_frame(buffer);
        }
        self.records.write(&record)?;
        let duration = buffer.duration().filter(|_| !self.is_sampled);
        self.timeline
            .add(&record, duration.map(gst::ClockTime::seconds_f64));
        if let Some(thumbnails) = &mut self.thumbnails {
            thumbnails.add(&record, buffer, &info)?;
        }
        Ok(time.stream)
    }
}
