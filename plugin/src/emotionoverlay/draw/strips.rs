//! Strips of colour: the history of a face, and what a crowd shows.

use std::f64::consts::{PI, TAU};

use super::super::geometry::Size;
use super::super::memory::CELLS;
use super::super::palette::Colour;
use super::text::Text;
use super::{
    Drawing, Painter, Share, Summary, TRACK, draw, rounded_rectangle, set_colour, set_rgba,
};

/// The size of a history beside letters of the height `em`.
pub(in super::super) fn history_size(em: i32) -> Size {
    let border = border(em);
    Size {
        width: CELLS as i32 * cell(em) + 2 * border,
        height: (em * 2 / 5).max(4) + 2 * border,
    }
}

fn cell(em: i32) -> i32 {
    (em / 4).max(2)
}

fn border(em: i32) -> i32 {
    (em / 8).max(2)
}

/// An emotion below the bar of a summary.
struct Entry<'a> {
    share: &'a Share,
    name: Option<Text>,
    percent: Option<Text>,
    width: f64,
}

impl Painter<'_> {
    pub(super) fn paint_history(
        &self,
        cells: &[Option<Colour>],
        em: i32,
    ) -> Result<Drawing, cairo::Error> {
        let size = history_size(em);
        let (border, cell) = (f64::from(border(em)), f64::from(cell(em)));
        let height = f64::from(size.height) - 2.0 * border;
        draw(size, |cr| {
            self.plate(cr, size, f64::from(em) * 0.5)?;
            for (i, colour) in cells.iter().enumerate() {
                match colour {
                    Some(colour) => set_colour(cr, *colour),
                    None => set_rgba(cr, TRACK),
                }
                cr.rectangle(border + i as f64 * cell, border, cell, height);
                cr.fill()?;
            }
            Ok(())
        })
    }

    /// A figure with the number of faces, a bar of all shares, and below it a line or more of their names.
    pub(super) fn paint_summary(&self, summary: &Summary) -> Result<Drawing, cairo::Error> {
        let em = f64::from(summary.em);
        let room = f64::from(summary.room);
        let padding = (em * 0.6).round();
        let count = self.text(&summary.faces.to_string(), summary.em, pango::Weight::Bold);
        let count_width = em * 1.3 + count.as_ref().map_or(0.0, |count| count.width) + em * 0.6;

        let total: usize = summary.shares.iter().map(|share| share.faces).sum();
        let entries: Vec<Entry<'_>> = summary
            .shares
            .iter()
            .map(|share| self.entry(share, total, summary.em))
            .collect();
        let widest = entries.iter().map(|entry| entry.width).sum::<f64>();
        let apart = em * 1.1;
        let natural = widest + apart * entries.len().saturating_sub(1) as f64;
        let inner_room = room - 2.0 * padding;
        let inner = if self.theme.wide_summary {
            inner_room
        } else {
            natural.max(em * 14.0).min(inner_room)
        };

        // Lines as full as they get.
        let mut lines: Vec<(f64, Vec<Entry<'_>>)> = Vec::new();
        for entry in entries {
            match lines.last_mut() {
                Some((width, line)) if *width + apart + entry.width <= inner + 0.5 => {
                    *width += apart + entry.width;
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
            figure(cr, padding, middle, em)?;
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
            for share in &summary.shares {
                let edge = |faces: usize| (length * faces as f64 / total.max(1) as f64).round();
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
                    self.show_entry(cr, entry, x, middle, em)?;
                    x += entry.width + apart;
                }
            }
            Ok(())
        })
    }

    fn entry<'a>(&self, share: &'a Share, total: usize, em: i32) -> Entry<'a> {
        let percent = (share.faces as f64 * 100.0 / total.max(1) as f64).round();
        let name = self.text(&share.name, em, pango::Weight::Normal);
        let percent = self.text(&format!("{percent} %"), em, pango::Weight::Bold);
        let width = |text: &Option<Text>| text.as_ref().map_or(0.0, |text| text.width);
        let em = f64::from(em);
        Entry {
            width: em * 0.9 + width(&name) + em * 0.35 + width(&percent),
            share,
            name,
            percent,
        }
    }

    fn show_entry(
        &self,
        cr: &cairo::Context,
        entry: &Entry<'_>,
        x: f64,
        middle: f64,
        em: f64,
    ) -> Result<(), cairo::Error> {
        let dot = em * 0.3;
        cr.arc(x + dot, middle, dot, 0.0, TAU);
        set_colour(cr, entry.share.colour);
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

/// The path of a head over shoulders, one em high.
fn figure(cr: &cairo::Context, x: f64, middle: f64, em: f64) -> Result<(), cairo::Error> {
    let centre = x + em * 0.5;
    cr.new_path();
    cr.arc(centre, middle - em * 0.24, em * 0.24, 0.0, TAU);
    cr.close_path();
    cr.new_sub_path();
    cr.arc(centre, middle + em * 0.5, em * 0.42, PI, TAU);
    cr.close_path();
    cr.status()
}
