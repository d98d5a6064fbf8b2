//! The time of each frame as the container has it.
//!
//! Decoders change time stamps: they repeat the last one where the next one is earlier, and cut those at the edges of a
//! segment. So the time of the container travels through the decoder with the frame, in a `GstReferenceTimestampMeta`.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use gst::prelude::*;

use crate::tag::time_line::{DemuxerTime, TimeLine, demuxer, segment_of};

/// Frames that a decoder can hold back; more than that were lost in it.
const MOST_PENDING: usize = 64;
/// Added to a time, which may be negative.
const BIAS: u64 = 1 << 62;

/// The times of the frames of a file in the decoder.
pub(super) struct DemuxedTimes {
    line: TimeLine,
    /// What the times are about, in the meta of each frame.
    reference: gst::Caps,
    decoding_order: Mutex<DecodingOrder>,
}

/// The times of frames whose container stores only when they are decoded; they are shown at these times in another order.
#[derive(Default)]
struct DecodingOrder {
    pending: BTreeSet<DemuxerTime>,
    has_times_of_showing: bool,
}

/// The time of a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct DemuxedTime {
    pub(super) time: DemuxerTime,
    /// False for a frame that an edit list leaves out.
    pub(super) is_shown: bool,
}

impl DemuxedTimes {
    /// Notes the times of the frames in `pipeline`: where they leave a demuxer, and for streams that may have several frames
    /// in a packet where they reach the decoder.
    pub(super) fn watch(pipeline: &gst::Pipeline, line: TimeLine) -> Arc<Self> {
        let times = Arc::new(Self {
            line,
            reference: gst::Caps::new_empty_simple("timestamp/x-emotion-tag"),
            decoding_order: Mutex::default(),
        });
        let noted = times.clone();
        pipeline.connect_deep_element_added(move |_, _, element| {
            let class = element.metadata(gst::ELEMENT_METADATA_KLASS);
            let class = class.unwrap_or_default();
            let is_decoder = class.contains("Decoder") && !class.contains("Audio");
            let noted = noted.clone();
            if line.has_packets && is_decoder {
                element
                    .static_pad("sink")
                    .iter()
                    .for_each(|pad| noted.note(pad));
            } else if !line.has_packets && demuxer(element).is_some() {
                element.connect_pad_added(move |_, pad| noted.note(pad));
            }
        });
        times
    }

    fn note(self: &Arc<Self>, pad: &gst::Pad) {
        let times = self.clone();
        pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            let Some(buffer) = info.buffer_mut() else {
                return gst::PadProbeReturn::Ok;
            };
            let Some(pts) = buffer.pts() else {
                return gst::PadProbeReturn::Ok;
            };
            let (time, is_shown) = times.line.demuxer_time(segment_of(pad).as_ref(), pts);
            if times.line.is_in_decoding_order {
                let mut order = times
                    .decoding_order
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                order.add(time, buffer.dts().is_none_or(|dts| dts == pts));
            }
            let stored = gst::ClockTime::from_nseconds(BIAS.wrapping_add_signed(time));
            let left_out = (!is_shown).then_some(gst::ClockTime::ZERO);
            gst::ReferenceTimestampMeta::add(buffer.make_mut(), &times.reference, stored, left_out);
            gst::PadProbeReturn::Ok
        });
    }

    /// The time of a decoded frame; `None` if its container gives it none.
    pub(super) fn of(&self, buffer: &gst::BufferRef) -> Option<DemuxedTime> {
        let mut metas = buffer.iter_meta::<gst::ReferenceTimestampMeta>();
        let meta = metas.find(|meta| *meta.reference() == *self.reference)?;
        let time = meta.timestamp().nseconds().wrapping_sub(BIAS).cast_signed();
        let mut order = self
            .decoding_order
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Some(DemuxedTime {
            time: order.take().unwrap_or(time),
            is_shown: meta.duration().is_none(),
        })
    }
}

impl DecodingOrder {
    fn add(&mut self, time: DemuxerTime, is_decoding_time: bool) {
        self.has_times_of_showing |= !is_decoding_time;
        if self.has_times_of_showing {
            self.pending.clear();
        } else {
            self.pending.insert(time);
            if self.pending.len() > MOST_PENDING {
                self.pending.pop_first();
            }
        }
    }

    /// The time at which the next frame is shown.
    fn take(&mut self) -> Option<DemuxerTime> {
        self.pending.pop_first()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_with_times_of_decoding_are_shown_in_the_order_of_time() {
        let mut order = DecodingOrder::default();
        assert_eq!(order.take(), None);
        for time in [0, 40, 80] {
            order.add(time, true);
        }
        assert_eq!(
            [(); 4].map(|()| order.take()),
            [Some(0), Some(40), Some(80), None]
        );
        order.add(120, true);
        order.add(280, false);
        order.add(160, true);
        assert_eq!(order.take(), None);
    }
}
