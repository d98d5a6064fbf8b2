//! The confusion matrix.

use anyhow::Result;
use emotion_models::Emotion;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::emotion::metrics::ClassificationMetrics;
use crate::plots::{Area, BLUE, FAINT_INK, FINE, INK, bold, centred, figure, headline, letters};

/// Width and height of a cell in pixels.
const CELL: (i32, i32) = (84, 60);
/// Corner of the first cell.
const CORNER: (i32, i32) = (104, 122);
/// Pixels to the right of and below the cells.
const AROUND: (i32, i32) = (84, 64);

/// The confusion matrix as SVG: a row for each label and a column for each prediction. A cell shows its share of the row and
/// the number of faces. The faces of each label are on the right, the precision of each prediction is below.
///
/// # Errors
///
/// Never in practice: it is drawn to memory.
pub fn confusion(evaluation: &ClassificationMetrics, title: &str) -> Result<String> {
    let classes = Emotion::ALL.len() as i32;
    let size = (
        CORNER.0 + classes * CELL.0 + AROUND.0,
        CORNER.1 + classes * CELL.1 + AROUND.1,
    );
    figure(size, |root| {
        headline(root, title, CORNER.0)?;
        let summary = format!(
            "{} of {} faces recognised, macro F1 {}",
            percent(evaluation.accuracy(), 2),
            evaluation.count(),
            percent(evaluation.macro_f1(), 2),
        );
        root.draw_text(
            &summary,
            &letters(13.0, FAINT_INK),
            (CORNER.0 * FINE, 50 * FINE),
        )?;
        words(root, evaluation)?;
        for label in Emotion::ALL {
            for answer in Emotion::ALL {
                cell(root, evaluation, label, answer)?;
            }
        }
        Ok(())
    })
}

/// The upper left corner of a cell, in pixels.
fn corner(row: usize, column: usize) -> (i32, i32) {
    (
        CORNER.0 + column as i32 * CELL.0,
        CORNER.1 + row as i32 * CELL.1,
    )
}

/// The names of rows and columns, and the numbers on the right and below.
fn words(root: &Area<'_>, evaluation: &ClassificationMetrics) -> Result<()> {
    let write = |text: &str, style: &TextStyle<'static>, x: i32, y: i32| {
        root.draw_text(text, style, (x * FINE, y * FINE))
    };
    let middle = |pixels, colour| centred(letters(pixels, colour));
    let to_the_left = letters(13.0, INK).pos(Pos::new(HPos::Right, VPos::Center));
    let (right, bottom) = corner(Emotion::ALL.len(), Emotion::ALL.len());
    let beside = (right + AROUND.0 / 2, bottom + 24);
    let centre = (CORNER.0 + right) / 2;

    write("taken for", &middle(13.0, FAINT_INK), centre, CORNER.1 - 42)?;
    write("faces", &middle(13.0, FAINT_INK), beside.0, CORNER.1 - 18)?;
    let faint = to_the_left.color(&FAINT_INK);
    write("label", &faint, CORNER.0 - 12, CORNER.1 - 18)?;
    write("precision", &faint, CORNER.0 - 12, beside.1)?;
    for emotion in Emotion::ALL {
        let (x, y) = corner(emotion.label_id(), emotion.label_id());
        let (x, y) = (x + CELL.0 / 2, y + CELL.1 / 2);
        write(emotion.name(), &middle(13.0, INK), x, CORNER.1 - 18)?;
        write(emotion.name(), &to_the_left, CORNER.0 - 12, y)?;
        let count = evaluation.labelled(emotion).to_string();
        write(&count, &middle(13.0, FAINT_INK), beside.0, y)?;
        let precision = percent(evaluation.precision(emotion).unwrap_or(f64::NAN), 1);
        write(&precision, &middle(13.0, FAINT_INK), x, beside.1)?;
    }
    Ok(())
}

fn cell(
    root: &Area<'_>,
    evaluation: &ClassificationMetrics,
    label: Emotion,
    answer: Emotion,
) -> Result<()> {
    let count = evaluation.confused(label, answer);
    let share = count as f64 / evaluation.labelled(label) as f64;
    let (x, y) = corner(label.label_id(), answer.label_id());
    let inset = [
        ((x + 1) * FINE, (y + 1) * FINE),
        ((x + CELL.0 - 1) * FINE, (y + CELL.1 - 1) * FINE),
    ];
    root.draw(&Rectangle::new(inset, shade(share).filled()))?;

    // White is easier to read on the darkest shades.
    let ink = if share > 0.8 { WHITE } else { INK };
    let middle = x + CELL.0 / 2;
    let style = letters(16.0, ink);
    let style = centred(if label == answer { bold(style) } else { style });
    let above = (middle * FINE, (y + CELL.1 / 2 - 9) * FINE);
    root.draw_text(&percent(share, 1), &style, above)?;
    let below = (middle * FINE, (y + CELL.1 / 2 + 13) * FINE);
    root.draw_text(&count.to_string(), &centred(letters(12.0, ink)), below)?;
    Ok(())
}

/// From nearly white for 0 to blue for 1.
fn shade(share: f64) -> RGBColor {
    let share = if share.is_nan() { 0.0 } else { share };
    let mix = |end: u8| (246.0 + share * (f64::from(end) - 246.0)).round() as u8;
    RGBColor(mix(BLUE.0), mix(BLUE.1), mix(BLUE.2))
}

/// A fraction in percent; a dash for NaN.
fn percent(fraction: f64, decimals: usize) -> String {
    if fraction.is_nan() {
        return "-".to_owned();
    }
    format!("{:.decimals$} %", 100.0 * fraction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plots::testing::texts;

    #[test]
    fn every_cell_has_its_share_and_its_count() {
        let sure = |class: usize| {
            let mut row = [0.0; 7];
            row[class] = 1.0;
            row
        };
        // Of 4 angry faces 3 are recognised and 1 is taken for happy; the one sad face is missed.
        let rows = [(0, 0), (0, 0), (0, 0), (0, 3), (4, 3)];
        let rows: Vec<_> = rows
            .map(|(label, answer): (usize, usize)| (sure(answer), Emotion::ALL[label]))
            .to_vec();
        let rows = rows.iter().map(|(row, label)| (row.as_slice(), *label));
        let evaluation = ClassificationMetrics::of_probabilities(rows);
        let texts = texts(&confusion(&evaluation, "made up").unwrap());

        let cells: Vec<_> = texts
            .windows(2)
            .map(|pair| (pair[0].as_str(), pair[1].as_str()))
            .collect();
        assert_eq!(texts[0], "made up");
        assert!(texts[1].starts_with("60.00 % of 5 faces"), "{}", texts[1]);
        for cell in [("75.0 %", "3"), ("25.0 %", "1"), ("100.0 %", "1")] {
            assert!(cells.contains(&cell), "{cell:?} in {texts:?}");
        }
        for emotion in Emotion::ALL {
            let times = texts.iter().filter(|text| *text == emotion.name()).count();
            assert_eq!(times, 2, "{emotion:?} names a row and a column");
        }
        // Happy, 2 answers, none right; the five other emotions are never answered nor labelled.
        assert!(texts.contains(&"0.0 %".to_owned()));
        let without_precision = 5;
        let rows_without_faces = 5 * 7;
        let dashes = texts.iter().filter(|text| *text == "-").count();
        assert_eq!(dashes, without_precision + rows_without_faces);
    }

    #[test]
    fn shades_go_from_nearly_white_to_blue() {
        assert_eq!(shade(0.0), RGBColor(246, 246, 246));
        assert_eq!(shade(1.0), BLUE);
        assert_eq!(shade(f64::NAN), shade(0.0));
    }
}
