"""Compares our Python package with `fer` on annotated photographs: time, faces found, and how often both name the same emotion.

    pip install fer target/wheels/emotion_faces-*x86_64.whl
    python bench/peers/fer_faces.py FOLDER

FOLDER holds faces.jsonl and images. Both take the pictures in turn, as arrays, one at a time.
"""

import argparse
import json
import pathlib
import statistics

import cv2
from emotion_faces import FaceEmotions
from fer.fer import FER
from turns import timed

# Least intersection over union of two boxes of one face. Those of fer are larger than drawn ones.
SAME = 0.3


def overlap(a, b):
    """Intersection over union of two boxes [x, y, width, height]."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    return common / (a[2] * a[3] + b[2] * b[3] - common)


def pairs(boxes, others):
    """The indices of boxes that show the same face, each used once, those that overlap most first."""
    rated = ((overlap(a, b), i, j) for i, a in enumerate(boxes) for j, b in enumerate(others))
    used_boxes, used_others = set(), set()
    for rate, i, j in sorted(rated, reverse=True):
        if rate >= SAME and i not in used_boxes and j not in used_others:
            used_boxes.add(i)
            used_others.add(j)
            yield i, j


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path, help="with faces.jsonl")
    parser.add_argument("--rounds", type=int, default=3, help="times that each picture is taken")
    arguments = parser.parse_args()

    ours, theirs = FaceEmotions(threads=1), FER()
    calls = {
        "ours": lambda image: [(face.box, face.dominant_emotion) for face in ours.detect(image, channels="bgr")],
        "fer": lambda image: [
            ([int(side) for side in face["box"]], max(face["emotions"], key=face["emotions"].get))
            for face in theirs.detect_emotions(image)
        ],
    }
    times = {name: [] for name in calls}
    found = {name: 0 for name in calls}
    right = {name: 0 for name in calls}
    drawn = common = same = 0
    for line in (arguments.folder / "faces.jsonl").read_text().splitlines():
        annotation = json.loads(line)
        image = cv2.imread(str(arguments.folder / annotation["image"]))
        if image is None:
            parser.error(f"cannot read {annotation['image']} in {arguments.folder}")
        answers = {}
        for name, call in calls.items():
            # The first call prepares for this size.
            answers[name] = call(image)
        turns = {name: [] for name in calls}
        for _ in range(arguments.rounds):
            for name, call in calls.items():
                turns[name].append(timed(lambda call=call: call(image)))
        drawn += len(annotation["boxes"])
        for name, faces in answers.items():
            times[name].append(statistics.median(turns[name]))
            found[name] += len(faces)
            right[name] += len(list(pairs([box for box, _ in faces], annotation["boxes"])))
        both = list(pairs(*([box for box, _ in faces] for faces in answers.values())))
        common += len(both)
        same += sum(answers["ours"][i][1] == answers["fer"][j][1] for i, j in both)

    for name in calls:
        milliseconds = 1000 * statistics.mean(times[name])
        print(f"{name}: {milliseconds:.1f} ms a picture, {right[name]} of {drawn} drawn faces, {found[name] - right[name]} other boxes")
    print(f"both found {common} faces and name the same emotion on {same} of them")


if __name__ == "__main__":
    main()
