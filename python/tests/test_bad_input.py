"""Bad input is an exception of the right type that says what to do, never a panic."""

import io
import os
import random

import numpy
import pytest
from conftest import PORTRAIT, ROOT
from emotion_faces import FaceEmotions
from PIL import Image


@pytest.mark.parametrize(
    ("picture", "error", "message"),
    [
        (numpy.zeros((50, 50, 3), "float32"), TypeError, r"float32; multiply by 255 and convert with .astype\('uint8'\)"),
        (numpy.zeros((50, 50), "uint16"), TypeError, "uint16; scale the values"),
        (numpy.zeros((50, 50), "bool"), TypeError, "bool"),
        (numpy.array([[None]]), TypeError, "object"),
        (numpy.zeros(50, "uint8"), ValueError, r"\(height, width, 3\), found \(50,\)"),
        (numpy.zeros((50, 50, 2), "uint8"), ValueError, r"found \(50, 50, 2\)"),
        (numpy.zeros((3, 50, 50), "uint8"), ValueError, r"array.transpose\(1, 2, 0\)"),
        (numpy.zeros((2, 50, 50, 3), "uint8"), ValueError, "pass a list"),
        (numpy.zeros((0, 50, 3), "uint8"), ValueError, "at least one pixel"),
        (numpy.zeros((50, 0), "uint8"), ValueError, "at least one pixel"),
        (Image.new("RGB", (0, 0)), ValueError, "at least one pixel"),
        (Image.new("F", (9, 9)), ValueError, "mode F; scale its values"),
        (Image.new("I;16", (9, 9)), ValueError, "mode I;16"),
        (None, TypeError, "found NoneType: cv2.imread"),
        (7, TypeError, "a path, the bytes of a picture file, a picture of Pillow or a NumPy array, found int"),
        ([[1, 2]], TypeError, "found list"),
        (b"", ValueError, "found none"),
        (b"GIF89a", ValueError, "may be damaged or incomplete"),
        (b"no picture", ValueError, "is not a PNG, JPEG"),
        ("nowhere/face.jpg", FileNotFoundError, "nowhere/face.jpg"),
        ("https://example.org/face.jpg", ValueError, "nothing is downloaded"),
        ("face\0.jpg", ValueError, "NUL"),
        (ROOT, IsADirectoryError, "cannot be read"),
        ("/dev/zero", ValueError, "a pipe or a device"),
        (ROOT / "Cargo.toml", ValueError, "is not a PNG, JPEG"),
    ],
)
def test_what_is_no_picture_is_an_error_that_says_what_to_do(analyzer, picture, error, message):
    with pytest.raises(error, match=message) as raised:
        analyzer.detect(picture)
    assert type(raised.value) is error
    with pytest.raises(error):
        analyzer.analyze([PORTRAIT, picture])
    with pytest.raises(error):
        list(analyzer.track([PORTRAIT, picture]))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM"])
def test_a_picture_that_is_cut_short_is_a_value_error(analyzer, portrait, tmp_path, kind):
    whole = io.BytesIO()
    Image.fromarray(portrait).save(whole, kind)
    whole = whole.getvalue()
    assert len(analyzer.detect(whole)) == 1
    for share in (0.02, 0.5, 0.95):
        cut = tmp_path / "cut"
        cut.write_bytes(whole[: int(share * len(whole))])
        for picture in (cut, cut.read_bytes()):
            with pytest.raises(ValueError, match="cut"  if picture is cut else "the picture"):
                analyzer.detect(picture)


def test_damaged_pictures_never_panic(analyzer):
    random.seed(7)
    small = Image.open(PORTRAIT).resize((64, 64))
    for kind in ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM"):
        file = io.BytesIO()
        small.save(file, kind)
        for _ in range(60):
            damaged = bytearray(file.getvalue())
            for _ in range(random.randint(1, 20)):
                damaged[random.randrange(len(damaged))] = random.randrange(256)
            try:
                analyzer.detect(damaged)
            except ValueError as error:
                assert "bug" not in str(error)


def test_a_file_that_claims_a_huge_picture_is_a_value_error(analyzer):
    claim = b"P6 100000 100000 255\n" + bytes(100)
    with pytest.raises(ValueError):
        analyzer.detect(claim)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_nobody_may_read_is_a_permission_error(analyzer, tmp_path):
    (tmp_path / "secret.png").write_bytes(PORTRAIT.read_bytes())
    (tmp_path / "secret.png").chmod(0)
    with pytest.raises(PermissionError, match="secret.png"):
        analyzer.detect(tmp_path / "secret.png")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (dict(model="vgg"), FileNotFoundError, "residual_xception, mini_xception and face_net"),
        (dict(model="face_net"), ValueError, "face_net"),
        (dict(detector="mini_xception"), ValueError, "mini_xception"),
        (dict(model=PORTRAIT), ValueError, "not a whole safetensors file"),
        (dict(model=ROOT), IsADirectoryError, "cannot be read"),
        (dict(threshold=1.5), ValueError, "threshold: expected a number from 0 to 1, found 1.5"),
        (dict(threshold=float("nan")), ValueError, "threshold"),
        (dict(detection_threshold=-1), ValueError, "detection_threshold"),
        (dict(min_size=-3), ValueError, "min_size: expected a whole number from 0"),
        (dict(max_faces=2**40), ValueError, "max_faces"),
        (dict(margin=9), ValueError, "margin: expected"),
        (dict(light="bright"), ValueError, "none, equalize, clahe, exposure"),
        (dict(threads=0), ValueError, "threads: expected 1 or more"),
        (dict(model=3), TypeError, "model"),
        (dict(min_size="small"), TypeError, "min_size"),
    ],
)
def test_arguments_that_make_no_sense_are_errors(arguments, error, message):
    with pytest.raises(error, match=message):
        FaceEmotions(**arguments)


def test_tracking_needs_a_detector_frames_and_a_rate(portrait):
    with pytest.raises(ValueError, match="detector=None"):
        FaceEmotions(detector=None).track([portrait])
    for rate in (0, -1, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="fps: expected a positive number"):
            FaceEmotions().track([portrait], fps=rate)
    with pytest.raises(TypeError, match="emotion-tag"):
        FaceEmotions().track("clip.mp4")
    with pytest.raises(ValueError, match="'rgb' or 'bgr'"):
        FaceEmotions().detect(portrait, channels="gbr")
