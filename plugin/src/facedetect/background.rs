//! Detection beside the stream: a thread that searches the newest frame while the others pass.

use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use emotion_detect::track::Search;
use emotion_detect::{DetectedFace, Detector, Error, Options};
use emotion_models::preprocess::{GreyImage, GreyRows};

/// A picture that was searched.
#[derive(Debug)]
pub(super) struct Searched {
    /// The time of its frame.
    pub(super) at: Duration,
    pub(super) picture: Picture,
    pub(super) found: Result<Found, Error>,
}

/// What was found in a picture.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) faces: Vec<DetectedFace>,
    /// The confidence from which a face may begin a track.
    pub(super) strong: f64,
    /// How long the search took.
    pub(super) time: Duration,
}

/// A grey picture of its own.
#[derive(Debug, Default)]
pub(super) struct Picture {
    pixels: Vec<u8>,
    width: usize,
    height: usize,
}

impl Picture {
    fn copy(&mut self, picture: &impl GreyRows, row: &mut Vec<u8>) {
        (self.width, self.height) = (picture.width(), picture.height());
        self.pixels.clear();
        for y in 0..self.height {
            self.pixels
                .extend_from_slice(picture.grey(y, 0..self.width, row));
        }
    }

    /// A view of it, or none of one without pixels.
    pub(super) fn view(&self) -> Option<GreyImage<'_>> {
        GreyImage::new(&self.pixels, self.width, self.height, self.width).ok()
    }
}

#[derive(Debug)]
struct Job {
    at: Duration,
    picture: Picture,
    options: Options,
}

/// What the stream and the thread have in common.
#[derive(Debug, Default)]
struct Desk {
    job: Option<Job>,
    is_busy: bool,
    done: Option<Searched>,
    /// What is done now is of no use any more.
    is_outdated: bool,
    is_closed: bool,
}

#[derive(Debug, Default)]
struct Shared {
    desk: Mutex<Desk>,
    has_job: Condvar,
}

/// The thread. It ends when this is dropped, after the search on which it is.
#[derive(Debug)]
pub(super) struct Worker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    /// A picture that is not in use.
    spare: Picture,
    row: Vec<u8>,
}

impl Worker {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// If the system has no thread to give.
    pub(super) fn start(detector: Detector) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let thread = std::thread::Builder::new()
            .name("facedetect".into())
            .spawn({
                let shared = shared.clone();
                move || work(&shared, detector)
            })?;
        Ok(Self {
            shared,
            thread: Some(thread),
            spare: Picture::default(),
            row: Vec::new(),
        })
    }

    /// What was searched since this was last asked.
    pub(super) fn take(&mut self) -> Option<Searched> {
        self.shared.desk.lock().unwrap().done.take()
    }

    /// Gives a picture back whose memory is to be used again.
    pub(super) fn give_back(&mut self, picture: Picture) {
        self.spare = picture;
    }

    /// Whether the thread has nothing to do.
    pub(super) fn is_idle(&self) -> bool {
        let desk = self.shared.desk.lock().unwrap();
        desk.job.is_none() && !desk.is_busy && desk.done.is_none()
    }

    /// Lets the thread search a frame, of which it gets a copy.
    pub(super) fn search(&mut self, at: Duration, picture: &impl GreyRows, options: Options) {
        let mut copy = std::mem::take(&mut self.spare);
        copy.copy(picture, &mut self.row);
        self.shared.desk.lock().unwrap().job = Some(Job {
            at,
            picture: copy,
            options,
        });
        self.shared.has_job.notify_one();
    }

    /// Forgets what was asked so far: another scene begins.
    pub(super) fn forget(&mut self) {
        let mut desk = self.shared.desk.lock().unwrap();
        desk.job = None;
        desk.done = None;
        desk.is_outdated = desk.is_busy;
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.shared.desk.lock().unwrap().is_closed = true;
        self.shared.has_job.notify_one();
        if let Some(thread) = self.thread.take() {
            // A detector that panicked has said so itself.
            let _ = thread.join();
        }
    }
}

fn work(shared: &Shared, mut detector: Detector) {
    loop {
        let mut desk = shared.desk.lock().unwrap();
        let job = loop {
            if desk.is_closed {
                return;
            }
            match desk.job.take() {
                Some(job) => break job,
                None => desk = shared.has_job.wait(desk).unwrap(),
            }
        };
        desk.is_busy = true;
        desk.is_outdated = false;
        drop(desk);

        let started = Instant::now();
        let found = job.picture.view().map_or_else(
            || Ok(Vec::new()),
            |view| detector.search(&view, &Search::Everything, &job.options),
        );
        let found = found.map(|faces| Found {
            faces,
            strong: detector.strong(&job.options),
            time: started.elapsed(),
        });

        let mut desk = shared.desk.lock().unwrap();
        desk.is_busy = false;
        if !desk.is_outdated {
            desk.done = Some(Searched {
                at: job.at,
                picture: job.picture,
                found,
            });
        }
    }
}
