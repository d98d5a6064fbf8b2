//! Parts of a picture that are neither analysed nor shown.

use std::ops::Range;

use gst_video::prelude::*;
use gst_video::{VideoFormat, VideoFrameRef, VideoInfo};

/// The grey value of a masked pixel: black in limited range.
const BLACK: u8 = 16;
/// The colour of a masked pixel: none.
const NEUTRAL: u8 = 128;

/// Corners of a polygon in fractions of the upright picture: 0, 0 is its upper left corner and 1, 1 its lower right one.
pub(super) type Polygon = Vec<[f64; 2]>;

/// Blackens polygons in frames of the format I420.
#[derive(Debug)]
pub(super) struct PictureMask {
    polygons: Vec<Polygon>,
    /// For the size of the last frame.
    size: (u32, u32),
    /// A row and the columns in it.
    spans: Vec<(usize, Range<usize>)>,
}

impl PictureMask {
    pub(super) fn new(polygons: &[Polygon]) -> Self {
        Self {
            polygons: polygons.to_vec(),
            size: (0, 0),
            spans: Vec::new(),
        }
    }

    /// Blackens the polygons in `buffer`, a frame with `caps`.
    pub(super) fn apply(
        &mut self,
        buffer: &mut gst::BufferRef,
        caps: &gst::Caps,
    ) -> anyhow::Result<()> {
        let info = VideoInfo::from_caps(caps)?;
        anyhow::ensure!(
            info.format() == VideoFormat::I420,
            "expected frames in I420 to mask, found {}",
            info.format()
        );
        let size = (info.width(), info.height());
        if self.size != size {
            let all = self.polygons.iter();
            self.spans = all.flat_map(|polygon| spans(polygon, size)).collect();
            self.size = size;
        }
        let mut frame = VideoFrameRef::from_buffer_ref_writable(buffer, &info)
            .map_err(|error| anyhow::anyhow!("cannot write to a frame: {error}"))?;
        for (plane, value, shift) in [(0, BLACK, 0), (1, NEUTRAL, 1), (2, NEUTRAL, 1)] {
            let stride = usize::try_from(frame.plane_stride()[plane])?;
            let data = frame.plane_data_mut(plane as u32)?;
            for (row, columns) in &self.spans {
                let start = (row >> shift) * stride + (columns.start >> shift);
                let end = (row >> shift) * stride + columns.end.div_ceil(1 << shift);
                // A picture of odd size has a column more of colour than it shows.
                if let Some(pixels) = data.get_mut(start..end) {
                    pixels.fill(value);
                }
            }
        }
        Ok(())
    }
}

/// The pixels that `polygon` touches, row by row. Crossing edges leave holes where the polygon lies on itself twice.
fn spans(polygon: &Polygon, (width, height): (u32, u32)) -> Vec<(usize, Range<usize>)> {
    let (width, height) = (f64::from(width), f64::from(height));
    let mut spans = Vec::new();
    for row in 0..height as usize {
        // A pixel counts if the polygon touches its upper edge, its middle or its lower edge.
        for part in [0.001, 0.5, 0.999] {
            let y = (row as f64 + part) / height;
            let mut crossings: Vec<f64> = Vec::new();
            for (index, [x1, y1]) in polygon.iter().copied().enumerate() {
                let [x2, y2] = polygon[(index + 1) % polygon.len()];
                if (y1 <= y) != (y2 <= y) {
                    crossings.push(x1 + (y - y1) / (y2 - y1) * (x2 - x1));
                }
            }
            crossings.sort_by(f64::total_cmp);
            for pair in crossings.chunks_exact(2) {
                let start = (pair[0] * width).floor().clamp(0.0, width) as usize;
                let end = (pair[1] * width).ceil().clamp(0.0, width) as usize;
                if start < end {
                    spans.push((row, start..end));
                }
            }
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(polygon: &[[f64; 2]], side: u32) -> Vec<Vec<bool>> {
        let side_px = side as usize;
        let mut pixels = vec![vec![false; side_px]; side_px];
        for (row, columns) in spans(&polygon.to_vec(), (side, side)) {
            pixels[row][columns].fill(true);
        }
        pixels
    }

    #[test]
    fn a_rectangle_covers_every_pixel_that_it_touches() {
        let pixels = masked(&[[0.26, 0.5], [0.75, 0.5], [0.75, 0.76], [0.26, 0.76]], 8);
        for (y, row) in pixels.iter().enumerate() {
            for (x, is_masked) in row.iter().enumerate() {
                let is_inside = (2..6).contains(&x) && (4..7).contains(&y);
                assert_eq!(*is_masked, is_inside, "{x} {y}");
            }
        }
    }

    #[test]
    fn a_triangle_covers_about_half_of_its_square_and_its_tip() {
        let pixels = masked(&[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], 100);
        let count = pixels
            .iter()
            .flatten()
            .filter(|is_masked| **is_masked)
            .count();
        assert!((5000..5200).contains(&count), "{count}");
        assert!(pixels[0][99] && pixels[99][0] && !pixels[99][99]);
    }

    #[test]
    fn luma_and_colour_of_a_frame_are_blackened() {
        crate::init().expect("GStreamer starts");
        let info = VideoInfo::builder(VideoFormat::I420, 5, 5)
            .build()
            .expect("a size");
        let mut buffer = gst::Buffer::from_mut_slice(vec![200_u8; info.size()]);
        let whole = vec![[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
        let caps = info.to_caps().expect("caps");
        let mask = &mut PictureMask::new(&[whole]);
        mask.apply(buffer.get_mut().expect("it is ours"), &caps)
            .expect("it is I420");
        let frame = VideoFrameRef::from_buffer_ref_readable(&buffer, &info).expect("it is whole");
        let stride = frame.plane_stride()[0] as usize;
        let luma = frame.plane_data(0).expect("it has luma");
        assert!((0..5).all(|row| luma[row * stride..][..5] == [BLACK; 5]));
        let stride = frame.plane_stride()[1] as usize;
        let colour = frame.plane_data(1).expect("it has colour");
        assert!((0..3).all(|row| colour[row * stride..][..3] == [NEUTRAL; 3]));
    }
}
