//! What quantising has changed.

use std::fmt::Write;

use emotion_models::weights::QuantizationReport;
use serde_json::{Value, json};

/// A figure before and after, in percent.
pub(super) struct Figure {
    pub(super) split: String,
    pub(super) name: &'static str,
    pub(super) before: f64,
    pub(super) after: f64,
}

/// All figures, and what the weights say of themselves.
pub(super) struct QuantizationComparison {
    pub(super) report: QuantizationReport,
    pub(super) figures: Vec<Figure>,
}

impl QuantizationComparison {
    /// The comparison whose figures of `split` with these names decide.
    pub(super) fn new(split: &str, names: &[&str], allowed: f64, figures: Vec<Figure>) -> Self {
        let deciding = figures
            .iter()
            .filter(|figure| figure.split == split && names.contains(&figure.name));
        let deciding =
            deciding.map(|figure| (figure.name.to_owned(), [figure.before, figure.after]));
        Self {
            report: QuantizationReport {
                data: split.to_owned(),
                figures: deciding.collect(),
                allowed,
            },
            figures,
        }
    }

    pub(super) fn json(&self) -> Value {
        let figures = self.figures.iter().map(|figure| {
            json!({
                "split": figure.split,
                "name": figure.name,
                "before": figure.before,
                "after": figure.after,
            })
        });
        json!({
            "holds": self.report.holds(),
            "allowed": self.report.allowed,
            "figures": figures.collect::<Vec<_>>(),
        })
    }

    pub(super) fn table(&self) -> String {
        let mut text = format!(
            "{:<32} {:>9} {:>9} {:>8}\n",
            "in percent", "floats", "int8", "change"
        );
        for figure in &self.figures {
            let Figure {
                split,
                name,
                before,
                after,
            } = figure;
            let what = format!("{split}: {name}");
            let change = after - before;
            let _ = writeln!(text, "{what:<32} {before:>9.2} {after:>9.2} {change:>+8.2}");
        }
        let QuantizationReport { data, allowed, .. } = &self.report;
        let verdict = if self.report.holds() {
            "precision=auto takes the integers"
        } else {
            "precision=auto stays with floats"
        };
        let _ = writeln!(
            text,
            "up to {allowed} points may be lost on {data}: {verdict}"
        );
        text
    }
}
