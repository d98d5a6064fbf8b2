//! Quick loop (to be replaced).
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use candle_core::{Device, Tensor};
use emotion_models::face_net::{self, VALUES};
use emotion_models::fused::Fused;
use emotion_models::preprocess::Region;
use emotion_models::weights::{Architecture, Normalization};
use emotion_models::{Metadata, Weights};
use rayon::prelude::*;

use super::annotations::Split;
use super::found::{Curve, Truth, decode, judge};
use super::loss::detection;
use super::sample::{Sample, Sampling};
use super::scenes::{Scene, read};
use super::targets::targets;
use crate::average::Average;
use crate::data::prefetch::Prefetched;
use crate::network::Network;
use crate::optimizer::{Adam, AdamConfig};
use crate::random::{Purpose, generator};
use crate::schedule::Schedule;

const VAL: usize = 448;

pub fn quick(data: &Path, out: &Path, epochs: usize, lr: f64, seed: u64) -> Result<()> {
    std::fs::create_dir_all(out)?;
    let train = Arc::new(read(data, Split::Train)?);
    let val = read(data, Split::Val)?;
    eprintln!("{} {}", train.len(), val.len());
    let sampling = Sampling::DEFAULT;
    let network = Network::new(Architecture::FaceNet, sampling.size, seed)?;
    let mut start = network.parameters.snapshot()?;
    for index in 0..3 {
        let bias = Tensor::new(&[-4.0f32, 0.0, 0.0, 0.7, 0.7], &Device::Cpu)?;
        start
            .insert(format!("heads.{index}.values.bias"), bias)
            .expect("bias");
    }
    network.parameters.restore(&start)?;
    let averaged = Network::new(Architecture::FaceNet, sampling.size, seed)?;
    let mut average = Average::new(&averaged.parameters, &network.parameters, 0.999)?;
    let config = AdamConfig {
        weight_decay: 0.02,
        ..AdamConfig::default()
    };
    let mut adam = Adam::new(
        network.parameters.trained.clone(),
        network.parameters.slots().to_vec(),
        config,
    );
    let batch = 32;
    let steps = train.len() / batch;
    let places: Vec<_> = face_net::places(sampling.size, sampling.size).collect();
    let val_fused = Fused::new(&face_net::graph(VAL, VAL)?)?;
    let mut best = 0.0;
    let mut log = String::from("epoch,loss,val_ap50,lr,seconds\n");
    for epoch in 1..=epochs {
        let started = Instant::now();
        let scenes = Arc::clone(&train);
        let batches = Prefetched::start(move |outlet| {
            for step in 0..steps {
                let samples: Vec<Sample> = (0..batch)
                    .into_par_iter()
                    .map(|index| {
                        let stream = (epoch as u64) << 32 | (step * batch + index) as u64;
                        sampling.draw(&scenes, &mut generator(seed, Purpose::Sampling, stream))
                    })
                    .collect();
                if !outlet.put(samples) {
                    break;
                }
            }
        });
        let (mut sum, mut rate) = (0.0, 0.0);
        for (step, samples) in batches.enumerate() {
            let pixels: Vec<f32> = samples
                .iter()
                .flat_map(|s| &s.pixels)
                .map(|&p| f32::from(p) * (2.0 / 255.0) - 1.0)
                .collect();
            let input = Tensor::from_vec(
                pixels,
                (batch, sampling.size, sampling.size, 1),
                &Device::Cpu,
            )?;
            let output = network.train(&input)?;
            let values = output.reshape((batch * places.len(), VALUES))?;
            let logits: Vec<f32> = output.flatten_all()?.to_vec1()?;
            let targets = targets(&samples, &places, &logits)?;
            let loss = detection(&values, &targets)?;
            sum += f64::from(loss.to_scalar::<f32>()?);
            rate = Schedule::COSINE.learning_rate(
                lr,
                ((epoch - 1) * steps + step) as u64,
                (epochs * steps) as u64,
                &[],
            );
            adam.step(&loss.backward()?, rate)?;
            average.update()?;
            if step % 47 == 46 {
                eprintln!(
                    "  {step} {:.4} {:.1}s",
                    sum / (step + 1) as f64,
                    started.elapsed().as_secs_f64()
                );
            }
        }
        let ap = validate(&val_fused, &averaged, &val)?;
        let line = format!(
            "{epoch},{:.4},{ap:.4},{rate:.6},{:.1}\n",
            sum / steps as f64,
            started.elapsed().as_secs_f64()
        );
        eprint!("{line}");
        log += &line;
        std::fs::write(out.join("log.csv"), &log)?;
        let mut last: HashMap<String, Tensor> = HashMap::new();
        for (group, tensors) in [
            ("trained", network.parameters.snapshot()?),
            ("averaged", averaged.parameters.snapshot()?),
            ("moments", adam.state()?),
        ] {
            last.extend(
                tensors
                    .into_iter()
                    .map(|(n, t)| (format!("{group}/{n}"), t)),
            );
        }
        candle_core::safetensors::save(&last, out.join("last.tmp"))?;
        std::fs::rename(out.join("last.tmp"), out.join("last.safetensors"))?;
        if ap > best {
            best = ap;
            let metadata = Metadata {
                name: "face_net".to_owned(),
                architecture: Architecture::FaceNet,
                labels: vec!["face".to_owned()],
                input_size: sampling.size,
                normalization: Normalization::SymmetricUnit,
                temperature: 1.0,
                training: format!("epoch {epoch} of {epochs}, AP {ap:.4}"),
            };
            Weights::new("face_net", metadata, averaged.parameters.snapshot()?)?
                .save(&out.join("best.safetensors"))?;
        }
    }
    Ok(())
}

fn validate(fused: &Fused, network: &Network, scenes: &[Scene]) -> Result<f64> {
    let trained = network.parameters.trained.to_vec1()?;
    let statistics = network.parameters.statistics.to_vec1()?;
    let places: Vec<_> = face_net::places(VAL, VAL).collect();
    let mut judged = Vec::new();
    let mut faces = 0;
    for group in scenes.chunks(16) {
        let mut pixels = vec![0.0f32; group.len() * VAL * VAL];
        for (scene, out) in group.iter().zip(pixels.chunks_exact_mut(VAL * VAL)) {
            let picture = &scene.levels[0];
            for (row, out) in picture
                .pixels
                .chunks_exact(picture.width)
                .zip(out.chunks_exact_mut(VAL))
            {
                for (pixel, out) in row.iter().zip(out) {
                    *out = f32::from(*pixel) * (2.0 / 255.0) - 1.0;
                }
            }
        }
        let values = fused.evaluate(&pixels, &trained, &statistics)?;
        for (scene, values) in group.iter().zip(values) {
            let [w, h] = [scene.width() as f32, scene.height() as f32];
            let found = decode(&places, &values, -5.0);
            let found: Vec<_> = found
                .into_iter()
                .filter_map(|mut f| {
                    f.region = super::annotations::cut_off(f.region, [w, h])?;
                    Some(f)
                })
                .collect();
            let _: &Vec<Region> = &scene.faces;
            judged.extend(judge(
                &found,
                Truth {
                    faces: &scene.faces,
                    ignored: &scene.ignored,
                },
                0.5,
            ));
            faces += scene.faces.len();
        }
    }
    let curve = Curve::new(judged, faces);
    let points: Vec<String> = [-1.0f32, 0.0, 0.5, 1.0]
        .iter()
        .map(|&t| {
            let p = curve.at(t);
            format!("{t}: R {:.3} P {:.3}", p.recall, p.precision)
        })
        .collect();
    eprintln!("  {}", points.join("  "));
    Ok(curve.average_precision())
}
