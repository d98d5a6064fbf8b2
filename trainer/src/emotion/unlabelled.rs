//! Faces without labels, cut out of pictures by their boxes as the plugin cuts them.

use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use emotion_models::image_file;
use emotion_models::preprocess::{DEFAULT_MARGIN, Preprocessor, Region};
use rayon::prelude::*;

use crate::data::{FACE_SIZE, Faces, crop};
use crate::detector::annotations::{self, ImageSplit};

/// Least side of a box in pixels: smaller faces show no emotion.
const LEAST_SIDE: f32 = 22.0;

/// Appends the faces in the training pictures of `folder`, and returns their number.
///
/// # Errors
///
/// When there are none, or a picture cannot be read.
pub fn append(faces: &mut Faces, folder: &Path) -> Result<usize> {
    let annotations = annotations::load(folder)?;
    let crops: Vec<Vec<Vec<u8>>> = annotations
        .par_iter()
        .filter(|annotation| annotation.split != Some(ImageSplit::Val))
        .map(|annotation| {
            let large = |region: &&Region| region.width.min(region.height) >= LEAST_SIDE;
            let regions: Vec<&Region> = annotation.boxes.iter().filter(large).collect();
            if regions.is_empty() {
                return Ok(Vec::new());
            }
            let shown = || annotation.image.display().to_string();
            let image = image_file::load(&annotation.image).map_err(|error| anyhow!("{error}"));
            let image = image.with_context(shown)?;
            let view = image_file::view(&image).with_context(shown)?;
            let mut preprocessor = Preprocessor::new(FACE_SIZE);
            let crop = |region: &&Region| {
                let Region {
                    x,
                    y,
                    width,
                    height,
                } = **region;
                let region = Region::face(x, y, width, height, DEFAULT_MARGIN);
                Ok(crop(&view, region, &mut preprocessor)?)
            };
            regions.iter().map(crop).collect()
        })
        .collect::<Result<_>>()?;
    let mut count = 0;
    for crop in crops.iter().flatten() {
        faces.push_unlabelled(crop);
        count += 1;
    }
    ensure!(
        count > 0,
        "{}: expected training pictures with faces of at least {LEAST_SIDE} pixels, found none",
        folder.display()
    );
    Ok(count)
}
