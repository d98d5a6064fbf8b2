use super::*;
use crate::data::augment::Augmentation;
use crate::data::mixing::Mixing;
use crate::emotion::recipe::{Recipe, Settings};
use crate::run::schedule::Schedule;
use crate::run::settings::RunSettings;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split(' '))
}

fn settings(options: &str) -> Settings {
    let line = format!("emotion-trainer train --data fer2013.csv {options}");
    let line = line.trim_end();
    match parse(line).unwrap().command {
        Command::Train(args) => args.settings(),
        _ => unreachable!("the line says train"),
    }
}

#[test]
fn the_command_line_is_consistent() {
    use clap::CommandFactory;
    Cli::command().debug_assert();
}

#[test]
fn options_change_the_recipe_and_leave_the_rest() {
    let changed = settings("--recipe seed --epochs 3 --lr 0.01 --ema 0.9");
    let mut expected = Recipe::Seed.settings();
    expected.common.epochs = 3;
    expected.common.learning_rate = 0.01;
    expected.common.average = Some(0.9);
    assert_eq!(changed, expected);
    assert_eq!(settings("--recipe best --ema 0").common.average, None);
}

#[test]
fn options_of_the_data_change_their_settings() {
    let changed = settings(
        "--class-balance 0.5 --exposure 2 --light 0.25 --noise 4 --erasing 0.5 --mixup 0.4 --cutmix 1",
    );
    let best = Recipe::Best.settings();
    let expected = Settings {
        class_balance: 0.5,
        augmentation: Augmentation {
            exposure: 2.0,
            light: 0.25,
            noise: 4.0,
            erasing: 0.5,
            ..best.augmentation
        },
        mixing: Mixing {
            mixup: 0.4,
            cutmix: 1.0,
        },
        ..best
    };
    assert_eq!(changed, expected);
}

#[test]
fn votes_have_half_the_say_unless_their_share_is_given() {
    assert_eq!(settings("--votes new.csv").votes_share, 0.5);
    let given = settings("--votes new.csv --votes-share 0.25");
    assert_eq!(given.votes_share, 0.25);
    assert_eq!(settings("").votes_share, 0.0);
    let line = "emotion-trainer train --data fer2013.csv --votes-share 0.25";
    assert_eq!(
        parse(line).unwrap_err().kind(),
        clap::error::ErrorKind::MissingRequiredArgument
    );
}

#[test]
fn a_resumed_run_takes_no_other_settings() {
    let line = "emotion-trainer train --data fer2013.csv --resume runs/a --lr 0.1";
    assert_eq!(
        parse(line).unwrap_err().kind(),
        clap::error::ErrorKind::ArgumentConflict
    );
}

#[test]
fn a_schedule_comes_with_its_constants() {
    assert_eq!(
        settings("--schedule cosine").common.schedule,
        Schedule::Cosine { warmup: 0.05 }
    );
    let [best, seed] = [Recipe::Best, Recipe::Seed].map(|recipe| recipe.settings().common.schedule);
    assert_eq!(settings("--schedule plateau").common.schedule, seed);
    assert_eq!(
        settings("--recipe seed --schedule one-cycle")
            .common
            .schedule,
        best
    );
}

#[test]
fn weights_are_called_like_their_network_or_as_asked_for() {
    assert_eq!(settings("--arch mini_xception").name(), "mini_xception");
    assert_eq!(settings("--name mine-2.1").name(), "mine-2.1");
}

#[test]
fn impossible_values_are_refused() {
    for options in [
        "--epochs 0",
        "--batch 0",
        "--lr 0",
        "--lr nan",
        "--ema 1",
        "--distill-weight 0",
        "--distill-temperature 0",
        "--save-every=-1",
        "--save-every 1e300",
        "--name a/b",
        "--name .hidden",
        "--name=",
        "--exposure 5",
        "--light 1",
        "--erasing 1.5",
        "--mixup 0.01",
        "--class-balance 2",
    ] {
        let line = format!("emotion-trainer train --data fer2013.csv {options}");
        assert_eq!(
            parse(&line).unwrap_err().kind(),
            clap::error::ErrorKind::ValueValidation,
            "{options}"
        );
    }
}
