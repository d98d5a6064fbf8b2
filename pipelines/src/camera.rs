//! Finds a Video4Linux camera that this user may open.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use gst::prelude::*;

/// The cameras of this machine.
#[derive(Debug, Default)]
pub struct CameraProbe {
    /// The first camera that opens.
    pub usable: Option<PathBuf>,
    /// Devices that exist and that this user may not open.
    pub forbidden: Vec<PathBuf>,
}

/// Opens `/dev/video0`, `/dev/video1`, … in turn until one is a camera.
///
/// A camera often has several device files, and only one of them captures video.
pub fn probe() -> CameraProbe {
    let mut probe = CameraProbe::default();
    for device in devices(Path::new("/dev")) {
        match fs::File::open(&device) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                probe.forbidden.push(device)
            }
            Ok(_) if captures(&device) => {
                probe.usable = Some(device);
                break;
            }
            _ => {}
        }
    }
    probe
}

/// The files `video*` of a folder, by number.
fn devices(folder: &Path) -> Vec<PathBuf> {
    let number = |path: &Path| {
        let name = path.file_name()?.to_str()?;
        name.strip_prefix("video")?.parse::<u32>().ok()
    };
    let mut numbered: Vec<(u32, PathBuf)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((number(&entry.path())?, entry.path())))
        .collect();
    numbered.sort();
    numbered.into_iter().map(|(_, path)| path).collect()
}

/// Whether GStreamer can open the device for capturing.
fn captures(device: &Path) -> bool {
    let Ok(source) = gst::ElementFactory::make("v4l2src").build() else {
        return false;
    };
    source.set_property("device", device.to_string_lossy().as_ref());
    let opens = source.set_state(gst::State::Ready).is_ok();
    // Nothing can be done if even the way back to Null fails.
    let _ = source.set_state(gst::State::Null);
    opens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_come_in_the_order_of_their_numbers() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["video10", "video2", "video", "null", "video0"] {
            fs::write(folder.path().join(name), "").expect("it is writable");
        }
        let names: Vec<_> = devices(folder.path())
            .iter()
            .map(|path| path.file_name().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(names, ["video0", "video2", "video10"]);
    }

    #[test]
    fn an_ordinary_file_is_no_camera() {
        gst::init().expect("GStreamer starts");
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        assert!(!captures(file.path()));
    }
}
