//! Building blocks of figures in SVG.
//!
//! Drawing needs no fonts; viewers use their own sans-serif. Colours are those of Okabe and Ito (2008), which are distinct
//! for any kind of colour vision.

pub(crate) mod axis;
pub(crate) mod frame;
pub(crate) mod panel;

use anyhow::Result;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// An area to draw on.
pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

pub(crate) const BLUE: RGBColor = RGBColor(0, 114, 178);
pub(crate) const VERMILION: RGBColor = RGBColor(213, 94, 0);
pub(crate) const ORANGE: RGBColor = RGBColor(230, 159, 0);
pub(crate) const GREEN: RGBColor = RGBColor(0, 158, 115);
pub(crate) const INK: RGBColor = RGBColor(34, 34, 34);
pub(crate) const FAINT_INK: RGBColor = RGBColor(100, 100, 100);
pub(crate) const GRID: RGBColor = RGBColor(226, 226, 226);

/// Drawing units in a pixel: plotters rounds coordinates to whole units, and curves in whole pixels would have steps.
pub(crate) const FINE: i32 = 4;

/// A figure of `width`×`height` pixels on a white background.
pub(crate) fn figure(
    (width, height): (i32, i32),
    draw: impl FnOnce(&Area<'_>) -> Result<()>,
) -> Result<String> {
    let units = ((FINE * width) as u32, (FINE * height) as u32);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, units).into_drawing_area();
        root.fill(&WHITE)?;
        draw(&root)?;
        root.present()?;
    }
    let in_units = format!(r#"width="{}" height="{}""#, units.0, units.1);
    let in_pixels = format!(r#"width="{width}" height="{height}""#);
    Ok(svg.replacen(&in_units, &in_pixels, 1))
}

/// The title of the figure, `left` pixels from the edge, small enough to fit.
pub(crate) fn headline(area: &Area<'_>, text: &str, left: i32) -> Result<()> {
    const LARGEST: f64 = 18.0;
    /// Mean width of a bold letter as a fraction of its size, with room for wide fonts.
    const LETTER: f64 = 0.68;
    let room = area.dim_in_pixel().0 as i32 / FINE - left;
    let size = f64::from(room) / (LETTER * text.chars().count().max(1) as f64);
    let style = bold(letters(size.min(LARGEST), INK));
    area.draw_text(text, &style, (left * FINE, 26 * FINE))?;
    Ok(())
}

/// A sans-serif text style of this size, left-aligned.
pub(crate) fn letters(pixels: f64, colour: RGBColor) -> TextStyle<'static> {
    // The backend divides the size by this number.
    const BACKEND: f64 = 1.24;
    let size = pixels * f64::from(FINE) * BACKEND;
    TextStyle {
        font: FontDesc::new(FontFamily::SansSerif, size, FontStyle::Normal),
        color: colour.to_backend_color(),
        pos: Pos::new(HPos::Left, VPos::Center),
    }
}

/// The same style in bold.
pub(crate) fn bold(letters: TextStyle<'static>) -> TextStyle<'static> {
    TextStyle {
        font: letters.font.style(FontStyle::Bold),
        ..letters
    }
}

/// The same style, centred.
pub(crate) fn centred(letters: TextStyle<'static>) -> TextStyle<'static> {
    letters.pos(Pos::new(HPos::Center, VPos::Center))
}

/// A line style of this width in pixels.
pub(crate) fn stroke(colour: RGBColor, pixels: f64) -> ShapeStyle {
    ShapeStyle::from(&colour).stroke_width((pixels * f64::from(FINE)).round() as u32)
}

#[cfg(test)]
pub(crate) mod testing {
    /// The texts in a figure, in the order of drawing.
    pub(crate) fn texts(svg: &str) -> Vec<String> {
        let elements = svg.split("<text").skip(1);
        let content = |element: &str| {
            let (_, behind) = element.split_once('>')?;
            Some(behind.split_once('<')?.0.trim().to_owned())
        };
        elements.filter_map(content).collect()
    }
}
