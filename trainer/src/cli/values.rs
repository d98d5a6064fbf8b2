//! Parsers of option values.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use emotion_models::face_net::STRIDES;
use emotion_models::inference::Precision;
use emotion_models::preprocess::{LightCorrection, MARGINS};
use emotion_models::weights::Architecture;

/// The time between saves; none: only after epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minutes(pub Option<Duration>);

pub(super) fn number(
    text: &str,
    expected: &str,
    valid: impl Fn(f64) -> bool,
) -> Result<f64, String> {
    let number = text.parse().ok().filter(|&number| valid(number));
    number.ok_or_else(|| format!("expected {expected}"))
}

pub(super) fn positive(text: &str) -> Result<f64, String> {
    number(text, "a number above 0", |number| {
        number > 0.0 && number.is_finite()
    })
}

pub(super) fn not_negative(text: &str) -> Result<f64, String> {
    number(text, "a number from 0", |number| {
        number >= 0.0 && number.is_finite()
    })
}

pub(super) fn below_one(text: &str) -> Result<f64, String> {
    number(text, "a number from 0 to below 1", |number| {
        (0.0..1.0).contains(&number)
    })
}

pub(super) fn share(text: &str) -> Result<f64, String> {
    number(text, "a number above 0 and up to 1", |number| {
        number > 0.0 && number <= 1.0
    })
}

pub(super) fn minutes(text: &str) -> Result<Minutes, String> {
    let minutes = not_negative(text)?;
    let period = Duration::try_from_secs_f64(60.0 * minutes).map_err(|error| error.to_string())?;
    Ok(Minutes((!period.is_zero()).then_some(period)))
}

pub(super) fn architecture() -> impl TypedValueParser<Value = Architecture> {
    PossibleValuesParser::new(Architecture::CLASSIFIERS.map(Architecture::name))
        .try_map(|name| name.parse::<Architecture>())
}

pub(super) fn light_correction() -> impl TypedValueParser<Value = LightCorrection> {
    PossibleValuesParser::new(LightCorrection::ALL.map(LightCorrection::name))
        .map(|name| LightCorrection::from_name(&name).expect("the name is that of a correction"))
}

pub(super) fn dtype() -> impl TypedValueParser<Value = Precision> {
    precision(Precision::ALL)
}

/// The numbers that a model for other programs may have.
pub(super) fn exported_precision() -> impl TypedValueParser<Value = Precision> {
    precision([Precision::F32, Precision::Int8])
}

fn precision<const N: usize>(among: [Precision; N]) -> impl TypedValueParser<Value = Precision> {
    PossibleValuesParser::new(among.map(Precision::name)).map(|name| {
        let mut all = Precision::ALL.into_iter();
        all.find(|precision| precision.name() == name)
            .expect("the name is that of a precision")
    })
}

/// A name that is valid at the start of file names.
pub(super) fn name(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    if text.starts_with(|c: char| c.is_alphanumeric()) && text.chars().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err("expected letters, digits, `_`, `-` and `.`, a letter or digit first".to_owned())
    }
}

pub(super) fn fraction(text: &str) -> Result<f64, String> {
    number(text, "a number from 0 to 1", |number| {
        (0.0..=1.0).contains(&number)
    })
}

pub(super) fn level(text: &str) -> Result<f64, String> {
    number(text, "a number of grey levels from 0 to 255", |number| {
        (0.0..=255.0).contains(&number)
    })
}

pub(super) fn degrees(text: &str) -> Result<f64, String> {
    number(text, "a number of degrees from 0 to 180", |number| {
        (0.0..=180.0).contains(&number)
    })
}

pub(super) fn stops(text: &str) -> Result<f64, String> {
    number(text, "a number of stops from 0 to 4", |number| {
        (0.0..=4.0).contains(&number)
    })
}

pub(super) fn alpha(text: &str) -> Result<f64, String> {
    number(text, "0, or a number from 0.05 to 2", |number| {
        number == 0.0 || (0.05..=2.0).contains(&number)
    })
}

pub(super) fn margin(text: &str) -> Result<f32, String> {
    let margin = text.parse().ok().filter(|margin| MARGINS.contains(margin));
    let (least, most) = (MARGINS.start(), MARGINS.end());
    margin.ok_or_else(|| format!("expected a number from {least} to {most}"))
}

/// A width and height that the detector accepts.
pub(super) fn pixels(text: &str) -> Result<usize, String> {
    let [.., coarsest] = STRIDES;
    let fits = |pixels: &usize| pixels.is_multiple_of(coarsest) && (64..=1024).contains(pixels);
    let pixels = text.parse().ok().filter(fits);
    pixels.ok_or_else(|| format!("expected a multiple of {coarsest} from 64 to 1024"))
}
