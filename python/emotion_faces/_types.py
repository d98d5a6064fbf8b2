"""What goes to and comes from the compiled part."""

from __future__ import annotations

from os import PathLike
from typing import Literal, Optional, TypeAlias, TypedDict, Union

Channels: TypeAlias = Literal["grey", "rgb", "rgba", "bgr", "bgra"]
Picture: TypeAlias = Union[str, "PathLike[str]", bytes, tuple[bytes, int, int, Channels]]
"""The path of a file, the contents of one, or pixels with height, width and channels."""

NativeFace: TypeAlias = tuple[
    tuple[int, int, int, int],
    Optional[int],
    Optional[float],
    Optional[list[tuple[float, float]]],
    list[tuple[str, float]],
    tuple[str, float, bool],
    tuple[Optional[float], float],
    Optional[tuple[float, float]],
]
"""Box, id, confidence of the detector, landmarks, probabilities, (most probable label, its probability, whether it is
uncertain), (valence, quality), (roll, yaw)."""


class Arguments(TypedDict):
    """Those of `FaceEmotions`."""

    model: str | PathLike[str]
    detector: str | PathLike[str] | None
    threshold: float | None
    detection_threshold: float
    min_size: int
    max_faces: int
    margin: float
    light: str
    mirror: bool
