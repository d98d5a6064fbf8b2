"""The faces on a buffer of GStreamer's Python bindings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ._face import LANDMARKS, Box, Face
from ._native import roll_and_yaw

FACE_TYPE = "face"
COPY_OF_PARAMS = "GstEmotionFaceMeta"


def faces(buffer: Any) -> list[Face]:
    """The faces that `facedetect` and `emotionclassify` have written to a `Gst.Buffer`, as in a pad probe.

    Where a converter has dropped the params of a region, our copy of them is read. A face that is not classified has no
    emotions, an empty `dominant_emotion` and is uncertain.

    Raises:
        TypeError: It is no `Gst.Buffer`.
        ImportError: GStreamer's bindings are not installed.
    """
    try:
        import gi  # type: ignore[import-untyped,import-not-found,unused-ignore]

        gi.require_version("Gst", "1.0")
        gi.require_version("GstVideo", "1.0")
        from gi.repository import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
            GLib,
            Gst,
            GstVideo,
        )
    except (ImportError, ValueError) as error:
        raise ImportError(
            "GStreamer's Python bindings are not installed: apt install python3-gi gir1.2-gst-plugins-base-1.0"
        ) from error
    if not isinstance(buffer, Gst.Buffer):
        raise TypeError(f"expected a Gst.Buffer, found {type(buffer).__name__}")
    region_of = GstVideo.buffer_get_video_region_of_interest_meta_id
    copies = _copies(buffer)
    found = []
    for number in _numbers(copies, lambda number: region_of(buffer, number) is not None):
        region = region_of(buffer, number)
        # A candidate, or a region that another element has marked.
        if region is None or GLib.quark_to_string(region.roi_type) != FACE_TYPE:
            continue
        found.append(_face(region, copies.get(number)))
    return found


def _numbers(copies: dict[int, Any], is_there: Any) -> Iterator[int]:
    """The numbers of all regions: those that we keep, and else from 1 on as far as they go."""
    yield from copies
    number = 1
    while number in copies or is_there(number):
        if number not in copies:
            yield number
        number += 1


def _copies(buffer: Any) -> dict[int, Any]:
    """Our copy of the params of all regions, by their numbers."""
    try:
        meta = buffer.get_custom_meta(COPY_OF_PARAMS)
    except TypeError:
        # Nobody has registered it: our plugin is not loaded.
        return {}
    if meta is None:
        return {}
    is_there, stored = meta.get_structure().get_array("faces")
    # A structure in an array lives as long as the array.
    copied = [stored.get_nth(index).copy() for index in range(stored.n_values)] if is_there else []
    numbered = ((_integer(face, "roi_id"), face) for face in copied)
    return {number: face for number, face in numbered if number is not None}


def _face(region: Any, copy: Any) -> Face:
    def param(name: str) -> Any:
        return region.get_param(name) or (copy and copy.get_value(name))

    # The bindings have no numbers below 0.
    x, y = (value - (1 << 32) if value >> 31 else value for value in (region.x, region.y))
    detection, track, emotion = param("detection"), param("object_id"), param("emotion")
    points = _points(param("landmarks"), detection, region)
    roll, yaw = roll_and_yaw(points) if points else (None, None)
    labels = [str(label) for label in _array(emotion, "labels")] if emotion else []
    probabilities = _array(emotion, "probabilities") if emotion else []
    label_id = _integer(emotion, "label_id") if emotion else None
    label = emotion.get_string("label") if emotion else None
    is_uncertain = label in (None, "uncertain")
    if is_uncertain and label_id is not None and label_id < len(labels):
        label = labels[label_id]
    return Face(
        box=Box(x, y, region.w, region.h),
        emotions=dict(zip(labels, probabilities)),
        dominant_emotion=label or "",
        confidence=(_number(emotion, "confidence") or 0.0) if emotion else 0.0,
        uncertain=is_uncertain,
        valence=_number(emotion, "valence") if emotion else None,
        quality=_number(emotion, "quality") if emotion else None,
        landmarks=dict(zip(LANDMARKS, points)) if points else None,
        roll=roll,
        yaw=yaw,
        detection_confidence=_number(detection, "confidence") if detection else None,
        id=_integer(track, "id") if track else None,
    )


def _points(landmarks: Any, detection: Any, region: Any) -> list[tuple[float, float]] | None:
    """The landmarks in pixels, which the params have in fractions of the frame."""
    if not landmarks or not detection:
        return None
    limits = [_number(detection, name) for name in ("x_min", "x_max", "y_min", "y_max")]
    fractions = [(_number(landmarks, f"{name}_x"), _number(landmarks, f"{name}_y")) for name in LANDMARKS]
    if None in limits or any(None in point for point in fractions):
        return None
    x_min, x_max, y_min, y_max = (limit or 0.0 for limit in limits)
    if x_max <= x_min or y_max <= y_min:
        return None
    # The box is known in pixels and in fractions, and so is the size of the frame.
    width, height = region.w / (x_max - x_min), region.h / (y_max - y_min)
    return [((x or 0.0) * width, (y or 0.0) * height) for x, y in fractions]


def _number(structure: Any, name: str) -> float | None:
    is_there, value = structure.get_double(name)
    return float(value) if is_there else None


def _integer(structure: Any, name: str) -> int | None:
    is_there, value = structure.get_int(name)
    return int(value) if is_there else None


def _array(structure: Any, name: str) -> list[Any]:
    is_there, values = structure.get_array(name)
    return [values.get_nth(index) for index in range(values.n_values)] if is_there else []
