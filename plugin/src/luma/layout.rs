//! Where the luma of a pixel stands in a frame.

use gst_video::{VideoFormatFlags, VideoFormatInfo};

use emotion_models::preprocess::luma;

/// How the luma of a row is read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Layout {
    /// A byte of luma in every `step` bytes of a plane, `offset` bytes from the first one.
    Bytes { step: usize, offset: usize },
    /// A word of two bytes in every `step` bytes, `offset` bytes from the first one. The upper eight bits of the luma begin
    /// at bit `shift` of the word.
    Words {
        step: usize,
        offset: usize,
        shift: u32,
        is_big_endian: bool,
    },
    /// Red, green and blue in `step` bytes.
    Rgb {
        step: usize,
        red: usize,
        green: usize,
        blue: usize,
    },
    /// GStreamer unpacks rows to pixels of `step` bytes, of which each component takes a fourth.
    Unpacked { step: usize, is_rgb: bool },
}

impl Layout {
    /// The layout of a format; none if its luma cannot be read.
    pub(super) fn of(format: &VideoFormatInfo) -> Option<Self> {
        let flags = format.flags();
        if flags.intersects(VideoFormatFlags::PALETTE | VideoFormatFlags::TILED) {
            return None;
        }
        let step = usize::try_from(format.pixel_stride()[0]).ok()?;
        let offsets = format.poffset();
        let depth = format.depth()[0];
        let has_luma = format.is_yuv() || format.is_gray();
        let is_plain = !flags.contains(VideoFormatFlags::COMPLEX) && step > 0 && {
            // Components that begin at the same byte share words.
            let in_first_plane: Vec<u32> = (0..format.n_components() as usize)
                .filter(|&component| format.plane()[component] == 0)
                .map(|component| offsets[component])
                .collect();
            let first = in_first_plane.first();
            in_first_plane
                .iter()
                .filter(|offset| Some(*offset) == first)
                .count()
                == 1
        };
        let is_little_endian = flags.contains(VideoFormatFlags::LE);
        let is_big_endian = !is_little_endian && format.name().ends_with("BE");
        if is_plain && has_luma && format.plane()[0] == 0 {
            let offset = offsets[0] as usize;
            match depth {
                8 => return Some(Self::Bytes { step, offset }),
                // Words of a format that names no order are the machine's own, or not: GStreamer knows.
                9..=16 if is_little_endian || is_big_endian => {
                    return Some(Self::Words {
                        step,
                        offset,
                        shift: format.shift()[0] + depth - 8,
                        is_big_endian,
                    });
                }
                _ => {}
            }
        }
        let are_bytes = format.depth()[..3.min(format.n_components() as usize)]
            .iter()
            .all(|depth| *depth == 8);
        if is_plain && format.is_rgb() && format.n_planes() == 1 && are_bytes {
            let [red, green, blue] = [0, 1, 2].map(|component| offsets[component] as usize);
            return Some(Self::Rgb {
                step,
                red,
                green,
                blue,
            });
        }
        // The bindings check the planes of a subsampled format as if they had all rows.
        let is_subsampled = format.n_planes() > 1 && format.h_sub().iter().any(|shift| *shift > 0);
        let unpacked = VideoFormatInfo::from_format(format.unpack_format());
        let step = usize::try_from(unpacked.pixel_stride()[0]).ok()?;
        (!is_subsampled && step > 0).then(|| Self::Unpacked {
            step,
            is_rgb: unpacked.is_rgb(),
        })
    }

    /// Whether a row of luma is as it is needed, byte by byte.
    pub(super) fn is_luma_plane(self) -> bool {
        matches!(self, Self::Bytes { step: 1, .. })
    }

    /// Bytes of a pixel in the row that is read.
    pub(super) fn bytes_per_pixel(self) -> usize {
        match self {
            Self::Bytes { step, .. }
            | Self::Words { step, .. }
            | Self::Rgb { step, .. }
            | Self::Unpacked { step, .. } => step,
        }
    }

    /// Converts whole pixels to the upper eight bits of their luma.
    pub(super) fn convert_row(self, row: &[u8], grey: &mut [u8]) {
        let pixels = grey
            .iter_mut()
            .zip(row.chunks_exact(self.bytes_per_pixel()));
        match self {
            Self::Bytes { offset, .. } => pixels.for_each(|(grey, pixel)| *grey = pixel[offset]),
            Self::Words {
                offset,
                shift,
                is_big_endian,
                ..
            } => pixels.for_each(|(grey, pixel)| {
                let bytes = [pixel[offset], pixel[offset + 1]];
                let word = if is_big_endian {
                    u16::from_be_bytes(bytes)
                } else {
                    u16::from_le_bytes(bytes)
                };
                *grey = (word >> shift) as u8;
            }),
            Self::Rgb {
                red, green, blue, ..
            } => {
                pixels.for_each(|(grey, pixel)| *grey = luma(pixel[red], pixel[green], pixel[blue]))
            }
            // The first component is the opacity; each is a byte or a native word.
            Self::Unpacked { step, is_rgb } => {
                let upper = |pixel: &[u8], component: usize| match step {
                    4 => pixel[component],
                    _ => {
                        let bytes = [pixel[2 * component], pixel[2 * component + 1]];
                        (u16::from_ne_bytes(bytes) >> 8) as u8
                    }
                };
                pixels.for_each(|(grey, pixel)| {
                    *grey = if is_rgb {
                        luma(upper(pixel, 1), upper(pixel, 2), upper(pixel, 3))
                    } else {
                        upper(pixel, 1)
                    };
                });
            }
        }
    }
}
