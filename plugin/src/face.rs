//! The metadata of faces on a buffer: one writer, one reader.
//!
//! Each face is a [`gst_video::VideoRegionOfInterestMeta`] of type [`ROI_TYPE`] with an id of its own in the frame,
//! and these params, which other tools (DL Streamer and what reads its metadata) know as well:
//!
//! | param | fields |
//! |---|---|
//! | `detection` | `label` "face", `label_id` 0, `confidence` (double), `x_min`, `x_max`, `y_min`, `y_max` (doubles, 0 to 1 of the frame), and of a track `age` and `lost` (uint64, nanoseconds) |
//! | `object_id` | `id` (int), the track |
//! | `emotion` | `label`, `label_id` (int), `confidence` (double), `model_name`, `labels` (array of strings), `probabilities` (array of doubles), and where known `valence` (double, -1 to 1), `quality` (double, 0 to 1), `raw_label`, `raw_confidence` (double) |
//!
//! `label`, `confidence` and `probabilities` are what is to be shown: the steady emotion, smoothed in time where the
//! classifier smooths. `raw_label` and `raw_confidence` are what the network said of this frame alone; they are missing
//! where it was not asked. Where no emotion is sure enough, `label` is [`UNCERTAIN`], which does not stand in `labels`;
//! `label_id` is then the index of the best guess, not of `label`, and `confidence` its probability, so that a reader who
//! indexes `labels` or `probabilities` with `label_id` needs no special case. [`EmotionResult::is_uncertain`] asks.
//!
//! GStreamer drops the params of a region in a converting `videoconvert` and in `videoscale`, but keeps its id and
//! moves its rectangle. So the same structures stand a second time in one frame-level custom meta without tags,
//! which survives both: `GstEmotionFaceMeta, faces=<face(roi_id, detection, object_id, emotion), …>`. It is a list
//! and not one field per id, because field names are interned for the life of the process and foreign ids may count
//! up without end.
//!
//! The reader takes a param of the region first, then the custom meta, and the rectangle always from the region.
//! Structures that somebody else wrote with other types are ignored.

mod stored;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

pub use emotion_detect::DetectedFace;
pub use emotion_detect::track::TrackedFace;
use gst::{Structure, StructureRef};
use gst_video::VideoRegionOfInterestMeta;

use self::stored::{StoredFaces, store};

/// The type of a region of interest that is a face.
pub const ROI_TYPE: &str = "face";

/// The label of a face whose emotion is not sure enough to be named.
pub const UNCERTAIN: &str = "uncertain";

const DETECTION: &str = "detection";
const OBJECT_ID: &str = "object_id";
const EMOTION: &str = "emotion";

/// A face as it stands on a buffer.
#[derive(Debug, Clone, PartialEq)]
pub struct Face {
    /// Id of the region of interest, unique in the frame after [`assign_ids`].
    pub roi_id: i32,
    /// Left edge in pixels; negative where the region begins left of the frame.
    pub x: i32,
    /// Upper edge in pixels; negative where the region begins above the frame.
    pub y: i32,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// What the detector said, if it said anything.
    pub detection: Option<Detection>,
    /// The track that the face belongs to, if the faces are tracked.
    pub object_id: Option<i32>,
    /// The emotion, if the face is classified.
    pub emotion: Option<EmotionResult>,
}

/// What a detector says of a face besides its rectangle.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct Detection {
    /// How sure the detector is, 0 to 1; whether that is a probability depends on the detector.
    pub confidence: f64,
    /// How long ago the face was found first, if it is tracked.
    pub age: Option<gst::ClockTime>,
    /// For how long the face is searched and not found; zero while it is found, none if it is not tracked.
    pub lost: Option<gst::ClockTime>,
}

/// What a classifier says of a face.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EmotionResult {
    /// Name of the emotion to be shown, or [`UNCERTAIN`].
    pub label: String,
    /// Index in `labels` of `label`, or of the best guess where that is uncertain.
    pub label_id: usize,
    /// Probability of the label with the index `label_id`, 0 to 1.
    pub confidence: f64,
    /// Name of the weights that say so.
    pub model_name: String,
    /// All labels of the model, in its order.
    pub labels: Vec<String>,
    /// One probability for each of `labels`; they add up to 1.
    pub probabilities: Vec<f64>,
    /// How pleasant the expression is, -1 to 1: the mean of
    /// [`Emotion::valence`](emotion_models::Emotion::valence), weighted with `probabilities`.
    pub valence: Option<f64>,
    /// How well the face can be judged, 0 (not at all) to 1.
    pub quality: Option<f64>,
    /// What the network said of this frame alone.
    pub raw: Option<RawEmotion>,
}

/// What a classifier says of a face on one frame alone, before any smoothing.
#[derive(Debug, Clone, PartialEq)]
pub struct RawEmotion {
    /// Name of the most probable emotion.
    pub label: String,
    /// Its probability, 0 to 1.
    pub confidence: f64,
}

/// The faces on `buffer`, in the order in which they were added.
pub fn faces(buffer: &gst::BufferRef) -> Vec<Face> {
    regions(buffer, ROI_TYPE)
}

/// The regions of interest on `buffer` whose type is `roi_type`, in the order in which they were added.
pub fn regions(buffer: &gst::BufferRef, roi_type: &str) -> Vec<Face> {
    let stored = StoredFaces::of(buffer);
    buffer
        .iter_meta::<VideoRegionOfInterestMeta>()
        .filter(|roi| roi.roi_type() == roi_type)
        .map(|roi| {
            // The fields of the meta are unsigned. An element that moves a region over the left or upper border
            // without clamping it leaves the two's complement of a small negative number there.
            let (x, y, width, height) = roi.rect();
            let stored = stored.find(roi.id());
            Face {
                roi_id: roi.id(),
                x: x.cast_signed(),
                y: y.cast_signed(),
                width,
                height,
                detection: read(&roi, stored, DETECTION, Detection::from_structure),
                object_id: read(&roi, stored, OBJECT_ID, |s| s.get("id").ok()),
                emotion: read(&roi, stored, EMOTION, EmotionResult::from_structure),
            }
        })
        .collect()
}

/// Adds a region of interest with its `detection` for each of `detected`, clamped to the frame of
/// `frame_width` × `frame_height` pixels.
///
/// Returns the new ids in the order of `detected`, with `None` for a rectangle that has no pixel in the frame and was
/// left out.
pub fn add_detected(
    buffer: &mut gst::BufferRef,
    frame_width: u32,
    frame_height: u32,
    detected: &[DetectedFace],
) -> Vec<Option<i32>> {
    let faces: Vec<_> = detected.iter().map(|face| (*face, None)).collect();
    add(buffer, frame_width, frame_height, &faces)
}

/// Adds a region of interest with its `detection` and `object_id` for each of `tracked`, as [`add_detected`] does.
pub fn add_tracked(
    buffer: &mut gst::BufferRef,
    frame_width: u32,
    frame_height: u32,
    tracked: &[TrackedFace],
) -> Vec<Option<i32>> {
    let faces: Vec<_> = tracked
        .iter()
        .map(|face| {
            let detected = DetectedFace {
                x: face.region.x.round() as i32,
                y: face.region.y.round() as i32,
                width: face.region.width.round() as u32,
                height: face.region.height.round() as u32,
                confidence: face.confidence,
            };
            (detected, Some(face))
        })
        .collect();
    add(buffer, frame_width, frame_height, &faces)
}

fn add(
    buffer: &mut gst::BufferRef,
    frame_width: u32,
    frame_height: u32,
    faces: &[(DetectedFace, Option<&TrackedFace>)],
) -> Vec<Option<i32>> {
    let mut ids = FreeIds::of(buffer);
    let mut params = Vec::with_capacity(faces.len());
    let time = |time| gst::ClockTime::try_from(time).unwrap_or(gst::ClockTime::MAX);
    let added = faces
        .iter()
        .map(|(face, track)| {
            let (x, width) = clamp(face.x, face.width, frame_width)?;
            let (y, height) = clamp(face.y, face.height, frame_height)?;
            let param = Structure::builder(DETECTION)
                .field("label_id", 0)
                .field("confidence", face.confidence)
                .field("x_min", f64::from(x) / f64::from(frame_width))
                .field("x_max", f64::from(x + width) / f64::from(frame_width))
                .field("y_min", f64::from(y) / f64::from(frame_height))
                .field("y_max", f64::from(y + height) / f64::from(frame_height))
                .field("label", "face")
                .field_if_some("age", track.map(|track| time(track.age)))
                .field_if_some("lost", track.map(|track| time(track.lost)))
                .build();
            let object_id =
                track.map(|track| Structure::builder(OBJECT_ID).field("id", track.id).build());

            let id = ids.take();
            let mut roi = VideoRegionOfInterestMeta::add(buffer, ROI_TYPE, (x, y, width, height));
            roi.set_id(id);
            for param in [Some(param), object_id].into_iter().flatten() {
                roi.add_param(param.clone());
                params.push((id, param));
            }
            Some(id)
        })
        .collect();
    store(buffer, params);
    added
}

/// Gives every region of type `roi_type` an id of its own in the frame.
///
/// Elements that know no ids, GStreamer's OpenCV `facedetect` among them, leave 0 on every region. Regions with an id
/// other than 0 keep it, unless a region before them has the same.
pub fn assign_ids(buffer: &mut gst::BufferRef, roi_type: &str) {
    let mut free = FreeIds::of(buffer);
    let mut seen = BTreeSet::from([0]);
    for mut roi in buffer.iter_meta_mut::<VideoRegionOfInterestMeta>() {
        if !seen.insert(roi.id()) && roi.roi_type() == roi_type {
            let id = free.take();
            roi.set_id(id);
            seen.insert(id);
        }
    }
}

/// Writes the emotion of the region whose id is `roi_id`, in place of an earlier one.
///
/// Returns whether `buffer` has that region. For several faces, [`set_emotions`] is cheaper.
pub fn set_emotion(buffer: &mut gst::BufferRef, roi_id: i32, emotion: &EmotionResult) -> bool {
    let param = emotion.to_structure();
    set_params(buffer, vec![(roi_id, param)]) == 1
}

/// Writes the emotions of the regions with the given ids, in place of earlier ones, and returns how many of these
/// regions `buffer` has; ids without a region are passed over.
pub fn set_emotions(buffer: &mut gst::BufferRef, emotions: &[(i32, EmotionResult)]) -> usize {
    let params = emotions
        .iter()
        .map(|(id, emotion)| (*id, emotion.to_structure()))
        .collect();
    set_params(buffer, params)
}

/// Writes the track of the region whose id is `roi_id`, in place of an earlier one.
///
/// Returns whether `buffer` has that region.
pub fn set_object_id(buffer: &mut gst::BufferRef, roi_id: i32, object_id: i32) -> bool {
    let param = Structure::builder(OBJECT_ID).field("id", object_id).build();
    set_params(buffer, vec![(roi_id, param)]) == 1
}

impl Detection {
    fn from_structure(structure: &StructureRef) -> Option<Self> {
        let confidence: f64 = structure.get("confidence").ok()?;
        confidence.is_finite().then_some(Self {
            confidence,
            age: structure.get("age").ok(),
            lost: structure.get("lost").ok(),
        })
    }
}

impl EmotionResult {
    /// Whether no emotion is sure enough to be named.
    pub fn is_uncertain(&self) -> bool {
        self.label == UNCERTAIN
    }

    /// Foreign classifiers leave fields out, so only what makes it an emotion is demanded.
    fn from_structure(structure: &StructureRef) -> Option<Self> {
        let label_id: i32 = structure.get("label_id").ok()?;
        let confidence: f64 = structure.get("confidence").ok()?;
        if !confidence.is_finite() {
            return None;
        }
        Some(Self {
            label: structure.get("label").ok()?,
            label_id: usize::try_from(label_id).ok()?,
            confidence,
            model_name: structure.get("model_name").unwrap_or_default(),
            labels: array(structure, "labels"),
            probabilities: array(structure, "probabilities"),
            valence: within(structure, "valence", -1.0..=1.0),
            quality: within(structure, "quality", 0.0..=1.0),
            raw: RawEmotion::from_structure(structure),
        })
    }

    fn to_structure(&self) -> Structure {
        Structure::builder(EMOTION)
            .field("label", &self.label)
            .field("label_id", i32::try_from(self.label_id).unwrap_or(i32::MAX))
            .field("confidence", self.confidence)
            .field("model_name", &self.model_name)
            .field("labels", gst::Array::new(&self.labels))
            .field("probabilities", gst::Array::new(&self.probabilities))
            .field_if_some("valence", self.valence)
            .field_if_some("quality", self.quality)
            .field_if_some("raw_label", self.raw.as_ref().map(|raw| &raw.label))
            .field_if_some(
                "raw_confidence",
                self.raw.as_ref().map(|raw| raw.confidence),
            )
            .build()
    }
}

impl RawEmotion {
    fn from_structure(structure: &StructureRef) -> Option<Self> {
        Some(Self {
            label: structure.get("raw_label").ok()?,
            confidence: within(structure, "raw_confidence", 0.0..=1.0)?,
        })
    }
}

/// A number in its range, which NaN is not.
fn within(structure: &StructureRef, name: &str, range: RangeInclusive<f64>) -> Option<f64> {
    structure
        .get(name)
        .ok()
        .filter(|value| range.contains(value))
}

/// The elements of an array field, or none if any of them is of another type.
fn array<T: for<'a> gst::glib::value::FromValue<'a>>(
    structure: &StructureRef,
    name: &str,
) -> Vec<T> {
    structure
        .get::<gst::ArrayRef<'_>>(name)
        .ok()
        .and_then(|values| values.iter().map(|value| value.get().ok()).collect())
        .unwrap_or_default()
}

/// The part of the span that lies within `0..limit`, as start and length.
fn clamp(start: i32, length: u32, limit: u32) -> Option<(u32, u32)> {
    let end = i64::from(start) + i64::from(length);
    let start = i64::from(start).clamp(0, i64::from(limit));
    let end = end.clamp(0, i64::from(limit));
    let span = (u32::try_from(start).ok()?, u32::try_from(end - start).ok()?);
    (span.1 > 0).then_some(span)
}

fn read<T>(
    roi: &VideoRegionOfInterestMeta,
    stored: Option<&StructureRef>,
    name: &str,
    parse: impl Fn(&StructureRef) -> Option<T>,
) -> Option<T> {
    roi.param(name)
        .and_then(&parse)
        .or_else(|| stored?.get::<&StructureRef>(name).ok().and_then(parse))
}

/// Sets each param on the region with its id and in the custom meta, and returns how many regions were there.
fn set_params(buffer: &mut gst::BufferRef, mut params: Vec<(i32, Structure)>) -> usize {
    remove_params(buffer, &params);
    params.retain(|(id, param)| {
        let mut regions = buffer.iter_meta_mut::<VideoRegionOfInterestMeta>();
        let region = regions.find(|roi| roi.id() == *id);
        region.map(|mut roi| roi.add_param(param.clone())).is_some()
    });
    let count = params.len();
    store(buffer, params);
    count
}

/// Removes what `params` are to replace.
///
/// Params can only be added, and readers take the first of a name, so all regions are built anew, in their order.
fn remove_params(buffer: &mut gst::BufferRef, params: &[(i32, Structure)]) {
    let is_outdated = |roi: &VideoRegionOfInterestMeta, old: &StructureRef| {
        params
            .iter()
            .any(|(id, new)| *id == roi.id() && new.name() == old.name())
    };
    let regions = || buffer.iter_meta::<VideoRegionOfInterestMeta>();
    if !regions().any(|roi| roi.params().any(|param| is_outdated(&roi, param))) {
        return;
    }

    let kept: Vec<Region> = regions()
        .map(|roi| Region {
            roi_type: roi.roi_type(),
            rect: roi.rect(),
            id: roi.id(),
            parent_id: roi.parent_id(),
            params: roi
                .params()
                .filter(|param| !is_outdated(&roi, param))
                .map(ToOwned::to_owned)
                .collect(),
        })
        .collect();
    while let Some(roi) = buffer.meta_mut::<VideoRegionOfInterestMeta>()
        && roi.remove().is_ok()
    {}
    for region in kept {
        let mut roi = VideoRegionOfInterestMeta::add(buffer, region.roi_type, region.rect);
        roi.set_id(region.id);
        roi.set_parent_id(region.parent_id);
        region
            .params
            .into_iter()
            .for_each(|param| roi.add_param(param));
    }
}

struct Region {
    roi_type: &'static str,
    rect: (u32, u32, u32, u32),
    id: i32,
    parent_id: i32,
    params: Vec<Structure>,
}

/// Ids from 1 that neither a region nor the custom meta uses: the meta may still hold faces whose region an element
/// has dropped, and a new region must not inherit their emotions.
struct FreeIds {
    used: BTreeSet<i32>,
    next: i32,
}

impl FreeIds {
    fn of(buffer: &gst::BufferRef) -> Self {
        let regions = buffer
            .iter_meta::<VideoRegionOfInterestMeta>()
            .map(|roi| roi.id());
        let stored = StoredFaces::of(buffer);
        Self {
            used: regions.chain(stored.iter().map(|(id, _)| id)).collect(),
            next: 1,
        }
    }

    fn take(&mut self) -> i32 {
        while self.used.contains(&self.next) {
            self.next += 1;
        }
        self.next += 1;
        self.next - 1
    }
}

#[cfg(test)]
mod tests;
