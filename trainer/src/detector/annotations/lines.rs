//! Files of lines, and boxes in them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use emotion_models::preprocess::Region;

pub(super) fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("{}: cannot be read", file.display()))
}

/// What `parse` makes of each line that is not empty; its errors name file and line.
pub(super) fn each_line<T>(
    file: &Path,
    text: &str,
    parse: impl Fn(&str) -> Result<T>,
) -> Result<Vec<T>> {
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| {
            parse(line).with_context(|| format!("{}, line {}", file.display(), index + 1))
        })
        .collect()
}

/// The box of `[x, y, width, height]`.
pub(super) fn region([x, y, width, height]: [f32; 4]) -> Result<Region> {
    let is_box =
        [x, y, width, height].iter().all(|value| value.is_finite()) && width > 0.0 && height > 0.0;
    ensure!(
        is_box,
        "expected a box [x, y, width, height] with an area, found {:?}",
        [x, y, width, height]
    );
    Ok(Region {
        x,
        y,
        width,
        height,
    })
}
