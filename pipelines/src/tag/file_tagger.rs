//! Tags one file: analyses it and writes its results into their hidden folder.

use anyhow::Context as _;

use super::captions;
use super::collector::FrameCollector;
use super::container;
use super::pipeline::{AnnotatedFormat, MediaSource, PipelineProgress, TaggingPipeline};
use super::recording::Recording;
use super::records::RecordFile;
use super::report;
use super::result_names::{ANNOTATED, CAPTIONS};
use super::results::ResultWriter;
use super::settings::Settings;
use super::summary::{self, About};
use super::thumbnails::FaceThumbnails;
use super::timeline::EmotionTimeline;
use super::worker_message::Job;
use crate::encoding_profile::EncodingProfile;

/// Tags one file after another with the same settings.
pub(super) struct FileTagger<'a> {
    pub(super) settings: &'a Settings,
    /// The encoder of annotated videos.
    pub(super) encoding: Option<&'static EncodingProfile>,
}

/// A tagged file, whose results are complete in their hidden folder.
pub(super) struct TaggedFile {
    pub(super) timeline: EmotionTimeline,
    /// The suffixes of the results, that of the summary last.
    pub(super) suffixes: Vec<String>,
    /// Why the file could not be decoded to its end, if the results are those up to there.
    pub(super) damage: Option<String>,
}

impl FileTagger<'_> {
    /// Tags the file of `job`.
    ///
    /// # Errors
    ///
    /// If it cannot be decoded to its end, or a result cannot be written.
    pub(super) fn tag(
        &self,
        job: &Job,
        on_progress: &dyn Fn(PipelineProgress),
        on_warning: &dyn Fn(&str),
    ) -> anyhow::Result<TaggedFile> {
        let input = &job.input;
        anyhow::ensure!(input.size > 0, "the file is empty");
        let settings = self.settings;
        let cut = container::missing_end(&input.absolute)?.map(|stated| {
            let size = input.size;
            format!("the file is cut short: it has {size} bytes, and its container states {stated}")
        });
        if let Some(cut) = cut.as_ref().filter(|_| !settings.keep_partial) {
            anyhow::bail!("{cut}; --keep-partial tags what is there");
        }
        let source = MediaSource::open(&input.absolute)?;
        let mut results = ResultWriter::new(job.results.clone());
        let extension = settings.format.extension();
        let records = results.add(extension);
        let format = self.encoding.map(|profile| match source.picture_format() {
            Some(format) => AnnotatedFormat::Picture(format),
            None => AnnotatedFormat::Video(profile),
        });
        let annotated = format.map(annotated_suffix);
        let annotated_path = annotated.as_ref().map(|suffix| results.add(suffix));
        let shown = job.results.whole(extension);
        let pipeline = TaggingPipeline {
            file: &input.absolute,
            source,
            settings,
            software_decoders: job.retried.is_some(),
            annotated: format.zip(annotated_path.as_deref()),
            collector: FrameCollector {
                records: RecordFile::create(settings.format, &records, &shown)?,
                timeline: EmotionTimeline::default(),
                thumbnails: settings.thumbnails.then(FaceThumbnails::default),
                source: input.source(),
                is_sampled: settings.every.is_some(),
                recording: Recording::default(),
                format: None,
            },
        };
        let played = pipeline.run(on_progress, on_warning)?;
        let collected = played.collector;
        let annotated = match (annotated, &played.damage) {
            (Some(suffix), Some(_)) => {
                on_warning("its annotated copy is left out, because it was not finished");
                results.discard(&suffix);
                None
            }
            (annotated, _) => annotated,
        };
        let damage = played.damage.or(cut);
        collected.records.finish()?;
        let mut timeline = collected.timeline;
        timeline.finish();

        results.write(CAPTIONS, &captions::web_vtt(&input.source(), &timeline))?;
        if settings.report {
            let video = annotated.map(|suffix| job.results.name(&suffix));
            let thumbnails = collected.thumbnails.as_ref();
            let page = report::html(&input.source(), video.as_deref(), &timeline, thumbnails);
            results.write("html", &page.context("cannot write the report as JSON")?)?;
        }
        let about = About {
            input,
            content: &job.content,
            settings,
            outputs: &results.names(),
            retried: job.retried.as_deref(),
            damaged: damage.as_deref(),
            recording: &collected.recording,
        };
        let summary =
            summary::json(about, &timeline).context("cannot write the summary as JSON")?;
        Ok(TaggedFile {
            timeline,
            suffixes: results.finish(&summary)?,
            damage,
        })
    }
}

fn annotated_suffix(format: AnnotatedFormat) -> String {
    format!("{ANNOTATED}.{}", format.extension())
}
