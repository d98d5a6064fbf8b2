//! Helpers of several commands.

use std::num::NonZeroUsize;
use std::path::{Component, Path};

use anyhow::{Context, Result, anyhow};
use emotion_models::Weights;

use crate::run::files;

/// Loads a weights file, or built-in weights by their name.
pub(super) fn load_weights(path: &Path) -> Result<Weights> {
    // The message contains the cause already.
    Weights::load_or_built_in(path).map_err(|error| anyhow!("{error}"))
}

/// Writes figures with these names to a folder and prints their paths.
pub(super) fn save_figures(folder: &Path, figures: &[(&str, String)]) -> Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    for (name, figure) in figures {
        let path = folder.join(name);
        files::write(&path, figure)?;
        eprintln!("{}", path.display());
    }
    Ok(())
}

/// A short name for titles and folders: `runs/mine/best.safetensors` is `mine-best`.
pub(super) fn short_name(path: &Path) -> String {
    let path = path.with_extension("");
    let parts: Vec<_> = path
        .components()
        .filter(|part| matches!(part, Component::Normal(_)))
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    parts[parts.len().saturating_sub(2)..].join("-")
}

/// Sets the number of threads of the process.
pub(super) fn use_threads(threads: Option<NonZeroUsize>) -> Result<()> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.map_or(0, NonZeroUsize::get))
        .build_global()
        .context("cannot start the threads")
}

/// An integer with commas between thousands.
pub(super) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let comma = |(index, digit): (usize, char)| {
        let before = index > 0 && (digits.len() - index).is_multiple_of(3);
        before.then_some(',').into_iter().chain([digit])
    };
    digits.chars().enumerate().flat_map(comma).collect()
}

/// A fraction in percent with this number of decimals; NaN as "- ".
pub(super) fn percent(fraction: f64, decimals: usize) -> String {
    if fraction.is_nan() {
        return "- ".to_owned();
    }
    format!("{:.decimals$} %", 100.0 * fraction)
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(
            [0, 999, 1000, 58_423, 1_234_567].map(thousands),
            ["0", "999", "1,000", "58,423", "1,234,567"]
        );
    }
}
