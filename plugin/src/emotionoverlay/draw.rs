//! Draws boxes, labels, bars, timelines and the summary with cairo and pango, as premultiplied native-endian ARGB.

mod boxes;
mod canvas;
mod label;
mod outline;
mod painter;
mod panel;
mod spec;
mod summary;
mod timeline;

pub(super) use canvas::{Error, Sprite};
pub(super) use painter::{Painter, is_right_to_left};
pub(super) use spec::{
    Bar, EmotionShare, LabelSpec, OutlinePath, OutlineSpec, PanelSpec, SpriteSpec, SummarySpec,
};
pub(super) use timeline::timeline_size;

impl Painter<'_> {
    /// Draws a sprite.
    pub(super) fn paint(&self, spec: &SpriteSpec) -> Result<Sprite, Error> {
        match spec {
            SpriteSpec::BoxPart {
                part,
                size,
                line,
                colour,
            } => boxes::paint(*part, *size, line, *colour),
            SpriteSpec::Dot { side, colour } => boxes::paint_dot(*side, *colour),
            SpriteSpec::Outline { outline, tile } => outline::paint(outline, *tile),
            SpriteSpec::Label(label) => self.paint_label(label),
            SpriteSpec::Percent { percent, size, em } => self.paint_percent(*percent, *size, *em),
            SpriteSpec::Panel(panel) => self.paint_panel(panel),
            SpriteSpec::Bars {
                bars,
                dimensions,
                mirrored,
            } => self.paint_bars(bars, dimensions, *mirrored),
            SpriteSpec::Timeline { cells, em } => self.paint_timeline(cells, *em),
            SpriteSpec::Summary(summary) => self.paint_summary(summary),
        }
    }
}
