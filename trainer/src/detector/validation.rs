//! Boxes that the network in training finds on validation images.

use anyhow::Result;
use emotion_models::face_net::{self, GridCell};
use emotion_models::preprocess::normalize;

use super::annotations::clip;
use super::images::TrainingImage;
use super::matching::{GroundTruth, MatchedBox, ScoredBox, decode, match_boxes};
use crate::run::network::Network;

/// Least intersection over union of a box with its face.
pub const LEAST_IOU: f32 = 0.5;
/// Boxes with lower scores are left out.
const LEAST_SCORE: f32 = -5.0;
/// Largest number of pixels in a batch, which bounds the memory for the images.
const BATCH_PIXELS: usize = 16 * 448 * 448;

/// The boxes that the network finds in all images, matched with their faces. Each image is placed in the upper left
/// corner of a square that fits the largest.
///
/// # Errors
///
/// When the network fails.
pub fn matched_boxes(
    network: &Network,
    images: &[TrainingImage],
    has_landmarks: bool,
) -> Result<Vec<MatchedBox>> {
    let side = side(images);
    let mut executor = network.inference(&face_net::graph(side, side, has_landmarks)?)?;
    let count = executor.classes();
    let cells: Vec<GridCell> = face_net::grid_cells(side, side).collect();
    let mut all = Vec::new();
    for batch in images.chunks((BATCH_PIXELS / (side * side)).max(1)) {
        let mut input = vec![0.0; batch.len() * side * side];
        for (image, input) in batch.iter().zip(input.chunks_exact_mut(side * side)) {
            place(image, input, side);
        }
        let mut outputs = vec![0.0; batch.len() * count];
        executor.run(&input, &mut outputs)?;
        for (image, values) in batch.iter().zip(outputs.chunks_exact(count)) {
            let found = clipped_boxes(&cells, values, image);
            let truth = GroundTruth {
                faces: &image.faces,
                landmarks: &image.landmarks,
                ignored: &image.ignored,
            };
            all.extend(match_boxes(&found, truth, LEAST_IOU));
        }
    }
    Ok(all)
}

/// The smallest side that the network takes and that no image exceeds.
fn side(images: &[TrainingImage]) -> usize {
    let [.., coarsest] = face_net::STRIDES;
    let sides = images.iter().map(|image| image.width().max(image.height()));
    sides.max().unwrap_or(1).next_multiple_of(coarsest)
}

/// Copies the image into the upper left corner of a square.
fn place(image: &TrainingImage, square: &mut [f32], side: usize) {
    let rows = image.levels[0].chunks_exact(image.width());
    for (row, values) in rows.zip(square.chunks_exact_mut(side)) {
        for (value, &pixel) in values.iter_mut().zip(row) {
            *value = normalize(f32::from(pixel));
        }
    }
}

/// The decoded boxes, clipped to the image.
fn clipped_boxes(cells: &[GridCell], values: &[f32], image: &TrainingImage) -> Vec<ScoredBox> {
    let size = [image.width(), image.height()].map(|side| side as f32);
    let clipped = |found: ScoredBox| {
        let region = clip(found.region, size)?;
        Some(ScoredBox { region, ..found })
    };
    let boxes = decode(cells, values, LEAST_SCORE).into_iter();
    boxes.filter_map(clipped).collect()
}
