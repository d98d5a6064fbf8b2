use super::*;
use emotion_models::Emotion;

type Matrix = [[f64; 3]; 3];

/// Full dichromacy after Machado, Oliveira and Fernandes (2009), table 1, on linear RGB.
const SIGHTS: [(&str, Matrix); 4] = [
    (
        "normal",
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    ),
    (
        "protanopia",
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
    ),
    (
        "deuteranopia",
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
    ),
    (
        "tritanopia",
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ],
    ),
];

/// Linear RGB to cone responses and their cube roots to Lab: Oklab (Ottosson 2020).
const OKLAB_CONES: Matrix = [
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
];
const OKLAB: Matrix = [
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
];

fn multiply(matrix: &Matrix, v: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row.iter().zip(v).map(|(a, b)| a * b).sum())
}

fn linear(colour: Colour) -> [f64; 3] {
    let (r, g, b) = colour.rgb();
    [r, g, b].map(|c| {
        if c <= 0.04045 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    })
}

fn oklab_as_seen(colour: Colour, sight: &Matrix) -> [f64; 3] {
    let seen = multiply(sight, linear(colour)).map(|c| c.clamp(0.0, 1.0));
    multiply(&OKLAB, multiply(&OKLAB_CONES, seen).map(f64::cbrt))
}

#[test]
fn any_two_emotions_stay_apart_for_every_kind_of_sight() {
    for (sight, matrix) in &SIGHTS {
        for (i, (a, first)) in EMOTIONS.iter().enumerate() {
            for (b, second) in &EMOTIONS[i + 1..] {
                let distance = oklab_as_seen(*first, matrix)
                    .into_iter()
                    .zip(oklab_as_seen(*second, matrix))
                    .map(|(a, b)| (a - b).powi(2))
                    .sum::<f64>()
                    .sqrt();
                // Okabe and Ito's own colours come down to 0.07 for the same seven.
                assert!(distance > 0.14, "{a} and {b} with {sight}: {distance:.3}");
            }
        }
    }
}

#[test]
fn every_emotion_of_the_models_has_a_colour_of_its_own() {
    let names: Vec<_> = EMOTIONS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, Emotion::ALL.map(Emotion::name));
}

#[test]
fn an_unknown_label_is_coloured_by_its_index() {
    assert_eq!(colour("contempt", 7), EMOTIONS[0].1);
    assert_eq!(colour("happy", 0), EMOTIONS[3].1);
}
