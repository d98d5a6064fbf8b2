#!/usr/bin/env python3
"""Shows the camera with the emotion of each face. Needs opencv-python; Escape ends it.

usage: webcam.py [CAMERA]        a number, a file or an address; by default camera 0
"""

import sys
import time

import cv2
from emotion_faces import FaceEmotions


def frames(camera):
    """The frames of the camera."""
    while True:
        is_there, frame = camera.read()
        if not is_there:
            return
        yield frame


def clock():
    """The time at which each frame came."""
    while True:
        yield time.monotonic()


def draw(frame, face):
    x, y, width, height = face.box
    colour = (128, 128, 128) if face.uncertain else (80, 200, 80)
    cv2.rectangle(frame, (x, y), (x + width, y + height), colour, 2)
    label = "uncertain" if face.uncertain else f"{face.dominant_emotion} {face.confidence:.0%}"
    cv2.putText(frame, f"{face.id} {label}", (x, max(y - 8, 16)), cv2.FONT_HERSHEY_SIMPLEX, 0.6, colour, 2)


def main():
    source = sys.argv[1] if len(sys.argv) > 1 else "0"
    camera = cv2.VideoCapture(int(source) if source.isdigit() else source)
    if not camera.isOpened():
        sys.exit(f"{source}: cannot be opened; is the camera plugged in and not in use?")
    shown = []

    def seen():
        for frame in frames(camera):
            shown[:] = [frame]
            yield frame

    for faces in FaceEmotions().track(seen(), times=clock(), channels="bgr"):
        [frame] = shown
        for face in faces:
            draw(frame, face)
        cv2.imshow("emotions", frame)
        if cv2.waitKey(1) == 27:
            break


if __name__ == "__main__":
    main()
