"""The class as people use it."""

import multiprocessing
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy
import pytest
from conftest import PORTRAIT
from emotion_faces import Box, FaceEmotions

LABELS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]


def test_a_face_says_where_it_is_and_what_it_shows(analyzer):
    [face] = analyzer.detect(PORTRAIT)
    x, y, width, height = face.box
    assert 160 < x < 220 and 40 < y < 90 and 60 < width < 130 and 80 < height < 150
    assert isinstance(face.box, Box) and list(face.emotions) == LABELS == analyzer.labels
    assert face.dominant_emotion == "happy" and not face.uncertain
    assert face.confidence == face.emotions["happy"] > 0.8
    assert face.valence > 0.5 < face.quality <= 1 and face.detection_confidence > 0.9
    assert face.id is None and abs(face.roll) < 15 and abs(face.yaw) < 45
    assert list(face.landmarks) == ["right_eye", "left_eye", "nose", "right_mouth", "left_mouth"]
    (right_x, right_y), (left_x, left_y), (nose_x, nose_y), (_, right_mouth_y), (_, left_mouth_y) = face.landmarks.values()
    assert x < right_x < nose_x < left_x < x + width
    assert y < right_y and max(right_y, left_y) < nose_y < min(right_mouth_y, left_mouth_y) < y + height


def test_a_list_has_a_list_of_faces_for_each_picture_in_its_order(analyzer, portrait):
    nobody = numpy.zeros((100, 100, 3), "uint8")
    found = analyzer.detect([nobody, portrait, nobody, str(PORTRAIT), *[portrait] * 5])
    assert [len(faces) for faces in found] == [0, 1, 0, *[1] * 6]
    assert all(faces == found[1] for faces in found if faces)
    assert analyzer.detect([]) == []


def test_threads_share_an_analyzer(analyzer, portrait):
    [alone] = analyzer.detect(portrait)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(analyzer.detect, [portrait] * 12)) == [[alone]] * 12


def test_python_goes_on_while_pictures_are_analyzed(portrait):
    large = numpy.tile(portrait, (6, 6, 1))
    analyzer = FaceEmotions(threads=1)
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(analyzer.detect, large)
        turns = 0
        while not work.done():
            turns += 1
        assert len(work.result()) > 20
    assert turns > 1000, "the loop ran all the time"


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (3000, 1, 3), (7, 3, 4), (15, 17)])
def test_a_picture_may_have_any_size(analyzer, shape):
    picture = numpy.full(shape, 128, "uint8")
    assert analyzer.detect(picture) == []
    assert next(analyzer.track([picture])) == []
    [found] = analyzer.analyze(picture, enforce_detection=False)
    assert (found["region"]["h"], found["region"]["w"]) == shape[:2]


def test_landmarks_have_names_and_angles():
    from emotion_faces._face import from_native
    from emotion_faces._native import roll_and_yaw

    points = [(30.0, 40.0), (70.0, 40.0), (50.0, 60.0), (35.0, 80.0), (65.0, 80.0)]
    # The picture turned by a quarter.
    turned = [(-y, x) for x, y in points]
    assert roll_and_yaw(turned) == pytest.approx((90, 0), abs=0.01)
    native = ((1, 2, 3, 4), 7, 0.9, points, [("happy", 1.0)], ("happy", 1.0, False), (0.9, 0.8), (0.0, 0.0))
    face = from_native(native)
    assert (face.landmarks["left_eye"], face.landmarks["nose"]) == ((70, 40), (50, 60))
    assert (face.roll, face.yaw, face.id, face.box.height) == (0, 0, 7, 4)


def test_ctrl_c_ends_a_long_list():
    script = f"""
import os, signal, threading
from emotion_faces import FaceEmotions
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    FaceEmotions().detect([{str(PORTRAIT)!r}] * 1_000_000)
except KeyboardInterrupt:
    print("ended")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout == "ended\n", done.stderr


def test_a_process_may_fork_after_a_call(analyzer, portrait):
    expected = analyzer.detect([portrait] * 4)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(analyzer.detect, [portrait] * 4) == expected


def test_top_emotion_is_that_of_the_first_face(analyzer, portrait):
    [face] = analyzer.detect(portrait)
    assert analyzer.top_emotion(portrait) == ("happy", face.confidence)
    assert analyzer.top_emotion(numpy.zeros((80, 80), "uint8")) == (None, None)


def test_the_largest_faces_are_kept(portrait):
    two = numpy.hstack([portrait, portrait[::2, ::2].repeat(2, axis=0)[:512]])
    assert len(FaceEmotions(max_faces=1).detect(two)) == 1


def test_an_unsure_face_keeps_its_best_guess(portrait):
    [face] = FaceEmotions(threshold=1.0).detect(portrait)
    assert face.uncertain and face.dominant_emotion == "happy"


def test_an_analyzer_can_be_sent_to_another_process(analyzer, portrait):
    copy = pickle.loads(pickle.dumps(FaceEmotions("mini_xception", threshold=0.3)))
    assert (copy.model, copy.threshold) == ("mini_xception", 0.3)
    assert len(copy.detect(portrait)) == 1


class TestDeepface:
    def test_analyze_has_its_keys_its_list_and_its_percents(self, analyzer, portrait):
        [face] = analyzer.detect(portrait)
        [found] = analyzer.analyze(PORTRAIT)
        assert list(found) == ["emotion", "dominant_emotion", "region", "face_confidence"]
        assert list(found["emotion"]) == LABELS
        assert found["emotion"]["happy"] == pytest.approx(100 * face.emotions["happy"])
        assert sum(found["emotion"].values()) == pytest.approx(100)
        assert found["dominant_emotion"] == "happy"
        x, y, width, height = face.box
        eyes = {name: tuple(map(round, face.landmarks[name])) for name in ("left_eye", "right_eye")}
        assert found["region"] == dict(x=x, y=y, w=width, h=height, **eyes)
        assert found["face_confidence"] == face.detection_confidence
        assert analyzer.analyze(portrait, actions=["emotion"]) == [found]
        assert analyzer.analyze([portrait, PORTRAIT]) == [[found], [found]]

    def test_a_picture_without_a_face_is_an_error_or_a_face(self, analyzer):
        nobody = numpy.full((60, 40, 3), 90, "uint8")
        with pytest.raises(ValueError, match="enforce_detection=False"):
            analyzer.analyze(nobody)
        [found] = analyzer.analyze(nobody, enforce_detection=False)
        assert found["face_confidence"] == 0
        region = dict(x=0, y=0, w=40, h=60, left_eye=None, right_eye=None)
        assert found["region"] == region

    def test_other_actions_are_an_error(self, analyzer):
        with pytest.raises(ValueError, match="'age'"):
            analyzer.analyze(PORTRAIT, actions=["age", "emotion"])


class TestTracking:
    def test_frames_are_taken_one_by_one(self, analyzer, portrait):
        taken = []

        def frames():
            for index in range(1000):
                taken.append(index)
                yield portrait

        found = analyzer.track(frames(), fps=10)
        assert next(found)[0].id == next(found)[0].id == 1
        assert taken == [0, 1]

    def test_a_face_keeps_its_emotion_through_a_single_odd_frame(self, portrait):
        odd = portrait.copy()
        odd[140:190, 180:290] = 60
        frames = [portrait] * 20 + [odd] + [portrait] * 5
        emotions = [[face.dominant_emotion for face in faces] for faces in FaceEmotions().track(frames)]
        assert emotions == [["happy"]] * 26

    def test_each_call_begins_anew(self, analyzer, portrait):
        for _ in range(2):
            assert [face.id for face in next(analyzer.track([portrait]))] == [1]

    def test_times_may_be_given(self, analyzer, portrait):
        found = list(analyzer.track([portrait] * 3, times=[5, 5.5, 9]))
        assert [[face.id for face in faces] for faces in found] == [[1]] * 3
        with pytest.raises(ValueError, match="fewer"):
            list(analyzer.track([portrait] * 3, times=[0, 1]))
        with pytest.raises(ValueError, match="0 or more"):
            list(analyzer.track([portrait], times=[-1]))
