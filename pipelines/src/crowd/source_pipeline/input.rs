//! The beginning of the pipeline of a source, up to decoded frames in the memory of the processor.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use gst::prelude::*;

use crate::camera_mode::{self, NEWEST_ONLY};
use crate::crowd::camera_tls::{self, CertificateVerdict};
use crate::crowd::config::{Origin, RtspTransport, SourceSettings};
use crate::crowd::log::log;
use crate::crowd::memory_download;

/// Frames in any memory, because a hardware decoder may offer no other.
const DECODE: &str = "decodebin name=crowd-decoder caps=\"video/x-raw(ANY)\"";
/// Room for one frame, in system memory.
const FRAMES: &str = "appsink name=crowd-frames caps=video/x-raw max-buffers=1 drop=true";

/// Builds the pipeline.
pub(super) fn pipeline(
    source: &SourceSettings,
    transport: RtspTransport,
    certificate: &CertificateVerdict,
) -> anyhow::Result<gst::Pipeline> {
    let line = match &source.origin {
        Origin::Uri(_) | Origin::File(_) => format!("uri{DECODE} {FRAMES}"),
        Origin::Device(path) => {
            let mode = device_mode(source, path);
            format!("v4l2src name=crowd-device ! {mode}{DECODE} {FRAMES}")
        }
        Origin::Launch(line) => format!("{line} ! {DECODE} {FRAMES}"),
    };
    let pipeline = gst::parse::launch(&line)
        .map_err(|error| anyhow::anyhow!("{}", error.message()))?
        .downcast::<gst::Pipeline>()
        .map_err(|_| anyhow::anyhow!("expected a pipeline, found a single element"))?;
    let element = |name: &str| pipeline.by_name(name).context("a name is taken");
    let (decoder, sink) = (element("crowd-decoder")?, element("crowd-frames")?);
    source.decoders.set_up(&decoder);
    match &source.origin {
        Origin::Uri(uri) => {
            decoder.set_property("uri", uri);
            set_up_network(&decoder, source, transport, certificate);
        }
        Origin::File(path) => {
            decoder.set_property("uri", gst::glib::filename_to_uri(path, None)?);
        }
        Origin::Device(path) => {
            element("crowd-device")?.set_property("device", path.to_string_lossy().as_ref());
        }
        Origin::Launch(_) => {}
    }
    link_when_decoded(&pipeline, &decoder, &sink)?;
    Ok(pipeline)
}

/// The mode that suits faces, as elements between a camera and its decoder; empty if the camera has only others.
fn device_mode(source: &SourceSettings, path: &Path) -> String {
    // A camera that does not open is reported by the pipeline.
    let modes = camera_mode::modes(path).ok();
    let mode = modes.and_then(|modes| camera_mode::choose(&modes, source.device_mode));
    mode.map_or(String::new(), |mode| {
        log(&source.name, &format!("{}: {mode}", path.display()));
        format!("{} ! {NEWEST_ONLY} ! ", mode.caps())
    })
}

/// Links the first video of `decoder` to `sink`, through an element that brings the frames into system memory if they are
/// elsewhere.
fn link_when_decoded(
    pipeline: &gst::Pipeline,
    decoder: &gst::Element,
    sink: &gst::Element,
) -> anyhow::Result<()> {
    let sink = sink.static_pad("sink").context("an appsink has a pad")?;
    let between = Arc::new(Mutex::new(None::<gst::Element>));
    let (weak, ours, target) = (pipeline.downgrade(), between.clone(), sink.clone());
    decoder.connect_pad_added(move |_, pad| {
        let Some(pipeline) = weak.upgrade() else {
            return;
        };
        // Other videos of the same stream, such as a preview, lead nowhere.
        if target.is_linked() || pad.link(&target).is_ok() {
            return;
        }
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        for factory in memory_download::downloaders(&caps) {
            if let Ok(element) = through(&pipeline, &factory, pad, &target) {
                *ours.lock().unwrap_or_else(PoisonError::into_inner) = Some(element);
                return;
            }
        }
        gst::element_error!(
            pipeline,
            gst::CoreError::Negotiation,
            ["no installed element brings frames with {caps} into the memory of the processor"]
        );
    });
    let weak = pipeline.downgrade();
    decoder.connect_pad_removed(move |_, _| {
        let mut between = between.lock().unwrap_or_else(PoisonError::into_inner);
        let is_left = |element: &gst::Element| {
            element
                .static_pad("sink")
                .is_none_or(|pad| !pad.is_linked())
        };
        if let Some(element) = between.take_if(|element| is_left(element)) {
            // A bin that is being taken down removes its elements itself.
            let _ = element.set_state(gst::State::Null);
            if let Some(pipeline) = weak.upgrade() {
                let _ = pipeline.remove(&element);
            }
        }
    });
    Ok(())
}

/// Links `pad` to `target` through a new element of `factory`.
fn through(
    pipeline: &gst::Pipeline,
    factory: &gst::ElementFactory,
    pad: &gst::Pad,
    target: &gst::Pad,
) -> anyhow::Result<gst::Element> {
    let element = factory.create().build()?;
    pipeline.add(&element)?;
    let link = || {
        let end = |name| element.static_pad(name).context("it has such a pad");
        end("src")?.link(target)?;
        pad.link(&end("sink")?)?;
        element.sync_state_with_parent()?;
        anyhow::Ok(())
    };
    if let Err(error) = link() {
        // It was added a moment ago.
        let _ = element.set_state(gst::State::Null);
        let _ = pipeline.remove(&element);
        return Err(error);
    }
    Ok(element)
}

/// Makes the pictures of an HTTP camera (`multipart/x-mixed-replace`) play at once and without end.
pub(super) fn watch_for_motion_jpeg(
    pipeline: &gst::Pipeline,
    sink: &gst_app::AppSink,
    is_live: &Arc<AtomicBool>,
) {
    let (is_live, sink) = (is_live.clone(), sink.downgrade());
    pipeline.connect_deep_element_added(move |_, _, element| {
        if element
            .factory()
            .is_none_or(|factory| factory.name() != "multipartdemux")
        {
            return;
        }
        // Otherwise the decoder waits for further streams, which never come.
        element.set_property("single-stream", true);
        is_live.store(true, Ordering::Relaxed);
        if let Some(sink) = sink.upgrade() {
            sink.set_sync(false);
        }
    });
}

/// Sets login, transport and certificates on the element that connects to the camera, as soon as it exists.
fn set_up_network(
    decoder: &gst::Element,
    source: &SourceSettings,
    transport: RtspTransport,
    certificate: &CertificateVerdict,
) {
    let (source, certificate) = (source.clone(), certificate.clone());
    decoder.connect("source-setup", false, move |values| {
        let element = values.get(1)?.get::<gst::Element>().ok()?;
        let set = |name: &str, value: &str| {
            if element.find_property(name).is_some() {
                element.set_property_from_str(name, value);
            }
        };
        if let Some(username) = &source.username {
            set("user-id", username);
        }
        if let Some(password) = &source.password {
            set("user-pw", password.reveal());
        }
        if let Err(error) = camera_tls::set_up(&element, &source, &certificate) {
            gst::element_error!(element, gst::ResourceError::Settings, ["{error:#}"]);
        }
        let is_rtsp = element
            .factory()
            .is_some_and(|factory| factory.name() == "rtspsrc");
        if is_rtsp {
            set("latency", &source.latency_ms.to_string());
            set("drop-on-latency", "true");
            set("add-reference-timestamp-meta", "true");
            set(
                "protocols",
                match transport {
                    RtspTransport::Auto | RtspTransport::Tcp => "tcp",
                    RtspTransport::Udp => "udp",
                },
            );
        }
        None
    });
}
