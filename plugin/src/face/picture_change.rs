//! Moves the faces of a frame along where an element crops, flips or scales its picture, or adds borders.
//!
//! From GStreamer 1.28 on such elements describe the change by a matrix. They move the regions of interest that stay inside the
//! new picture, drop those that reach an edge of it, and hand on custom metas without tags as they are. A second custom
//! meta, without content and with tags, therefore learns of the matrix and applies it to the faces in the first one. Up to 1.26
//! nobody says how the picture changes, and faces lose their regions.

use std::collections::{HashMap, HashSet};
use std::sync::Once;

use emotion_models::preprocess::Region;
use gst::glib::ffi::{GFALSE, GQuark, GTRUE, gboolean, gpointer};
use gst::meta::CustomMeta;
use gst::{BufferRef, Structure, StructureRef, ffi};
use gst_video::ffi::GstVideoMetaTransformMatrix;
use gst_video::{VideoInfo, VideoRegionOfInterestMeta};

use super::region_ids::region_ids;
use super::stored::{ASPECT, StoredFaces, replace, store, structure_mut};
use super::structures::{
    DETECTION, LANDMARKS, landmarks_from_structure, landmarks_to_structure, set_limits,
};
use crate::foreign;
use crate::pixels::PixelGrid;

/// The meta that learns of changes.
const META_NAME: &str = "GstEmotionPictureChangeMeta";
/// The tags of metas that depend on the size and the orientation of the picture.
const TAGS: [&std::ffi::CStr; 3] = [c"video", c"size", c"orientation"];
/// The kind of change that has a matrix. GStreamer's own function for its quark exists from 1.28 on only.
const MATRIX: &str = "gst-video-matrix";
/// A change of the size alone: faces are stored in fractions of the picture.
const SCALE: &str = "gst-video-scale";
const COPY: &str = "gst-copy";

/// Puts the params of new or changed regions into the custom meta, each under its region's id, and follows the picture.
pub(super) fn store_following(buffer: &mut BufferRef, params: Vec<(i32, Structure)>) {
    if !params.is_empty() {
        store(buffer, params);
        follow(buffer);
    }
}

/// Follows the picture of `buffer` from now on. GStreamer hands on metas in their order: this one has to be the last, so that
/// the faces and their regions are there before it.
pub(super) fn follow(buffer: &mut BufferRef) {
    if gst::version() < (1, 28, 0, 0) {
        return;
    }
    register();
    if let Ok(outdated) = CustomMeta::from_mut_buffer(buffer, META_NAME) {
        // Only a locked meta cannot be removed, and nobody locks it.
        let _ = outdated.remove();
    }
    let _ = CustomMeta::add(buffer, META_NAME);
}

fn register() {
    static REGISTER: Once = Once::new();
    REGISTER.call_once(|| {
        let name = std::ffi::CString::new(META_NAME).expect("a name without NUL");
        let mut tags: Vec<*const std::ffi::c_char> = TAGS.iter().map(|tag| tag.as_ptr()).collect();
        tags.push(std::ptr::null());
        // SAFETY: GStreamer copies the name and the tags, which end with a null pointer, and keeps the function, which lives as long
        // as the process and has no data of its own.
        unsafe {
            ffi::gst_meta_register_custom(
                name.as_ptr(),
                tags.as_mut_ptr(),
                Some(on_change),
                std::ptr::null_mut(),
                None,
            );
        }
    });
}

/// GStreamer calls this for the meta when an element makes the buffer `new` of `old`. Where it returns false, the new buffer has
/// no such meta.
unsafe extern "C" fn on_change(
    new: *mut ffi::GstBuffer,
    _meta: *mut ffi::GstCustomMeta,
    old: *mut ffi::GstBuffer,
    kind: GQuark,
    data: gpointer,
    _user_data: gpointer,
) -> gboolean {
    // SAFETY: GStreamer passes a new buffer that nobody else has yet, and an old one, which outlive the call.
    let (new, old) = unsafe { (BufferRef::from_mut_ptr(new), BufferRef::from_ptr(old)) };
    match foreign::quark_text(kind) {
        Some(COPY | SCALE) => {}
        Some(MATRIX) => {
            let matrix: *const GstVideoMetaTransformMatrix = data.cast_const().cast();
            // SAFETY: this kind of change has a matrix as its data, which outlives the call.
            let change = unsafe { matrix.as_ref() }.and_then(PictureChange::new);
            let Some(change) = change else {
                return GFALSE;
            };
            change.move_faces(old, new);
        }
        _ => return GFALSE,
    }
    if StoredFaces::of(new).structure().is_none() {
        return GFALSE;
    }
    follow(new);
    GTRUE
}

/// Where an element puts the pixels of a picture in a new one.
#[derive(Debug, Clone, Copy)]
struct PictureChange<'a> {
    from: &'a VideoInfo,
    to: &'a VideoInfo,
    /// x and y of the new picture by those of the old one: the factors of x and y, and what is added.
    rows: [[f32; 3]; 2],
    /// The part of the new picture that shows the old one.
    shown: Region,
}

impl<'a> PictureChange<'a> {
    /// None where the matrix cannot be applied to rectangles: it has a perspective, or describes no picture.
    fn new(matrix: &'a GstVideoMetaTransformMatrix) -> Option<Self> {
        // SAFETY: the infos are null or outlive the matrix; the binding is a transparent wrapper of them.
        let [from, to] = [matrix.in_info, matrix.out_info]
            .map(|info| unsafe { info.cast::<VideoInfo>().as_ref() });
        let (from, to) = (from?, to?);
        let has_pixels = |info: &VideoInfo| info.width() > 0 && info.height() > 0;
        let [xx, xy, x, yx, yy, y, perspective @ ..] = matrix.matrix;
        let is_finite = matrix.matrix.iter().all(|value| value.is_finite());
        if !is_finite || perspective != [0.0, 0.0, 1.0] || !has_pixels(from) || !has_pixels(to) {
            return None;
        }
        let (origin, target) = (&matrix.in_rectangle, &matrix.out_rectangle);
        let [left, top] = [origin.x, origin.y].map(|at| at as f32);
        let row = |factors: [f32; 2], added: f32, to: i32| {
            let added = added - factors[0] * left - factors[1] * top + to as f32;
            [factors[0], factors[1], added]
        };
        Some(Self {
            from,
            to,
            rows: [row([xx, xy], x, target.x), row([yx, yy], y, target.y)],
            shown: Region::new(
                target.x as f32,
                target.y as f32,
                target.w as f32,
                target.h as f32,
            ),
        })
    }

    fn point(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        self.rows
            .map(|[by_x, by_y, added]| by_x * x + by_y * y + added)
    }

    fn is_mirror(&self) -> bool {
        let [[xx, xy, _], [yx, yy, _]] = self.rows;
        xx * yy < xy * yx
    }

    /// The visible part of a rectangle in whole pixels of the new picture: x, y, width and height.
    fn visible(&self, (x, y, width, height): (u32, u32, u32, u32)) -> Option<(u32, u32, u32, u32)> {
        let [left, top] = [x, y].map(|start| start.cast_signed() as f32);
        let [right, bottom] = [left + width as f32, top + height as f32];
        let corners = [[left, top], [right, top], [left, bottom], [right, bottom]]
            .map(|corner| self.point(corner));
        let Region {
            x,
            y,
            width,
            height,
        } = self.shown;
        let span = |axis: usize, start: f32, length: f32, side: u32| {
            let values = corners.map(|corner| corner[axis]);
            let (start, end) = (start.max(0.0), (start + length).min(side as f32));
            let first = values.into_iter().fold(f32::INFINITY, f32::min).max(start);
            let last = values
                .into_iter()
                .fold(f32::NEG_INFINITY, f32::max)
                .min(end);
            let (first, last) = (first.round() as u32, last.round().max(0.0) as u32);
            (first < last).then(|| (first, last - first))
        };
        let (x, width) = span(0, x, width, self.to.width())?;
        let (y, height) = span(1, y, height, self.to.height())?;
        Some((x, y, width, height))
    }

    /// Moves the faces that `new` has from `old`. A face that is not visible any more is removed; one whose region GStreamer has
    /// dropped, although a part of it is visible, has a region around that part again.
    fn move_faces(&self, old: &BufferRef, new: &mut BufferRef) {
        let regions = old.iter_meta::<VideoRegionOfInterestMeta>();
        let before: HashMap<i32, _> = regions
            .map(|roi| {
                let region = (foreign::roi_type(&roi), roi.rect(), roi.parent_id());
                (roi.id(), region)
            })
            .collect();
        let after: HashSet<i32> = region_ids(new).collect();
        let mut kept = Vec::new();
        let mut dropped = Vec::new();
        for (id, face) in StoredFaces::of(new).iter() {
            let mut face = face.to_owned();
            // Without a region the face was lost before.
            if let Some((roi_type, rect, parent_id)) = before.get(&id) {
                let Some(visible) = self.visible(*rect) else {
                    continue;
                };
                self.move_params(&mut face, visible);
                if let (Some(roi_type), false) = (*roi_type, after.contains(&id)) {
                    dropped.push((id, roi_type, visible, *parent_id));
                }
            }
            kept.push(face);
        }
        for (id, roi_type, rect, parent_id) in dropped {
            let mut roi = VideoRegionOfInterestMeta::add(new, roi_type, rect);
            roi.set_id(id);
            roi.set_parent_id(parent_id);
        }
        replace(new, kept);
        structure_mut(new, |structure| {
            if structure.has_field(ASPECT) {
                structure.set(ASPECT, PixelGrid::new(self.to).aspect());
            }
        });
    }

    fn move_params(&self, face: &mut StructureRef, visible: (u32, u32, u32, u32)) {
        if let Ok(mut detection) = face.get::<Structure>(DETECTION) {
            set_limits(&mut detection, visible, (self.to.width(), self.to.height()));
            face.set(DETECTION, detection);
        }
        let landmarks = face.get::<&StructureRef>(LANDMARKS).ok();
        if let Some(landmarks) = landmarks.and_then(landmarks_from_structure) {
            let whole =
                |info: &VideoInfo| Region::new(0.0, 0.0, info.width() as f32, info.height() as f32);
            let moved = landmarks
                .to_pixels(&whole(self.from))
                .map(|point| self.point(point))
                .to_fractions(&whole(self.to));
            let moved = if self.is_mirror() {
                moved.mirrored()
            } else {
                moved
            };
            face.set(LANDMARKS, landmarks_to_structure(&moved));
        }
    }
}

#[cfg(test)]
mod tests;
