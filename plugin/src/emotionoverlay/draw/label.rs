//! The plate with the track id and the emotion of a face, and the percentage on it.

use std::f64::consts::TAU;

use pango::Weight::{Bold, Normal};

use super::canvas::{Error, Sprite, draw, set_colour};
use super::painter::{Painter, Text, is_right_to_left};
use super::spec::LabelSpec;
use crate::emotionoverlay::geometry::{Rect, Size};
use crate::emotionoverlay::theme::LabelMark;

/// The largest width of a text, in em; a label's name may be a whole sentence.
const MAX_WIDTH: f64 = 16.0;

impl Painter<'_> {
    pub(super) fn paint_label(&self, label: &LabelSpec) -> Result<Sprite, Error> {
        let LabelSpec { em, colour, .. } = *label;
        let theme = self.theme;
        let weight = if theme.bold { Bold } else { Normal };
        let pixels = f64::from(em);
        let (padding, gap, dot, block) = (pixels * 0.5, pixels * 0.35, pixels * 0.3, pixels * 0.35);
        let mut end = match theme.mark {
            LabelMark::Dot => padding + 2.0 * dot,
            LabelMark::Block => block,
            LabelMark::Underline | LabelMark::None => 0.0,
        };
        let mut append = |text: &str, weight| -> Option<(Text, f64)> {
            let mut text = self.text(text, em, weight)?;
            text.ellipsize(pixels * MAX_WIDTH);
            let start = end + if end > 0.0 { gap } else { padding };
            end = start + text.width;
            Some((text, start))
        };
        let id = label.id.and_then(|id| append(&format!("#{id}"), Normal));
        let name = label.name.as_deref().and_then(|name| append(name, weight));
        let percent = label.digits.and_then(|digits| {
            let widest = if digits > 2 { "100 %" } else { "88 %" };
            append(widest, Normal)
        });
        let size = Size {
            width: (end + padding).ceil() as i32,
            height: (pixels * 1.55).round() as i32,
        };
        let (width, height) = (f64::from(size.width), f64::from(size.height));
        let middle = height / 2.0;
        let mirrored = label.name.as_deref().is_some_and(is_right_to_left);
        let place = |x: f64, length: f64| if mirrored { width - x - length } else { x };

        let mut sprite = draw(size, |cr| {
            self.plate(cr, size, pixels)?;
            set_colour(cr, colour);
            match theme.mark {
                LabelMark::Dot => cr.arc(place(padding, 2.0 * dot) + dot, middle, dot, 0.0, TAU),
                LabelMark::Block => cr.rectangle(place(0.0, block), 0.0, block, height),
                LabelMark::Underline => {
                    let thickness = (pixels / 7.0).round().max(2.0);
                    cr.rectangle(0.0, height - thickness, width, thickness);
                }
                LabelMark::None => {}
            }
            cr.fill()?;
            for (text, colour) in [(&id, theme.quiet_text), (&name, theme.text)] {
                if let Some((text, x)) = text {
                    text.show(cr, place(*x, text.width), middle, colour);
                }
            }
            Ok(())
        })?;
        sprite.percent_area = percent.map(|(text, x)| {
            let length = text.width.ceil() as i32;
            let x = place(x, text.width).floor() as i32;
            Rect::new(x.clamp(0, size.width - length), 0, length, size.height)
        });
        Ok(sprite)
    }

    pub(super) fn paint_percent(&self, percent: u8, size: Size, em: i32) -> Result<Sprite, Error> {
        draw(size, |cr| {
            if let Some(text) = self.text(&format!("{percent} %"), em, Normal) {
                // The percent sign stays where it is when a digit comes or goes.
                let x = (f64::from(size.width) - text.width).max(0.0);
                let middle = f64::from(size.height) / 2.0;
                text.show(cr, x, middle, self.theme.quiet_text);
            }
            Ok(())
        })
    }
}
