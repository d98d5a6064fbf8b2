use super::*;
use crate::plots::testing::texts;

fn log(epochs: usize) -> Log<EmotionEpoch> {
    let mut log = Log::default();
    for epoch in 1..=epochs {
        let decay = (-(epoch as f64) / 20.0).exp();
        log.push(EmotionEpoch {
            epoch,
            acc: 0.8 - 0.6 * decay,
            loss: 0.5 + 1.4 * decay,
            val_acc: 0.65 - 0.4 * decay,
            val_loss: 0.9 + decay,
            val_loss_calibrated: 0.8 + decay,
            lr: 1e-3,
            ..EmotionEpoch::default()
        });
    }
    log
}

/// The number of points of each line of one colour.
fn lines(svg: &str, colour: &str) -> Vec<usize> {
    let lines = svg.split("<polyline").skip(1);
    let lines = lines.filter(|line| line.contains(&format!("stroke=\"{colour}\"")));
    let points = |line: &str| {
        let points = line.split("points=\"").nth(1)?.split('"').next()?;
        Some(points.split_whitespace().count())
    };
    // Those of two points are the legend's.
    lines
        .filter_map(points)
        .filter(|&points| points != 2)
        .collect()
}

#[test]
fn every_epoch_is_a_point_of_each_curve() {
    for epochs in [5, 60, 1000] {
        let svg = curves(&log(epochs), "run").unwrap();
        assert_eq!(lines(&svg, "#0072B2"), [epochs; 2]);
        assert_eq!(lines(&svg, "#D55E00"), [epochs; 2]);
        assert_eq!(lines(&svg, "#009E73"), [epochs]);
    }
}

#[test]
fn a_single_epoch_is_a_dot_in_each_curve() {
    let svg = curves(&log(1), "run").unwrap();
    assert_eq!(svg.matches("<circle").count(), 6 + 2 * 2);
}

#[test]
fn title_and_best_epochs_are_written_out() {
    let mut log = log(30);
    log.push(EmotionEpoch {
        epoch: 31,
        val_acc: 0.6425,
        val_loss: 2.0,
        ..log.epochs()[29]
    });
    let svg = curves(&log, "a run & its <curves>").unwrap();
    for text in [
        "a run &amp; its &lt;curves&gt;",
        "lowest in validation: 1.1231 in epoch 30",
        "highest in validation: 64.25 % in epoch 31",
    ] {
        assert!(svg.contains(text), "{text}");
    }
}

#[test]
fn a_first_loss_far_above_the_others_does_not_flatten_them() {
    let mut wild = Log::default();
    for row in log(100).epochs() {
        let val_loss = if row.epoch == 1 { 50.0 } else { row.val_loss };
        wild.push(EmotionEpoch { val_loss, ..*row });
    }
    let axis = loss_panel(&wild).axis;
    assert!(axis.range.end < 4.0, "{axis:?}");
    let svg = curves(&wild, "run").unwrap();
    assert!(svg.contains("highest: 50.00"));
}

#[test]
fn a_value_that_is_no_number_is_a_gap() {
    let mut broken = Log::default();
    for row in log(50).epochs() {
        let loss = if row.epoch == 31 { f64::NAN } else { row.loss };
        broken.push(EmotionEpoch { loss, ..*row });
    }
    let svg = curves(&broken, "run").unwrap();
    assert_eq!(lines(&svg, "#0072B2"), [30, 19, 50]);
    assert!(!svg.contains("NaN"));
}

#[test]
fn the_calibrated_loss_is_a_curve() {
    let svg = curves(&log(30), "run").unwrap();
    assert_eq!(lines(&svg, "#E69F00"), [30]);
    assert!(texts(&svg).contains(&"calibrated".to_owned()));
}

#[test]
fn the_axis_reaches_the_last_epoch_of_a_log_that_begins_late() {
    let mut late = Log::default();
    for row in &log(40).epochs()[30..] {
        late.push(*row);
    }
    let texts = texts(&curves(&late, "run").unwrap());
    assert!(texts.contains(&"40".to_owned()), "{texts:?}");
}

#[test]
fn an_empty_log_is_an_error() {
    assert!(curves(&Log::default(), "run").is_err());
}
