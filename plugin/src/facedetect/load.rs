//! Loads the detector.

use std::num::NonZeroUsize;
use std::path::Path;
use std::thread::available_parallelism;

use emotion_detect::{Detector, Error, NetworkDetector};
use emotion_models::Weights;

use super::settings::{DetectorKind, Settings};

/// The detector that the settings ask for.
///
/// # Errors
///
/// If it cannot be loaded; the message says how to get it.
pub(super) fn load(settings: &Settings) -> Result<Detector, gst::ErrorMessage> {
    match settings.detector {
        DetectorKind::Network => network(settings),
        DetectorKind::Cascade => cascade(settings),
    }
}

fn network(settings: &Settings) -> Result<Detector, gst::ErrorMessage> {
    let weights = match &settings.model_location {
        Some(file) => Weights::load(Path::new(file)),
        None => Weights::detector(),
    };
    let network = weights
        .map_err(Error::from)
        .and_then(|weights| {
            let precision = settings.precision.of(&weights);
            NetworkDetector::with_precision(&weights, precision)
        })
        .map_err(|error| gst::error_msg!(gst::ResourceError::Settings, ("{error}")))?;
    let threads = match settings.threads {
        0 => available_parallelism().map_or(1, NonZeroUsize::get),
        threads => threads as usize,
    };
    Ok(network.with_threads(threads).into())
}

#[cfg(feature = "cascade")]
fn cascade(settings: &Settings) -> Result<Detector, gst::ErrorMessage> {
    let file = settings.cascade_file.as_deref().map(Path::new);
    let cascade = emotion_detect::Cascade::load(file).map_err(|error| match error {
        Error::Unreadable { .. } => gst::error_msg!(gst::ResourceError::OpenRead, ("{error}")),
        Error::NotACascade { .. } => gst::error_msg!(gst::ResourceError::Settings, ("{error}")),
        Error::NotInstalled { .. } => gst::error_msg!(
            gst::ResourceError::NotFound,
            ("{error} or set the property cascade-file")
        ),
        error => gst::error_msg!(gst::ResourceError::NotFound, ("{error}")),
    })?;
    if settings.threads > 0 {
        emotion_detect::set_threads(settings.threads)
            .map_err(|error| gst::error_msg!(gst::LibraryError::Settings, ("{error}")))?;
    }
    Ok(cascade.into())
}

#[cfg(not(feature = "cascade"))]
fn cascade(_settings: &Settings) -> Result<Detector, gst::ErrorMessage> {
    Err(gst::error_msg!(
        gst::ResourceError::Settings,
        ("this build has no cascades: build the plugin with its feature cascade (cargo build -p gst-plugin-emotion \
             --features cascade; needs OpenCV and clang), or set detector=network")
    ))
}
