//! What the network in training finds on pictures that it does not learn from.

use anyhow::Result;
use emotion_models::face_net::{self, GridCell};
use emotion_models::training::TrainingExecutor;

use super::annotations::cut_off;
use super::images::TrainingImage;
use super::matching::{GroundTruth, MatchedBox, ScoredBox, decode, match_boxes};
use super::sample::normalized;
use crate::run::network::Network;

/// Overlap from which a box is taken for the face.
pub const LEAST_IOU: f32 = 0.5;
/// Scores below this are not worth a look.
const LEAST_SCORE: f32 = -5.0;
/// Pixels that the network looks at together at most: it keeps the maps of all of them.
const TOGETHER: usize = 16 * 448 * 448;

/// What the network finds in all pictures, and whether it is right. They all lie in the upper left corner of a square
/// that holds each of them.
///
/// # Errors
///
/// When the network fails.
pub fn judged(network: &Network, scenes: &[TrainingImage]) -> Result<Vec<MatchedBox>> {
    let side = side(scenes);
    let fused = TrainingExecutor::new(&face_net::graph(side, side)?)?;
    let trained = network.parameters.trained.to_vec1()?;
    let statistics = network.parameters.statistics.to_vec1()?;
    let places: Vec<GridCell> = face_net::grid_cells(side, side).collect();
    let mut all = Vec::new();
    for group in scenes.chunks((TOGETHER / (side * side)).max(1)) {
        let mut values = vec![0.0; group.len() * side * side];
        for (scene, values) in group.iter().zip(values.chunks_exact_mut(side * side)) {
            lay_down(scene, values, side);
        }
        let answers = fused.evaluate(&values, &trained, &statistics)?;
        for (scene, answers) in group.iter().zip(answers) {
            let found = found(&places, &answers, scene);
            let truth = GroundTruth {
                faces: &scene.faces,
                ignored: &scene.ignored,
            };
            all.extend(match_boxes(&found, truth, LEAST_IOU));
        }
    }
    Ok(all)
}

/// The smallest side that the network takes and that no picture exceeds.
fn side(scenes: &[TrainingImage]) -> usize {
    let [.., coarsest] = face_net::STRIDES;
    let longest = scenes
        .iter()
        .map(|scene| scene.width().max(scene.height()))
        .max();
    longest.unwrap_or(1).next_multiple_of(coarsest)
}

/// Puts the picture into the upper left corner of a square.
fn lay_down(scene: &TrainingImage, values: &mut [f32], side: usize) {
    let picture = &scene.levels[0];
    let rows = picture.pixels.chunks_exact(picture.width);
    for (row, values) in rows.zip(values.chunks_exact_mut(side)) {
        for (value, &pixel) in values.iter_mut().zip(row) {
            *value = normalized(pixel);
        }
    }
}

/// The faces that the answers tell, cut off at the borders of the picture.
fn found(places: &[GridCell], answers: &[f32], scene: &TrainingImage) -> Vec<ScoredBox> {
    let size = [scene.width(), scene.height()].map(|side| side as f32);
    let within = |found: ScoredBox| {
        let region = cut_off(found.region, size)?;
        Some(ScoredBox { region, ..found })
    };
    decode(places, answers, LEAST_SCORE)
        .into_iter()
        .filter_map(within)
        .collect()
}
