//! The precision-recall curve.

use anyhow::Result;
use plotters::prelude::*;

use crate::detector::evaluation::{LENIENT, STRICT, SizeMetrics};
use crate::plots::axis::Axis;
use crate::plots::frame::{LEFT, XLabels, frame, header, legend};
use crate::plots::{BLUE, FINE, INK, ORANGE, figure, headline, stroke};

/// Width and height of the figure in pixels.
const SIZE: (i32, i32) = (620, 560);

/// Precision against recall as SVG, for both overlaps, with a dot at the confidence `threshold`.
///
/// # Errors
///
/// Never in practice: it is drawn to memory.
pub fn precision_recall(metrics: &SizeMetrics, threshold: f32, title: &str) -> Result<String> {
    figure(SIZE, |root| {
        headline(root, title, LEFT)?;
        let (_, below) = root.split_vertically(40 * FINE);
        let (recall, precision) = (Axis::new(0.0, 1.0, 5), Axis::new(0.0, 1.0, 5));
        let axis_title = XLabels {
            title: "recall",
            label: &percent,
        };
        let mut chart = frame(&below, &recall, &precision, &percent, Some(axis_title))?;
        for (curve, colour) in [(&metrics.strict, ORANGE), (&metrics.lenient, BLUE)] {
            let points = curve.points.iter().map(|at| (at.recall, at.precision));
            chart.draw_series(LineSeries::new(points, stroke(colour, 2.0)))?;
        }
        let at = metrics.at(threshold);
        let dot = Circle::new((at.recall, at.precision), 5 * FINE, INK.filled());
        chart.draw_series([dot])?;
        let note = format!(
            "{:.1} % at {:.1} % recall (dot)",
            100.0 * at.precision,
            100.0 * at.recall
        );
        header(&below, "precision", &note)?;
        let names = [STRICT, LENIENT].map(|overlap| format!("IoU {overlap}"));
        legend(&below, &[(&names[0], ORANGE), (&names[1], BLUE)])
    })
}

fn percent(fraction: f64) -> String {
    format!("{:.0} %", 100.0 * fraction)
}

#[cfg(test)]
mod tests {
    use emotion_models::preprocess::Region;

    use super::*;
    use crate::detector::evaluation::{DetectionMetrics, EvaluatedImage};
    use crate::detector::matching::ScoredBox;
    use crate::plots::testing::texts;

    #[test]
    fn the_figure_says_what_the_shipped_threshold_gives() {
        let face = Region {
            x: 0.0,
            y: 0.0,
            width: 20.0,
            height: 20.0,
        };
        let found = |x: f32, score: f32| ScoredBox {
            region: Region { x, ..face },
            score,
            landmarks: None,
        };
        let picture = EvaluatedImage {
            source: None,
            faces: vec![face],
            landmarks: vec![],
            ignored: vec![],
            found: vec![found(0.0, 0.9), found(100.0, 0.6)],
        };
        let evaluation = DetectionMetrics::new(&[picture]);
        let svg = precision_recall(&evaluation.all, 0.5, "made up").unwrap();
        let texts = texts(&svg);
        assert!(
            texts.contains(&"50.0 % at 100.0 % recall (dot)".to_owned()),
            "{texts:?}"
        );
        assert!(texts.contains(&"IoU 0.4".to_owned()), "{texts:?}");
    }
}
