//! The face detector: one pass over the whole picture, without anchors, 72 thousand parameters, 88 thousand with
//! landmarks.
//!
//! | part | output for H×W |
//! |---|---|
//! | conv 3×3 stride 2, batch norm, ReLU | H/2 × W/2 × 16 |
//! | separable 3×3 stride 2 and another one | H/4 × W/4 × 32 |
//! | separable 3×3 stride 2 and two more | H/8 × W/8 × 64, *fine* |
//! | separable 3×3 stride 2 and two more | H/16 × W/16 × 64, *middle* |
//! | separable 3×3 stride 2 and two more | H/32 × W/32 × 64, *coarse* |
//! | *coarse* enlarged and added to *middle*, separable | H/16 × W/16 × 64 |
//! | that enlarged and added to *fine*, separable | H/8 × W/8 × 64 |
//! | on each of the three: separable, 1×1 conv with bias | 5 values for each grid cell |
//! | on the same, if landmarks are wanted: separable, 1×1 conv with bias | 10 values for each grid cell |
//!
//! Every separable convolution is followed by a batch norm and ReLU. The layout, a backbone whose deep maps inform the
//! shallow ones, is that of feature pyramids (Lin et al. 2017); each cell of the maps' grids predicts a face around it as
//! in FCOS (Tian et al. 2019) and YuNet (Wu, Peng and Yu 2023).

use super::nodes::{Error, Graph};
use super::operation::{Activation, Conv2dConfig, Op, Padding};
use crate::preprocess::{Landmarks, Region};

/// Pixels of the picture from one grid cell of each map to the next, in the order of the outputs.
pub const STRIDES: [usize; 3] = [8, 16, 32];

/// Values for each grid cell: the logit of a face, the offset of its centre (from the cell's centre, in strides to the
/// right and down), and the logarithms of its width and height in strides.
pub const VALUES: usize = 5;

/// Values for the landmarks of each grid cell: the offset of each point from the cell's centre, in strides to the right
/// and down. Those of all cells follow the [`VALUES`] of all cells.
pub const LANDMARK_VALUES: usize = 2 * Landmarks::COUNT;

/// Channels of the convolution in front.
const STEM: usize = 16;
/// Channels of the stage before the first map.
const NARROW: usize = 32;
/// Channels of the maps.
const WIDE: usize = 64;

/// The network for grey pictures of this height and width, with or without landmarks.
///
/// # Errors
///
/// If they are not multiples of the coarsest stride.
pub fn graph(height: usize, width: usize, has_landmarks: bool) -> Result<Graph, Error> {
    let [.., coarsest] = STRIDES;
    let fits = |size: usize| size > 0 && size.is_multiple_of(coarsest);
    if !fits(height) || !fits(width) {
        return Err(Error::Size {
            network: "face_net",
            expected: format!("a height and a width that are multiples of {coarsest}"),
            found: format!("{height} and {width}"),
        });
    }
    let mut graph = Graph::new([height, width, 1]);
    let stem = Conv2dConfig {
        stride: 2,
        padding: Padding::Same,
        ..Conv2dConfig::new(STEM)
    };
    let xs = graph.conv("stem.conv", 0, stem)?;
    let xs = graph.norm("stem.norm", xs, Activation::Relu)?;
    let xs = stage(&mut graph, "stages.0", xs, NARROW, 2)?;
    let fine = stage(&mut graph, "stages.1", xs, WIDE, 3)?;
    let middle = stage(&mut graph, "stages.2", fine, WIDE, 3)?;
    let coarse = stage(&mut graph, "stages.3", middle, WIDE, 3)?;

    let middle = merge(&mut graph, "merge.0", coarse, middle)?;
    let fine = merge(&mut graph, "merge.1", middle, fine)?;
    let mut heads = [fine, middle, coarse];
    for (index, map) in heads.iter_mut().enumerate() {
        *map = unit(&mut graph, &format!("heads.{index}"), *map, WIDE, 1)?;
    }
    for (index, &map) in heads.iter().enumerate() {
        let path = format!("heads.{index}.values");
        graph.conv(&path, map, Conv2dConfig::pointwise(VALUES))?;
    }
    if has_landmarks {
        for (index, &map) in heads.iter().enumerate() {
            // A unit of their own: the box of a face hardly depends on its tilt, the landmarks do.
            let points = unit(&mut graph, &format!("heads.{index}.points"), map, WIDE, 1)?;
            let path = format!("heads.{index}.landmarks");
            graph.conv(&path, points, Conv2dConfig::pointwise(LANDMARK_VALUES))?;
        }
    }
    Ok(graph)
}

/// A separable convolution, its norm and ReLU.
fn unit(
    graph: &mut Graph,
    path: &str,
    xs: usize,
    channels: usize,
    stride: usize,
) -> Result<usize, Error> {
    let xs = graph.separable(&format!("{path}.separable"), xs, channels, stride)?;
    graph.norm(&format!("{path}.norm"), xs, Activation::Relu)
}

/// A chain of `units` units; the first one halves width and height.
fn stage(
    graph: &mut Graph,
    path: &str,
    mut xs: usize,
    channels: usize,
    units: usize,
) -> Result<usize, Error> {
    for index in 0..units {
        let stride = if index == 0 { 2 } else { 1 };
        xs = unit(graph, &format!("{path}.{index}"), xs, channels, stride)?;
    }
    Ok(xs)
}

/// Adds the enlarged coarser map to a finer one.
fn merge(graph: &mut Graph, path: &str, coarse: usize, fine: usize) -> Result<usize, Error> {
    let enlarged = graph.push(&format!("{path}.upsample"), Op::Upsample, &[coarse])?;
    let add = Op::Add(Activation::Linear);
    let sum = graph.push(&format!("{path}.add"), add, &[fine, enlarged])?;
    unit(graph, path, sum, WIDE, 1)
}

/// A cell of a map's grid, which predicts a face around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GridCell {
    /// Column of its centre, in pixels of the picture.
    pub x: f32,
    /// Row of its centre, in pixels of the picture.
    pub y: f32,
    /// Pixels to the next cell of its map.
    pub stride: f32,
}

impl GridCell {
    /// The box that [`VALUES`] describe; the first of them, the logit of a face, is not used.
    pub fn region(self, [_, right, down, width, height]: [f32; VALUES]) -> Region {
        let [width, height] = [width, height].map(|size| size.exp() * self.stride);
        Region {
            x: self.x + right * self.stride - width / 2.0,
            y: self.y + down * self.stride - height / 2.0,
            width,
            height,
        }
    }

    /// The landmarks that [`LANDMARK_VALUES`] describe.
    pub fn landmarks(self, values: [f32; LANDMARK_VALUES]) -> Landmarks {
        let point = |index: usize| {
            let [right, down] = [values[2 * index], values[2 * index + 1]];
            [self.x + right * self.stride, self.y + down * self.stride]
        };
        Landmarks(std::array::from_fn(point))
    }
}

/// The grid cells of a picture of this height and width, in the order of the outputs.
pub fn grid_cells(height: usize, width: usize) -> impl Iterator<Item = GridCell> {
    STRIDES.into_iter().flat_map(move |stride| {
        let (rows, columns) = (height / stride, width / stride);
        let centre = move |index: usize| (index as f32 + 0.5) * stride as f32;
        (0..rows * columns).map(move |index| GridCell {
            x: centre(index % columns),
            y: centre(index / columns),
            stride: stride as f32,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grid_cells_come_map_by_map_and_row_by_row() {
        let cells: Vec<GridCell> = grid_cells(32, 64).collect();
        assert_eq!(cells.len(), 4 * 8 + 2 * 4 + 2);
        let at = |index: usize| (cells[index].x, cells[index].y, cells[index].stride);
        assert_eq!(at(0), (4.0, 4.0, 8.0));
        assert_eq!(at(9), (12.0, 12.0, 8.0));
        assert_eq!(at(32), (8.0, 8.0, 16.0));
        assert_eq!(at(41), (48.0, 16.0, 32.0));
    }

    #[test]
    fn values_are_the_way_to_the_centre_and_logarithms_of_the_size() {
        let cell = GridCell {
            x: 24.0,
            y: 40.0,
            stride: 16.0,
        };
        let region = cell.region([0.0, 0.5, -1.0, 2f32.ln(), 0.0]);
        let expected = Region {
            x: 24.0 + 8.0 - 16.0,
            y: 40.0 - 16.0 - 8.0,
            width: 32.0,
            height: 16.0,
        };
        assert!((region.x - expected.x).abs() < 1e-4, "{region:?}");
        assert!((region.width - expected.width).abs() < 1e-4, "{region:?}");
        assert_eq!((region.y, region.height), (expected.y, expected.height));
    }
}
