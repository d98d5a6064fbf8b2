//! Where a face went from one frame to the next: the place that looks most like it, by normalised cross-correlation from
//! coarse to fine. The picture is read at the face's own scale, so that a large face costs no more comparisons than a
//! small one.

use emotion_models::preprocess::{GreyRows, Preprocessor, Region};

use super::appearance::normalize;

/// A face is so many cells wide and high.
const CELLS: usize = 24;
/// Cells to each side in which it is searched: half its size.
const REACH: usize = CELLS / 2;
/// The same where much time passed: one and a half times its size.
const FAR_REACH: usize = 36;
/// The coarse search sees cells of so many fine ones a side.
const COARSE: usize = 2;

/// What is searched for.
#[derive(Debug, Clone)]
pub(super) struct Template {
    fine: Vec<f32>,
    coarse: Vec<f32>,
}

/// How far a face is to be searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// From one frame to the next.
    Near,
    /// After some frames.
    Far,
}

/// A place that looks like the template.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    /// Where its middle is, in pixels.
    pub(super) centre: (f64, f64),
    /// How alike it looks, -1 to 1.
    pub(super) similarity: f32,
}

/// Searches. It keeps its buffers.
#[derive(Debug)]
pub(super) struct Search {
    template: Preprocessor,
    near: Preprocessor,
    far: Preprocessor,
    window: Vec<f32>,
    coarse: Vec<f32>,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            template: Preprocessor::new(CELLS),
            near: Preprocessor::new(CELLS + 2 * REACH),
            far: Preprocessor::new(CELLS + 2 * FAR_REACH),
            window: Vec::new(),
            coarse: Vec::new(),
        }
    }
}

impl Search {
    /// What stands in `picture` about `centre`, or none where it is flat.
    pub(super) fn template(
        &mut self,
        picture: &impl GreyRows,
        centre: (f64, f64),
        side: f64,
    ) -> Option<Template> {
        let mut fine = vec![0.0; CELLS * CELLS];
        let region = square(centre, side);
        self.template.run(picture, region, &mut fine).ok()?;
        let mut coarse = Vec::new();
        reduce(&fine, CELLS, &mut coarse);
        (normalize(&mut fine) && normalize(&mut coarse)).then_some(Template { fine, coarse })
    }

    /// The place about `centre` that looks most like `template`, taken to be `side` pixels large; none where the picture
    /// is flat.
    pub(super) fn find(
        &mut self,
        picture: &impl GreyRows,
        template: &Template,
        centre: (f64, f64),
        side: f64,
        reach: Reach,
    ) -> Option<Found> {
        let (reader, reach) = match reach {
            Reach::Near => (&mut self.near, REACH),
            Reach::Far => (&mut self.far, FAR_REACH),
        };
        let width = reader.size();
        self.window.resize(width * width, 0.0);
        let cell = side / CELLS as f64;
        let region = square(centre, width as f64 * cell);
        reader.run(picture, region, &mut self.window).ok()?;
        reduce(&self.window, width, &mut self.coarse);

        let positions = 2 * reach / COARSE;
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
            middle.saturating_sub(COARSE)..=(middle + COARSE).min(2 * reach)
        };
        let (x, y, similarity) = fine.best(about(x), about(y))?;
        let beside = |x: usize, y: usize| fine.similarity(x, y).unwrap_or(-1.0);
        let last = 2 * reach;
        let between = |position: usize, at: &dyn Fn(usize) -> f32| {
            if position == 0 || position == last {
                return 0.0;
            }
            peak(at(position - 1), similarity, at(position + 1))
        };
        let dx = between(x, &|x| beside(x, y));
        let dy = between(y, &|y| beside(x, y));
        let offset = |position: usize, part: f64| (position as f64 + part - reach as f64) * cell;
        Some(Found {
            centre: (centre.0 + offset(x, dx), centre.1 + offset(y, dy)),
            similarity,
        })
    }
}

/// A template over a window, both row by row and square.
struct Scan<'a> {
    template: &'a [f32],
    side: usize,
    window: &'a [f32],
    width: usize,
}

impl Scan<'_> {
    /// The normalised cross-correlation with the template at so many cells from the left and the top.
    fn similarity(&self, left: usize, top: usize) -> Option<f32> {
        // Of rows first, so that the compiler can use vectors.
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

/// Where between -0.5 and 0.5 the parabola through three equidistant values has its peak.
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
    Region {
        x: (centre.0 - side / 2.0) as f32,
        y: (centre.1 - side / 2.0) as f32,
        width: side as f32,
        height: side as f32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use emotion_models::preprocess::GreyImage;

    const WIDTH: usize = 320;

    /// A blot with some structure about `centre`, over a quiet background.
    fn picture(centre: (f64, f64), gain: f64) -> Vec<u8> {
        let pixel = |i: usize| {
            let (x, y) = ((i % WIDTH) as f64, (i / WIDTH) as f64);
            let (dx, dy) = ((x - centre.0) / 12.0, (y - centre.1) / 12.0);
            let near = (-(dx * dx + dy * dy) / 4.0).exp();
            let value = 100.0 + 15.0 * (x / 31.0).sin() + 90.0 * near * (dx * 1.7 + dy * dy).cos();
            (gain * value) as u8
        };
        (0..WIDTH * WIDTH).map(pixel).collect()
    }

    fn found(from: (f64, f64), to: (f64, f64), gain: f64, reach: Reach) -> Found {
        let (before, after) = (picture(from, 1.0), picture(to, gain));
        let image = |pixels| GreyImage::new(pixels, WIDTH, WIDTH, WIDTH).unwrap();
        let mut search = Search::default();
        let template = search.template(&image(&before), from, 60.0).unwrap();
        search
            .find(&image(&after), &template, from, 60.0, reach)
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
            let found = found((160.0, 160.0), to, 1.0, Reach::Near);
            let error = (found.centre.0 - to.0).hypot(found.centre.1 - to.1);
            assert!(error < 0.8, "{to:?}: {found:?}");
            assert!(found.similarity > 0.9, "{found:?}");
        }
    }

    #[test]
    fn other_light_is_no_shift() {
        let found = found((160.0, 160.0), (170.0, 155.0), 0.6, Reach::Near);
        assert!((found.centre.0 - 170.0).hypot(found.centre.1 - 155.0) < 0.8);
        assert!(found.similarity > 0.9);
    }

    #[test]
    fn after_a_while_it_is_found_farther_away() {
        let to = (230.0, 110.0);
        let found = found((160.0, 160.0), to, 1.0, Reach::Far);
        assert!(
            (found.centre.0 - to.0).hypot(found.centre.1 - to.1) < 1.5,
            "{found:?}"
        );
    }

    #[test]
    fn a_face_at_the_border_is_searched_with_what_is_there() {
        let found = found((8.0, 160.0), (20.0, 160.0), 1.0, Reach::Near);
        assert!((found.centre.0 - 20.0).abs() < 3.0, "{found:?}");
    }

    #[test]
    fn nothing_is_found_where_the_picture_is_flat() {
        let before = picture((160.0, 160.0), 1.0);
        let flat = vec![90; WIDTH * WIDTH];
        let image = |pixels| GreyImage::new(pixels, WIDTH, WIDTH, WIDTH).unwrap();
        let mut search = Search::default();
        let template = search
            .template(&image(&before), (160.0, 160.0), 60.0)
            .unwrap();
        let found = search.find(&image(&flat), &template, (160.0, 160.0), 60.0, Reach::Near);
        assert_eq!(found, None);
        assert!(
            search
                .template(&image(&flat), (160.0, 160.0), 60.0)
                .is_none()
        );
    }
}
