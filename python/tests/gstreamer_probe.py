"""Prints the faces that a pad probe sees, in a pipeline of our elements, as JSON: gstreamer_probe.py LINE

Runs with the Python that has GStreamer's bindings; the probe is on the sink `out`.
"""

import dataclasses
import json
import sys

import gi

gi.require_version("Gst", "1.0")
from emotion_faces import faces
from gi.repository import Gst

Gst.init(None)
seen = []


def probe(_pad, info):
    seen.append([dataclasses.asdict(face) for face in faces(info.get_buffer())])
    return Gst.PadProbeReturn.OK


pipeline = Gst.parse_launch(sys.argv[1])
pipeline.get_by_name("out").get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, probe)
pipeline.set_state(Gst.State.PLAYING)
message = pipeline.get_bus().timed_pop_filtered(
    Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR
)
pipeline.set_state(Gst.State.NULL)
if message.type == Gst.MessageType.ERROR:
    sys.exit(str(message.parse_error()))
try:
    faces(b"no buffer")
except TypeError as error:
    print(json.dumps({"seen": seen, "error": str(error)}))
