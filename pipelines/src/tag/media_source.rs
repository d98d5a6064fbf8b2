//! Where the frames of a file come from: a decoder of GStreamer, the `image` crate, or a loader of gdk-pixbuf.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;

use super::image_file::{ImageFile, PictureFormat};

/// Brands of HEIF files (ISO/IEC 23008-12) with pictures in HEVC or AV1.
const HEIF_BRANDS: [&[u8; 4]; 9] = [
    b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif", b"avis",
];
/// The name of the element through which an [`ImageFile`] is fed.
pub(super) const IMAGE_SOURCE: &str = "image";

/// Where the frames of a file come from.
pub(super) enum MediaSource {
    /// Whatever `decodebin` finds.
    Stream,
    /// A picture or an animation.
    Image(ImageFile),
    /// A picture in HEIF.
    Heif,
}

impl MediaSource {
    /// Looks at the beginning of the file.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is a damaged picture.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let mut head = Vec::new();
        File::open(path)?.take(12).read_to_end(&mut head)?;
        let brand = head.get(8..).filter(|_| head.get(4..8) == Some(b"ftyp"));
        if brand.is_some_and(|brand| HEIF_BRANDS.iter().any(|known| brand == *known)) {
            return Ok(Self::Heif);
        }
        Ok(ImageFile::open(path)?.map_or(Self::Stream, Self::Image))
    }

    /// The format of an annotated copy if the file is a picture.
    pub(super) fn picture_format(&self) -> Option<PictureFormat> {
        match self {
            Self::Image(image) if !image.is_animated => Some(image.picture_format()),
            Self::Heif => Some(PictureFormat::Png),
            Self::Image(_) | Self::Stream => None,
        }
    }

    /// The elements of the source, up to the queue that they feed.
    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::Stream => "filesrc name=file ! decodebin name=decode",
            Self::Image(_) => "appsrc name=image format=time block=true max-buffers=2 !",
            // The loader looks at the content; the element insists on one of the formats that it knows.
            Self::Heif => "filesrc name=file ! image/png ! gdkpixbufdec !",
        }
    }

    /// Adds to an error of the source what the user can do.
    pub(super) fn explained(error: &anyhow::Error) -> String {
        format!(
            "no loader of gdk-pixbuf reads it ({error}); on Debian and Ubuntu heif-gdk-pixbuf has the one for HEIC, libavif-gdk-pixbuf the one for AVIF"
        )
    }
}

/// Pushes the frames of `image` into `source`, up to the first damaged one.
///
/// # Errors
///
/// If a frame is damaged.
pub(super) fn feed(image: &ImageFile, source: &gst_app::AppSrc) -> anyhow::Result<()> {
    let mut last_caps = None;
    for (number, frame) in image.frames()?.enumerate() {
        let damaged = || match image.is_animated {
            true => format!("frame {number} of it is damaged"),
            false => "the picture is damaged".into(),
        };
        let (buffer, info) = frame.with_context(damaged)?.into_raw_video()?;
        let caps = info.to_caps()?;
        if last_caps.as_ref() != Some(&caps) {
            source.set_caps(Some(&caps));
            last_caps = Some(caps);
        }
        // The pipeline has ended, and says why.
        if source.push_buffer(buffer).is_err() {
            return Ok(());
        }
    }
    // As above.
    let _ = source.end_of_stream();
    Ok(())
}
