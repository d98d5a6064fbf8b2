//! What can be drawn.

use std::sync::Arc;

use crate::emotionoverlay::dimensions::{BoxLine, BoxPart, PanelDimensions};
use crate::emotionoverlay::geometry::{Rect, Size};
use crate::emotionoverlay::palette::Colour;

/// Everything that determines the pixels of a sprite in a given style and font: the key of the sprite cache.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum SpriteSpec {
    /// A piece of the line around a face.
    BoxPart {
        part: BoxPart,
        size: Size,
        line: BoxLine,
        colour: Colour,
    },
    /// A dot on a landmark, in a square of this side.
    Dot { side: i32, colour: Colour },
    /// A part of the outline of a zone or line.
    Outline {
        outline: Arc<OutlineSpec>,
        tile: Rect,
    },
    /// A plate with the track id and the emotion of a face, and room for a percentage.
    Label(LabelSpec),
    /// A percentage that fits into its room on a label.
    Percent { percent: u8, size: Size, em: i32 },
    /// A plate with the names of emotions and an empty track for the bar of each.
    Panel(PanelSpec),
    /// The bars on a panel.
    Bars {
        bars: Vec<Bar>,
        dimensions: PanelDimensions,
        mirrored: bool,
    },
    /// The latest emotions of a face, the oldest at the left.
    Timeline { cells: Vec<Option<Colour>>, em: i32 },
    /// The number of faces and the share of each emotion.
    Summary(SummarySpec),
}

/// The outline of a zone or line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct OutlineSpec {
    pub(crate) paths: Vec<OutlinePath>,
    /// Width of the coloured line.
    pub(crate) stroke: i32,
    /// Width of the dark line on both sides of it.
    pub(crate) dark: i32,
    pub(crate) colour: Colour,
}

/// Straight lines from point to point, in pixels.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct OutlinePath {
    pub(crate) points: Vec<(i32, i32)>,
    /// Whether a line leads from the last point to the first one.
    pub(crate) is_closed: bool,
}

/// The parts of a label.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct LabelSpec {
    pub(crate) id: Option<i32>,
    pub(crate) name: Option<String>,
    /// The number of digits of a percentage for which to leave room.
    pub(crate) digits: Option<u8>,
    pub(crate) em: i32,
    pub(crate) colour: Colour,
}

/// The plate below the bars.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PanelSpec {
    pub(crate) names: Arc<[String]>,
    /// Index of the row with a bold name.
    pub(crate) best: Option<usize>,
    pub(crate) dimensions: PanelDimensions,
    /// Whether names are at the right and bars run from right to left.
    pub(crate) mirrored: bool,
}

/// A bar on a panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Bar {
    /// Filled part in pixels, up to [`PanelDimensions::bar_length`].
    pub(crate) filled: i32,
    pub(crate) colour: Colour,
}

/// The emotions of all faces in the frame.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SummarySpec {
    pub(crate) faces: usize,
    pub(crate) shares: Vec<EmotionShare>,
    pub(crate) em: i32,
    /// The largest width of the plate; a style with a wide summary uses all of it.
    pub(crate) max_width: i32,
}

/// The number of faces with one emotion.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct EmotionShare {
    pub(crate) name: String,
    pub(crate) colour: Colour,
    pub(crate) faces: usize,
}
