//! Whether the program works: for probes, and for the service manager.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::stream::{ConnectionState, Stream};
use super::stream_list::StreamList;
use crate::runner::StopFlag;

/// A worker that takes longer for one frame hangs. The slowest machines need a second.
const LONGEST_FRAME: Duration = Duration::from_secs(60);

/// What the workers do.
#[derive(Debug, Default)]
pub(super) struct WorkerActivity(Mutex<Vec<(Arc<Stream>, Instant)>>);

/// A frame that is being analysed; dropping it is its end.
#[derive(Debug)]
pub(super) struct ActiveFrame<'a>(&'a WorkerActivity, &'a Arc<Stream>);

/// The health of the program.
#[derive(Debug, Clone)]
pub(super) struct Health {
    streams: Arc<StreamList>,
    activity: Arc<WorkerActivity>,
    stop: StopFlag,
    longest_frame: Duration,
}

impl WorkerActivity {
    /// A worker begins with a frame of `stream`.
    pub(super) fn begin<'a>(&'a self, stream: &'a Arc<Stream>) -> ActiveFrame<'a> {
        self.frames().push((stream.clone(), Instant::now()));
        ActiveFrame(self, stream)
    }

    fn frames(&self) -> std::sync::MutexGuard<'_, Vec<(Arc<Stream>, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ActiveFrame<'_> {
    fn drop(&mut self) {
        let mut frames = self.0.frames();
        // Frames of one stream are analysed one after another.
        frames.retain(|(stream, _)| !Arc::ptr_eq(stream, self.1));
    }
}

impl Health {
    pub(super) fn new(
        streams: &Arc<StreamList>,
        activity: &Arc<WorkerActivity>,
        stop: &StopFlag,
    ) -> Self {
        Self {
            streams: streams.clone(),
            activity: activity.clone(),
            stop: stop.clone(),
            longest_frame: LONGEST_FRAME,
        }
    }

    /// What hangs, if something does.
    pub(super) fn hanging(&self) -> Option<String> {
        let frames = self.activity.frames();
        let (stream, began) = frames.iter().min_by_key(|(_, began)| *began)?;
        let age = began.elapsed();
        (age > self.longest_frame).then(|| {
            let (seconds, name) = (age.as_secs(), stream.name());
            format!("a worker has been busy with a frame of {name} for {seconds} s")
        })
    }

    /// Why the program is not ready, if it is not. It is when each source has given a frame or failed once, because the
    /// outputs are open before.
    pub(super) fn unready(&self) -> Option<String> {
        if self.stop.is_set() {
            return Some("the program ends".into());
        }
        let streams = self.streams.all();
        let untried = streams.iter().filter(|stream| !stream.was_tried());
        let names: Vec<_> = untried.map(|stream| stream.name()).collect();
        (!names.is_empty()).then(|| format!("not opened yet: {}", names.join(", ")))
    }

    /// How many sources play, in a line.
    pub(super) fn summary(&self) -> String {
        let plays = |stream: &&Arc<Stream>| stream.status().connection == ConnectionState::Playing;
        let streams = self.streams.all();
        let playing = streams.iter().filter(plays).count();
        format!("{playing} of {} sources playing", streams.len())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::Path;

    use super::super::config::Config;
    use super::super::metrics::Metrics;
    use super::super::outputs::RecordOutputs;
    use super::*;

    /// A stream that nobody opens, what the workers do, and the health of a program in which each frame takes too long.
    pub(in super::super) fn impatient() -> (Arc<Stream>, Arc<WorkerActivity>, Health) {
        crate::init().expect("GStreamer starts");
        let text = "[[source]]\nname = \"hall\"\nlaunch = \"fakesrc\"";
        let config = Config::parse(text, Path::new("my.toml")).expect(text);
        let metrics = Metrics::default();
        let outputs = RecordOutputs::open(&config, &metrics).expect("there is none");
        let source = config.sources[0].clone();
        let stream = Arc::new(Stream::new(source, &metrics, Arc::new(outputs)));
        let activity = Arc::new(WorkerActivity::default());
        let health = Health {
            longest_frame: Duration::ZERO,
            ..Health::new(&Arc::default(), &activity, &StopFlag::default())
        };
        (stream, activity, health)
    }

    #[test]
    fn a_worker_that_is_busy_with_one_frame_for_too_long_hangs_until_it_ends() {
        let (stream, activity, health) = impatient();
        assert_eq!(health.hanging(), None);
        let frame = activity.begin(&stream);
        let hanging = health.hanging().expect("the frame takes too long");
        assert!(
            hanging.starts_with("a worker has been busy with a frame of hall for "),
            "{hanging}"
        );
        let patient = Health {
            longest_frame: LONGEST_FRAME,
            ..health.clone()
        };
        assert_eq!(patient.hanging(), None);
        drop(frame);
        assert_eq!(health.hanging(), None);
    }
}
