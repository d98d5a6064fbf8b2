//! Crops of faces in whole grey levels.

use emotion_models::preprocess::{self, GreyRows, Preprocessor, Region};

/// The grey levels of a region, resampled to the size of the preprocessor, row by row.
///
/// # Errors
///
/// When the region has no area.
pub fn crop(
    image: &impl GreyRows,
    region: Region,
    preprocessor: &mut Preprocessor,
) -> Result<Vec<u8>, preprocess::Error> {
    let mut values = vec![0.0; preprocessor.size().pow(2)];
    preprocessor.run(image, region, &mut values)?;
    let level = |value: &f32| ((value + 1.0) * 127.5).round() as u8;
    Ok(values.iter().map(level).collect())
}
