use std::sync::{LazyLock, Mutex, PoisonError};

use gst::glib;
use gst::subclass::prelude::*;
use gst_base::subclass::prelude::*;
use gst_video::prelude::*;
use gst_video::subclass::prelude::*;
use gst_video::{VideoFormat, VideoFrameRef, VideoInfo};

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
            gst::error!(CAT, imp = self, "{error}");
            gst::FlowError::Error
        })?;
        Ok(gst::FlowSuccess::Ok)
    }
}

fn is_hdr(structure: &gst::StructureRef) -> bool {
    let is = |field, expected: &[&str]| {
        structure
            .get::<&str>(field)
            .is_ok_and(|found| expected.contains(&found))
    };
    is("colorimetry", &HDR) && is("format", &[VideoFormat::I42010le.to_str().as_str()])
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
    structure.set("format", VideoFormat::I42010le.to_str());
    structure.set("colorimetry", gst::List::new(HDR));
    Some(structure)
}

/// Converts a frame in I420 of ten bits to one in I420.
fn convert(
    curve: &ToneCurve,
    from: &VideoFrameRef<&gst::BufferRef>,
    to: &mut VideoFrameRef<&mut gst::BufferRef>,
) -> Result<(), glib::BoolError> {
    let sample = |row: &[u8], x: usize| match row.get(2 * x..2 * x + 2) {
        Some(&[low, high]) => u16::from_le_bytes([low, high]),
        _ => 0,
    };
    let luma = from.plane_data(0)?;
    let luma_stride = from.plane_stride()[0] as usize;
    for plane in 0..3 {
        let (width, height) = (from.comp_width(plane), from.comp_height(plane));
        let from_stride = from.plane_stride()[plane as usize] as usize;
        let to_stride = to.plane_stride()[plane as usize] as usize;
        let rows = from.plane_data(plane)?.chunks(from_stride);
        let to_rows = to.plane_data_mut(plane)?.chunks_mut(to_stride);
        for (y, (row, to_row)) in rows.zip(to_rows).enumerate().take(height as usize) {
            let to_row = &mut to_row[..width as usize];
            if plane == 0 {
                for (x, level) in to_row.iter_mut().enumerate() {
                    *level = curve.luma(sample(row, x));
                }
            } else {
                let luma = luma.get(2 * y * luma_stride..).unwrap_or_default();
                for (x, level) in to_row.iter_mut().enumerate() {
                    *level = curve.chroma(sample(row, x), sample(luma, 2 * x));
                }
            }
        }
    }
    Ok(())
}
