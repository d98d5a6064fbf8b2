//! Boxes of faces: boxes.jsonl, landmarks.jsonl, lists of WIDER FACE, hard negatives.

#![no_main]

use std::fs;

use emotion_trainer::detector::annotations;
use libfuzzer_sys::fuzz_target;

// The files follow each other, with a line of `---` between them.
fuzz_target!(|text: &str| {
    let files = text.split("---\n");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lists = folder.path().join("wider_face_split");
    fs::create_dir(&lists).expect("the folder is new");
    let names = [
        "boxes.jsonl",
        "landmarks.jsonl",
        "wider_face_split/wider_face_train_bbx_gt.txt",
        "hard.jsonl",
    ];
    for (name, text) in names.iter().zip(files) {
        if !text.is_empty() {
            fs::write(folder.path().join(name), text).expect("it is writable");
        }
    }
    if let Ok(mut all) = annotations::load(folder.path()) {
        let hard = folder.path().join("hard.jsonl");
        let _ = annotations::add_hard_negatives(&mut all, folder.path(), &hard);
        for annotation in &all {
            for face in annotation.boxes.iter().chain(&annotation.hard_negatives) {
                assert!(face.width >= 0.0 && face.height >= 0.0, "{face:?}");
            }
        }
    }
});
