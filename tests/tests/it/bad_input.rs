//! Wrong input gives a clear error and odd input a sound result; nothing panics or hangs.

use std::{fs, path::Path};

use anyhow::Context as _;
use emotion_pipelines::{
    clip::{self, Clip},
    launch_line::LaunchLine,
};
use emotion_tests::{
    repository,
    stream::{self, ReceivedFrame, assert_emotion_is_sound},
};
use gst::prelude::*;

const WEIGHTS: &str = "models/weights/mini_xception.safetensors";

/// The complete error message of a pipeline that must fail.
fn failure(line: LaunchLine) -> String {
    match stream::run(line, |_| Ok(())) {
        Ok(_) => panic!("it must not run"),
        Err(error) => format!("{error:#}"),
    }
}

fn classify_with(weights: &Path) -> LaunchLine {
    LaunchLine::default()
        .words("videotestsrc num-buffers=2 ! emotionclassify")
        .path("model-location", weights)
}

#[test]
fn a_missing_cascade_file_is_named() {
    let text = failure(LaunchLine::default().words(
        "videotestsrc num-buffers=2 ! facedetect detector=cascade cascade-file=/nowhere/faces.xml",
    ));
    assert!(text.contains("/nowhere/faces.xml"), "{text}");
}

#[test]
fn a_file_that_is_no_cascade_is_named() {
    let file = repository("README.md");
    let text = failure(
        LaunchLine::default()
            .words("videotestsrc num-buffers=2 ! facedetect detector=cascade")
            .path("cascade-file", &file),
    );
    assert!(text.contains("README.md"), "{text}");
}

#[test]
fn missing_weights_are_named() {
    let text = failure(classify_with("/nowhere/my.safetensors".as_ref()));
    assert!(text.contains("/nowhere/my.safetensors"), "{text}");
}

#[test]
fn corrupt_weights_are_refused_with_what_is_wrong() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let whole = fs::read(repository(WEIGHTS)).expect("the weights stand in the repository");
    let file = folder.path().join("cut.safetensors");
    // Empty, cut in the header, and cut in the tensors.
    for length in [0, 5, 200, whole.len() - 1] {
        fs::write(&file, &whole[..length]).expect("it is writable");
        let text = failure(classify_with(&file));
        assert!(
            text.contains("cut.safetensors") && text.contains("not a whole safetensors file"),
            "{length}: {text}"
        );
    }
}

#[test]
fn weights_whose_labels_do_not_fit_the_network_are_refused_with_expected_and_found() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("eight.safetensors");
    relabelled(&file, |labels| labels.push("contempt".into())).expect("it is writable");
    let text = failure(classify_with(&file));
    assert!(
        text.contains("eight.safetensors") && text.contains('7') && text.contains('8'),
        "{text}"
    );
}

#[test]
fn weights_with_other_names_for_the_labels_work_and_their_names_are_reported() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("renamed.safetensors");
    relabelled(&file, |labels| labels[2] = "scared".into()).expect("it is writable");
    let elements = LaunchLine::default()
        .words("appsrc name=clip ! facedetect ! emotionclassify")
        .path("model-location", &file);
    let frames = stream::run(elements, |pipeline| feed(pipeline, [140])).expect("it plays");
    let emotion = frames[0].faces[0]
        .emotion
        .as_ref()
        .expect("the face is classified");
    assert_eq!(emotion.labels[2], "scared");
}

fn feed(
    pipeline: &gst::Pipeline,
    numbers: impl IntoIterator<Item = usize, IntoIter: Send + 'static>,
) -> anyhow::Result<()> {
    let source = pipeline
        .by_name("clip")
        .and_then(|element| element.downcast::<gst_app::AppSrc>().ok());
    Clip::new()?.feed(&source.context("appsrc is an AppSrc")?, numbers);
    Ok(())
}

fn one(description: &str) -> ReceivedFrame {
    let mut frames =
        stream::frames(description).unwrap_or_else(|error| panic!("{description}: {error:#}"));
    assert_eq!(frames.len(), 1, "{description}");
    frames.remove(0)
}

#[test]
fn the_smallest_picture_passes_without_faces() {
    let whole = "facedetect ! emotionclassify ! emotionoverlay";
    for format in ["GRAY8", "I420", "NV12", "YUY2", "RGB", "BGRA"] {
        let frame = one(&format!(
            "videotestsrc num-buffers=1 ! video/x-raw,format={format},width=1,height=1 ! {whole}"
        ));
        assert_eq!((frame.size, frame.faces.len()), ((1, 1), 0), "{format}");
    }
}

#[test]
fn an_8k_picture_passes_and_its_face_is_found() {
    let elements = "videoconvert ! video/x-raw,format=I420 ! videoscale method=nearest-neighbour add-borders=false \
                    ! video/x-raw,width=7680,height=4320 ! facedetect min-size=700 ! emotionclassify ! emotionoverlay";
    let frames = stream::clip_frames([140], elements).expect("it plays");
    assert_eq!(frames[0].size, (7680, 4320));
    assert!(!frames[0].faces.is_empty());
    frames[0].faces.iter().for_each(assert_emotion_is_sound);
}

#[test]
fn regions_that_cross_the_border_are_classified_by_their_visible_part() {
    let (width, height) = (320, 240);
    let line = LaunchLine::default().words(&format!(
        "videotestsrc num-buffers=1 ! video/x-raw,format=NV12,width={width},height={height} ! identity name=detector \
         ! emotionclassify ! emotionoverlay"
    ));
    let regions: [(i32, i32, u32, u32); 5] = [
        (-40, -40, 80, 80),
        (280, 200, 80, 80),
        (-100, 50, 600, 60),
        (300, -20, 40, 300),
        (0, 0, 320, 240),
    ];
    let frames = stream::run(line, |pipeline| {
        let detector = pipeline
            .by_name("detector")
            .and_then(|element| element.static_pad("src"));
        detector.context("identity has a way out")?.add_probe(
            gst::PadProbeType::BUFFER,
            move |_, info| {
                if let Some(buffer) = info.buffer_mut() {
                    for (x, y, width, height) in regions {
                        // The meta's fields are unsigned; elements that shift a region over the border wrap around.
                        gst_video::VideoRegionOfInterestMeta::add(
                            buffer.make_mut(),
                            "face",
                            (x.cast_unsigned(), y.cast_unsigned(), width, height),
                        );
                    }
                }
                gst::PadProbeReturn::Ok
            },
        );
        Ok(())
    })
    .expect("it plays");
    assert_eq!(frames[0].faces.len(), regions.len());
    frames[0].faces.iter().for_each(assert_emotion_is_sound);
}

#[test]
fn faces_are_found_after_size_and_format_change_mid_stream() {
    let elements = "videoconvert ! videoscale add-borders=false ! capsfilter name=change caps=video/x-raw,format=I420,width=640,height=480 \
                    ! facedetect ! emotionclassify ! emotionoverlay";
    let line = LaunchLine::default()
        .words("appsrc name=clip !")
        .words(elements);
    let frames = stream::run(line, |pipeline| {
        let change = pipeline.by_name("change").context("it was named")?;
        let entry = pipeline
            .by_name("clip")
            .and_then(|clip| clip.static_pad("src"));
        let third = gst::ClockTime::SECOND * 132 / clip::FRAMES_PER_SECOND as u64;
        entry.context("appsrc has a way out")?.add_probe(
            gst::PadProbeType::BUFFER,
            move |_, info| {
                if info.buffer().and_then(|buffer| buffer.pts()) == Some(third) {
                    let caps = gst::Caps::builder("video/x-raw")
                        .field("format", "RGB")
                        .field("width", 480)
                        .field("height", 360);
                    change.set_property("caps", caps.build());
                }
                gst::PadProbeReturn::Ok
            },
        );
        feed(pipeline, [130, 131, 132, 133])
    })
    .expect("it plays");
    let sizes: Vec<_> = frames.iter().map(|frame| frame.size).collect();
    assert_eq!(sizes, [(640, 480), (640, 480), (480, 360), (480, 360)]);
    assert!(
        frames.iter().all(|frame| frame.faces.len() >= 2),
        "{frames:?}"
    );
}

/// Writes the built-in weights to `file` with other labels.
fn relabelled(file: &Path, change: impl FnOnce(&mut Vec<String>)) -> anyhow::Result<()> {
    let bytes = fs::read(repository(WEIGHTS))?;
    let (length, rest) = bytes.split_at(8);
    let (header, tensors) = rest.split_at(u64::from_le_bytes(length.try_into()?) as usize);
    let mut header: serde_json::Value = serde_json::from_slice(header)?;
    let labels = &mut header["__metadata__"]["labels"];
    let mut names = serde_json::from_str(labels.as_str().context("labels are JSON in a text")?)?;
    change(&mut names);
    *labels = serde_json::to_string(&names)?.into();
    let header = serde_json::to_vec(&header)?;
    fs::write(
        file,
        [
            &(header.len() as u64).to_le_bytes(),
            header.as_slice(),
            tensors,
        ]
        .concat(),
    )?;
    Ok(())
}
