"""Pictures of all kinds in the form that the compiled part takes."""

from __future__ import annotations

import os
from typing import Literal, Protocol, TypeAlias, Union, runtime_checkable

from ._types import Channels, Picture

Order: TypeAlias = Literal["rgb", "bgr"]


@runtime_checkable
class Array(Protocol):
    """A NumPy array, or what behaves like one."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> object: ...
    def tobytes(self) -> bytes: ...


@runtime_checkable
class PillowImage(Protocol):
    """A picture of Pillow."""

    @property
    def mode(self) -> str: ...
    @property
    def size(self) -> tuple[int, int]: ...
    def convert(self, mode: str, /) -> PillowImage: ...
    def tobytes(self) -> bytes: ...


Image: TypeAlias = Union[
    str, "os.PathLike[str]", bytes, bytearray, memoryview, Array, PillowImage
]
"""A path, the contents of a picture file, a picture of Pillow, or an array of uint8."""

KINDS = "a path, the bytes of a picture file, a picture of Pillow or a NumPy array"
# Pillow's modes that become grey and RGB without loss of meaning.
GREY_MODES = {"1", "L", "LA", "La"}
RGB_MODES = {"RGB", "RGBA", "RGBX", "RGBa", "P", "PA", "CMYK", "YCbCr", "LAB", "HSV"}


def native(image: Image, channels: Order) -> Picture:
    """The picture as the compiled part takes it."""
    if channels not in ("rgb", "bgr"):
        raise ValueError(f"channels: expected 'rgb' or 'bgr', found {channels!r}")
    if isinstance(image, str | os.PathLike):
        path = os.fspath(image)
        if not isinstance(path, str):
            path = os.fsdecode(path)
        if "\0" in path:
            raise ValueError("a path has no NUL characters")
        if path.startswith(("http://", "https://")):
            raise ValueError(f"{path}: nothing is downloaded here; pass the bytes of the picture")
        return path
    if isinstance(image, bytes | bytearray | memoryview):
        if not len(image):
            raise ValueError("the bytes of a picture file are expected, found none")
        return bytes(image)
    if isinstance(image, PillowImage):
        return from_pillow(image)
    if isinstance(image, Array):
        return from_array(image, channels)
    remedy = ""
    if image is None:
        remedy = ": cv2.imread returns it for a file that it cannot read"
    elif hasattr(image, "numpy"):
        remedy = "; pass its .numpy() with the channels at the end"
    raise TypeError(f"expected {KINDS}, found {type(image).__name__}{remedy}")


def from_pillow(image: PillowImage) -> Picture:
    """The pixels of a picture of Pillow as it is, without its EXIF orientation."""
    width, height = image.size
    if width == 0 or height == 0:
        raise ValueError(f"a picture needs at least one pixel, found {width}×{height}")
    if image.mode in GREY_MODES:
        return image.convert("L").tobytes(), height, width, "grey"
    if image.mode in RGB_MODES:
        return image.convert("RGB").tobytes(), height, width, "rgb"
    raise ValueError(
        f"expected a picture with 8 bits a channel, found mode {image.mode}; scale its values to 0 to 255 and convert it to L"
    )


def from_array(array: Array, channels: Order) -> Picture:
    """The pixels of an array: [height, width], or with 1, 3 or 4 channels at the end."""
    dtype, shape = str(array.dtype), array.shape
    if dtype != "uint8":
        remedy = "multiply by 255 and convert with .astype('uint8') if the values are from 0 to 1"
        if not dtype.startswith("float"):
            remedy = "scale the values to 0 to 255 and convert with .astype('uint8')"
        raise TypeError(f"expected an array of uint8 with values from 0 to 255, found {dtype}; {remedy}")
    depth = {2: 1}.get(len(shape), shape[2] if len(shape) == 3 else 0)
    names: dict[int, Channels] = {1: "grey", 3: channels, 4: "bgra" if channels == "bgr" else "rgba"}
    if depth not in names:
        remedy = ""
        if len(shape) == 3 and shape[0] in (1, 3, 4):
            remedy = "; move the channels to the end with array.transpose(1, 2, 0)"
        if len(shape) == 4:
            remedy = "; pass a list of the pictures"
        raise ValueError(
            f"expected the shape (height, width) or (height, width, 3), found {tuple(shape)}{remedy}"
        )
    height, width = shape[0], shape[1]
    if height == 0 or width == 0:
        raise ValueError(f"a picture needs at least one pixel, found the shape {tuple(shape)}")
    return array.tobytes(), height, width, names[depth]
