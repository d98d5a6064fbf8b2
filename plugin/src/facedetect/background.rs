//! Detection in the background: a thread detects on the newest frame while other frames pass.

use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use emotion_detect::track::DetectionRequest;
use emotion_detect::{DetectedFace, Detector, Error, Options};
use emotion_models::preprocess::{GreyImage, GreyRows};

/// A detection that is over.
#[derive(Debug)]
pub(super) struct FinishedDetection {
    /// The time of its frame.
    pub(super) at: Duration,
    pub(super) image: ImageCopy,
    pub(super) outcome: Result<BackgroundDetections, Error>,
}

/// The faces of a finished detection.
#[derive(Debug)]
pub(super) struct BackgroundDetections {
    pub(super) faces: Vec<DetectedFace>,
    /// The confidence from which a face may begin a track.
    pub(super) strong_confidence: f64,
    /// How long the detection took.
    pub(super) time: Duration,
}

/// A copy of a frame's luma.
#[derive(Debug, Default)]
pub(super) struct ImageCopy {
    pixels: Vec<u8>,
    width: usize,
    height: usize,
}

impl ImageCopy {
    fn copy_from(&mut self, image: &impl GreyRows, row: &mut Vec<u8>) {
        (self.width, self.height) = (image.width(), image.height());
        self.pixels.clear();
        for y in 0..self.height {
            self.pixels
                .extend_from_slice(image.grey(y, 0..self.width, row));
        }
    }

    /// A view of it, or none if it has no pixels.
    pub(super) fn view(&self) -> Option<GreyImage<'_>> {
        GreyImage::new(&self.pixels, self.width, self.height, self.width).ok()
    }
}

#[derive(Debug)]
struct DetectionJob {
    at: Duration,
    image: ImageCopy,
    request: DetectionRequest,
    options: Options,
}

/// Where the stream leaves jobs and the thread leaves results.
#[derive(Debug, Default)]
struct Mailbox {
    job: Option<DetectionJob>,
    is_busy: bool,
    finished: Option<FinishedDetection>,
    /// The result of the current job will be thrown away.
    is_cancelled: bool,
    is_closed: bool,
}

#[derive(Debug, Default)]
struct SharedMailbox {
    mailbox: Mutex<Mailbox>,
    has_mail: Condvar,
}

/// The thread. It ends when this is dropped, after the current detection.
#[derive(Debug)]
pub(super) struct BackgroundDetector {
    shared: Arc<SharedMailbox>,
    thread: Option<JoinHandle<()>>,
    /// An image whose memory is used for the next job.
    spare: ImageCopy,
    row: Vec<u8>,
}

impl BackgroundDetector {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// If the system has no thread to give.
    pub(super) fn start(detector: Detector) -> std::io::Result<Self> {
        let shared = Arc::new(SharedMailbox::default());
        let thread = std::thread::Builder::new()
            .name("facedetect".into())
            .spawn({
                let shared = shared.clone();
                move || run(&shared, detector)
            })?;
        Ok(Self {
            shared,
            thread: Some(thread),
            spare: ImageCopy::default(),
            row: Vec::new(),
        })
    }

    /// The detection that was finished since the last call.
    pub(super) fn take_finished(&mut self) -> Option<FinishedDetection> {
        self.shared.mailbox.lock().unwrap().finished.take()
    }

    /// Takes an image back to use its memory again.
    pub(super) fn recycle(&mut self, image: ImageCopy) {
        self.spare = image;
    }

    /// Whether there is neither a job nor a result.
    pub(super) fn is_idle(&self) -> bool {
        let mailbox = self.shared.mailbox.lock().unwrap();
        mailbox.job.is_none() && !mailbox.is_busy && mailbox.finished.is_none()
    }

    /// Has the thread detect on a copy of the image.
    pub(super) fn start_detection(
        &mut self,
        at: Duration,
        image: &impl GreyRows,
        with_tiles: bool,
        options: Options,
    ) {
        let mut copy = std::mem::take(&mut self.spare);
        copy.copy_from(image, &mut self.row);
        self.shared.mailbox.lock().unwrap().job = Some(DetectionJob {
            at,
            image: copy,
            request: DetectionRequest::WholeFrame { with_tiles },
            options,
        });
        self.shared.has_mail.notify_one();
    }

    /// Throws away all jobs and results.
    pub(super) fn cancel(&mut self) {
        let mut mailbox = self.shared.mailbox.lock().unwrap();
        mailbox.job = None;
        mailbox.finished = None;
        mailbox.is_cancelled = mailbox.is_busy;
    }
}

impl Drop for BackgroundDetector {
    fn drop(&mut self) {
        self.shared.mailbox.lock().unwrap().is_closed = true;
        self.shared.has_mail.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic of the detector has been reported by its thread.
            let _ = thread.join();
        }
    }
}

fn run(shared: &SharedMailbox, mut detector: Detector) {
    loop {
        let mut mailbox = shared.mailbox.lock().unwrap();
        let job = loop {
            if mailbox.is_closed {
                return;
            }
            match mailbox.job.take() {
                Some(job) => break job,
                None => mailbox = shared.has_mail.wait(mailbox).unwrap(),
            }
        };
        mailbox.is_busy = true;
        mailbox.is_cancelled = false;
        drop(mailbox);

        let started = Instant::now();
        let faces = job.image.view().map_or_else(
            || Ok(Vec::new()),
            |view| detector.detect_requested(&view, &job.request, &job.options),
        );
        let outcome = faces.map(|faces| BackgroundDetections {
            faces,
            strong_confidence: detector.strong_confidence(&job.options),
            time: started.elapsed(),
        });

        let mut mailbox = shared.mailbox.lock().unwrap();
        mailbox.is_busy = false;
        if !mailbox.is_cancelled {
            mailbox.finished = Some(FinishedDetection {
                at: job.at,
                image: job.image,
                outcome,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use emotion_detect::NetworkDetector;

    use super::*;

    fn detector() -> BackgroundDetector {
        let network = NetworkDetector::built_in().unwrap().with_threads(1);
        BackgroundDetector::start(Detector::Network(Box::new(network))).unwrap()
    }

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// Has an image without a face searched.
    fn search(detector: &mut BackgroundDetector, at: u64) {
        let pixels = [90; 64 * 48];
        let image = GreyImage::new(&pixels, 64, 48, 64).unwrap();
        detector.start_detection(ms(at), &image, false, Options::default());
    }

    fn finished(detector: &mut BackgroundDetector) -> FinishedDetection {
        loop {
            match detector.take_finished() {
                Some(finished) => return finished,
                None => std::thread::yield_now(),
            }
        }
    }

    #[test]
    fn a_result_comes_with_its_frame_and_the_time_of_it() {
        let pixels: Vec<u8> = (0..64 * 48).map(|index| (index % 64) as u8).collect();
        let image = GreyImage::new(&pixels, 64, 48, 64).unwrap();
        let mut detector = detector();
        assert!(detector.is_idle());
        detector.start_detection(ms(40), &image, false, Options::default());
        assert!(!detector.is_idle());
        let finished = finished(&mut detector);
        assert_eq!(finished.at, ms(40));
        assert_eq!(finished.outcome.unwrap().faces, []);
        let view = finished.image.view().unwrap();
        assert_eq!((view.width(), view.height()), (64, 48));
        let mut row = Vec::new();
        assert!((0..48).all(|y| view.grey(y, 0..64, &mut row) == &pixels[..64]));
        assert!(detector.is_idle());
    }

    #[test]
    fn frames_that_wait_are_replaced_and_the_newest_is_searched() {
        let mut detector = detector();
        (1..=50).for_each(|at| search(&mut detector, at));
        let mut times = vec![finished(&mut detector).at];
        while times.last() != Some(&ms(50)) {
            let next = finished(&mut detector);
            times.push(next.at);
            detector.recycle(next.image);
        }
        assert!(times.is_sorted() && times.len() < 50, "{times:?}");
    }

    #[test]
    fn nothing_comes_of_what_was_cancelled() {
        let mut detector = detector();
        for at in 1..=20 {
            search(&mut detector, at);
            if at % 2 == 0 {
                std::thread::sleep(ms(1));
            }
            detector.cancel();
            while !detector.is_idle() {
                assert!(detector.take_finished().is_none());
                std::thread::yield_now();
            }
            search(&mut detector, 100 + at);
            assert_eq!(finished(&mut detector).at, ms(100 + at));
        }
    }

    #[test]
    fn dropping_it_ends_the_thread_whatever_it_does() {
        for at in 0..20 {
            let mut detector = detector();
            search(&mut detector, at);
            let shared = Arc::downgrade(&detector.shared);
            drop(detector);
            assert_eq!(shared.strong_count(), 0);
        }
    }
}
