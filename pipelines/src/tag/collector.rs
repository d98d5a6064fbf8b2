//! Takes what comes out of a pipeline: records into their file, the course and the thumbnails into memory.

use anyhow::Context as _;
use gst_video::VideoInfo;
use gstemotion::face;
use gstemotion::frame_time::FrameTime;
use gstemotion::record::Record;

use super::records::RecordFile;
use super::thumbnails::FaceThumbnails;
use super::timeline::EmotionTimeline;

/// What collects.
pub(super) struct FrameCollector {
    pub(super) records: RecordFile,
    pub(super) course: EmotionTimeline,
    pub(super) thumbnails: Option<FaceThumbnails>,
    /// The name of the file in each record.
    pub(super) source: String,
    /// Whether frames are left out, so that a frame stands for more time than its own.
    pub(super) is_sampled: bool,
    pub(super) format: Option<(gst::Caps, VideoInfo)>,
}

impl FrameCollector {
    /// Takes a picture with its metadata, and returns when it is shown.
    pub(super) fn take(&mut self, sample: &gst::Sample) -> anyhow::Result<Option<gst::ClockTime>> {
        let buffer = sample.buffer().context("a sample without a picture")?;
        let caps = sample.caps().context("a picture without caps")?;
        let info = match &self.format {
            Some((known, info)) if known.as_ref() == caps => info.clone(),
            _ => {
                let info = VideoInfo::from_caps(caps)?;
                self.format = Some((caps.to_owned(), info.clone()));
                info
            }
        };
        let time = FrameTime::new(sample.segment(), buffer.pts());
        let faces = face::faces(buffer);
        let record = Record::new(time, info.width(), info.height(), &faces)
            .with_source(Some(self.source.clone()));
        self.records.write(&record)?;
        let duration = buffer.duration().filter(|_| !self.is_sampled);
        self.course
            .add(&record, duration.map(|d| d.nseconds() as f64 / 1e9));
        if let Some(thumbnails) = &mut self.thumbnails {
            thumbnails.add(&record, buffer, &info)?;
        }
        Ok(time.stream)
    }
}
