//! Progress bars on stderr; hidden where stderr is no terminal.

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

/// A bar for reading `count` things, removed when it is dropped.
pub(crate) fn reading(what: &str, count: usize) -> ProgressBar {
    let template = "{prefix} {bar:24} {human_pos}/{human_len} {eta} left";
    ProgressBar::new(count as u64)
        .with_style(style(template))
        .with_prefix(format!("reading {what}"))
        .with_finish(ProgressFinish::AndClear)
}

/// The style with this template, which names known keys only.
pub(crate) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("a template without unknown keys")
}
