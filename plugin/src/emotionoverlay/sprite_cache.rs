//! Draws each sprite once and keeps it while it may be needed again.

use std::collections::{HashMap, HashSet};

use super::draw::{Error, Painter, Sprite, SpriteSpec};
use super::geometry::PixelScale;
use super::settings::RenderSettings;

/// Unused sprites are kept up to this many bytes: a label may return, at another place or on another face.
const MAX_BYTES: usize = 16 << 20;

/// The drawn sprites of a style and font.
pub(super) struct SpriteCache {
    settings: RenderSettings,
    scale: PixelScale,
    sprites: HashMap<SpriteSpec, Sprite>,
    bytes: usize,
    /// Widths of texts by their letters' height.
    widths: HashMap<(String, i32), i32>,
    lacks_font: bool,
    lacks_letters: bool,
}

impl SpriteCache {
    pub(super) fn new(settings: RenderSettings, scale: PixelScale) -> Self {
        Self {
            settings,
            scale,
            sprites: HashMap::new(),
            bytes: 0,
            widths: HashMap::new(),
            lacks_font: false,
            lacks_letters: false,
        }
    }

    /// Whether the sprites were made for these settings and pixels.
    pub(super) fn is_for(&self, settings: &RenderSettings, scale: PixelScale) -> bool {
        self.settings == *settings && self.scale == scale
    }

    pub(super) fn scale(&self) -> PixelScale {
        self.scale
    }

    /// Whether text was left out because the machine has no font for it.
    pub(super) fn lacks_font(&self) -> bool {
        self.lacks_font
    }

    /// Whether letters of a text became boxes because the machine has no font for them.
    pub(super) fn lacks_letters(&self) -> bool {
        self.lacks_letters
    }

    /// The sprite, drawn now unless it was drawn before.
    pub(super) fn draw(&mut self, spec: &SpriteSpec) -> Result<&Sprite, Error> {
        if !self.sprites.contains_key(spec) {
            let painter = Painter::new(self.settings.style, &self.settings.font);
            let sprite = painter.paint(spec)?.scaled(self.scale)?;
            self.lacks_font |= painter.lacks_font();
            self.lacks_letters |= painter.lacks_letters();
            self.bytes += sprite.pixels.size();
            self.sprites.insert(spec.clone(), sprite);
        }
        Ok(&self.sprites[spec])
    }

    /// The sprite, if it was drawn before.
    pub(super) fn get(&self, spec: &SpriteSpec) -> Option<&Sprite> {
        self.sprites.get(spec)
    }

    /// Width of a bold text in pixels.
    pub(super) fn text_width(&mut self, text: &str, em: i32) -> i32 {
        let key = (text.to_owned(), em);
        if let Some(width) = self.widths.get(&key) {
            return *width;
        }
        let painter = Painter::new(self.settings.style, &self.settings.font);
        let width = painter.text_width(text, em);
        self.lacks_font |= painter.lacks_font();
        self.widths.insert(key, width);
        width
    }

    /// Drops all sprites except those in `used` if the cache has grown too large.
    pub(super) fn trim<'a>(&mut self, used: impl Iterator<Item = &'a SpriteSpec>) {
        if self.bytes > MAX_BYTES {
            let used: HashSet<&SpriteSpec> = used.collect();
            self.sprites.retain(|spec, _| used.contains(spec));
            self.bytes = self.sprites.values().map(|s| s.pixels.size()).sum();
            self.widths.clear();
        }
    }
}
