"""A face and its emotion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ._types import NativeFace

LANDMARKS = ("right_eye", "left_eye", "nose", "right_mouth", "left_mouth")


class Box(NamedTuple):
    """A rectangle in pixels; `x` and `y` are its upper left corner."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Face:
    """A face in a picture.

    Right and left are the person's own. What a detector or a network does not tell is `None`.
    """

    box: Box
    """Where it is, in pixels."""
    emotions: Mapping[str, float]
    """The probability of each emotion, 0 to 1; they add up to 1."""
    dominant_emotion: str
    """The most probable emotion, also where it is not certain enough to be named."""
    confidence: float
    """Its probability, 0 to 1: 0.7 means that seven of ten people would name it so."""
    uncertain: bool
    """Whether no emotion is probable enough to be named."""
    valence: float | None
    """How pleasant the expression is, -1 to 1."""
    quality: float | None
    """How well the face can be judged, 0 to 1; below 0.5 is poor."""
    landmarks: Mapping[str, tuple[float, float]] | None = None
    """`right_eye`, `left_eye`, `nose`, `right_mouth`, `left_mouth` in pixels, from a detector that finds them."""
    roll: float | None = None
    """How far the head is tilted, in degrees clockwise as it is seen, from -180 to 180; from the landmarks."""
    yaw: float | None = None
    """How far the head is turned to the person's left, in degrees from -90 to 90; from the landmarks."""
    detection_confidence: float | None = None
    """How sure the detector is that this is a face, 0 to 1."""
    id: int | None = None
    """The number of the face, the same on all frames of a video; only of tracked faces."""


def from_native(face: NativeFace) -> Face:
    """The face that the compiled part has found."""
    box, identity, detection, points, emotions, dominant, (valence, quality), angles = face
    roll, yaw = angles or (None, None)
    return Face(
        box=Box(*box),
        emotions=dict(emotions),
        dominant_emotion=dominant[0],
        confidence=dominant[1],
        uncertain=dominant[2],
        valence=valence,
        quality=quality,
        landmarks=dict(zip(LANDMARKS, points)) if points else None,
        roll=roll,
        yaw=yaw,
        detection_confidence=detection,
        id=identity,
    )
