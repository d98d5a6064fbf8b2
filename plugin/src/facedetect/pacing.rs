//! The properties of `facedetect` that are about tracks and when to detect.

use emotion_detect::track::{self, NoInterval};
use gst::glib;
use gst::prelude::*;

use super::Notify;

/// How faces are tracked and when they are detected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pacing {
    pub(super) is_tracking: bool,
    pub(super) is_asynchronous: bool,
    pub(super) options: track::Options,
    pub(super) notify: Notify,
}

impl Default for Pacing {
    fn default() -> Self {
        Self {
            is_tracking: true,
            is_asynchronous: false,
            options: track::Options::default(),
            notify: Notify::default(),
        }
    }
}

impl Pacing {
    pub(super) fn param_specs() -> Vec<glib::ParamSpec> {
        let defaults = track::Options::default();
        let interval = defaults.interval.to_string();
        let time = |name: &str, nick: &str, blurb: &str, default| {
            glib::ParamSpecUInt64::builder(name)
                .nick(nick)
                .blurb(blurb)
                .default_value(nanoseconds(default))
                .mutable_playing()
                .build()
        };
        vec![
            glib::ParamSpecBoolean::builder("tracking")
                .nick("Tracking")
                .blurb(
                    "Follow faces from frame to frame and give each an id that stays; without it every frame is searched \
                     by itself",
                )
                .default_value(true)
                .mutable_ready()
                .build(),
            glib::ParamSpecString::builder("detection-interval")
                .nick("Detection interval")
                .blurb(
                    "When to detect, while tracks carry the faces: on one of so many frames (1 = every), after a time such \
                     as 200ms, or auto: the more often the more the picture changes, and not at all while it does not",
                )
                .default_value(Some(interval.as_str()))
                .mutable_playing()
                .build(),
            time(
                "max-lost",
                "Longest loss",
                "How long a face stays on the frames that is searched and not found, in nanoseconds",
                defaults.max_lost,
            ),
            time(
                "reattach",
                "Reattach",
                "How long after that it keeps its id if it comes back, in nanoseconds; 0 = never",
                defaults.reattach,
            ),
            glib::ParamSpecUInt::builder("min-hits")
                .nick("Minimum hits")
                .blurb(
                    "How often a face must be found until it counts; those of a scene's first frame count at once",
                )
                .minimum(1)
                .default_value(defaults.min_hits)
                .mutable_playing()
                .build(),
            glib::ParamSpecBoolean::builder("asynchronous")
                .nick("Asynchronous")
                .blurb(
                    "Detect in a thread on the newest frame, while tracks carry the faces: no frame waits. Needs tracking",
                )
                .mutable_ready()
                .build(),
            glib::ParamSpecEnum::builder_with_default("notify", Notify::default())
                .nick("Notify")
                .blurb("Which element messages to post on the bus")
                .mutable_playing()
                .build(),
        ]
    }

    /// Sets the property if it is one of these.
    ///
    /// # Errors
    ///
    /// If the interval is none, which then stays as it was; the type is checked upstream.
    pub(super) fn set(
        &mut self,
        value: &glib::Value,
        pspec: &glib::ParamSpec,
    ) -> Option<Result<(), NoInterval>> {
        const CHECKED: &str = "type checked upstream";
        let options = &mut self.options;
        let time = || std::time::Duration::from_nanos(value.get().expect(CHECKED));
        match pspec.name() {
            "tracking" => self.is_tracking = value.get().expect(CHECKED),
            "detection-interval" => {
                let text: Option<String> = value.get().expect(CHECKED);
                let interval = text.map_or_else(|| Ok(Default::default()), |text| text.parse());
                match interval {
                    Ok(interval) => options.interval = interval,
                    Err(error) => return Some(Err(error)),
                }
            }
            "max-lost" => options.max_lost = time(),
            "reattach" => options.reattach = time(),
            "min-hits" => options.min_hits = value.get().expect(CHECKED),
            "asynchronous" => self.is_asynchronous = value.get().expect(CHECKED),
            "notify" => self.notify = value.get().expect(CHECKED),
            _ => return None,
        }
        Some(Ok(()))
    }

    /// The property's value if it is one of these.
    pub(super) fn get(&self, pspec: &glib::ParamSpec) -> Option<glib::Value> {
        let options = &self.options;
        Some(match pspec.name() {
            "tracking" => self.is_tracking.to_value(),
            "detection-interval" => options.interval.to_string().to_value(),
            "max-lost" => nanoseconds(options.max_lost).to_value(),
            "reattach" => nanoseconds(options.reattach).to_value(),
            "min-hits" => options.min_hits.to_value(),
            "asynchronous" => self.is_asynchronous.to_value(),
            "notify" => self.notify.to_value(),
            _ => return None,
        })
    }
}

fn nanoseconds(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
