//! Which observation belongs to which track: costs and their minimisation.

use std::time::Duration;

use emotion_models::preprocess::Region;

use super::assignment::{FORBIDDEN, assign};
use super::face_track::FaceTrack;
use super::observation::Observation;
use super::occlusion::completed;

/// Largest distance of a detection from the expected position of its face, in sizes of the face, ...
const GATE: f64 = 0.7;
/// ... and the same where that position is uncertain.
const WIDEST_GATE: f64 = 2.0;
/// Largest factor between the sizes of a face in two detections.
const MAX_RESIZING: f64 = 2.0;
/// Weight of appearance beside that of position.
const APPEARANCE_WEIGHT: f64 = 0.6;
/// Cost of appearance where it is unknown.
const UNKNOWN_APPEARANCE: f64 = 0.5;
/// Least intersection over union of a weak detection with the expected box.
const WEAK_IOU: f32 = 0.25;
/// Similarity from which a returning face is recognised anywhere, ...
const RECOGNISED: f32 = 0.8;
/// ... and near the place where it left.
const PLAUSIBLE: f32 = 0.45;
/// A detection is unexpected if its intersection over union with the expected box is less, ...
const UNEXPECTED_IOU: f32 = 0.3;
/// ... and in place if it is at least this.
const IN_PLACE_IOU: f32 = 0.5;

/// Pairs rows with observations at the least total cost and takes both out of their lists.
pub(super) fn pair<T>(
    rows: &mut Vec<T>,
    observations: &mut Vec<Observation>,
    cost: impl Fn(&T, &Observation) -> f64,
) -> Vec<(T, Observation)> {
    let columns = assign(rows.len(), observations.len(), &|row, column| {
        cost(&rows[row], &observations[column])
    });
    let mut pool: Vec<Option<Observation>> = observations.drain(..).map(Some).collect();
    let mut pairs = Vec::new();
    let mut unpaired = Vec::new();
    for (row, column) in rows.drain(..).zip(columns) {
        match column.and_then(|column| pool[column].take()) {
            Some(observation) => pairs.push((row, observation)),
            None => unpaired.push(row),
        }
    }
    *rows = unpaired;
    observations.extend(pool.into_iter().flatten());
    pairs
}

/// Cost of a strong observation for a track whose face `occluder` may hide in part.
pub(super) fn strong_cost(
    track: &FaceTrack,
    occluder: Option<&Region>,
    observation: &Observation,
    at: Duration,
) -> f64 {
    let expected = track.region_at(at);
    let region = occluder.map_or(observation.region, |occluder| {
        completed(&observation.region, &track.whole_region_at(at), occluder)
    });
    let (distance, resizing) = distance_and_resizing(&expected, &region);
    let gate = (GATE + 2.0 * track.filter.uncertainty() / track.filter.size()).min(WIDEST_GATE);
    if distance > gate || resizing > MAX_RESIZING {
        return FORBIDDEN;
    }
    let iou = expected.iou(&region);
    // A face in its place looks different while a part of it is hidden.
    let is_hidden_in_place = region != observation.region && iou >= IN_PLACE_IOU;
    let difference = difference(track, observation).filter(|_| !is_hidden_in_place);
    // An unexpected face must at least look similar.
    if iou < UNEXPECTED_IOU
        && difference.is_some_and(|difference| difference > f64::from(1.0 - PLAUSIBLE))
    {
        return FORBIDDEN;
    }
    let displacement = 0.5 * f64::from(1.0 - iou) + 0.5 * distance / gate;
    displacement + APPEARANCE_WEIGHT * difference.unwrap_or(UNKNOWN_APPEARANCE)
}

/// Cost of a weak observation for a track.
pub(super) fn weak_cost(track: &FaceTrack, observation: &Observation, at: Duration) -> f64 {
    let iou = track.region_at(at).iou(&observation.region);
    if iou < WEAK_IOU {
        return FORBIDDEN;
    }
    let difference = difference(track, observation).unwrap_or(UNKNOWN_APPEARANCE);
    f64::from(1.0 - iou) + APPEARANCE_WEIGHT * difference
}

/// Cost of an observation for a track that ended.
pub(super) fn reattachment_cost(ended: &FaceTrack, observation: &Observation, at: Duration) -> f64 {
    let (distance, _) = distance_and_resizing(&ended.last_detected, &observation.region);
    let is_reachable = is_reachable(ended, observation, at);
    let difference = difference(ended, observation);
    let is_possible = match difference {
        Some(difference) => {
            let similarity = 1.0 - difference as f32;
            similarity >= RECOGNISED || (is_reachable && similarity >= PLAUSIBLE)
        }
        None => is_reachable,
    };
    if !is_possible {
        return FORBIDDEN;
    }
    difference.unwrap_or(UNKNOWN_APPEARANCE) + 0.1 * distance.min(10.0)
}

/// Whether the face of a track that ended may have moved to this observation meanwhile.
pub(super) fn is_reachable(ended: &FaceTrack, observation: &Observation, at: Duration) -> bool {
    let (distance, resizing) = distance_and_resizing(&ended.last_detected, &observation.region);
    let seconds = at.saturating_sub(ended.last_seen).as_secs_f64();
    distance < 1.5 + seconds && resizing < MAX_RESIZING
}

/// Distance of the centres in sizes of the first box, and the factor between the sizes, at least 1.
fn distance_and_resizing(from: &Region, to: &Region) -> (f64, f64) {
    let size = |region: &Region| f64::from(region.width + region.height) / 2.0;
    let ((x, y), (to_x, to_y)) = (from.centre(), to.centre());
    let ratio = size(to) / size(from);
    (
        (x - to_x).hypot(y - to_y) / size(from),
        ratio.max(1.0 / ratio),
    )
}

/// How different track and observation look, 0 to 2; none where an appearance is unknown.
fn difference(track: &FaceTrack, observation: &Observation) -> Option<f64> {
    let similarity = track
        .appearance
        .as_ref()?
        .similarity(observation.appearance.as_ref()?);
    Some(f64::from(1.0 - similarity))
}
