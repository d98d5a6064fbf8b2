//! Preprocessing of a face in a frame, compared with OpenCV's area filter.

use std::hint::black_box;

use anyhow::{Result, ensure};
use emotion_models::preprocess::{GreyImage, Preprocessor, Region};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use crate::args::Args;
use crate::comparison::Comparison;
use crate::engine::SIZE;
use crate::measure::{in_turn, max_difference, timed};
use crate::peer::PythonPeer;
use crate::report::{Measurement, Unit};

/// Sides of the faces in pixels.
const SIDES: [usize; 4] = [48, 100, 200, 500];
/// Width and height of the frame.
const FRAME: [usize; 2] = [1280, 720];
/// Distance of the faces from the left and the top.
const POSITION: [usize; 2] = [301, 107];
/// Calls in a turn.
const CALLS: usize = 200;
/// The peer rounds to grey levels: half of one is 1/255.
const TOLERANCE: f32 = 1.1 / 255.0;

/// One comparison for each size of faces.
pub(crate) fn comparisons() -> Vec<Comparison> {
    let compare = |side: usize| {
        Comparison::new(format!("preprocess/{side}"), move |name, args| {
            measure(name, args, side)
        })
    };
    SIDES.into_iter().map(compare).collect()
}

fn measure(name: &str, args: &Args, side: usize) -> Result<Vec<Measurement>> {
    let [width, height] = FRAME;
    let [left, top] = POSITION;
    let mut pixels = vec![0; width * height];
    ChaCha8Rng::seed_from_u64(1).fill_bytes(&mut pixels);
    let task = json!({
        "pixels": pixels,
        "width": width,
        "height": height,
        "left": left,
        "top": top,
        "side": side,
        "size": SIZE,
    });
    let (mut peer, about) = PythonPeer::start(&args.python, "resize.py", &task)?;

    let image = GreyImage::new(&pixels, width, height, width)?;
    let region = Region::new(left as f32, top as f32, side as f32, side as f32);
    let mut preprocessor = Preprocessor::new(SIZE);
    let mut out = vec![0.0; SIZE * SIZE];
    preprocessor.run(&image, region, &mut out)?;
    let difference = max_difference(&out, &about.output);
    ensure!(
        difference < TOLERANCE,
        "{}: its values differ from ours by {difference}, expected less than {TOLERANCE}",
        about.name
    );

    let mut run = || Ok(preprocessor.run(black_box(&image), region, black_box(&mut out))?);
    let turns = in_turn(
        args.rounds.get(),
        || timed(CALLS, &mut run),
        || peer.median(CALLS),
    )?;
    Ok(vec![Measurement::new(
        name,
        Unit::Microseconds,
        turns,
        about.name,
    )])
}
