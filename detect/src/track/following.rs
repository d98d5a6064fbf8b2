//! Follows faces by their pixels from frame to frame.

use emotion_models::preprocess::{GreyRows, Region};

use super::face_track::{Anchor, FaceTrack};
use super::occlusion::is_occluded;
use super::template_matcher::{SearchRange, TemplateMatch, TemplateMatcher};
use super::track_manager::TrackManager;

/// Least similarity of a face with its template where it is followed to, ...
pub(super) const MIN_SIMILARITY: f32 = 0.6;
/// ... and the same while another face occludes it; ...
const MIN_SIMILARITY_OCCLUDED: f32 = 0.85;
/// ... then it may also lie only this far from its expected position, in sizes of the face.
const MAX_SURPRISE_OCCLUDED: f64 = 0.1;
/// Similarity below which the template is renewed.
const RENEW_SIMILARITY: f32 = 0.9;

/// The boxes of all tracks.
pub(super) fn regions(tracks: &TrackManager) -> Vec<Region> {
    let tracks = tracks.tracks().iter();
    tracks.map(|track| track.filter.region()).collect()
}

/// Whether another of `regions`, which contain `region` too, occludes it.
pub(super) fn is_occluded_by_any(regions: &[Region], region: &Region) -> bool {
    let near = regions.iter().filter(|other| is_occluded(region, other));
    near.count() > 1
}

/// How far the face of a track moved in the `seconds` before this frame, in pixels; none if it is not visible.
pub(super) fn follow_track(
    matcher: &mut TemplateMatcher,
    image: &impl GreyRows,
    track: &mut FaceTrack,
    seconds: f64,
    is_occluded: bool,
) -> Option<(f64, f64)> {
    let (vx, vy) = track.filter.velocity();
    let side = track.filter.size();
    let is_hidden = is_occluded && track.is_missed();
    let anchor = track.anchor.as_mut()?;
    let before = anchor.centre;
    let expected = (before.0 + vx * seconds, before.1 + vy * seconds);
    anchor.centre = expected;
    // The match of a hidden face would be the face in front of it.
    if is_hidden {
        track.is_unfollowed = true;
        return None;
    }
    let found = matcher.find(image, &anchor.template, expected, side, SearchRange::Near);
    let is_same_face = |found: &TemplateMatch| {
        let surprise = (found.centre.0 - expected.0).hypot(found.centre.1 - expected.1);
        if is_occluded {
            found.similarity >= MIN_SIMILARITY_OCCLUDED && surprise < MAX_SURPRISE_OCCLUDED * side
        } else {
            found.similarity >= MIN_SIMILARITY
        }
    };
    let Some(TemplateMatch { centre, similarity }) = found.filter(is_same_face) else {
        track.is_unfollowed = true;
        return None;
    };
    track.is_unfollowed = false;
    anchor.centre = centre;
    if similarity < RENEW_SIMILARITY
        && !is_occluded
        && let Some(template) = matcher.template(image, centre, side)
    {
        anchor.template = template;
    }
    Some((centre.0 - before.0, centre.1 - before.1))
}

/// Takes the template of a face from its present position.
pub(super) fn renew_anchor(
    matcher: &mut TemplateMatcher,
    image: &impl GreyRows,
    track: &mut FaceTrack,
) {
    let (centre, side) = (track.filter.region().centre(), track.filter.size());
    track.anchor = matcher
        .template(image, centre, side)
        .map(|template| Anchor { template, centre });
    track.is_unfollowed = track.anchor.is_none();
}
