//! Draws the frames of the built-in clip.

use std::ops::Range;

use anyhow::ensure;
use emotion_models::preprocess::Region;
use image::RgbImage;

use super::{FRAMES_PER_SECOND, HEIGHT, PHOTO, Pose, WIDTH, poses};

/// `tests/media/README.md` names its source.
const PORTRAIT: &[u8] = include_bytes!("../../../tests/media/astronaut.png");
/// Width and height of the portrait in pixels.
const PORTRAIT_SIDE: u32 = 512;
/// Width of the white border around the photo, in pixels of the portrait.
const BORDER: f32 = 6.0;

/// The built-in clip, ready to be rendered.
pub struct Clip {
    portrait: RgbImage,
}

impl Clip {
    /// Decodes the portrait, which is compiled in.
    ///
    /// # Errors
    ///
    /// If the portrait is not an image of 512×512 pixels.
    pub fn new() -> anyhow::Result<Self> {
        let portrait = image::load_from_memory(PORTRAIT)?.into_rgb8();
        let (width, height) = portrait.dimensions();
        ensure!(
            (width, height) == (PORTRAIT_SIDE, PORTRAIT_SIDE),
            "the portrait is {width}×{height}, expected {PORTRAIT_SIDE}×{PORTRAIT_SIDE}"
        );
        Ok(Self { portrait })
    }

    /// Makes `source` produce the frames with these numbers, each with its timestamp in the whole clip, and then end.
    pub fn feed(
        self,
        source: &gst_app::AppSrc,
        frames: impl IntoIterator<Item = usize, IntoIter: Send + 'static>,
    ) {
        source.set_format(gst::Format::Time);
        source.set_caps(Some(
            &gst_video::VideoCapsBuilder::new()
                .format(gst_video::VideoFormat::Rgb)
                .width(WIDTH as i32)
                .height(HEIGHT as i32)
                .framerate(gst::Fraction::new(FRAMES_PER_SECOND as i32, 1))
                .build(),
        ));
        let mut frames = frames.into_iter();
        let push = move |source: &gst_app::AppSrc, _| {
            // An error means that the pipeline fails or stops, which its own messages explain.
            let _ = match frames.next() {
                Some(frame) => source.push_buffer(self.buffer(frame)),
                None => source.end_of_stream(),
            };
        };
        source.set_callbacks(gst_app::AppSrcCallbacks::builder().need_data(push).build());
    }

    fn buffer(&self, frame: usize) -> gst::Buffer {
        let time = |frame: usize| gst::ClockTime::SECOND * frame as u64 / FRAMES_PER_SECOND as u64;
        let mut buffer = gst::Buffer::from_mut_slice(self.render(frame));
        if let Some(buffer) = buffer.get_mut() {
            buffer.set_pts(time(frame));
            buffer.set_duration(time(frame + 1) - time(frame));
        }
        buffer
    }

    /// Draws frame number `frame` as packed RGB, [`WIDTH`] × [`HEIGHT`] × 3 bytes.
    pub fn render(&self, frame: usize) -> Vec<u8> {
        let mut canvas = vec![0; WIDTH * HEIGHT * 3];
        for (y, row) in canvas.chunks_exact_mut(WIDTH * 3).enumerate() {
            for (x, pixel) in row.as_chunks_mut::<3>().0.iter_mut().enumerate() {
                *pixel = background(x, y);
            }
        }
        for pose in poses(frame) {
            self.draw(&pose, &mut canvas);
        }
        canvas
    }

    fn draw(&self, pose: &Pose, canvas: &mut [u8]) {
        let bordered = Region {
            x: PHOTO.x - BORDER,
            y: PHOTO.y - BORDER,
            width: PHOTO.width + 2.0 * BORDER,
            height: PHOTO.height + 2.0 * BORDER,
        };
        let placed = pose.place(bordered);
        let columns = pixels_under(placed.x, placed.width, WIDTH);
        for y in pixels_under(placed.y, placed.height, HEIGHT) {
            for x in columns.clone() {
                let at = (y * WIDTH + x) * 3;
                let behind = [canvas[at], canvas[at + 1], canvas[at + 2]];
                canvas[at..at + 3].copy_from_slice(&self.blend(pose, &placed, x, y, behind));
            }
        }
    }

    /// The mean of four samples in one pixel, for smooth edges and no aliasing in a scaled-down photo.
    fn blend(&self, pose: &Pose, placed: &Region, x: usize, y: usize, behind: [u8; 3]) -> [u8; 3] {
        let mut sum = [0.0; 3];
        for (dx, dy) in [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)] {
            let u = (x as f32 + dx - placed.x) / placed.width;
            let v = (y as f32 + dy - placed.y) / placed.height;
            let inside = (0.0..1.0).contains(&u) && (0.0..1.0).contains(&v);
            let sample = if inside {
                let u = if pose.mirrored { 1.0 - u } else { u };
                let side = PHOTO.width + 2.0 * BORDER;
                self.photo(PHOTO.x - BORDER + u * side, PHOTO.y - BORDER + v * side)
            } else {
                behind.map(f32::from)
            };
            for (sum, value) in sum.iter_mut().zip(sample) {
                *sum += value;
            }
        }
        sum.map(|sum| (sum / 4.0).round() as u8)
    }

    /// The photo with its border at a point of the portrait, interpolated bilinearly.
    fn photo(&self, x: f32, y: f32) -> [f32; 3] {
        let in_photo = (PHOTO.x..PHOTO.x + PHOTO.width).contains(&x)
            && (PHOTO.y..PHOTO.y + PHOTO.height).contains(&y);
        if !in_photo {
            return [245.0; 3];
        }
        let (x, y) = ((x - 0.5).max(0.0), (y - 0.5).max(0.0));
        let (left, top) = (x as u32, y as u32);
        let (fraction_x, fraction_y) = (x.fract(), y.fract());
        let last = PORTRAIT_SIDE - 1;
        let pixel = |x: u32, y: u32, channel: usize| {
            f32::from(self.portrait.get_pixel(x.min(last), y.min(last)).0[channel])
        };
        std::array::from_fn(|channel| {
            let row = |y: u32| {
                pixel(left, y, channel) * (1.0 - fraction_x)
                    + pixel(left + 1, y, channel) * fraction_x
            };
            row(top) * (1.0 - fraction_y) + row(top + 1) * fraction_y
        })
    }
}

/// A plain wall, darker towards the floor.
fn background(x: usize, y: usize) -> [u8; 3] {
    let shade = 40 * y / HEIGHT + 10 * x / WIDTH;
    [150, 160, 172].map(|channel: usize| (channel - shade) as u8)
}

/// The pixels within `0..limit` that a length from `start` overlaps.
fn pixels_under(start: f32, length: f32, limit: usize) -> Range<usize> {
    let end = (start + length).ceil().clamp(0.0, limit as f32) as usize;
    let start = start.floor().clamp(0.0, limit as f32) as usize;
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::{FACE, FRAMES, faces};

    #[test]
    fn the_face_is_drawn_where_its_box_says() {
        let clip = Clip::new().expect("the portrait is valid");
        // The frame must show the portrait's colours at the same points of the face.
        for frame in [60, 120, FRAMES - 1] {
            let picture = clip.render(frame);
            for (face, pose) in faces(frame).into_iter().zip(poses(frame)) {
                for across in [0.25_f32, 0.5, 0.75] {
                    let across_portrait = if pose.mirrored { 1.0 - across } else { across };
                    let (x, y) = (face.x + face.width * across, face.y + face.height * 0.6);
                    let shown = &picture[(y as usize * WIDTH + x as usize) * 3..][..3];
                    let expected = clip.photo(
                        FACE.x + FACE.width * across_portrait,
                        FACE.y + FACE.height * 0.6,
                    );
                    for (shown, expected) in shown.iter().zip(expected) {
                        assert!(
                            (f32::from(*shown) - expected).abs() < 24.0,
                            "frame {frame}: {shown} against {expected}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_frame_is_the_same_whenever_it_is_drawn() {
        let clip = || Clip::new().expect("the portrait is valid");
        let (one, other) = (clip(), clip());
        assert_eq!(one.render(133), other.render(133));
        assert_ne!(one.render(133), one.render(134));
    }
}
