use std::sync::{LazyLock, Mutex, PoisonError};

use gst::glib;
use gst::subclass::prelude::*;
use gst_base::subclass::prelude::*;
use gst_video::prelude::*;
use gst_video::subclass::prelude::*;
use gst_video::{VideoFormat, VideoFormatFlags, VideoFormatInfo, VideoFrameRef, VideoInfo};

use super::hdr_transfer;
use super::tone_curve::ToneCurve;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        super::NAME,
        gst::DebugColorFlags::empty(),
        Some("HDR to SDR"),
    )
});

/// The colorimetries of HDR video, and that of the SDR video made from it.
const HDR: [&str; 2] = ["bt2100-pq", "bt2100-hlg"];
const SDR: &str = "bt709";
/// Fields that only HDR video has.
const HDR_FIELDS: [&str; 2] = ["mastering-display-info", "content-light-level"];

#[derive(Default)]
pub struct SdrConvert {
    curve: Mutex<Option<ToneCurve>>,
}

#[glib::object_subclass]
impl ObjectSubclass for SdrConvert {
    const NAME: &'static str = "GstEmotionSdrConvert";
    type Type = super::SdrConvert;
    type ParentType = gst_video::VideoFilter;
}

impl ObjectImpl for SdrConvert {}
impl GstObjectImpl for SdrConvert {}

impl ElementImpl for SdrConvert {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "HDR to SDR converter",
                "Filter/Converter/Video",
                "Converts PQ and HLG video to SDR, passes on all other video",
                env!("CARGO_PKG_REPOSITORY"),
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let any = gst_video::VideoCapsBuilder::new().build();
            [
                ("sink", gst::PadDirection::Sink),
                ("src", gst::PadDirection::Src),
            ]
            .into_iter()
            .filter_map(|(name, direction)| {
                gst::PadTemplate::new(name, direction, gst::PadPresence::Always, &any).ok()
            })
            .collect()
        });
        &TEMPLATES
    }
}

impl BaseTransformImpl for SdrConvert {
    const MODE: gst_base::subclass::BaseTransformMode =
        gst_base::subclass::BaseTransformMode::NeverInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = true;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn transform_caps(
        &self,
        direction: gst::PadDirection,
        caps: &gst::Caps,
        filter: Option<&gst::Caps>,
    ) -> Option<gst::Caps> {
        let mut other = gst::Caps::new_empty();
        {
            let other = other.make_mut();
            for structure in caps.iter() {
                match direction {
                    gst::PadDirection::Sink => other.append_structure(to_sdr(structure)),
                    _ => {
                        other.append_structure(structure.to_owned());
                        to_hdr(structure)
                            .into_iter()
                            .for_each(|hdr| other.append_structure(hdr));
                    }
                }
            }
        }
        match filter {
            Some(filter) => Some(filter.intersect_with_mode(&other, gst::CapsIntersectMode::First)),
            None => Some(other),
        }
    }
}

impl VideoFilterImpl for SdrConvert {
    fn set_info(
        &self,
        incaps: &gst::Caps,
        in_info: &VideoInfo,
        outcaps: &gst::Caps,
        _out_info: &VideoInfo,
    ) -> Result<(), gst::LoggableError> {
        let transfer = hdr_transfer(in_info).filter(|_| incaps != outcaps);
        gst::debug!(CAT, imp = self, "{incaps} to {outcaps}");
        *self.curve.lock().unwrap_or_else(PoisonError::into_inner) = transfer.map(ToneCurve::new);
        Ok(())
    }

    fn transform_frame(
        &self,
        from: &VideoFrameRef<&gst::BufferRef>,
        to: &mut VideoFrameRef<&mut gst::BufferRef>,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        let curve = self.curve.lock().unwrap_or_else(PoisonError::into_inner);
        let curve = curve.as_ref().ok_or(gst::FlowError::NotNegotiated)?;
        convert(curve, from, to).map_err(|error| {
            gst::element_imp_error!(self, gst::StreamError::Format, ("{error}"));
            gst::FlowError::Error
        })?;
        Ok(gst::FlowSuccess::Ok)
    }
}

/// Whether frames of this format can be converted: YUV of ten bits or more, as decoders of HDR video put it out.
pub(super) fn is_convertible(format: VideoFormat) -> bool {
    let info = VideoFormatInfo::from_format(format);
    let flags = info.flags();
    info.is_yuv()
        && info.depth()[0] >= 10
        && flags.contains(VideoFormatFlags::LE)
        && !flags.contains(VideoFormatFlags::COMPLEX)
}

fn is_hdr(structure: &gst::StructureRef) -> bool {
    let text = |field| structure.get::<&str>(field);
    text("colorimetry").is_ok_and(|colorimetry| HDR.contains(&colorimetry))
        && text("format").is_ok_and(|format| is_convertible(VideoFormat::from_string(format)))
}

/// The caps behind the element for caps in front of it.
fn to_sdr(structure: &gst::StructureRef) -> gst::Structure {
    let mut structure = structure.to_owned();
    if is_hdr(&structure) {
        structure.set("format", VideoFormat::I420.to_str());
        structure.set("colorimetry", SDR);
        structure.remove_fields(HDR_FIELDS);
    }
    structure
}

/// The HDR caps in front of the element for SDR caps behind it.
fn to_hdr(structure: &gst::StructureRef) -> Option<gst::Structure> {
    let mut structure = structure.to_owned();
    let mut sdr = gst::Caps::builder("video/x-raw");
    sdr = sdr
        .field("format", VideoFormat::I420.to_str())
        .field("colorimetry", SDR);
    if !gst::Caps::from(structure.clone()).can_intersect(&sdr.build()) {
        return None;
    }
    let formats = VideoFormat::iter_raw().filter(|format| is_convertible(*format));
    structure.set("format", gst::List::new(formats.map(VideoFormat::to_str)));
    structure.set("colorimetry", gst::List::new(HDR));
    Some(structure)
}

/// The samples of one component of a frame, brought to ten bits.
struct Component<'a> {
    data: &'a [u8],
    stride: usize,
    pixel_stride: usize,
    shift: u32,
    excess: u32,
    subsampling: (u32, u32),
}

impl<'a> Component<'a> {
    fn new(
        frame: &'a VideoFrameRef<&gst::BufferRef>,
        component: u32,
    ) -> Result<Self, glib::BoolError> {
        let (format, index) = (frame.format_info(), component as usize);
        Ok(Self {
            data: frame.comp_data(component)?,
            stride: frame.comp_stride(component) as usize,
            pixel_stride: frame.comp_pstride(component) as usize,
            shift: format.shift()[index],
            excess: format.depth()[index].saturating_sub(10),
            subsampling: (format.w_sub()[index], format.h_sub()[index]),
        })
    }

    /// The sample at a position of the picture.
    fn at(&self, x: usize, y: usize) -> u16 {
        let (column, row) = (x >> self.subsampling.0, y >> self.subsampling.1);
        let start = row * self.stride + column * self.pixel_stride;
        match self.data.get(start..start + 2) {
            Some(&[low, high]) => u16::from_le_bytes([low, high]) >> self.shift >> self.excess,
            _ => 0,
        }
    }
}

/// Converts a frame to I420.
fn convert(
    curve: &ToneCurve,
    from: &VideoFrameRef<&gst::BufferRef>,
    to: &mut VideoFrameRef<&mut gst::BufferRef>,
) -> Result<(), glib::BoolError> {
    let luma = Component::new(from, 0)?;
    for plane in 0..3 {
        let source = Component::new(from, plane)?;
        let (width, height) = (to.comp_width(plane), to.comp_height(plane));
        let stride = to.plane_stride()[plane as usize] as usize;
        let rows = to.plane_data_mut(plane)?.chunks_mut(stride);
        for (y, row) in rows.enumerate().take(height as usize) {
            for (x, level) in row[..width as usize].iter_mut().enumerate() {
                *level = match plane {
                    0 => curve.luma(source.at(x, y)),
                    _ => curve.chroma(source.at(2 * x, 2 * y), luma.at(2 * x, 2 * y)),
                };
            }
        }
    }
    Ok(())
}
