//! What `evaluate-detector` found out, for people and for machines.

use serde_json::{Value, json};

use super::super::thousands;
use crate::detector::evaluation::{DetectionMetrics, LENIENT, STRICT, SizeMetrics};

/// How a detector does on pictures.
pub(super) struct Report<'a> {
    /// The detector, as it was asked for.
    pub(super) detector: &'a str,
    /// Where the pictures are, as it was asked for.
    pub(super) data: &'a str,
    /// Confidence from which a box counts for recall and precision.
    pub(super) threshold: f32,
    pub(super) evaluation: &'a DetectionMetrics,
    /// The same pictures in other light, if that was asked for.
    pub(super) in_other_light: &'a [(&'a str, DetectionMetrics)],
}

impl Report<'_> {
    /// One object; shares are fractions, and what there is no face for is null.
    pub(super) fn json(&self) -> Value {
        let mut object = self.figures(&self.evaluation.all);
        let fields = object.as_object_mut().expect("figures are an object");
        fields.insert("detector".to_owned(), json!(self.detector));
        fields.insert("data".to_owned(), json!(self.data));
        fields.insert("pictures".to_owned(), json!(self.evaluation.pictures));
        fields.insert("threshold".to_owned(), json!(self.threshold));
        let by_size: Vec<Value> = self
            .evaluation
            .by_size
            .iter()
            .map(|figures| {
                let mut object = self.figures(figures);
                let to = figures.sizes.end;
                object["from"] = json!(figures.sizes.start);
                object["to"] = json!(to.is_finite().then_some(to));
                object
            })
            .collect();
        fields.insert("by_size".to_owned(), json!(by_size));
        let light: Vec<Value> = self
            .in_other_light
            .iter()
            .map(|(light, evaluation)| {
                let mut object = self.figures(&evaluation.all);
                object["light"] = json!(light);
                object
            })
            .collect();
        if !light.is_empty() {
            fields.insert("in_other_light".to_owned(), json!(light));
        }
        object
    }

    fn figures(&self, figures: &SizeMetrics) -> Value {
        let share = |share: f64| (figures.faces() > 0).then_some(share);
        let [lenient, strict] =
            [&figures.lenient, &figures.strict].map(|curve| curve.at(self.threshold));
        json!({
            "faces": figures.faces(),
            "ap50": share(figures.strict.average_precision()),
            "ap40": share(figures.lenient.average_precision()),
            "recall": share(lenient.recall),
            "precision": lenient.precision,
            "recall50": share(strict.recall),
            "precision50": strict.precision,
        })
    }

    /// What was evaluated, then a row for each size of faces and one for all of them.
    pub(super) fn table(&self) -> String {
        let DetectionMetrics { pictures, all, .. } = self.evaluation;
        let mut text = format!(
            "{} on {}: {} pictures, {} faces\n\
             recall and precision of boxes at least {:.2} sure, at IoU {LENIENT} (at {STRICT})\n\n{HEADING}\n",
            self.detector,
            self.data,
            thousands(*pictures),
            thousands(all.faces()),
            self.threshold,
        );
        for figures in &self.evaluation.by_size {
            let (from, to) = (figures.sizes.start, figures.sizes.end);
            let sizes = if to.is_finite() {
                format!("{from} to {to} px")
            } else {
                format!("from {from} px")
            };
            text += &self.row(&sizes, figures);
        }
        text += &self.row("all", all);
        for (light, evaluation) in self.in_other_light {
            text += &self.row(light, &evaluation.all);
        }
        text
    }

    fn row(&self, name: &str, figures: &SizeMetrics) -> String {
        let faces = figures.faces();
        if faces == 0 {
            return format!("{name:<20} {:>6}\n", 0);
        }
        let percent = |share: f64| 100.0 * share;
        let [strict, lenient] =
            [&figures.strict, &figures.lenient].map(|curve| curve.at(self.threshold));
        format!(
            "{name:<20} {faces:>6}  {:>5.1} %  {:>5.1} %  {:>5.1} % ({:>5.1} %)  {:>5.1} % ({:>5.1} %)\n",
            percent(figures.strict.average_precision()),
            percent(figures.lenient.average_precision()),
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
