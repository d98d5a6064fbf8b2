"""Faces on buffers of GStreamer's Python bindings, in the system's own Python, which has no NumPy for us."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import PORTRAIT, built, run
from emotion_faces import faces

SYSTEM = "/usr/bin/python3"
SOURCE = f"filesrc location={PORTRAIT} ! pngdec ! imagefreeze num-buffers=3 ! videoconvert"


def has_bindings():
    code = "import gi; gi.require_version('GstVideo', '1.0')"
    return bool(shutil.which(SYSTEM)) and subprocess.run([SYSTEM, "-c", code], capture_output=True).returncode == 0


@pytest.fixture
def environment(tmp_path):
    if not has_bindings():
        pytest.skip("GStreamer's bindings are not installed")
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins/libgstemotion.so").symlink_to(built("libgstemotion.so"))
    return os.environ | {
        "GST_PLUGIN_PATH": str(tmp_path / "plugins"),
        "GST_REGISTRY": str(tmp_path / "registry.bin"),
    }


@pytest.fixture
def probe(environment):
    def seen(line):
        script = Path(__file__).with_name("gstreamer_probe.py")
        return json.loads(run(SYSTEM, script, line, env=environment))

    return seen


def test_a_probe_sees_the_faces_that_are_found_in_the_picture(probe, analyzer, portrait):
    answer = probe(f"{SOURCE} ! video/x-raw,format=RGB ! facedetect ! emotionclassify ! fakesink name=out")
    [expected] = analyzer.detect(portrait)
    [first], _, [third] = answer["seen"]
    assert first["box"] == list(expected.box)
    assert first["emotions"] == pytest.approx(dict(expected.emotions))
    assert (first["dominant_emotion"], first["uncertain"], first["id"]) == ("happy", False, 1)
    names = ("confidence", "valence", "quality", "detection_confidence")
    assert [first[name] for name in names] == pytest.approx([getattr(expected, name) for name in names])
    assert [first["roll"], first["yaw"]] == pytest.approx([expected.roll, expected.yaw], abs=0.01)
    for name, point in expected.landmarks.items():
        assert first["landmarks"][name] == pytest.approx(point, abs=0.01)
    assert third["id"] == 1
    assert answer["error"] == "expected a Gst.Buffer, found bytes"


def test_a_converter_that_drops_params_loses_no_emotion(probe):
    converted = "videoconvert ! video/x-raw,format=I420 ! videoscale ! video/x-raw,width=256,height=256"
    [face] = probe(f"{SOURCE} ! facedetect ! emotionclassify ! {converted} ! fakesink name=out")["seen"][0]
    assert face["dominant_emotion"] == "happy" and face["emotions"]["happy"] > 0.8
    x, y, width, height = face["box"]
    assert 80 < x < 110 and 20 < y < 45 and width < 65, "the box is scaled"


def test_faces_without_an_emotion_are_uncertain_and_frames_without_faces_are_empty(probe):
    [face] = probe(f"{SOURCE} ! facedetect ! fakesink name=out")["seen"][0]
    assert (face["emotions"], face["dominant_emotion"], face["uncertain"]) == ({}, "", True)
    assert face["detection_confidence"] > 0.9
    empty = "videotestsrc num-buffers=1 pattern=black ! facedetect ! emotionclassify ! fakesink name=out"
    assert probe(empty)["seen"] == [[]]
    assert probe("videotestsrc num-buffers=1 ! fakesink name=out")["seen"] == [[]]


def test_an_unsure_face_keeps_its_best_guess(probe):
    [face] = probe(f"{SOURCE} ! facedetect ! emotionclassify threshold=1 ! fakesink name=out")["seen"][0]
    assert (face["dominant_emotion"], face["uncertain"]) == ("happy", True)


def test_without_bindings_the_package_to_install_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "gi", None)
    with pytest.raises(ImportError, match="apt install python3-gi"):
        faces(object())


def test_landmarks_are_in_pixels_and_other_regions_are_left_out(environment):
    script = Path(__file__).with_name("gstreamer_buffer.py")
    face, outside = json.loads(run(SYSTEM, script, env=environment))
    assert face["landmarks"]["right_eye"] == pytest.approx([30, 30])
    assert face["landmarks"]["left_mouth"] == pytest.approx([48, 50])
    assert (face["roll"], face["yaw"], face["detection_confidence"]) == pytest.approx((0, 0, 0.9))
    assert (outside["box"], outside["landmarks"]) == ([-5, 20, 40, 50], None)
