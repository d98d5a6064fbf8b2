use super::*;
use crate::emotion::epoch::EmotionEpoch;

fn epoch(epoch: usize, val_acc: f64, val_loss: f64) -> EmotionEpoch {
    EmotionEpoch {
        epoch,
        acc: 0.5,
        loss: 1.25,
        val_acc,
        val_loss,
        lr: 1e-3,
        seconds: 2.0,
        temperature: 1.5,
        val_loss_calibrated: 1.0,
        val_ece: 0.125,
        val_macro_f1: 0.25,
        val_people_acc: Some(0.75),
        ..EmotionEpoch::default()
    }
}

fn log() -> Log<EmotionEpoch> {
    Log {
        epochs: vec![epoch(1, 0.5, 1.5), epoch(2, 0.6, 1.2), epoch(3, 0.6, 1.1)],
    }
}

#[test]
fn the_best_epoch_follows_the_choice() {
    let higher_accuracy: fn(&EmotionEpoch, &EmotionEpoch) -> bool =
        |epoch, best| epoch.val_acc > best.val_acc;
    let lower_loss: fn(&EmotionEpoch, &EmotionEpoch) -> bool =
        |epoch, best| epoch.val_loss < best.val_loss;
    assert_eq!(log().best(higher_accuracy).unwrap().epoch, 2);
    assert_eq!(log().best(lower_loss).unwrap().epoch, 3);
    assert_eq!(Log::default().best(lower_loss), None);
}

#[test]
fn progress_is_a_lower_validation_loss() {
    let mut log = log();
    assert_eq!(log.epochs_without_progress(), 0);
    log.push(epoch(4, 0.9, 1.1));
    log.push(epoch(5, 0.9, 1.3));
    assert_eq!(log.epochs_without_progress(), 2);
}

#[test]
fn the_columns_of_keras_come_first() {
    assert_eq!(
        Log {
            epochs: vec![epoch(1, 0.5, 1.5)]
        }
        .to_csv()
        .unwrap(),
        "epoch,acc,loss,val_acc,val_loss,lr,seconds,\
         temperature,val_loss_calibrated,val_ece,val_macro_f1,\
         val_people_acc,val_people_macro_recall,val_people_neutral_recall,val_people_loss,\
         val_people_ece,threshold\n\
         1,0.5,1.25,0.5,1.5,0.001,2.0,1.5,1.0,0.125,0.25,0.75,,,,,\n"
    );
}

#[test]
fn numbers_survive_csv_to_the_last_bit() {
    let third = 1.0 / 3.0_f64;
    let log = Log {
        epochs: vec![epoch(1, third.sin(), third.exp()), epoch(2, third, -third)],
    };
    assert_eq!(Log::from_csv(&log.to_csv().unwrap()).unwrap(), log);
    assert_eq!(Log::<EmotionEpoch>::from_csv("").unwrap(), Log::default());

    let totals = EpochTotals {
        steps: 3,
        samples: 24,
        labelled: 20,
        correct: 8,
        loss_sum: 24.0 * third.exp(),
        lr: third.sqrt(),
        seconds: third,
    };
    assert_eq!(
        EpochTotals::from_csv(&totals.to_csv().unwrap()).unwrap(),
        totals
    );
    assert_eq!(EpochTotals::from_csv("").unwrap(), EpochTotals::default());
}

#[test]
fn a_tally_gives_means_over_its_samples() {
    let totals = EpochTotals {
        samples: 10,
        labelled: 8,
        correct: 6,
        loss_sum: 4.0,
        ..EpochTotals::default()
    };
    assert_eq!((totals.accuracy(), totals.loss()), (0.75, 0.4));
}
