//! Loads weights while the element plays.

use std::time::Instant;

use gst::subclass::prelude::*;
use gst_base::prelude::*;

use super::imp::{CAT, EmotionClassify};
use super::model_info::ModelInfo;
use super::settings::Settings;

impl EmotionClassify {
    /// Loads the weights that the settings name, if the element is started. If that fails, the old ones stay.
    pub(super) fn reload(&self) {
        let _loading = self.loading.lock().unwrap();
        if self.face_analyzer.lock().unwrap().is_none() {
            return;
        }
        let settings = self.settings.current();
        self.remember_file(&settings);
        let loaded = settings.load();
        let mut analyzer = self.face_analyzer.lock().unwrap();
        let Some(analyzer) = &mut *analyzer else {
            return;
        };
        match loaded {
            Ok(classifier) => {
                gst::info!(CAT, imp = self, "Weights: {:?}", classifier.metadata());
                analyzer.set_classifier(classifier);
                *self.model.lock().unwrap() = Some(ModelInfo::of(analyzer));
            }
            Err(error) => {
                self.warn_later(format!("{error}; {} goes on", analyzer.metadata().name));
            }
        }
    }

    /// Posts a warning from another thread: the caller may hold a lock that a listener needs.
    pub(super) fn warn_later(&self, warning: String) {
        self.obj().call_async(move |element| {
            gst::element_imp_warning!(element.imp(), gst::ResourceError::Settings, ("{warning}"));
        });
    }

    pub(super) fn remember_file(&self, settings: &Settings) {
        let mut weights_file = self.weights_file.lock().unwrap();
        weights_file.remember(settings.model_path());
    }

    /// Loads the weights again if their file was replaced. Another thread checks that, because a disk may be slow.
    pub(super) fn check_file(&self, settings: &Settings) {
        if settings.model_path().is_none()
            || !self
                .weights_file
                .lock()
                .unwrap()
                .begin_check(Instant::now())
        {
            return;
        }
        self.obj().call_async(|element| {
            let this = element.imp();
            let settings = this.settings.current();
            let path = settings.model_path();
            let is_replaced = this.weights_file.lock().unwrap().is_replaced(path);
            if is_replaced {
                this.reload();
            }
        });
    }
}
