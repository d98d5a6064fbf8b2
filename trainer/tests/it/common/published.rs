//! Faces of FER-2013 and logits that others computed for them.

use std::fs::File;
use std::io::BufReader;

use emotion_models::preprocess::{GreyImage, Preprocessor, Region};
use emotion_tests::data;

/// The first faces of PrivateTest: the first tiles of its first sheet.
pub(crate) fn private_faces(count: usize) -> Vec<Vec<u8>> {
    const TILE: usize = 48;
    let sheet = File::open(data("fer2013/privatetest_00.png")).unwrap();
    let mut reader = png::Decoder::new(BufReader::new(sheet))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let width = info.width as usize;
    let row = |tile: usize, y: usize| {
        let (column, line) = (tile % (width / TILE), tile / (width / TILE));
        pixels[(line * TILE + y) * width + column * TILE..][..TILE].to_vec()
    };
    (0..count)
        .map(|tile| (0..TILE).flat_map(|y| row(tile, y)).collect())
        .collect()
}

pub(crate) fn expected_logits(name: &str) -> Vec<Vec<f32>> {
    let mut csv = csv::Reader::from_path(data(name)).unwrap();
    let row =
        |record: csv::StringRecord| record.iter().skip(1).map(|v| v.parse().unwrap()).collect();
    csv.records().map(|record| row(record.unwrap())).collect()
}

/// The input of a network for faces of `input_size`² pixels.
pub(crate) fn prepared(face: &[u8], input_size: usize) -> Vec<f32> {
    let image = GreyImage::new(face, 48, 48, 48).unwrap();
    let mut input = vec![0.0; input_size * input_size];
    Preprocessor::new(input_size)
        .run(&image, Region::whole(&image), &mut input)
        .unwrap();
    input
}
