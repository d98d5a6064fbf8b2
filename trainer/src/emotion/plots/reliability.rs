//! The reliability diagram.

use anyhow::Result;
use plotters::prelude::*;

use crate::emotion::reliability::{BINS, Bin, Reliability};
use crate::plots::axis::Axis;
use crate::plots::frame::{Chart, LEFT, XLabels, frame, header, legend};
use crate::plots::{BLUE, FAINT_INK, FINE, INK, VERMILION, figure, headline, letters, stroke};

/// Width and height of the figure in pixels.
const SIZE: (i32, i32) = (620, 740);

/// Opaque, so that it looks the same on a bar and above it.
const PALE_VERMILION: RGBColor = RGBColor(247, 212, 188);

/// A reliability diagram as SVG: the accuracy of the predictions in each confidence bin against their confidence, and a
/// histogram of the bins below.
///
/// # Errors
///
/// Never in practice: it is drawn to memory.
pub fn reliability(reliability: &Reliability, title: &str) -> Result<String> {
    figure(SIZE, |root| {
        headline(root, title, LEFT)?;
        let error = 100.0 * reliability.expected_calibration_error();
        let error = format!("expected calibration error {error:.2} %");
        root.draw_text(&error, &letters(13.0, FAINT_INK), (LEFT * FINE, 50 * FINE))?;
        let (_, below) = root.split_vertically(60 * FINE);
        let (diagram, histogram) = below.split_vertically(480 * FINE);

        let (confidence, accuracy) = (Axis::new(0.0, 1.0, 5), Axis::new(0.0, 1.0, 5));
        let mut chart = frame(&diagram, &confidence, &accuracy, &percent, None)?;
        bars(&mut chart, reliability, Bin::accuracy)?;
        gaps(&mut chart, reliability)?;
        let dash = 5 * FINE;
        let diagonal = [(0.0, 0.0), (1.0, 1.0)];
        chart.draw_series(DashedLineSeries::new(
            diagonal,
            dash,
            dash,
            stroke(INK, 1.5),
        ))?;
        header(&diagram, "accuracy", "")?;
        let entries = [("accuracy", BLUE), ("gap", VERMILION), ("honest", INK)];
        legend(&diagram, &entries)?;

        let total = reliability.total().count().max(1) as f64;
        let share = |bin: &Bin| Some(bin.count() as f64 / total);
        let largest = reliability
            .bins()
            .iter()
            .filter_map(share)
            .fold(0.0, f64::max);
        let shares = Axis::new(0.0, 1.1 * largest, 4);
        let axis_title = XLabels {
            title: "confidence",
            label: &percent,
        };
        let mut chart = frame(&histogram, &confidence, &shares, &percent, Some(axis_title))?;
        bars(&mut chart, reliability, share)?;
        means(&mut chart, reliability, shares.range.end)?;
        header(&histogram, "share of faces", &summary(reliability))
    })
}

fn percent(fraction: f64) -> String {
    format!("{:.0} %", 100.0 * fraction)
}

fn summary(reliability: &Reliability) -> String {
    let total = reliability.total();
    let (Some(confidence), Some(accuracy)) = (total.confidence(), total.accuracy()) else {
        return "no faces".to_owned();
    };
    format!(
        "{} faces; confidence {:.1} % (dashed), accuracy {:.1} %",
        total.count(),
        100.0 * confidence,
        100.0 * accuracy
    )
}

/// The confidences where bin `index` begins and ends.
fn edges(index: usize) -> (f64, f64) {
    let edge = |index: usize| index as f64 / BINS as f64;
    (edge(index), edge(index + 1))
}

/// A bar from 0 for each bin that has a value.
fn bars(
    chart: &mut Chart<'_, '_>,
    reliability: &Reliability,
    value: impl Fn(&Bin) -> Option<f64>,
) -> Result<()> {
    for (index, bin) in reliability.bins().iter().enumerate() {
        let ((from, to), Some(value)) = (edges(index), value(bin).filter(|&value| value > 0.0))
        else {
            continue;
        };
        let corners = [(from, 0.0), (to, value)];
        chart.draw_series([
            Rectangle::new(corners, BLUE.mix(0.75).filled()),
            Rectangle::new(corners, stroke(WHITE, 1.0)),
        ])?;
    }
    Ok(())
}

/// The gap between the accuracy of each bin, a line on top of its bar, and its mean confidence.
fn gaps(chart: &mut Chart<'_, '_>, reliability: &Reliability) -> Result<()> {
    for (index, bin) in reliability.bins().iter().enumerate() {
        let (Some(accuracy), Some(confidence)) = (bin.accuracy(), bin.confidence()) else {
            continue;
        };
        let (from, to) = edges(index);
        let gap = [(from, accuracy), (to, confidence)];
        chart.draw_series([
            Rectangle::new(gap, PALE_VERMILION.filled()),
            Rectangle::new(gap, stroke(VERMILION, 1.0)),
        ])?;
        let top = [(from, accuracy), (to, accuracy)];
        chart.draw_series(LineSeries::new(top, stroke(BLUE, 3.0)))?;
    }
    Ok(())
}

/// The mean confidence (dashed) and the accuracy of all predictions.
fn means(chart: &mut Chart<'_, '_>, reliability: &Reliability, top: f64) -> Result<()> {
    let total = reliability.total();
    if let (Some(confidence), Some(accuracy)) = (total.confidence(), total.accuracy()) {
        let post = |x: f64| [(x, 0.0), (x, top)];
        let dash = 4 * FINE;
        chart.draw_series(DashedLineSeries::new(
            post(confidence),
            dash,
            dash,
            stroke(INK, 1.5),
        ))?;
        chart.draw_series(LineSeries::new(post(accuracy), stroke(FAINT_INK, 1.5)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plots::testing::texts;

    const BAR: &str = "fill=\"#0072B2\"";
    const GAP: &str = "stroke=\"#D55E00\"";

    /// The number of rectangles with an attribute.
    fn rectangles(svg: &str, attribute: &str) -> usize {
        let rectangles = svg.split("<rect").skip(1);
        rectangles
            .filter(|rectangle| rectangle.contains(attribute))
            .count()
    }

    #[test]
    fn each_bin_with_faces_has_its_bars_and_empty_ones_have_none() {
        let mut predictions = Reliability::default();
        for (confidence, right) in [(0.88, true), (1.0, true), (0.5, true), (0.5, false)] {
            predictions.add(confidence, right);
        }
        let svg = reliability(&predictions, "made up").unwrap();
        // Three bins, each an accuracy and a share of the faces.
        assert_eq!(rectangles(&svg, BAR), 3 * 2);
        assert_eq!(rectangles(&svg, GAP), 3);
        let texts = texts(&svg);
        // 0.88 is 0.12 too low, for 1/4 of the faces.
        assert_eq!(texts[..2], ["made up", "expected calibration error 3.00 %"]);
        assert!(texts.contains(&"4 faces; confidence 72.0 % (dashed), accuracy 75.0 %".to_owned()));
    }

    #[test]
    fn a_bin_that_is_never_right_has_no_bar_but_a_gap() {
        let mut predictions = Reliability::default();
        predictions.add(0.9, false);
        let svg = reliability(&predictions, "made up").unwrap();
        assert_eq!(rectangles(&svg, BAR), 1);
        assert_eq!(rectangles(&svg, GAP), 1);
    }

    #[test]
    fn nothing_to_show_is_an_empty_diagram() {
        let svg = reliability(&Reliability::default(), "nothing").unwrap();
        assert!(texts(&svg).contains(&"no faces".to_owned()));
    }
}
