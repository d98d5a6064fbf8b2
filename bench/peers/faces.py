"""Runs YuNet on annotated images, for `emotion-trainer evaluate-detector --found`.

    python bench/peers/faces.py face_detection_yunet_2023mar.onnx FOLDER --split val > yunet.jsonl

Needs opencv-python-headless. Each image is searched at its own size; boxes overlap by at most 0.45, as in our own
evaluation.
"""

import argparse
import json
import pathlib

import cv2

LEAST_CONFIDENCE = 0.02
OVERLAP = 0.45
MOST_CANDIDATES = 5000


def annotations(folder):
    """The annotations in the folder."""
    for name in ("boxes.jsonl", "faces.jsonl"):
        if (folder / name).exists():
            for line in (folder / name).read_text().splitlines():
                yield json.loads(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="YuNet in ONNX")
    parser.add_argument("folder", type=pathlib.Path, help="with boxes.jsonl or faces.jsonl")
    parser.add_argument("--split", help="only images of this split")
    arguments = parser.parse_args()

    detector = cv2.FaceDetectorYN.create(arguments.model, "", (320, 320), LEAST_CONFIDENCE, OVERLAP, MOST_CANDIDATES)
    for annotation in annotations(arguments.folder):
        if arguments.split and annotation.get("split", arguments.split) != arguments.split:
            continue
        image = cv2.imread(str(arguments.folder / annotation["image"]))
        if image is None:
            parser.error(f"cannot read {annotation['image']} in {arguments.folder}")
        height, width = image.shape[:2]
        detector.setInputSize((width, height))
        faces = detector.detect(image)[1]
        found = [] if faces is None else [[float(face[index]) for index in (0, 1, 2, 3, 14)] for face in faces]
        print(json.dumps({"image": annotation["image"], "found": found}))


if __name__ == "__main__":
    main()
