//! A plate with the number of faces and the share of each emotion.

use std::f64::consts::{PI, TAU};

use super::canvas::{Error, Sprite, TRACK, draw, rounded_rectangle, set_colour, set_rgba};
use super::painter::{Painter, Text};
use super::spec::{EmotionShare, SummarySpec};
use crate::emotionoverlay::geometry::Size;
use crate::emotionoverlay::palette::Colour;

/// An emotion below the bar.
struct LegendEntry {
    colour: Colour,
    name: Option<Text>,
    percent: Option<Text>,
    width: f64,
}

impl Painter<'_> {
    /// A pictogram with the number of faces, a bar with all shares, and below it one or more lines with their names.
    pub(super) fn paint_summary(&self, summary: &SummarySpec) -> Result<Sprite, Error> {
        let SummarySpec { faces, shares, .. } = summary;
        let em = f64::from(summary.em);
        let padding = (em * 0.6).round();
        let count = self.text(&faces.to_string(), summary.em, pango::Weight::Bold);
        let count_width = em * 1.3 + width(&count) + em * 0.6;

        let total = shares.iter().map(|share| share.faces).sum::<usize>().max(1) as f64;
        let entries = shares
            .iter()
            .map(|share| self.legend_entry(share, total, summary.em));
        let entries: Vec<LegendEntry> = entries.collect();
        let gap = em * 1.1;
        let one_line = entries.iter().map(|entry| entry.width).sum::<f64>()
            + gap * entries.len().saturating_sub(1) as f64;
        let max_width = f64::from(summary.max_width) - 2.0 * padding;
        let inner = if self.theme.wide_summary {
            max_width
        } else {
            one_line.max(em * 14.0).min(max_width)
        };

        let mut lines: Vec<(f64, Vec<LegendEntry>)> = Vec::new();
        for entry in entries {
            match lines.last_mut() {
                Some((width, line)) if *width + gap + entry.width <= inner + 0.5 => {
                    *width += gap + entry.width;
                    line.push(entry);
                }
                _ => lines.push((entry.width, vec![entry])),
            }
        }
        let line_height = em * 1.4;
        let bar_height = em * 1.1;
        let lines_top = padding + bar_height + em * 0.35;
        let height = if lines.is_empty() {
            2.0 * padding + bar_height
        } else {
            lines_top + line_height * lines.len() as f64 + padding * 0.6
        };
        let size = Size {
            width: (inner + 2.0 * padding).round() as i32,
            height: height.round() as i32,
        };

        draw(size, |cr| {
            self.plate(cr, size, em)?;
            let middle = padding + bar_height / 2.0;
            person(cr, padding, middle, em)?;
            set_rgba(cr, self.theme.text);
            cr.fill()?;
            if let Some(count) = &count {
                count.show(cr, padding + em * 1.3, middle, self.theme.text);
            }

            let thickness = (em * 0.6).round();
            let (x, y) = (padding + count_width, (middle - thickness / 2.0).round());
            let length = inner - count_width;
            cr.save()?;
            let radius = if self.theme.rounding > 0.0 {
                thickness / 2.0
            } else {
                0.0
            };
            rounded_rectangle(cr, x, y, length, thickness, radius);
            cr.clip();
            set_rgba(cr, TRACK);
            cr.paint()?;
            let mut before = 0;
            for share in shares {
                let edge = |faces: usize| (length * faces as f64 / total).round();
                let (start, end) = (edge(before), edge(before + share.faces));
                cr.rectangle(x + start, y, end - start, thickness);
                set_colour(cr, share.colour);
                cr.fill()?;
                before += share.faces;
            }
            cr.restore()?;

            for (i, (width, line)) in lines.iter().enumerate() {
                let middle = lines_top + (i as f64 + 0.5) * line_height;
                let mut x = if self.theme.wide_summary {
                    padding + (inner - width) / 2.0
                } else {
                    padding
                };
                for entry in line {
                    self.show_legend_entry(cr, entry, x, middle, em)?;
                    x += entry.width + gap;
                }
            }
            Ok(())
        })
    }

    fn legend_entry(&self, share: &EmotionShare, total: f64, em: i32) -> LegendEntry {
        let percent = (share.faces as f64 * 100.0 / total).round();
        let name = self.text(&share.name, em, pango::Weight::Normal);
        let percent = self.text(&format!("{percent} %"), em, pango::Weight::Bold);
        let em = f64::from(em);
        LegendEntry {
            colour: share.colour,
            width: em * 0.9 + width(&name) + em * 0.35 + width(&percent),
            name,
            percent,
        }
    }

    fn show_legend_entry(
        &self,
        cr: &cairo::Context,
        entry: &LegendEntry,
        x: f64,
        middle: f64,
        em: f64,
    ) -> Result<(), cairo::Error> {
        let dot = em * 0.3;
        cr.arc(x + dot, middle, dot, 0.0, TAU);
        set_colour(cr, entry.colour);
        cr.fill()?;
        let mut x = x + em * 0.9;
        if let Some(name) = &entry.name {
            name.show(cr, x, middle, self.theme.quiet_text);
            x += name.width + em * 0.35;
        }
        if let Some(percent) = &entry.percent {
            percent.show(cr, x, middle, self.theme.text);
        }
        Ok(())
    }
}

fn width(text: &Option<Text>) -> f64 {
    text.as_ref().map_or(0.0, |text| text.width)
}

/// The path of a head over shoulders, one em high.
fn person(cr: &cairo::Context, x: f64, middle: f64, em: f64) -> Result<(), cairo::Error> {
    let centre = x + em * 0.5;
    cr.new_path();
    cr.arc(centre, middle - em * 0.24, em * 0.24, 0.0, TAU);
    cr.close_path();
    cr.new_sub_path();
    cr.arc(centre, middle + em * 0.5, em * 0.42, PI, TAU);
    cr.close_path();
    cr.status()
}
