//! When and with what a file was recorded, as far as the file tells.

use gst_video::VideoTimeCodeMeta;
use serde::Serialize;

/// Date, camera and timecode of a recording.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Recording {
    /// Date and time of the recording, ISO 8601; without a time zone if the file does not tell it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recorded: Option<String>,
    /// Maker and model of the camera.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) camera: Option<String>,
    /// Timecode of the first frame, SMPTE 12M: `10:00:00:00`, before drop frames `10:00:00;00`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timecode: Option<String>,
    /// The transfer function of HDR video, `PQ` or `HLG`; it was converted to SDR.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hdr: Option<&'static str>,
}

impl Recording {
    /// Adds what the tags tell that is not known yet.
    pub(super) fn add_tags(&mut self, tags: &gst::TagListRef) {
        if self.recorded.is_none() {
            let date = tags.index::<gst::tags::DateTime>(0);
            self.recorded =
                date.and_then(|date| date.get().to_iso8601_string().ok().map(Into::into));
        }
        if self.camera.is_none() {
            let maker = tags.index::<gst::tags::DeviceManufacturer>(0);
            let model = tags.index::<gst::tags::DeviceModel>(0);
            self.camera = camera(
                maker.as_ref().map(|maker| maker.get()),
                model.as_ref().map(|model| model.get()),
            );
        }
    }

    /// Adds the timecode of the first frame.
    pub(super) fn add_first_frame(&mut self, buffer: &gst::BufferRef) {
        let meta = buffer.meta::<VideoTimeCodeMeta>();
        self.timecode = meta.map(|meta| meta.tc().to_string());
    }
}

/// The model with its maker in front, unless it begins with that.
pub(super) fn camera(maker: Option<&str>, model: Option<&str>) -> Option<String> {
    let present = |text: &&str| !text.is_empty();
    let maker = maker.map(str::trim).filter(present);
    let model = model.map(str::trim).filter(present);
    match (maker, model) {
        (Some(maker), Some(model)) if !model.starts_with(maker) => Some(format!("{maker} {model}")),
        (maker, model) => model.or(maker).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_tell_date_and_camera_and_the_first_of_each_stays() {
        gst::init().unwrap();
        let tags = |year, model: &str| {
            let mut tags = gst::TagList::new();
            let date =
                gst::DateTime::from_iso8601_string(&format!("{year}-05-06T07:08:09Z")).unwrap();
            let writable = tags.get_mut().unwrap();
            writable.add::<gst::tags::DateTime>(&date, gst::TagMergeMode::Append);
            writable.add::<gst::tags::DeviceModel>(&model, gst::TagMergeMode::Append);
            tags
        };
        let mut recording = Recording::default();
        recording.add_tags(&gst::TagList::new());
        assert_eq!(recording, Recording::default());
        recording.add_tags(&tags(2024, "EOS 5D"));
        recording.add_tags(&tags(1999, "another"));
        assert_eq!(recording.recorded.as_deref(), Some("2024-05-06T07:08:09Z"));
        assert_eq!(recording.camera.as_deref(), Some("EOS 5D"));
    }

    #[test]
    fn a_camera_has_the_name_of_its_maker_once() {
        assert_eq!(
            camera(Some("Canon"), Some("Canon EOS 5D")).as_deref(),
            Some("Canon EOS 5D")
        );
        assert_eq!(
            camera(Some("Apple "), Some("iPhone 15")).as_deref(),
            Some("Apple iPhone 15")
        );
        assert_eq!(camera(Some(""), Some("X100")).as_deref(), Some("X100"));
        assert_eq!(camera(None, None), None);
    }
}
