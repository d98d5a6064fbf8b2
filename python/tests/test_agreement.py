"""The numbers are those of the programs and of the elements."""

import json
import math

import numpy
import pytest
from conftest import PORTRAIT, built, launch, run
from emotion_faces import FaceEmotions
from PIL import Image

LEFT_OUT = ("id", "box_normalized", "detection_confidence", "valence", "landmarks")


def predicted(*arguments):
    lines = run(built("emotion-trainer"), "predict", "--json", *arguments).splitlines()
    return [json.loads(line) for line in lines]


def as_record(face):
    """A face with the names and the rounding of records."""
    box = face.box._asdict()
    return {
        "box": box,
        "emotion": "uncertain" if face.uncertain else face.dominant_emotion,
        "uncertain": face.uncertain,
        "confidence": round(face.confidence, 6),
        "probabilities": {name: round(share, 6) for name, share in face.emotions.items()},
        "quality": round(face.quality, 6),
    }


def as_landmarks(face, width, height):
    """Its landmarks with the names and the unit of records: fractions of the frame."""
    names = [f"{name}_{axis}" for name in face.landmarks for axis in "xy"]
    values = [value / side for point in face.landmarks.values() for value, side in zip(point, (width, height))]
    return pytest.approx(dict(zip(names, values)), abs=1e-5)


def without(record, *names):
    return {name: value for name, value in record.items() if name not in names}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """The portrait as it is, as a grey JPEG that lies on its side, half as large, and cut through the face."""
    folder = tmp_path_factory.mktemp("pictures")
    portrait = Image.open(PORTRAIT)
    turned = portrait.convert("L").transpose(Image.Transpose.ROTATE_90)
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(folder / "turned.jpg", exif=exif)
    portrait.resize((256, 256)).save(folder / "half.webp", lossless=True)
    portrait.crop((225, 0, 512, 512)).save(folder / "cut.png")
    return [PORTRAIT, *sorted(folder.iterdir())]


def test_a_path_has_the_faces_that_predict_prints(analyzer, pictures):
    for picture, expected in zip(pictures, predicted(*pictures)):
        found = analyzer.detect(picture)
        assert [as_record(face) for face in found] == [
            without(face, "detection", "landmarks") for face in expected["faces"]
        ], picture
        width, height = expected["width"], expected["height"]
        assert [face["landmarks"] for face in expected["faces"]] == [as_landmarks(face, width, height) for face in found]
        assert [round(face.detection_confidence, 6) for face in found] == [
            face["detection"] for face in expected["faces"]
        ]
        assert (analyzer.model, analyzer.weights_id) == (expected["model"], expected["weights_id"])
        assert round(analyzer.threshold, 6) == expected["threshold"]
    assert sum(len(faces) for faces in analyzer.detect(pictures)) >= 3, "faces were compared"


def test_so_has_one_with_other_options(pictures):
    analyzer = FaceEmotions("mini_xception", threshold=0.9, min_size=40, margin=0.2)
    options = ["--weights", "mini_xception", "--threshold", 0.9, "--min-size", 40, "--margin", 0.2]
    for picture, expected in zip(pictures, predicted(*options, *pictures)):
        found = [as_record(face) for face in analyzer.detect(picture)]
        assert found == [without(face, "detection", "landmarks") for face in expected["faces"]], picture


def test_without_a_detector_the_picture_is_the_face(portrait, tmp_path):
    face = Image.fromarray(portrait[70:190, 180:290])
    face.save(tmp_path / "face.png")
    [expected] = predicted("--crop", "none", tmp_path / "face.png")
    found = FaceEmotions(detector=None).detect(tmp_path / "face.png")
    assert [as_record(face) for face in found] == expected["faces"]
    assert found[0].detection_confidence is None


def records(text):
    return [json.loads(line) for line in text.splitlines()]


def test_an_array_has_the_faces_of_the_elements_on_rgb(analyzer, portrait, tmp_path):
    for pixels in (portrait, portrait[:, 224:], portrait[::2, ::2]):
        height, width, _ = pixels.shape
        (tmp_path / "frame.rgb").write_bytes(pixels.tobytes())
        caps = f"rawvideoparse format=rgb width={width} height={height} framerate=25/1"
        [record] = records(
            launch(
                *f"filesrc location=frame.rgb blocksize={height * width * 3} ! {caps}".split(),
                *"! facedetect ! emotionclassify ! emotionpublish location=- ! fakesink".split(),
                cwd=tmp_path,
            )
        )
        found = analyzer.detect(pixels)
        assert [as_record(face) for face in found] == [
            without(face, *LEFT_OUT) for face in record["faces"]
        ]
        assert [f["landmarks"] for f in record["faces"]] == [
            as_landmarks(face, width, height) for face in found
        ]
        assert [round(face.valence, 6) for face in found] == [f["valence"] for f in record["faces"]]


def test_tracked_frames_have_the_faces_of_the_elements(portrait, tmp_path):
    # The picture pans to the right and darkens, so that boxes and emotions change.
    frames = [
        (portrait[:, 4 * index : 4 * index + 400] * (1 - index / 40)).astype("uint8")
        for index in range(25)
    ]
    (tmp_path / "clip.rgb").write_bytes(b"".join(frame.tobytes() for frame in frames))
    caps = "rawvideoparse format=rgb width=400 height=512 framerate=25/1"
    expected = records(
        launch(
            *f"filesrc location=clip.rgb ! {caps}".split(),
            *"! facedetect ! emotionclassify ! emotionpublish location=- ! fakesink".split(),
            cwd=tmp_path,
        )
    )
    found = list(FaceEmotions().track(frames, fps=25))
    assert len(found) == len(expected) == 25
    for faces, record in zip(found, expected):
        assert [face.id for face in faces] == [face["id"] for face in record["faces"]] == [1]
        assert [as_record(face) for face in faces] == [
            without(face, *LEFT_OUT) for face in record["faces"]
        ]
        assert [f["landmarks"] for f in record["faces"]] == [
            as_landmarks(face, 400, 512) for face in faces
        ]


def test_bgr_grey_and_files_in_memory_agree_with_rgb(analyzer, portrait):
    [face] = analyzer.detect(portrait)
    assert analyzer.detect(portrait[:, :, ::-1], channels="bgr") == [face]
    assert analyzer.detect(PORTRAIT.read_bytes()) == [face]
    assert analyzer.detect(Image.open(PORTRAIT)) == [face]
    opaque = numpy.dstack([portrait, numpy.full(portrait.shape[:2], 255, "uint8")])
    assert analyzer.detect(opaque) == [face]
    assert analyzer.detect(opaque[:, :, [2, 1, 0, 3]], channels="bgr") == [face]
    weights = numpy.array([19595, 38470, 7471], "uint32")
    grey = ((portrait.astype("uint32") @ weights + 32768) >> 16).astype("uint8")
    assert analyzer.detect(grey) == analyzer.detect(grey[:, :, None]) == [face]
    assert math.isclose(sum(face.emotions.values()), 1, abs_tol=1e-5)
