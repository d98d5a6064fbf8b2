//! The properties of `facedetect`.

use emotion_detect::Options;
use gst::glib;
use gst::prelude::*;

use super::Detector;
use super::pacing::Pacing;
use super::region::Region;
use crate::stats::Stats;

const DEFAULT_THREADS: u32 = 1;

/// A text that no property takes.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) enum Error {
    Region(#[from] super::region::Error),
    Interval(#[from] emotion_detect::track::NoInterval),
}

#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) detector: Detector,
    pub(super) model_location: Option<String>,
    pub(super) cascade_file: Option<String>,
    pub(super) threads: u32,
    pub(super) pacing: Pacing,
    /// Its region is that of no frame; [`options_for`](Self::options_for) gives it.
    options: Options,
    region: Option<Region>,
    /// What the region's property was set to.
    region_text: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            detector: Detector::default(),
            model_location: None,
            cascade_file: None,
            threads: DEFAULT_THREADS,
            pacing: Pacing::default(),
            options: Options::default(),
            region: None,
            region_text: None,
        }
    }
}

impl Settings {
    /// All properties of the element.
    pub(super) fn param_specs() -> Vec<glib::ParamSpec> {
        let defaults = Options::default();
        let file = |name: &str, nick: &str, blurb: &str| {
            glib::ParamSpecString::builder(name)
                .nick(nick)
                .blurb(blurb)
                .mutable_ready()
                .build()
        };
        let number = |name: &str, nick: &str, blurb: &str, default: u32, maximum: u32| {
            glib::ParamSpecUInt::builder(name)
                .nick(nick)
                .blurb(blurb)
                .default_value(default)
                .maximum(maximum)
                .mutable_playing()
                .build()
        };
        let mut specs = vec![
            glib::ParamSpecEnum::builder_with_default("detector", Detector::default())
                .nick("Detector")
                .blurb("What finds the faces")
                .mutable_ready()
                .build(),
            file(
                "model-location",
                "Model location",
                "Weights of the network in safetensors with their metadata; null = the built-in ones",
            ),
            file(
                "cascade-file",
                "Cascade file",
                "OpenCV cascade in XML, Haar or LBP, for detector=cascade; null = the frontal face Haar cascade from \
                 where OpenCV's data files are usually installed",
            ),
            number(
                "min-size",
                "Minimum size",
                "Width or height, whichever is larger, of the smallest face to be found, in pixels; larger is faster; 0 = \
                 what is found surely: 16 pixels of what the network sees, or 30 for a cascade",
                defaults.min_size_px,
                u32::MAX,
            ),
            number(
                "max-size",
                "Maximum size",
                "Width or height, whichever is larger, of the largest face to be found, in pixels; 0 = no limit",
                defaults.max_size_px,
                u32::MAX,
            ),
            number(
                "max-faces",
                "Maximum faces",
                "The number of faces that are kept, the largest ones; 1 = only the largest, 0 = all",
                0,
                u32::MAX,
            ),
            glib::ParamSpecString::builder("region")
                .nick("Region")
                .blurb(
                    "Where faces are looked for, as x,y,width,height: fractions of the frame if none is above 1, else \
                     pixels; null = everywhere",
                )
                .mutable_playing()
                .build(),
            glib::ParamSpecFloat::builder("threshold")
                .nick("Threshold")
                .blurb(
                    "Confidence from which the network takes something for a face; larger means fewer false faces and \
                     more missed ones",
                )
                .minimum(0.0)
                .maximum(1.0)
                .default_value(defaults.threshold)
                .mutable_playing()
                .build(),
            number(
                "detection-size",
                "Detection size",
                "Longer side of what the network sees of a frame at most, in pixels; larger frames are reduced to it. \
                 Smaller is faster, and small faces are missed; 0 = chosen by the frame's size and min-size",
                defaults.detection_size_px,
                // The memory that the network needs grows with its square.
                4096,
            ),
            number(
                "tiles",
                "Tiles",
                "Overlapping tiles along the longer side of the frame, each of which the network sees besides the whole, \
                 for small faces in very large frames; 0 = none",
                defaults.tiles,
                64,
            ),
            glib::ParamSpecDouble::builder("scale-factor")
                .nick("Scale factor")
                .blurb(
                    "Of a cascade: ratio of one searched face size to the next; larger is faster and finds fewer faces",
                )
                .minimum(1.01)
                .maximum(10.0)
                .default_value(defaults.scale_factor)
                .mutable_playing()
                .build(),
            number(
                "min-neighbors",
                "Minimum neighbours",
                "Of a cascade: a face is where more than this many neighbouring search windows agree; larger means fewer \
                 false faces and more missed ones",
                defaults.min_neighbors,
                1000,
            ),
            glib::ParamSpecUInt::builder("threads")
                .nick("Threads")
                .blurb(
                    "Threads for one frame, set at the start. OpenCV has one such number for the whole process, which 0 \
                     leaves as it is; the network takes 0 for one per processor core",
                )
                .default_value(DEFAULT_THREADS)
                .maximum(1024)
                .mutable_ready()
                .build(),
            Stats::param_spec(),
        ];
        specs.extend(Pacing::param_specs());
        specs
    }

    /// # Errors
    ///
    /// If the region or the interval makes no sense, which then stays as it was; the type is checked upstream.
    pub(super) fn set(
        &mut self,
        value: &glib::Value,
        pspec: &glib::ParamSpec,
    ) -> Result<(), Error> {
        const CHECKED: &str = "type checked upstream";
        if let Some(set) = self.pacing.set(value, pspec) {
            return Ok(set?);
        }
        let options = &mut self.options;
        match pspec.name() {
            "detector" => self.detector = value.get().expect(CHECKED),
            "model-location" => self.model_location = value.get().expect(CHECKED),
            "cascade-file" => self.cascade_file = value.get().expect(CHECKED),
            "threads" => self.threads = value.get().expect(CHECKED),
            "min-size" => options.min_size_px = value.get().expect(CHECKED),
            "max-size" => options.max_size_px = value.get().expect(CHECKED),
            "max-faces" => options.max_faces = value.get::<u32>().expect(CHECKED) as usize,
            "threshold" => options.threshold = value.get().expect(CHECKED),
            "detection-size" => options.detection_size_px = value.get().expect(CHECKED),
            "tiles" => options.tiles = value.get().expect(CHECKED),
            "scale-factor" => options.scale_factor = value.get().expect(CHECKED),
            "min-neighbors" => options.min_neighbors = value.get().expect(CHECKED),
            "region" => {
                let text: Option<String> = value.get().expect(CHECKED);
                let text = text.filter(|text| !text.trim().is_empty());
                self.region = text.as_deref().map(str::parse).transpose()?;
                self.region_text = text;
            }
            name => unreachable!("no writable property {name}"),
        }
        Ok(())
    }

    pub(super) fn get(&self, pspec: &glib::ParamSpec) -> glib::Value {
        if let Some(value) = self.pacing.get(pspec) {
            return value;
        }
        let options = &self.options;
        match pspec.name() {
            "detector" => self.detector.to_value(),
            "model-location" => self.model_location.to_value(),
            "cascade-file" => self.cascade_file.to_value(),
            "threads" => self.threads.to_value(),
            "min-size" => options.min_size_px.to_value(),
            "max-size" => options.max_size_px.to_value(),
            "max-faces" => u32::try_from(options.max_faces)
                .unwrap_or(u32::MAX)
                .to_value(),
            "threshold" => options.threshold.to_value(),
            "detection-size" => options.detection_size_px.to_value(),
            "tiles" => options.tiles.to_value(),
            "scale-factor" => options.scale_factor.to_value(),
            "min-neighbors" => options.min_neighbors.to_value(),
            "region" => self.region_text.to_value(),
            name => unreachable!("no property {name}"),
        }
    }

    /// What the user should know about a file that the chosen detector does not read.
    pub(super) fn unused(&self) -> Option<&'static str> {
        match self.detector {
            Detector::Network if self.cascade_file.is_some() => Some(
                "the network does not use cascade-file: set detector=cascade for the cascade, or unset cascade-file",
            ),
            Detector::Cascade if self.model_location.is_some() => Some(
                "a cascade does not use model-location: set detector=network for the network, or unset model-location",
            ),
            _ => None,
        }
    }

    /// What is looked for in a frame of this size.
    pub(super) fn options_for(&self, width: usize, height: usize) -> Options {
        Options {
            region: self.region.map(|region| region.in_frame(width, height)),
            ..self.options
        }
    }
}
