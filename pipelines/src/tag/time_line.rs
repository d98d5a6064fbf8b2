//! The times that a player shows: positions from the first frame or sound of the file on.
//!
//! Containers begin at any time, and the time line of a demuxer in GStreamer begins at another one: that of the clock in
//! the stream (MPEG), of the first edit (MP4), of the first frame that was read. mpv and ffprobe (`start_time`) count from
//! the earliest first time of a track of pictures or sound, and so does this program.

use gst::prelude::*;

/// A position on the time line of a demuxer in nanoseconds; negative before its zero.
pub(super) type DemuxerTime = i64;

/// Maps the times of buffers to the times of a player.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TimeLine {
    /// The first time in the file.
    pub(super) start: DemuxerTime,
    /// Whether the times of buffers are those of the container as they are.
    pub(super) is_raw: bool,
    /// Whether what lies before the start of the segment is not shown.
    pub(super) has_edits: bool,
    /// Whether a packet of the container need not be a frame.
    pub(super) has_packets: bool,
    /// Whether the container may have only the times of decoding.
    pub(super) is_in_decoding_order: bool,
}

impl TimeLine {
    /// The time line of a demuxer, from its zero on.
    pub(super) fn of_demuxer(factory: &str) -> Self {
        Self {
            start: 0,
            // Its first segment begins with the first frame that was read, and the next one with zero.
            is_raw: factory == "matroskademux",
            has_edits: factory == "qtdemux",
            has_packets: ["tsdemux", "mpegpsdemux"].contains(&factory),
            is_in_decoding_order: factory == "mxfdemux",
        }
    }

    /// The time on the demuxer's time line of a buffer with this time stamp, and whether it is shown.
    pub(super) fn demuxer_time(
        &self,
        segment: Option<&gst::Segment>,
        pts: gst::ClockTime,
    ) -> (DemuxerTime, bool) {
        let pts = signed(pts);
        let segment = segment.and_then(|segment| segment.downcast_ref::<gst::ClockTime>());
        let (Some(segment), false) = (segment, self.is_raw) else {
            return (pts, true);
        };
        let start = segment.start().map_or(0, signed);
        let time = segment.time().map_or(0, signed) + pts - start;
        let stop = segment.stop().filter(|_| self.has_edits);
        let is_shown =
            !self.has_edits || pts >= start && stop.is_none_or(|stop| pts < signed(stop));
        (time, is_shown)
    }

    /// The time that a player shows for this time of the demuxer; 0 before the start.
    pub(super) fn player_time(&self, time: DemuxerTime) -> gst::ClockTime {
        let since_start = time.saturating_sub(self.start);
        gst::ClockTime::from_nseconds(since_start.max(0).unsigned_abs())
    }
}

pub(super) fn signed(time: gst::ClockTime) -> DemuxerTime {
    DemuxerTime::try_from(time.nseconds()).unwrap_or(DemuxerTime::MAX)
}

/// The segment of a pad in which its next buffer lies.
pub(super) fn segment_of(pad: &gst::Pad) -> Option<gst::Segment> {
    let event = pad.sticky_event::<gst::event::Segment>(0)?;
    Some(event.segment().to_owned())
}

/// A segment in which time stamps are the times of the file.
pub(super) fn plain_segment(seqnum: gst::Seqnum) -> gst::Event {
    let segment = gst::FormattedSegment::<gst::ClockTime>::new();
    gst::event::Segment::builder(&segment)
        .seqnum(seqnum)
        .build()
}

/// What a probe returns for data that passes or is left out.
pub(super) fn probe_return(passes: bool) -> gst::PadProbeReturn {
    if passes {
        gst::PadProbeReturn::Ok
    } else {
        // With Drop, GStreamer 1.22 would warn about data that the probe has taken.
        gst::PadProbeReturn::Handled
    }
}

/// The name of the factory of `element` if it splits a container into its tracks.
pub(super) fn demuxer(element: &gst::Element) -> Option<String> {
    let class = element.metadata(gst::ELEMENT_METADATA_KLASS)?;
    // Such as those of ID3 tags, which pass on everything else as it is.
    let is_demuxer = class.contains("Demux") && !class.contains("Metadata");
    let factory = element.factory().filter(|_| is_demuxer)?;
    Some(factory.name().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(start_ms: u64, stop_ms: Option<u64>, time_ms: u64) -> gst::Segment {
        let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
        segment.set_start(gst::ClockTime::from_mseconds(start_ms));
        segment.set_stop(stop_ms.map(gst::ClockTime::from_mseconds));
        segment.set_time(gst::ClockTime::from_mseconds(time_ms));
        segment.upcast()
    }

    #[test]
    fn what_lies_before_the_segment_has_a_time_too() {
        gst::init().unwrap();
        let segment = segment(780, None, 780);
        let line = TimeLine::of_demuxer("tsdemux");
        let at = |ms| line.demuxer_time(Some(&segment), gst::ClockTime::from_mseconds(ms));
        assert_eq!(at(756), (756_000_000, true));
        let line = TimeLine {
            start: 756_000_000,
            ..line
        };
        let shown = line.player_time(at(780).0);
        assert_eq!(shown, gst::ClockTime::from_mseconds(24));
        assert_eq!(line.player_time(0), gst::ClockTime::ZERO);
    }

    #[test]
    fn only_an_edit_list_leaves_something_out() {
        gst::init().unwrap();
        let segment = segment(3380, Some(8080), 100);
        for (demuxer, ms, expected) in [
            ("qtdemux", 3360, (80_000_000, false)),
            ("qtdemux", 3400, (120_000_000, true)),
            ("qtdemux", 8080, (4_800_000_000, false)),
            ("mxfdemux", 3360, (80_000_000, true)),
            ("matroskademux", 3360, (3_360_000_000, true)),
        ] {
            let line = TimeLine::of_demuxer(demuxer);
            let found = line.demuxer_time(Some(&segment), gst::ClockTime::from_mseconds(ms));
            assert_eq!(found, expected, "{demuxer} {ms}");
        }
    }
}
