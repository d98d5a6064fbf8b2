//! The summary of all faces: what it shows and where it goes.

use super::dimensions;
use super::draw::{EmotionShare, SummarySpec};
use super::face_overlay::FaceOverlay;
use super::geometry::{Rect, Size};
use super::label_names::LabelNames;
use super::palette;
use super::settings::Style;

/// The summary of `faces`, with the emotions in the order of the model's labels and “uncertain” last.
pub(super) fn spec(
    faces: &[FaceOverlay<'_>],
    names: &LabelNames,
    style: Style,
    frame: Size,
) -> SummarySpec {
    let mut shares: Vec<(usize, EmotionShare)> = Vec::new();
    for emotion in faces.iter().filter_map(|face| face.emotion) {
        let name = names.name(&emotion.label);
        if let Some((_, share)) = shares.iter_mut().find(|(_, share)| share.name == name) {
            share.faces += 1;
            continue;
        }
        let share = EmotionShare {
            name: name.to_owned(),
            colour: palette::colour(&emotion.label, emotion.label_id),
            faces: 1,
        };
        let order = if emotion.is_uncertain() {
            usize::MAX
        } else {
            emotion.label_id
        };
        shares.push((order, share));
    }
    shares.sort_by_key(|(order, _)| *order);
    let theme = style.theme();
    let em = (dimensions::frame_em(frame) * theme.letters * 0.9).round() as i32;
    let margin = if theme.wide_summary { 0 } else { em / 2 };
    SummarySpec {
        faces: faces.len(),
        shares: shares.into_iter().map(|(_, share)| share).collect(),
        em,
        max_width: frame.width - 2 * margin,
    }
}

/// The place of a summary of the given `size`: at the lower border, or at the upper one if it hides less of the faces
/// there. `is_above` says where it was before; it stays there as long as the difference is small.
pub(super) fn place(
    size: Size,
    margin: i32,
    faces: &[FaceOverlay<'_>],
    frame: Size,
    is_above: &mut bool,
) -> Option<Rect> {
    let x = (frame.width - size.width) / 2;
    let above = Rect::at(x, margin, size);
    let below = Rect::at(x, frame.height - margin - size.height, size);
    if !below.lies_in(frame) {
        return None;
    }
    let hidden = |place: Rect| -> i64 { faces.iter().map(|face| place.overlap(&face.area)).sum() };
    let (last, other) = if *is_above {
        (above, below)
    } else {
        (below, above)
    };
    if hidden(last) > hidden(other) + last.area() / 20 {
        *is_above = !*is_above;
        return Some(other);
    }
    Some(last)
}
