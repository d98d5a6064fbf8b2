"""Prints the faces on a buffer that is made here, with landmarks, a region of another type, and one left of the frame, as JSON."""

import dataclasses
import json

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstVideo", "1.0")
from emotion_faces import faces
from gi.repository import Gst, GstVideo

Gst.init(None)
buffer = Gst.Buffer.new()
for number, (kind, x) in enumerate([("face", 20), ("car", 5), ("face", (1 << 32) - 5)], start=1):
    region = GstVideo.buffer_add_video_region_of_interest_meta(buffer, kind, x, 20, 40, 50)
    region.id = number
    if number == 1:
        detection = "detection, confidence=0.9, x_min=0.1, x_max=0.3, y_min=0.2, y_max=0.7"
        points = {"right_eye": (0.15, 0.3), "left_eye": (0.25, 0.3), "nose": (0.2, 0.4)}
        points |= {"right_mouth": (0.16, 0.5), "left_mouth": (0.24, 0.5)}
        values = [f"{name}_x={x}, {name}_y={y}" for name, (x, y) in points.items()]
        for text in (detection, f"landmarks, {', '.join(values)}"):
            region.add_param(Gst.Structure.new_from_string(text).copy())
print(json.dumps([dataclasses.asdict(face) for face in faces(buffer)]))
