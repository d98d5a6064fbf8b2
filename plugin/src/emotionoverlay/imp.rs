//! # `SECTION:element-emotionoverlay`
//!
//! Draws the results of `facedetect` and `emotionclassify` into the picture: a box around each face in the colour of its
//! emotion, a label with the emotion and its probability, bars with the probabilities of all emotions, a timeline with
//! the emotions of the last seconds, and a summary of all faces. A face with an uncertain emotion or none gets a grey box.
//!
//! All sizes follow the size of the picture. Labels and bars never leave it and never cover each other. Where a crowd
//! leaves no room for a label, the colour of the box still shows the emotion. Labels and bars keep their place while it is
//! free, so that they do not jump.
//!
//! The overlay is attached as metadata if downstream offers to draw it (`glimagesink` does), and the picture stays as it
//! is. Otherwise it is blended into the picture. A picture without faces passes untouched.
//!
//! With `privacy`, every detected face is hidden in the picture itself, with a margin, and stays hidden for `privacy-hold`
//! after its last detection. If a frame cannot be written to, the element fails instead of showing it. A face that no
//! detector has found is not hidden.
//!
//! ## Example pipelines
//!
//! One person in front of a camera:
//!
//! ```sh
//! gst-launch-1.0 v4l2src ! facedetect ! emotionclassify ! emotionoverlay ! videoconvert ! autovideosink
//! ```
//!
//! A crowd, without bars:
//!
//! ```sh
//! gst-launch-1.0 uridecodebin uri=rtsp://camera/stream ! facedetect ! emotionclassify ! emotionoverlay bars=none ! \
//!     videoconvert ! autovideosink
//! ```
//!
//! The emotions of a crowd without recognisable faces:
//!
//! ```sh
//! gst-launch-1.0 v4l2src ! facedetect ! emotionclassify ! emotionoverlay privacy=blur bars=none summary=true ! \
//!     videoconvert ! autovideosink
//! ```

use std::collections::BTreeSet;
use std::sync::{LazyLock, Mutex};
use std::time::Instant;

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_video::VideoInfo;

use super::negotiation;
use super::settings::Settings;
use super::state::State;
use crate::face::{self, Face};
use crate::frame_time::FrameTime;
use crate::pads;
use crate::property::{HasProperties, SharedSettings};
use crate::stats::Stats;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "emotionoverlay",
        gst::DebugColorFlags::empty(),
        Some("Overlay of faces and emotions"),
    )
});

/// The implementation of [`super::EmotionOverlay`].
///
/// Not a `GstBaseTransform`: only the answer to the allocation query tells whether downstream draws overlays, and it needs
/// caps with the overlay feature first; so the element may have to try two caps.
pub struct EmotionOverlay {
    sinkpad: gst::Pad,
    srcpad: gst::Pad,
    settings: SharedSettings<Settings>,
    state: Mutex<State>,
    warned: Mutex<BTreeSet<Warning>>,
    stats: Mutex<Stats>,
}

/// What is warned about once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Warning {
    NoFont,
    NoLetters,
    LostRegions,
}

impl EmotionOverlay {
    fn sink_chain(
        &self,
        pad: &gst::Pad,
        mut buffer: gst::Buffer,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        if self.srcpad.check_reconfigure()
            && let Some(caps) = pad.current_caps()
            && !self.negotiate(&caps)
        {
            self.srcpad.mark_reconfigure();
            return Err(
                if self.srcpad.pad_flags().contains(gst::PadFlags::FLUSHING) {
                    gst::FlowError::Flushing
                } else {
                    gst::FlowError::NotNegotiated
                },
            );
        }

        // A gap without a picture.
        if buffer.size() == 0 {
            return self.srcpad.push(buffer);
        }
        let segment = pad.sticky_event::<gst::event::Segment>(0);
        let segment = segment.as_ref().map(|event| event.segment());
        FrameTime::new(segment, buffer.pts()).sync_values(&*self.obj());
        let started = Instant::now();
        let settings = self.settings.current();
        let faces = face::largest(face::faces_or_objects(&buffer, &settings.face_types));
        self.draw(&mut buffer, &faces, &settings)?;
        gst::log!(
            CAT,
            obj = pad,
            "{} faces in {}",
            faces.len(),
            buffer.pts().display()
        );
        let mut stats = self.stats.lock().unwrap();
        stats.add_analysed(faces.len(), started.elapsed());
        drop(stats);
        self.srcpad.push(buffer)
    }

    fn draw(
        &self,
        buffer: &mut gst::Buffer,
        faces: &[Face],
        settings: &Settings,
    ) -> Result<(), gst::FlowError> {
        let mut state = self.state.lock().unwrap();
        let drawn = state.draw(buffer, faces, settings);
        let (lacks_font, lacks_letters) = (state.lacks_font(), state.lacks_letters());
        // A listener to messages may seek, which needs the state.
        drop(state);
        let lost = drawn.map_err(|error| {
            gst::element_imp_error!(
                self,
                gst::StreamError::Failed,
                ("Cannot draw the overlay: {error}")
            );
            gst::FlowError::Error
        })?;
        if lost > 0 {
            self.warn_once(Warning::LostRegions, || {
                face::lost_regions_text(lost, "are not drawn")
            });
        }
        let render = &settings.render;
        let fonts = || {
            format!(
                "in {:?} for {:?}: install a font, such as Debian's fonts-dejavu-core, or fonts-noto-cjk for Chinese and Japanese",
                render.font, render.language
            )
        };
        if lacks_font {
            self.warn_once(Warning::NoFont, || {
                format!("No font found {}; labels have no text", fonts())
            });
        } else if lacks_letters {
            self.warn_once(Warning::NoLetters, || {
                format!(
                    "No font found for some letters {}; they are shown as boxes",
                    fonts()
                )
            });
        }
        Ok(())
    }

    /// Posts a warning of a kind that was not posted since the start.
    fn warn_once(&self, kind: Warning, text: impl FnOnce() -> String) {
        if self.warned.lock().unwrap().insert(kind) {
            gst::element_imp_warning!(self, gst::StreamError::Failed, ("{}", text()));
        }
    }

    /// Finds out whether downstream draws overlays, and sends caps with or without the overlay feature.
    fn negotiate(&self, caps: &gst::Caps) -> bool {
        let upstream_attaches = negotiation::has_overlay(caps);
        let attach = upstream_attaches
            || negotiation::downstream_draws(&self.srcpad, &negotiation::with_overlay(caps));
        gst::debug!(
            CAT,
            imp = self,
            "{} {caps}",
            if attach {
                "Attaching the overlay to"
            } else {
                "Blending the overlay into"
            }
        );
        self.state.lock().unwrap().set_attach(attach);
        let caps = if attach {
            negotiation::with_overlay(caps)
        } else {
            caps.clone()
        };
        self.srcpad.push_event(gst::event::Caps::new(&caps))
    }

    fn sink_event(&self, pad: &gst::Pad, event: gst::Event) -> bool {
        if event.type_() == gst::EventType::FlushStop {
            self.state.lock().unwrap().forget_faces();
        }
        let gst::EventView::Caps(caps) = event.view() else {
            return gst::Pad::event_default(pad, Some(&*self.obj()), event);
        };
        match VideoInfo::from_caps(caps.caps()) {
            Ok(info) => self.state.lock().unwrap().set_format(&info),
            Err(error) => {
                gst::error!(CAT, obj = pad, "Cannot parse {}: {error}", caps.caps());
                return false;
            }
        }
        self.srcpad.check_reconfigure();
        let negotiated = self.negotiate(&caps.caps_owned());
        if !negotiated {
            self.srcpad.mark_reconfigure();
        }
        negotiated
    }

    fn query(&self, pad: &gst::Pad, other: &gst::Pad, query: &mut gst::QueryRef) -> bool {
        if let gst::QueryViewMut::Caps(query) = query.view_mut() {
            negotiation::answer(query, pad, other);
            return true;
        }
        let answered = gst::Pad::query_default(pad, Some(&*self.obj()), query);
        if let gst::QueryViewMut::Allocation(query) = query.view_mut() {
            pads::withdraw_crop_meta(query);
        }
        answered
    }
}

#[glib::object_subclass]
impl ObjectSubclass for EmotionOverlay {
    const NAME: &'static str = "GstEmotionOverlay";
    type Type = super::EmotionOverlay;
    type ParentType = gst::Element;

    fn with_class(class: &Self::Class) -> Self {
        let template = class
            .pad_template("sink")
            .expect("installed with the class");
        let sinkpad = gst::Pad::builder_from_template(&template)
            .chain_function(|pad, parent, buffer| {
                Self::catch_panic_pad_function(
                    parent,
                    || Err(gst::FlowError::Error),
                    |overlay| overlay.sink_chain(pad, buffer),
                )
            })
            .event_function(|pad, parent, event| {
                Self::catch_panic_pad_function(
                    parent,
                    || false,
                    |overlay| overlay.sink_event(pad, event),
                )
            })
            .query_function(|pad, parent, query| {
                Self::catch_panic_pad_function(
                    parent,
                    || false,
                    |overlay| overlay.query(pad, &overlay.srcpad, query),
                )
            })
            // The picture is changed in place, so memory that downstream offers suits upstream too.
            .flags(gst::PadFlags::PROXY_ALLOCATION)
            .build();

        let template = class.pad_template("src").expect("installed with the class");
        let srcpad = gst::Pad::builder_from_template(&template)
            .query_function(|pad, parent, query| {
                Self::catch_panic_pad_function(
                    parent,
                    || false,
                    |overlay| overlay.query(pad, &overlay.sinkpad, query),
                )
            })
            .build();

        Self {
            sinkpad,
            srcpad,
            settings: SharedSettings::default(),
            state: Mutex::default(),
            warned: Mutex::default(),
            stats: Mutex::default(),
        }
    }
}

impl ObjectImpl for EmotionOverlay {
    fn constructed(&self) {
        self.parent_constructed();
        let element = self.obj();
        element.add_pad(&self.sinkpad).expect("the element is new");
        element.add_pad(&self.srcpad).expect("the element is new");
        pads::explain_unreadable_caps(&*element);
    }

    fn properties() -> &'static [glib::ParamSpec] {
        Settings::properties().specs()
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        self.settings
            .get(pspec, || self.stats.lock().unwrap().to_structure())
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        self.settings.set(&*self.obj(), pspec, value);
    }
}

impl GstObjectImpl for EmotionOverlay {}

impl ElementImpl for EmotionOverlay {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::with_additional(
                "Emotion overlay",
                "Filter/Editor/Video",
                "Draws boxes, emotions and their probabilities on faces",
                env!("CARGO_PKG_AUTHORS"),
                &[
                    (
                        "example",
                        "gst-launch-1.0 v4l2src ! facedetect ! emotionclassify ! emotionoverlay ! videoconvert ! autovideosink",
                    ),
                    (
                        "doc-uri",
                        concat!(
                            env!("CARGO_PKG_REPOSITORY"),
                            "/blob/main/docs/elements.md#emotionoverlay"
                        ),
                    ),
                ],
            )
        });

        Some(&*METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let caps = negotiation::src_caps(pads::readable_caps());
            pads::templates(&caps, &caps)
        });

        TEMPLATES.as_ref()
    }

    fn change_state(
        &self,
        transition: gst::StateChange,
    ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        if transition == gst::StateChange::ReadyToPaused {
            if let Err(error) = self.settings.checked() {
                self.post_error_message(error);
                return Err(gst::StateChangeError);
            }
            *self.stats.lock().unwrap() = Stats::default();
        }
        let success = self.parent_change_state(transition)?;
        if transition == gst::StateChange::PausedToReady {
            *self.state.lock().unwrap() = State::default();
            self.warned.lock().unwrap().clear();
        }
        Ok(success)
    }
}
