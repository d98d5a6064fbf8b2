//! The report of `evaluate-detector`, as a table and as JSON.

use serde_json::{Value, json};

use super::super::common::thousands;
use super::made::MadeReport;
use crate::detector::evaluation::{DetectionMetrics, LENIENT, STRICT, SizeMetrics, TiltMetrics};

/// The results of a detector.
pub(super) struct DetectorReport<'a> {
    /// The detector, as given.
    pub(super) detector: &'a str,
    /// The folder of the images, as given.
    pub(super) data: &'a str,
    /// Least confidence of boxes that count for recall and precision.
    pub(super) threshold: f32,
    pub(super) evaluation: &'a DetectionMetrics,
    /// The results in other light, if requested.
    pub(super) in_other_light: &'a [(&'a str, DetectionMetrics)],
    /// The results on close-ups and turned faces, if requested.
    pub(super) made: Option<&'a MadeReport>,
}

impl DetectorReport<'_> {
    /// One object; metrics without faces are null.
    pub(super) fn json(&self) -> Value {
        let mut object = self.metrics(&self.evaluation.all);
        let fields = object.as_object_mut().expect("metrics are an object");
        fields.insert("detector".to_owned(), json!(self.detector));
        fields.insert("data".to_owned(), json!(self.data));
        fields.insert("pictures".to_owned(), json!(self.evaluation.images));
        fields.insert("threshold".to_owned(), json!(self.threshold));
        let by_size: Vec<Value> = self
            .evaluation
            .by_size
            .iter()
            .map(|metrics| {
                let mut object = self.metrics(metrics);
                let to = metrics.sizes.end;
                object["from"] = json!(metrics.sizes.start);
                object["to"] = json!(to.is_finite().then_some(to));
                object
            })
            .collect();
        fields.insert("by_size".to_owned(), json!(by_size));
        let by_source = self.evaluation.by_source.iter().map(|(source, metrics)| {
            let mut object = self.metrics(metrics);
            object["source"] = json!(source);
            object
        });
        fields.insert("by_source".to_owned(), by_source.collect());
        let by_tilt = self.tilts().map(|tilt| {
            let TiltMetrics { degrees, found } = tilt;
            let to = degrees.end;
            json!({
                "from": degrees.start,
                "to": to.is_finite().then_some(to),
                "faces": found.faces,
                "recall50": found.at(self.threshold).recall,
            })
        });
        fields.insert("by_tilt".to_owned(), by_tilt.collect());
        let empty = &self.evaluation.empty;
        fields.insert(
            "without_faces".to_owned(),
            json!({ "pictures": empty.images, "boxes": empty.boxes(self.threshold) }),
        );
        let landmarks = self.evaluation.landmark_error(self.threshold);
        fields.insert("landmark_error".to_owned(), json!(landmarks));
        let light: Vec<Value> = self
            .in_other_light
            .iter()
            .map(|(light, evaluation)| {
                let mut object = self.metrics(&evaluation.all);
                object["light"] = json!(light);
                object
            })
            .collect();
        if !light.is_empty() {
            fields.insert("in_other_light".to_owned(), json!(light));
        }
        if let Some(made) = self.made {
            fields.insert("made".to_owned(), made.json());
        }
        object
    }

    fn metrics(&self, metrics: &SizeMetrics) -> Value {
        let share = |share: f64| (metrics.faces() > 0).then_some(share);
        let [lenient, strict] =
            [&metrics.lenient, &metrics.strict].map(|curve| curve.at(self.threshold));
        json!({
            "faces": metrics.faces(),
            "ap50": share(metrics.strict.average_precision()),
            "ap40": share(metrics.lenient.average_precision()),
            "recall": share(lenient.recall),
            "precision": lenient.precision,
            "recall50": share(strict.recall),
            "precision50": strict.precision,
        })
    }

    /// The detector and the data, then a row for each size of faces and one for all.
    pub(super) fn table(&self) -> String {
        let DetectionMetrics { images, all, .. } = self.evaluation;
        let mut text = format!(
            "{} on {}: {} pictures, {} faces\n\
             recall and precision of boxes at least {:.2} sure, at IoU {LENIENT} (at {STRICT})\n\n{HEADING}\n",
            self.detector,
            self.data,
            thousands(*images),
            thousands(all.faces()),
            self.threshold,
        );
        for metrics in &self.evaluation.by_size {
            let (from, to) = (metrics.sizes.start, metrics.sizes.end);
            let sizes = if to.is_finite() {
                format!("{from} to {to} px")
            } else {
                format!("from {from} px")
            };
            text += &self.row(&sizes, metrics);
        }
        text += &self.row("all", all);
        for (light, evaluation) in self.in_other_light {
            text += &self.row(light, &evaluation.all);
        }
        if self.evaluation.by_source.len() > 1 {
            text.push('\n');
            for (source, metrics) in &self.evaluation.by_source {
                text += &self.row(source, metrics);
            }
        }
        text += &self.notes();
        if let Some(made) = self.made {
            text += &made.text();
        }
        text
    }

    /// The bands of tilt that have faces.
    fn tilts(&self) -> impl Iterator<Item = &TiltMetrics> {
        let tilts = self.evaluation.by_tilt.iter();
        tilts.filter(|tilt| tilt.found.faces > 0)
    }

    /// Lines about tilted faces, landmarks and pictures without faces, if there are any.
    fn notes(&self) -> String {
        let mut text = String::new();
        let tilts = self.tilts().map(|tilt| {
            let TiltMetrics { degrees, found } = tilt;
            let recall = 100.0 * found.at(self.threshold).recall;
            let degrees = if degrees.end.is_finite() {
                format!("{} to {}°", degrees.start, degrees.end)
            } else {
                format!("from {}°", degrees.start)
            };
            format!("{degrees} {recall:.1} % of {}", found.faces)
        });
        let tilts: Vec<String> = tilts.collect();
        if !tilts.is_empty() {
            text += &format!("\nfound by tilt, at IoU {STRICT}: {}\n", tilts.join(", "));
        }
        if let Some(error) = self.evaluation.landmark_error(self.threshold) {
            let percent = 100.0 * error;
            text +=
                &format!("landmarks: {percent:.2} % of the face's longer side from those known\n");
        }
        let empty = &self.evaluation.empty;
        if empty.images > 0 {
            let boxes = empty.boxes(self.threshold);
            let per_100 = 100.0 * boxes as f64 / empty.images as f64;
            text += &format!(
                "pictures without faces: {boxes} boxes on {}, {per_100:.1} per 100\n",
                empty.images
            );
        }
        text
    }

    fn row(&self, name: &str, metrics: &SizeMetrics) -> String {
        let faces = metrics.faces();
        if faces == 0 {
            return format!("{name:<20} {:>6}\n", 0);
        }
        let percent = |share: f64| 100.0 * share;
        let [strict, lenient] =
            [&metrics.strict, &metrics.lenient].map(|curve| curve.at(self.threshold));
        format!(
            "{name:<20} {faces:>6}  {:>5.1} %  {:>5.1} %  {:>5.1} % ({:>5.1} %)  {:>5.1} % ({:>5.1} %)\n",
            percent(metrics.strict.average_precision()),
            percent(metrics.lenient.average_precision()),
            percent(lenient.recall),
            percent(strict.recall),
            percent(lenient.precision),
            percent(strict.precision),
        )
    }
}

const HEADING: &str = "longer side           faces     AP50     AP40   recall            precision";

#[cfg(test)]
mod tests;
