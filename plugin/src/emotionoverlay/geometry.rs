//! Sizes and rectangles in pixels of the frame.

use emotion_models::preprocess::Region;
use gst_video::VideoInfo;

/// A width and a height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Size {
    pub(super) width: i32,
    pub(super) height: i32,
}

impl Size {
    /// The size of the pictures that `info` describes.
    pub(super) fn of(info: &VideoInfo) -> Self {
        Self::new(info.width(), info.height())
    }

    pub(super) fn new(width: u32, height: u32) -> Self {
        Self {
            width: width.cast_signed(),
            height: height.cast_signed(),
        }
    }
}

/// Stored pixels per square pixel in each direction, at most 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PixelScale {
    pub(super) x: f32,
    pub(super) y: f32,
}

impl Default for PixelScale {
    fn default() -> Self {
        Self { x: 1.0, y: 1.0 }
    }
}

impl PixelScale {
    pub(super) fn is_one(self) -> bool {
        self == Self::default()
    }

    /// A size in stored pixels, rounded up.
    pub(super) fn size(self, square: Size) -> Size {
        Size {
            width: (square.width as f32 * self.x).ceil() as i32,
            height: (square.height as f32 * self.y).ceil() as i32,
        }
    }

    /// The place in stored pixels of a sprite with its upper left corner at `x`, `y` in square pixels, which lies in the
    /// picture of the size `frame` in stored pixels.
    pub(super) fn place(self, x: i32, y: i32, sprite: Size, frame: Size) -> Rect {
        let x = ((x as f32 * self.x).round() as i32).min(frame.width - sprite.width);
        let y = ((y as f32 * self.y).round() as i32).min(frame.height - sprite.height);
        Rect::at(x, y, sprite)
    }
}

/// A rectangle; `right` and `bottom` are exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Rect {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

impl Rect {
    pub(super) fn new(x: i32, y: i32, width: i32, height: i32) -> Self {
        Self {
            x,
            y,
            width,
            height,
        }
    }

    pub(super) fn at(x: i32, y: i32, size: Size) -> Self {
        Self::new(x, y, size.width, size.height)
    }

    pub(super) fn right(&self) -> i32 {
        self.x + self.width
    }

    pub(super) fn bottom(&self) -> i32 {
        self.y + self.height
    }

    pub(super) fn region(&self) -> Region {
        Region {
            x: self.x as f32,
            y: self.y as f32,
            width: self.width as f32,
            height: self.height as f32,
        }
    }

    pub(super) fn moved(self, right: i32, down: i32) -> Self {
        Self {
            x: self.x + right,
            y: self.y + down,
            ..self
        }
    }

    pub(super) fn size(&self) -> Size {
        Size {
            width: self.width,
            height: self.height,
        }
    }

    /// The number of pixels.
    pub(super) fn area(&self) -> i64 {
        i64::from(self.width) * i64::from(self.height)
    }

    /// The number of pixels that `other` has as well.
    pub(super) fn overlap(&self, other: &Self) -> i64 {
        let width = self.right().min(other.right()) - self.x.max(other.x);
        let height = self.bottom().min(other.bottom()) - self.y.max(other.y);
        i64::from(width.max(0)) * i64::from(height.max(0))
    }

    pub(super) fn lies_in(&self, frame: Size) -> bool {
        self.x >= 0 && self.y >= 0 && self.right() <= frame.width && self.bottom() <= frame.height
    }

    pub(super) fn moved_into_columns_of(self, frame: Size) -> Self {
        Self {
            x: self.x.min(frame.width - self.width).max(0),
            ..self
        }
    }

    pub(super) fn moved_into_rows_of(self, frame: Size) -> Self {
        Self {
            y: self.y.min(frame.height - self.height).max(0),
            ..self
        }
    }
}

/// The part of a rectangle that lies in the frame, if any.
pub(super) fn visible(x: i32, y: i32, width: u32, height: u32, frame: Size) -> Option<Rect> {
    let (x, width) = visible_span(x, width, frame.width)?;
    let (y, height) = visible_span(y, height, frame.height)?;
    Some(Rect {
        x,
        y,
        width,
        height,
    })
}

fn visible_span(start: i32, length: u32, limit: i32) -> Option<(i32, i32)> {
    let end = i64::from(start) + i64::from(length);
    let end = i32::try_from(end.min(i64::from(limit))).ok()?;
    let start = start.max(0);
    (start < end).then(|| (start, end - start))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Size = Size {
        width: 100,
        height: 50,
    };

    #[test]
    fn a_region_is_cut_to_what_can_be_seen() {
        assert_eq!(
            visible(-10, -10, 30, 30, FRAME),
            Some(Rect::new(0, 0, 20, 20))
        );
        assert_eq!(
            visible(90, 40, 30, 30, FRAME),
            Some(Rect::new(90, 40, 10, 10))
        );
        assert_eq!(
            visible(-5, -5, u32::MAX, u32::MAX, FRAME),
            Some(Rect::new(0, 0, 100, 50))
        );
    }

    #[test]
    fn a_region_outside_or_without_pixels_is_not_seen() {
        for (x, y, width, height) in [
            (100, 0, 10, 10),
            (0, 50, 10, 10),
            (-10, 0, 10, 10),
            (0, i32::MIN, 10, u32::MAX / 4),
            (i32::MAX, i32::MAX, u32::MAX, u32::MAX),
            (10, 10, 0, 10),
        ] {
            assert_eq!(
                visible(x, y, width, height, FRAME),
                None,
                "{x},{y} {width}×{height}"
            );
        }
    }
}
