//! Pictures by themselves, on several threads.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use emotion_analysis::PictureAnalyzer;
use pyo3::prelude::*;

use crate::errors::{detector_error, value_error, without_lock};
use crate::face::NativeFace;
use crate::options::{Analysis, Arguments};
use crate::picture::Picture;
use crate::tracker::Tracker;

/// Finds and classifies the faces of pictures. Any number of threads may use one.
#[pyclass(frozen, module = "emotion_faces._native")]
pub(crate) struct Engine {
    analysis: Arc<Analysis>,
    threads: usize,
    /// Analyzers that nobody uses right now.
    idle: Mutex<Vec<PictureAnalyzer>>,
}

#[pymethods]
impl Engine {
    #[new]
    fn new(py: Python<'_>, arguments: Arguments, threads: Option<i64>) -> PyResult<Self> {
        let threads = match threads {
            None => thread::available_parallelism().map_or(1, NonZeroUsize::get),
            Some(threads) => usize::try_from(threads)
                .ok()
                .filter(|threads| *threads > 0)
                .ok_or_else(|| {
                    value_error(format!("threads: expected 1 or more, found {threads}"))
                })?,
        };
        without_lock(py, || {
            Ok(Self {
                analysis: Arc::new(Analysis::new(arguments)?),
                threads,
                idle: Mutex::default(),
            })
        })
    }

    /// The names of the labels, in the order of the model.
    #[getter]
    fn labels(&self) -> Vec<String> {
        self.analysis.classifier().metadata().labels.clone()
    }

    /// Name and fingerprint of the weights.
    #[getter]
    fn weights(&self) -> (String, String) {
        let classifier = self.analysis.classifier();
        let id = classifier.weights_id();
        (id.name.clone(), id.fingerprint.clone())
    }

    /// The probability below which a face is uncertain.
    #[getter]
    fn threshold(&self) -> PyResult<f64> {
        let analyzer = self.analyzer()?;
        let threshold = analyzer.analyzer().threshold(&self.analysis.options);
        self.give_back(analyzer);
        Ok(threshold)
    }

    /// The faces of each picture; with `whole`, each picture is one face.
    fn analyze(
        &self,
        py: Python<'_>,
        pictures: Vec<Picture>,
        whole: bool,
    ) -> PyResult<Vec<Vec<NativeFace>>> {
        without_lock(py, || self.analyze_all(&pictures, whole))
    }

    /// Follows the faces of a video.
    fn tracker(&self, py: Python<'_>) -> PyResult<Tracker> {
        without_lock(py, || Tracker::new(Arc::clone(&self.analysis)))
    }
}

impl Engine {
    fn analyze_all(&self, pictures: &[Picture], whole: bool) -> PyResult<Vec<Vec<NativeFace>>> {
        let threads = self.threads.min(pictures.len());
        if threads <= 1 {
            return pictures
                .iter()
                .map(|picture| self.analyze_one(picture, whole))
                .collect();
        }
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            while let index = next.fetch_add(1, Ordering::Relaxed)
                && let Some(picture) = pictures.get(index)
            {
                let faces = self.analyze_one(picture, whole);
                let is_failed = faces.is_err();
                done.push((index, faces));
                if is_failed {
                    // The others need not go on either.
                    next.store(pictures.len(), Ordering::Relaxed);
                }
            }
            done
        };
        let mut done: Vec<_> = thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mut done = work();
            for other in others {
                match other.join() {
                    Ok(results) => done.extend(results),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            done
        });
        done.sort_unstable_by_key(|(index, _)| *index);
        done.into_iter().map(|(_, faces)| faces).collect()
    }

    fn analyze_one(&self, picture: &Picture, whole: bool) -> PyResult<Vec<NativeFace>> {
        // Ctrl-C ends a long list.
        Python::attach(|py| py.check_signals())?;
        let grey = picture.grey()?;
        let image = grey.view()?;
        let Analysis {
            detection, options, ..
        } = &*self.analysis;
        let mut analyzer = self.analyzer()?;
        let faces = match whole {
            true => analyzer.analyze_whole(&image, options),
            false => analyzer.analyze(&image, detection, options),
        };
        self.give_back(analyzer);
        let faces = faces.map_err(|error| detector_error(&error))?;
        Ok(faces.into_iter().map(NativeFace::from).collect())
    }

    /// An analyzer that nobody else uses.
    fn analyzer(&self) -> PyResult<PictureAnalyzer> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        match idle {
            Some(analyzer) => Ok(analyzer),
            None => Ok(PictureAnalyzer::new(
                self.analysis.classifier(),
                self.analysis.detector()?,
            )),
        }
    }

    fn give_back(&self, analyzer: PictureAnalyzer) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.threads {
            idle.push(analyzer);
        }
    }
}
