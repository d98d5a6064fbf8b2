//! Template matching: finds where a face moved from one frame to the next, by normalised cross-correlation from coarse to
//! fine. The image is read at the face's own scale, so that a large face costs no more comparisons than a small one.

use emotion_models::preprocess::{GreyRows, Preprocessor, Region};

use super::appearance::normalize;

/// Width and height of a face in cells.
const CELLS: usize = 24;
/// Cells that are searched on each side: half the size of the face, ...
const NEAR_RANGE: usize = CELLS / 2;
/// ... and one and a half times its size after a longer time.
const FAR_RANGE: usize = 36;
/// Side of a coarse cell in fine cells.
const COARSE: usize = 2;

/// The pixels of a face.
#[derive(Debug, Clone)]
pub(super) struct Template {
    fine: Vec<f32>,
    coarse: Vec<f32>,
}

/// How far a face is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SearchRange {
    /// From one frame to the next.
    Near,
    /// After several frames.
    Far,
}

/// The position most similar to a template.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TemplateMatch {
    /// Its centre in pixels.
    pub(super) centre: (f64, f64),
    /// Its normalised cross-correlation with the template, -1 to 1.
    pub(super) similarity: f32,
}

/// Takes templates and finds them in other images. It reuses its buffers.
#[derive(Debug)]
pub(super) struct TemplateMatcher {
    template: Preprocessor,
    near: Preprocessor,
    far: Preprocessor,
    window: Vec<f32>,
    coarse: Vec<f32>,
}

impl Default for TemplateMatcher {
    fn default() -> Self {
        Self {
            template: Preprocessor::new(CELLS),
            near: Preprocessor::new(CELLS + 2 * NEAR_RANGE),
            far: Preprocessor::new(CELLS + 2 * FAR_RANGE),
            window: Vec::new(),
            coarse: Vec::new(),
        }
    }
}

impl TemplateMatcher {
    /// The square of `side` pixels about `centre`; none where the image is flat.
    pub(super) fn template(
        &mut self,
        image: &impl GreyRows,
        centre: (f64, f64),
        side: f64,
    ) -> Option<Template> {
        let mut fine = vec![0.0; CELLS * CELLS];
        let region = square(centre, side);
        self.template.run(image, region, &mut fine).ok()?;
        let mut coarse = Vec::new();
        reduce(&fine, CELLS, &mut coarse);
        (normalize(&mut fine) && normalize(&mut coarse)).then_some(Template { fine, coarse })
    }

    /// The position about `centre` most similar to `template`, with a face of `side` pixels; none where the image is flat.
    pub(super) fn find(
        &mut self,
        image: &impl GreyRows,
        template: &Template,
        centre: (f64, f64),
        side: f64,
        range: SearchRange,
    ) -> Option<TemplateMatch> {
        let (reader, range) = match range {
            SearchRange::Near => (&mut self.near, NEAR_RANGE),
            SearchRange::Far => (&mut self.far, FAR_RANGE),
        };
        let width = reader.size();
        self.window.resize(width * width, 0.0);
        let cell = side / CELLS as f64;
        let region = square(centre, width as f64 * cell);
        reader.run(image, region, &mut self.window).ok()?;
        reduce(&self.window, width, &mut self.coarse);

        let positions = 2 * range / COARSE;
        let coarse = Scan {
            template: &template.coarse,
            side: CELLS / COARSE,
            window: &self.coarse,
            width: width / COARSE,
        };
        let (x, y, _) = coarse.best(0..=positions, 0..=positions)?;
        let fine = Scan {
            template: &template.fine,
            side: CELLS,
            window: &self.window,
            width,
        };
        let about = |position: usize| {
            let middle = position * COARSE;
            middle.saturating_sub(COARSE)..=(middle + COARSE).min(2 * range)
        };
        let (x, y, similarity) = fine.best(about(x), about(y))?;
        let beside = |x: usize, y: usize| fine.similarity(x, y).unwrap_or(-1.0);
        let last = 2 * range;
        let between = |position: usize, at: &dyn Fn(usize) -> f32| {
            if position == 0 || position == last {
                return 0.0;
            }
            peak(at(position - 1), similarity, at(position + 1))
        };
        let dx = between(x, &|x| beside(x, y));
        let dy = between(y, &|y| beside(x, y));
        let offset = |position: usize, part: f64| (position as f64 + part - range as f64) * cell;
        Some(TemplateMatch {
            centre: (centre.0 + offset(x, dx), centre.1 + offset(y, dy)),
            similarity,
        })
    }
}

/// A square template over a square window, both row by row.
struct Scan<'a> {
    template: &'a [f32],
    side: usize,
    window: &'a [f32],
    width: usize,
}

impl Scan<'_> {
    /// Normalised cross-correlation with the template at this offset in cells.
    fn similarity(&self, left: usize, top: usize) -> Option<f32> {
        // Separate sums for each lane let the compiler use vector instructions.
        const LANES: usize = 4;
        let (mut product, mut sum, mut squares) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        for (y, row) in self.template.chunks_exact(self.side).enumerate() {
            let start = (top + y) * self.width + left;
            let cells = &self.window[start..start + self.side];
            for (a, b) in row.chunks_exact(LANES).zip(cells.chunks_exact(LANES)) {
                for lane in 0..LANES {
                    product[lane] += a[lane] * b[lane];
                    sum[lane] += b[lane];
                    squares[lane] += b[lane] * b[lane];
                }
            }
        }
        let [product, sum, squares] =
            [product, sum, squares].map(|lanes| lanes.iter().sum::<f32>());
        let count = (self.side * self.side) as f32;
        // The template has the mean 0 and the length 1.
        let variance = squares - sum * sum / count;
        (variance > count * 1e-5).then(|| product / variance.sqrt())
    }

    fn best(
        &self,
        lefts: std::ops::RangeInclusive<usize>,
        tops: std::ops::RangeInclusive<usize>,
    ) -> Option<(usize, usize, f32)> {
        tops.flat_map(|top| lefts.clone().map(move |left| (left, top)))
            .filter_map(|(left, top)| Some((left, top, self.similarity(left, top)?)))
            .max_by(|a, b| a.2.total_cmp(&b.2))
    }
}

/// Position, between -0.5 and 0.5, of the peak of the parabola through three equidistant values.
fn peak(before: f32, at: f32, after: f32) -> f64 {
    let curvature = before - 2.0 * at + after;
    if curvature >= 0.0 {
        return 0.0;
    }
    f64::from(((before - after) / (2.0 * curvature)).clamp(-0.5, 0.5))
}

/// Means of `COARSE` × `COARSE` cells.
fn reduce(fine: &[f32], width: usize, coarse: &mut Vec<f32>) {
    let half = width / COARSE;
    coarse.clear();
    coarse.extend((0..half * half).map(|i| {
        let at = i / half * COARSE * width + i % half * COARSE;
        (fine[at] + fine[at + 1] + fine[at + width] + fine[at + width + 1]) / 4.0
    }));
}

fn square(centre: (f64, f64), side: f64) -> Region {
    Region::new(
        (centre.0 - side / 2.0) as f32,
        (centre.1 - side / 2.0) as f32,
        side as f32,
        side as f32,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use emotion_models::preprocess::GreyImage;

    const WIDTH: usize = 320;

    /// A textured blob about `centre` on a smooth background.
    fn pixels(centre: (f64, f64), gain: f64) -> Vec<u8> {
        let pixel = |i: usize| {
            let (x, y) = ((i % WIDTH) as f64, (i / WIDTH) as f64);
            let (dx, dy) = ((x - centre.0) / 12.0, (y - centre.1) / 12.0);
            let near = (-(dx * dx + dy * dy) / 4.0).exp();
            let value = 100.0 + 15.0 * (x / 31.0).sin() + 90.0 * near * (dx * 1.7 + dy * dy).cos();
            (gain * value) as u8
        };
        (0..WIDTH * WIDTH).map(pixel).collect()
    }

    fn find(from: (f64, f64), to: (f64, f64), gain: f64, range: SearchRange) -> TemplateMatch {
        let (before, after) = (pixels(from, 1.0), pixels(to, gain));
        let image = |pixels| GreyImage::new(pixels, WIDTH, WIDTH, WIDTH).unwrap();
        let mut matcher = TemplateMatcher::default();
        let template = matcher.template(&image(&before), from, 60.0).unwrap();
        matcher
            .find(&image(&after), &template, from, 60.0, range)
            .unwrap()
    }

    #[test]
    fn a_shift_is_found_to_a_fraction_of_a_cell() {
        for to in [
            (160.0, 160.0),
            (163.3, 158.1),
            (185.0, 140.0),
            (138.5, 182.0),
        ] {
            let found = find((160.0, 160.0), to, 1.0, SearchRange::Near);
            let error = (found.centre.0 - to.0).hypot(found.centre.1 - to.1);
            assert!(error < 0.8, "{to:?}: {found:?}");
            assert!(found.similarity > 0.9, "{found:?}");
        }
    }

    #[test]
    fn another_exposure_is_not_a_shift() {
        let found = find((160.0, 160.0), (170.0, 155.0), 0.6, SearchRange::Near);
        assert!((found.centre.0 - 170.0).hypot(found.centre.1 - 155.0) < 0.8);
        assert!(found.similarity > 0.9);
    }

    #[test]
    fn the_far_range_finds_a_face_farther_away() {
        let to = (230.0, 110.0);
        let found = find((160.0, 160.0), to, 1.0, SearchRange::Far);
        assert!(
            (found.centre.0 - to.0).hypot(found.centre.1 - to.1) < 1.5,
            "{found:?}"
        );
    }

    #[test]
    fn a_face_at_the_border_is_searched_with_what_is_there() {
        let found = find((8.0, 160.0), (20.0, 160.0), 1.0, SearchRange::Near);
        assert!((found.centre.0 - 20.0).abs() < 3.0, "{found:?}");
    }

    #[test]
    fn nothing_is_found_where_the_image_is_flat() {
        let before = pixels((160.0, 160.0), 1.0);
        let flat = vec![90; WIDTH * WIDTH];
        let image = |pixels| GreyImage::new(pixels, WIDTH, WIDTH, WIDTH).unwrap();
        let mut matcher = TemplateMatcher::default();
        let template = matcher
            .template(&image(&before), (160.0, 160.0), 60.0)
            .unwrap();
        let found = matcher.find(
            &image(&flat),
            &template,
            (160.0, 160.0),
            60.0,
            SearchRange::Near,
        );
        assert_eq!(found, None);
        assert!(
            matcher
                .template(&image(&flat), (160.0, 160.0), 60.0)
                .is_none()
        );
    }
}
