"""Faces and their emotions in pictures and videos, on the CPU, without downloads.

>>> from emotion_faces import FaceEmotions
>>> for face in FaceEmotions().detect("photo.jpg"):  # doctest: +SKIP
...     print(face.box, face.dominant_emotion, face.emotions)
"""

from ._analyzer import FaceEmotions
from ._face import Box, Face
from ._gstreamer import faces
from ._records import read

__all__ = ["Box", "Face", "FaceEmotions", "faces", "read"]
