//! How well a face can be judged from its crop.

use super::grey::GreyRows;
use super::landmarks::Landmarks;
use super::region::Region;

/// Side of the face in the picture, in pixels: of the default weights' 64.5 % right on whole faces, faces reduced to 32
/// pixels keep 62 %, to 20 pixels 49 %, to 12 pixels 33 %.
const SIZE: [f32; 2] = [10.0, 32.0];

/// Share of the crop that lies in the picture: without the lowest tenth 64 %, the lowest fifth 53 %, three tenths 34 %.
/// (At the sides less is lost: 61 % without three tenths.)
const INSIDE: [f32; 2] = [0.6, 0.9];

/// Detail: 95 % of whole faces have more than 0.3; Gaussian blur by 0.7 pixels leaves 0.15 in the median and 63.5 %, by 1
/// pixel 0.06 and 58 %, by 1.5 pixels 0.023 and 43 %, by 2 pixels 0.011 and 33 %.
const DETAIL: [f32; 2] = [0.01, 0.1];

/// Likeness of left and right, the cue for a face that is turned away: on the clips that the project was measured with, it
/// falls with the turn that a landmark detector sees (rank correlation −0.81 over 98 faces), from 0.8 in the median of
/// frontal faces over 0 to −0.2. Of FER-2013's faces, 5 % are less alike than −0.13; of the tenth with the least
/// likeness 58 % are right, of the quarter with the most 69 %. Light from the side lowers it a little.
const SYMMETRY: [f32; 2] = [-0.4, 0.2];

/// Degrees by which a head is turned aside, as its landmarks tell.
const YAW: [f32; 2] = [70.0, 35.0];

/// Cells in a row and in a column when left and right are compared.
const CELLS: usize = 12;

/// How far the surroundings of a cell reach, in cells.
const SURROUNDINGS: usize = 2;

/// What spoils a crop, each from 0 (hopeless) to 1 (no harm).
///
/// The bounds come from every second face of FER-2013's PublicTest, spoilt on purpose: they are where the accuracy of the
/// default weights begins to fall and where little of it is left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// Pixels that the face has in the picture.
    pub size: f32,
    /// How much of the crop lies in the picture.
    pub inside: f32,
    /// Fine detail for the contrast there is.
    pub sharpness: f32,
    /// The face looks at the camera: by its landmarks, else by how alike left and right are.
    pub symmetry: f32,
    /// Mouth and eyes are in view, and the face is upright: the probability of both; 1 if the network does not tell.
    pub visible: f32,
}

impl Quality {
    /// A crop of a lower quality is a poor one.
    pub const POOR: f32 = 0.5;

    /// The quality of `crop`, the `size` × `size` values that a [`Preprocessor`](super::Preprocessor) made of `region` in
    /// `picture`.
    pub fn of(crop: &[f32], size: usize, picture: &impl GreyRows, region: Region) -> Self {
        let whole = Region::whole(picture);
        Self {
            size: grade(region.width.max(region.height), SIZE),
            inside: grade(region.share_in(&whole), INSIDE),
            sharpness: grade(detail(crop, size), DETAIL),
            symmetry: symmetry(crop, size).map_or(1.0, |value| grade(value, SYMMETRY)),
            visible: 1.0,
        }
    }

    /// The same of a face with these landmarks, which tell better than left and right whether it looks at the camera.
    #[must_use]
    pub fn with_landmarks(self, landmarks: Option<&Landmarks>) -> Self {
        let frontal = landmarks.map(|landmarks| grade(landmarks.yaw_degrees().abs(), YAW));
        Self {
            symmetry: frontal.unwrap_or(self.symmetry),
            ..self
        }
    }

    /// The same of a face whose expression can be seen with this probability, 0 to 1.
    #[must_use]
    pub fn with_visibility(self, visible: f32) -> Self {
        Self { visible, ..self }
    }

    /// The worst of size, share in the picture, sharpness and symmetry, since what is spoilt one way is not mended another;
    /// times the probability that the expression can be seen. That is the expected quality if a covered or turned face is worth
    /// nothing, however large and sharp it is.
    pub fn overall(&self) -> f32 {
        let worst = (self.size.min(self.inside))
            .min(self.sharpness)
            .min(self.symmetry);
        worst * self.visible
    }
}

/// 0 at the first bound, 1 at the second, evenly between.
fn grade(value: f32, [hopeless, harmless]: [f32; 2]) -> f32 {
    ((value - hopeless) / (harmless - hopeless)).clamp(0.0, 1.0)
}

/// Variance of the Laplacian (Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000) by that of
/// the crop: light and contrast alone do not change it. 0 for a crop of one colour.
fn detail(crop: &[f32], size: usize) -> f32 {
    if size < 3 {
        return 0.0;
    }
    let count = (size - 2).pow(2) as f32;
    let (mut sum, mut squares) = (0.0, 0.0);
    let rows: Vec<&[f32]> = crop.chunks_exact(size).collect();
    for rows in rows.windows(3) {
        let [above, row, below] = [rows[0], rows[1], rows[2]];
        let neighbours = row.windows(3).zip(&above[1..]).zip(&below[1..]);
        for ((row, above), below) in neighbours {
            let laplacian = above + below + row[0] + row[2] - 4.0 * row[1];
            sum += laplacian;
            squares += laplacian * laplacian;
        }
    }
    let of_laplacian = squares / count - (sum / count).powi(2);
    let mean = crop.iter().sum::<f32>() / crop.len() as f32;
    let of_crop = crop.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / crop.len() as f32;
    // Less contrast than one grey level of 255 is noise of the rounding.
    if of_crop < 1e-4 {
        return 0.0;
    }
    of_laplacian / of_crop
}

/// The correlation, -1 to 1, of the crop with its mirror image, both coarse and without their slow changes of light: cells
/// less the mean of their surroundings. None where there is nothing to compare.
fn symmetry(crop: &[f32], size: usize) -> Option<f32> {
    if size < CELLS {
        return None;
    }
    let mut cells = [[0.0; CELLS]; CELLS];
    let mut counts = [[0.0; CELLS]; CELLS];
    for (y, row) in crop.chunks_exact(size).enumerate() {
        for (x, value) in row.iter().enumerate() {
            let (row, column) = (y * CELLS / size, x * CELLS / size);
            cells[row][column] += value;
            counts[row][column] += 1.0;
        }
    }
    for (cell, count) in cells.iter_mut().flatten().zip(counts.iter().flatten()) {
        *cell /= count;
    }
    let near = |i: usize| i.saturating_sub(SURROUNDINGS)..(i + SURROUNDINGS + 1).min(CELLS);
    let detail: [[f32; CELLS]; CELLS] = std::array::from_fn(|row| {
        std::array::from_fn(|column| {
            let surroundings = cells[near(row)].iter().flat_map(|row| &row[near(column)]);
            let count = near(row).len() * near(column).len();
            cells[row][column] - surroundings.sum::<f32>() / count as f32
        })
    });
    let (mut alike, mut all) = (0.0, 0.0);
    for row in &detail {
        for (value, opposite) in row.iter().zip(row.iter().rev()) {
            alike += value * opposite;
            all += value * value;
        }
    }
    (all > 1e-6).then(|| alike / all)
}

#[cfg(test)]
mod tests;
