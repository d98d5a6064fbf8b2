"""The class that most programs use."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias, TypedDict, overload

from ._face import Face, from_native
from ._native import Engine, Tracker
from ._pictures import Image, Order, native
from ._types import Arguments


# Of `Image`; a list of arrays is none of a list of either for type checkers.
Images: TypeAlias = list[Any] | tuple[Any, ...]


class Region(TypedDict):
    """Where a face is, as deepface says it: in pixels; the eyes are the person's own."""

    x: int
    y: int
    w: int
    h: int
    left_eye: tuple[int, int] | None
    right_eye: tuple[int, int] | None


class Analysis(TypedDict):
    """A face as deepface describes it; emotions are in percent."""

    emotion: dict[str, float]
    dominant_emotion: str
    region: Region
    face_confidence: float


class FaceEmotions:
    """Finds the faces in pictures and videos and names their expressions.

    Any number of threads may share one object: all that computes runs without Python's lock.

    Args:
        model: Built-in weights, `residual_xception` (answers as people do) or `mini_xception` (smaller and faster), or the
            path of a safetensors file from `emotion-trainer`.
        detector: The built-in weights `face_net`, or the path of a safetensors file. `None` takes each picture for one face.
        threshold: The probability, 0 to 1, below which a face is uncertain; it rises on poor faces. 0 names every face, `None`
            takes the value that the weights bring.
        detection_threshold: The confidence, 0 to 1, from which something is a face.
        min_size: The longer side of the smallest face in pixels; 0 stands for 16 pixels of the detector's input.
        max_faces: Keeps this many faces, the largest ones; 0 keeps all.
        margin: How far the crop reaches beyond the box on each side, as a share of the box.
        light: How the light of each face is corrected: `none`, `equalize`, `clahe` or `exposure`.
        mirror: Also classifies the mirror image of each face: right more often, twice the work.
        threads: How many pictures of a list are worked on at a time; `None` for the number of processors.

    Raises:
        FileNotFoundError: There are no such weights.
        ValueError: Weights are broken or those of another kind of network, or a number is out of its range.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] = "residual_xception",
        detector: str | os.PathLike[str] | None = "face_net",
        *,
        threshold: float | None = None,
        detection_threshold: float = 0.5,
        min_size: int = 0,
        max_faces: int = 0,
        margin: float = 0.0,
        light: str = "none",
        mirror: bool = False,
        threads: int | None = None,
    ) -> None:
        self._arguments = Arguments(
            model=model,
            detector=detector,
            threshold=threshold,
            detection_threshold=detection_threshold,
            min_size=min_size,
            max_faces=max_faces,
            margin=margin,
            light=light,
            mirror=mirror,
        )
        self._threads = threads
        self._engine = Engine(self._arguments, threads)

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy in another process loads the weights again.
        return _restore, (self._arguments, self._threads)

    @property
    def labels(self) -> list[str]:
        """The names of the emotions, in the order of the model."""
        return self._engine.labels

    @property
    def model(self) -> str:
        """The name of the weights, as in records."""
        return self._engine.weights[0]

    @property
    def weights_id(self) -> str:
        """The fingerprint of the weights, as in records: it changes with their values."""
        return self._engine.weights[1]

    @property
    def threshold(self) -> float:
        """The probability below which a face is uncertain, 0 to 1."""
        return self._engine.threshold

    @overload
    def detect(self, image: Image, *, channels: Order = "rgb") -> list[Face]: ...
    @overload
    def detect(self, image: Images, *, channels: Order = "rgb") -> list[list[Face]]: ...
    def detect(
        self, image: Image | Images, *, channels: Order = "rgb"
    ) -> list[Face] | list[list[Face]]:
        """The faces of a picture, the most confident first, or those of each picture of a list.

        Args:
            image: A path, the bytes of a picture file, a picture of Pillow, or an array of uint8: [height, width] grey or [height,
                width, 3]. Files are turned upright by their EXIF orientation; Pillow's pictures and arrays are taken as they are.
            channels: The order of the colours of an array, `rgb` or, as OpenCV has it, `bgr`.

        Raises:
            TypeError: It is no picture, or an array of another type than uint8.
            ValueError: An array has another shape or no pixel; a file is damaged, cut short or of an unknown format.
            FileNotFoundError: There is no such file. Also PermissionError and IsADirectoryError.
        """
        if isinstance(image, list | tuple):
            return self._analyze_all(image, channels)
        return self._analyze_one(image, channels, whole=False)

    def top_emotion(self, image: Image, *, channels: Order = "rgb") -> tuple[str, float] | tuple[None, None]:
        """The most probable emotion of the most confident face and its probability, as in `fer`; `(None, None)` without one."""
        found = self._analyze_one(image, channels, whole=False)
        return (found[0].dominant_emotion, found[0].confidence) if found else (None, None)

    @overload
    def analyze(
        self,
        img_path: Image,
        actions: str | Sequence[str] = ("emotion",),
        enforce_detection: bool = True,
        *,
        channels: Order = "rgb",
    ) -> list[Analysis]: ...
    @overload
    def analyze(
        self,
        img_path: Images,
        actions: str | Sequence[str] = ("emotion",),
        enforce_detection: bool = True,
        *,
        channels: Order = "rgb",
    ) -> list[list[Analysis]]: ...
    def analyze(
        self,
        img_path: Image | Images,
        actions: str | Sequence[str] = ("emotion",),
        enforce_detection: bool = True,
        *,
        channels: Order = "rgb",
    ) -> list[Analysis] | list[list[Analysis]]:
        """The faces of a picture as `DeepFace.analyze` returns them: a list of dictionaries with emotions in percent.

        Args:
            img_path: As for `detect`.
            actions: Only `emotion` is there.
            enforce_detection: Whether a picture without a face is an error. Otherwise it is taken for a face as a whole, with a
                `face_confidence` of 0.
            channels: The order of the colours of an array; deepface itself expects `bgr`.

        Raises:
            ValueError: No face is in the picture, or another action was asked for. Also what `detect` raises.
        """
        for action in [actions] if isinstance(actions, str) else actions:
            if action != "emotion":
                raise ValueError(f"actions: expected 'emotion', found {action!r}")
        if isinstance(img_path, list | tuple):
            found = self._analyze_all(img_path, channels)
            pairs = zip(img_path, found)
            return [self._described(image, one, enforce_detection, channels) for image, one in pairs]
        one = self._analyze_one(img_path, channels, whole=False)
        return self._described(img_path, one, enforce_detection, channels)

    def track(
        self,
        frames: Iterable[Image],
        *,
        fps: float = 30.0,
        times: Iterable[float] | None = None,
        channels: Order = "rgb",
    ) -> Iterator[list[Face]]:
        """The faces of each frame of a video, with ids that stay and emotions that are smoothed over time.

        Faces come in the order in which they appeared. Frames are taken one by one, as the result is iterated over.

        Args:
            frames: Pictures as for `detect`.
            fps: Frames in a second.
            times: The time of each frame in seconds, in place of `fps`, for frames that come at uneven times.
            channels: The order of the colours of arrays, `rgb` or `bgr`.

        Raises:
            ValueError: There is no detector, or a time or the number of frames in a second makes no sense. Also what `detect` raises.
        """
        if isinstance(frames, str | os.PathLike | bytes | bytearray | memoryview):
            raise TypeError(
                "frames: expected pictures, found a file; read its frames with OpenCV's VideoCapture, or tag it with emotion-tag"
            )
        if times is None:
            if not 0 < fps < float("inf"):
                raise ValueError(f"fps: expected a positive number, found {fps}")
            times = (index / fps for index in itertools.count())
        return _follow(self._engine.tracker(), frames, times, channels)

    def _analyze_one(self, image: Image, channels: Order, *, whole: bool) -> list[Face]:
        [found] = self._engine.analyze([native(image, channels)], whole)
        return [from_native(face) for face in found]

    def _analyze_all(self, images: Images, channels: Order) -> list[list[Face]]:
        found = self._engine.analyze([native(image, channels) for image in images], False)
        return [[from_native(face) for face in one] for one in found]

    def _described(
        self, image: Image, found: list[Face], enforce_detection: bool, channels: Order
    ) -> list[Analysis]:
        if not found and enforce_detection:
            raise ValueError(
                "no face was found in the picture; with enforce_detection=False it is taken for one"
            )
        return [_describe(face) for face in found or self._analyze_one(image, channels, whole=True)]


def _restore(arguments: Arguments, threads: int | None) -> FaceEmotions:
    return FaceEmotions(**arguments, threads=threads)


def _follow(
    tracker: Tracker, frames: Iterable[Image], times: Iterable[float], channels: Order
) -> Iterator[list[Face]]:
    clock = iter(times)
    for frame in frames:
        time = next(clock, None)
        if time is None:
            raise ValueError("times: expected one for each frame, found fewer")
        yield [from_native(face) for face in tracker.frame(native(frame, channels), time)]


def _describe(face: Face) -> Analysis:
    def point(name: str) -> tuple[int, int] | None:
        if face.landmarks is None:
            return None
        x, y = face.landmarks[name]
        return round(x), round(y)

    x, y, width, height = face.box
    return Analysis(
        emotion={label: 100 * probability for label, probability in face.emotions.items()},
        dominant_emotion=face.dominant_emotion,
        region=Region(
            x=x, y=y, w=width, h=height, left_eye=point("left_eye"), right_eye=point("right_eye")
        ),
        face_confidence=face.detection_confidence or 0.0,
    )
