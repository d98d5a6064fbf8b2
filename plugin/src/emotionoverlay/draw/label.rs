//! The plate with a face's track and emotion.

use std::f64::consts::TAU;

use super::super::geometry::{Rect, Size};
use super::super::theme::Mark;
use super::{Drawing, Label, Painter, draw, runs_leftwards, set_colour};

impl Painter<'_> {
    pub(super) fn paint_label(&self, label: &Label) -> Result<Drawing, cairo::Error> {
        let Label { em, colour, .. } = *label;
        let theme = self.theme;
        let weight = if theme.bold {
            pango::Weight::Bold
        } else {
            pango::Weight::Normal
        };
        let leftwards = label.name.as_deref().is_some_and(runs_leftwards);
        let id = label
            .id
            .and_then(|id| self.text(&format!("#{id}"), em, pango::Weight::Normal));
        let name = label
            .name
            .as_deref()
            .and_then(|name| self.text(name, em, weight));
        let percent = label.digits.and_then(|digits| {
            let widest = if digits > 2 { "100 %" } else { "88 %" };
            self.text(widest, em, pango::Weight::Normal)
        });

        let pixels = f64::from(em);
        let (padding, gap, dot) = (pixels * 0.5, pixels * 0.35, pixels * 0.3);
        let mut end = match theme.mark {
            Mark::Dot => padding + 2.0 * dot,
            Mark::Block => pixels * 0.35,
            Mark::Underline | Mark::None => 0.0,
        };
        let mut place = |width: f64| {
            let start = end + if end > 0.0 { gap } else { padding };
            end = start + width;
            start
        };
        let id_x = id.as_ref().map(|text| place(text.width));
        let name_x = name.as_ref().map(|text| place(text.width));
        let percent_x = percent.as_ref().map(|text| place(text.width));
        let size = Size {
            width: (end + padding).ceil() as i32,
            height: (pixels * 1.55).round() as i32,
        };
        let width = f64::from(size.width);
        let middle = f64::from(size.height) / 2.0;
        let turned = |x: f64, length: f64| if leftwards { width - x - length } else { x };

        let mut drawing = draw(size, |cr| {
            self.plate(cr, size, pixels)?;
            set_colour(cr, colour);
            match theme.mark {
                Mark::Dot => {
                    cr.arc(turned(padding, 2.0 * dot) + dot, middle, dot, 0.0, TAU);
                    cr.fill()?;
                }
                Mark::Block => {
                    let block = pixels * 0.35;
                    cr.rectangle(turned(0.0, block), 0.0, block, f64::from(size.height));
                    cr.fill()?;
                }
                Mark::Underline => {
                    let thickness = (pixels / 7.0).round().max(2.0);
                    cr.rectangle(0.0, f64::from(size.height) - thickness, width, thickness);
                    cr.fill()?;
                }
                Mark::None => {}
            }
            if let Some((text, x)) = id.as_ref().zip(id_x) {
                text.show(cr, turned(x, text.width), middle, theme.quiet_text);
            }
            if let Some((text, x)) = name.as_ref().zip(name_x) {
                text.show(cr, turned(x, text.width), middle, theme.text);
            }
            Ok(())
        })?;
        drawing.slot = percent.zip(percent_x).map(|(text, x)| {
            let slot = text.width.ceil() as i32;
            let x = turned(x, text.width).floor() as i32;
            Rect::new(x.clamp(0, size.width - slot), 0, slot, size.height)
        });
        Ok(drawing)
    }

    pub(super) fn paint_percent(
        &self,
        percent: u8,
        size: Size,
        em: i32,
    ) -> Result<Drawing, cairo::Error> {
        draw(size, |cr| {
            let text = format!("{percent} %");
            if let Some(text) = self.text(&text, em, pango::Weight::Normal) {
                // The percent signs stay where they are when a digit comes or goes.
                let x = (f64::from(size.width) - text.width).max(0.0);
                let middle = f64::from(size.height) / 2.0;
                text.show(cr, x, middle, self.theme.quiet_text);
            }
            Ok(())
        })
    }
}
