//! Copies a file from a web server to this machine, because decoders have to find their way in it.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, anyhow, bail, ensure};
use gst::prelude::*;

use super::temporary::{TemporaryError, is_temporary_of_server};
use super::worker_message::{DownloadJob, Downloaded};
use crate::runner::{self, described};

/// The event with the answer of the server, which the sources of GStreamer send.
const HEADERS: &str = "http-headers";
const UNCHANGED: &str = "emotion-tag-unchanged";
/// The beginning of a list of parts of a video (RFC 8216).
const PLAYLIST: &[u8] = b"#EXTM3U";

/// What the server answered.
#[derive(Debug, Default, Clone)]
struct Answer {
    /// Number of bytes.
    length: Option<u64>,
    validator: Option<String>,
}

/// Copies the file; several times a second it calls `on_progress` with the number of bytes so far.
///
/// # Errors
///
/// If the server does not give all of it. The error may have secrets of the address in it.
pub(super) fn download(job: &DownloadJob, on_progress: &dyn Fn(u64)) -> anyhow::Result<Downloaded> {
    let (pipeline, source) = pipeline(job)?;
    let exit = source
        .static_pad("src")
        .context("the source has no source pad")?;
    let answer = Arc::new(Mutex::new(Answer::default()));
    let copied = Arc::new(AtomicU64::new(0));
    watch(&exit, job.known_validator.clone(), &answer, &copied);
    let copied = || copied.load(Ordering::SeqCst);
    let types = [gst::MessageType::Application];
    let is_unchanged = runner::play(&pipeline, &types, |message| {
        match message.map(|message| message.view()) {
            Some(gst::MessageView::Eos(_)) => return Ok(Some(false)),
            Some(gst::MessageView::Application(found)) => {
                let is_it = found.structure().is_some_and(|s| s.name() == UNCHANGED);
                return Ok(is_it.then_some(true));
            }
            Some(gst::MessageView::Error(error)) => {
                let text = described(None, &error.error(), error.debug());
                let text = format!("the file cannot be copied from its server: {text}");
                return Err(match is_temporary_of_server(&error.error()) {
                    true => TemporaryError(text).into(),
                    false => anyhow!(text),
                });
            }
            _ => on_progress(copied()),
        }
        Ok(None)
    })?;
    drop(pipeline);
    let answer = answer
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    if !is_unchanged {
        let copied = copied();
        if let Some(length) = answer.length.filter(|length| *length > copied) {
            let text = format!("the server ended the file early: {copied} bytes came of {length}");
            return Err(TemporaryError(text).into());
        }
        check(&job.to)?;
    }
    Ok(Downloaded {
        validator: answer.validator,
        is_unchanged,
    })
}

/// The pipeline that copies, and its source.
fn pipeline(job: &DownloadJob) -> anyhow::Result<(gst::Pipeline, gst::Element)> {
    let source = gst::Element::make_from_uri(gst::URIType::Src, &job.url.requested(), None)
        .map_err(|_| {
            anyhow!("nothing is installed to copy it from a web server; on Debian and Ubuntu souphttpsrc comes with gstreamer1.0-plugins-good")
        })?;
    if let Some(login) = job.url.login() {
        for (name, value) in [("user-id", login.user), ("user-pw", login.password)] {
            ensure!(
                source.has_property(name),
                "the installed source cannot log in: it has no property {name}"
            );
            source.set_property(name, value);
        }
    }
    // Servers of radio stations would put titles into the data.
    if source.has_property("iradio-mode") {
        source.set_property("iradio-mode", false);
    }
    let sink = gst::ElementFactory::make("filesink")
        .property("location", job.to.as_path())
        .build()?;
    let pipeline = gst::Pipeline::new();
    pipeline.add_many([&source, &sink])?;
    source.link(&sink)?;
    Ok((pipeline, source))
}

/// Counts bytes, reads the answer of the server, and ends the copying where its validator is the known one.
fn watch(
    exit: &gst::Pad,
    known: Option<String>,
    answer: &Arc<Mutex<Answer>>,
    copied: &Arc<AtomicU64>,
) {
    let (answer, copied) = (answer.clone(), copied.clone());
    let types = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM;
    exit.add_probe(types, move |pad, info| {
        match &info.data {
            Some(gst::PadProbeData::Buffer(buffer)) => {
                copied.fetch_add(buffer.size() as u64, Ordering::SeqCst);
            }
            Some(gst::PadProbeData::Event(event)) => {
                let structure = event.structure().filter(|found| found.name() == HEADERS);
                if let Some(found) = structure.and_then(Answer::read) {
                    let is_known = known.is_some() && found.validator == known;
                    *answer.lock().unwrap_or_else(PoisonError::into_inner) = found;
                    if is_known && let Some(element) = pad.parent_element() {
                        let message = gst::Structure::new_empty(UNCHANGED);
                        // Without a bus nobody waits.
                        let _ = element.post_message(gst::message::Application::new(message));
                    }
                }
            }
            _ => {}
        }
        gst::PadProbeReturn::Ok
    });
}

impl Answer {
    fn read(event: &gst::StructureRef) -> Option<Self> {
        let headers = event.get::<gst::Structure>("response-headers").ok()?;
        let header = |name: &str| {
            let mut fields = headers.iter();
            let (_, value) = fields.find(|(field, _)| field.eq_ignore_ascii_case(name))?;
            value.get::<String>().ok()
        };
        let length = header("content-length");
        let tag = header("etag").or_else(|| header("last-modified"));
        Some(Self {
            // A size alone tells nothing, and a tag may stay where a server compresses anew.
            validator: tag.map(|tag| match &length {
                Some(length) => format!("{tag} {length}"),
                None => tag,
            }),
            length: length.and_then(|length| length.parse().ok()),
        })
    }
}

/// Refuses what is a list of other files.
fn check(path: &Path) -> anyhow::Result<()> {
    use std::io::Read as _;
    let mut start = Vec::new();
    let limit = PLAYLIST.len() as u64;
    std::fs::File::open(path)?
        .take(limit)
        .read_to_end(&mut start)?;
    if start == PLAYLIST {
        bail!(
            "it is a playlist (HLS) and no video; ffmpeg -i ADDRESS -c copy clip.mkv makes a file of it"
        );
    }
    Ok(())
}
