//! From a face in a frame to the network's input, beside OpenCV's area filter.

use std::hint::black_box;

use anyhow::{Result, ensure};
use emotion_models::preprocess::{GreyImage, Preprocessor, Region};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use crate::Args;
use crate::engine::SIZE;
use crate::measure::{apart, in_turn};
use crate::peer::Peer;
use crate::report::{Outcome, Unit};

/// Sides of the faces in pixels.
const SIDES: [usize; 4] = [48, 100, 200, 500];
/// The frame's width and height.
const FRAME: [usize; 2] = [1280, 720];
/// Where the faces are, their distance from the left and from the top.
const PLACE: [usize; 2] = [301, 107];
/// Calls of a turn.
const CALLS: usize = 200;
/// The peer's grey levels are rounded: half of one is 1/255.
const TOLERANCE: f32 = 1.1 / 255.0;

/// A face of this side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Comparison(usize);

/// All of them.
pub(crate) fn comparisons() -> impl Iterator<Item = Comparison> {
    SIDES.into_iter().map(Comparison)
}

impl Comparison {
    pub(crate) fn name(self) -> String {
        format!("preprocess/{}", self.0)
    }

    pub(crate) fn measure(self, args: &Args) -> Result<Vec<Outcome>> {
        let [width, height] = FRAME;
        let [left, top] = PLACE;
        let mut pixels = vec![0; width * height];
        ChaCha8Rng::seed_from_u64(1).fill_bytes(&mut pixels);
        let task = json!({
            "pixels": pixels,
            "width": width,
            "height": height,
            "left": left,
            "top": top,
            "side": self.0,
            "size": SIZE,
        });
        let (mut peer, about) = Peer::start(&args.python, "resize.py", &task)?;

        let image = GreyImage::new(&pixels, width, height, width)?;
        let region = Region {
            x: left as f32,
            y: top as f32,
            width: self.0 as f32,
            height: self.0 as f32,
        };
        let mut preprocessor = Preprocessor::new(SIZE);
        let mut out = vec![0.0; SIZE * SIZE];
        preprocessor.run(&image, region, &mut out)?;
        let apart = apart(&out, &about.output);
        ensure!(
            apart < TOLERANCE,
            "{}: the values are {apart} apart from ours",
            about.name
        );

        let [ours, theirs] = in_turn(args.rounds.get(), CALLS, &mut peer, || {
            Ok(preprocessor.run(black_box(&image), region, black_box(&mut out))?)
        })?;
        Ok(vec![Outcome {
            name: self.name(),
            ours,
            peer: theirs,
            peer_name: about.name,
            unit: Unit::Microseconds,
            peak: None,
        }])
    }
}
