//! Tags one file: analyses it and writes its results into their hidden folder.

use std::collections::BTreeSet;

use anyhow::Context as _;
use tracing::info_span;

use super::captions;
use super::collector::FrameCollector;
use super::container;
use super::elan;
use super::media_source::MediaSource;
use super::pipeline::{AnnotatedFormat, Collected, PipelineProgress, TaggingPipeline};
use super::recording::Recording;
use super::records::RecordFile;
use super::report;
use super::result_names::{ANNOTATED, CAPTIONS, ELAN, REPORT, THUMBNAILS};
use super::results::ResultWriter;
use super::settings::Settings;
use super::summary::{self, About};
use super::thumbnails::FaceThumbnails;
use super::timeline::EmotionTimeline;
use super::worker_message::Job;
use crate::decoders::Decoders;
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
    /// What is missing in the results, and why.
    pub(super) incomplete: Option<String>,
}

/// A file that was played.
struct AnalysedFile {
    collected: Collected,
    /// The suffix of the annotated copy.
    annotated: Option<String>,
}

impl FileTagger<'_> {
    /// Tags the file of `job`.
    ///
    /// # Errors
    ///
    /// If it cannot be decoded to its end, or a result other than the annotated copy cannot be written.
    pub(super) fn tag(
        &self,
        job: &Job,
        on_progress: &dyn Fn(PipelineProgress),
        on_warning: &dyn Fn(&str),
    ) -> anyhow::Result<TaggedFile> {
        let input = &job.input;
        let _span = info_span!("tag", source = input.source()).entered();
        anyhow::ensure!(input.size > 0, "the file is empty");
        let settings = self.settings;
        let cut = container::missing_end(&input.absolute)?.map(|stated| {
            let size = input.size;
            format!("the file is cut short: it has {size} bytes, and its container states {stated}")
        });
        if let Some(cut) = cut.as_ref().filter(|_| !settings.keep_partial) {
            anyhow::bail!("{cut}; --keep-partial tags what is there");
        }
        let mut results = ResultWriter::new(job.results.clone());
        let analyse = |encoding, left_out, results: &mut ResultWriter| {
            *results = ResultWriter::new(job.results.clone());
            self.analyse(job, encoding, left_out, results, on_progress, on_warning)
        };
        let none = BTreeSet::new();
        let mut annotated = analyse(self.encoding, none.clone(), &mut results);
        if let Ok(analysed) = &annotated
            && !analysed.collected.empty_sound.is_empty()
        {
            let left_out = analysed.collected.empty_sound.clone();
            annotated = analyse(self.encoding, left_out, &mut results);
        }
        let (analysed, failure) = match annotated {
            // The file may be whole, and only its copy cannot be made.
            Err(error) if self.encoding.is_some() => {
                let analysed = analyse(None, none, &mut results)?;
                let failure = format!("its annotated copy cannot be made: {error:#}");
                on_warning(&failure);
                (analysed, Some(failure))
            }
            annotated => (annotated?, None),
        };
        let lost_sound = analysed
            .collected
            .lost_sound
            .map(|lost| format!("its annotated copy is without sound that the file has: {lost}"));
        if let Some(lost) = &lost_sound {
            on_warning(lost);
        }
        let damage = analysed.collected.damage;
        let incomplete = damage.or(cut).or(failure).or(lost_sound);
        let collected = analysed.collected.collector;
        collected.records.finish()?;
        let mut timeline = collected.timeline;
        timeline.finish();

        let _span = info_span!("write").entered();
        results.write(CAPTIONS, &captions::web_vtt(&input.source(), &timeline))?;
        if settings.elan {
            let now = gst::DateTime::new_now_utc().context("the clock shows no date")?;
            let date = now.to_iso8601_string()?;
            results.write(ELAN, &elan::document(&input.name, &timeline, &date))?;
        }
        if let Some(thumbnails) = &collected.thumbnails {
            let kept = thumbnails
                .json()
                .context("cannot write the thumbnails as JSON")?;
            results.write(THUMBNAILS, &kept)?;
        }
        if settings.report {
            let video = analysed
                .annotated
                .map(|suffix| job.results.address(&suffix));
            let thumbnails = collected.thumbnails.as_ref();
            let page = report::html(&input.source(), video.as_deref(), &timeline, thumbnails);
            results.write(REPORT, &page.context("cannot write the report as JSON")?)?;
        }
        let about = About {
            input,
            content: &job.content,
            validator: job.validator.as_deref(),
            settings,
            arithmetic: &job.arithmetic,
            outputs: &results.names(),
            retried: job.retried.as_deref(),
            incomplete: incomplete.as_deref(),
            recording: &collected.recording,
        };
        let summary =
            summary::json(about, &timeline).context("cannot write the summary as JSON")?;
        Ok(TaggedFile {
            timeline,
            suffixes: results.finish(&summary)?,
            incomplete,
        })
    }

    /// Plays the file and writes its records, and an annotated copy with `encoding` without the tracks of sound `left_out_sound`.
    fn analyse(
        &self,
        job: &Job,
        encoding: Option<&'static EncodingProfile>,
        left_out_sound: BTreeSet<usize>,
        results: &mut ResultWriter,
        on_progress: &dyn Fn(PipelineProgress),
        on_warning: &dyn Fn(&str),
    ) -> anyhow::Result<AnalysedFile> {
        let (input, settings) = (&job.input, self.settings);
        let source = MediaSource::open(&input.absolute)?;
        let extension = settings.format.extension();
        let records = results.add(extension);
        let format = encoding.map(|profile| match source.picture_format() {
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
            // An annotated copy that was not finished is of no use.
            keep_partial: settings.keep_partial && annotated.is_none(),
            decoders: match job.retried {
                Some(_) => Decoders::Software,
                None => settings.decoders,
            },
            annotated: format.zip(annotated_path.as_deref()),
            left_out_sound,
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
        Ok(AnalysedFile {
            collected: info_span!("play").in_scope(|| pipeline.run(on_progress, on_warning))?,
            annotated,
        })
    }
}

fn annotated_suffix(format: AnnotatedFormat) -> String {
    format!("{ANNOTATED}.{}", format.extension())
}
