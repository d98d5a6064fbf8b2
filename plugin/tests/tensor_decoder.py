"""GStreamer's tensor decoder for faces (1.28) finds a face, our elements name its emotion and draw it.

    tensor_decoder.py PICTURE.png DRAWN.png

In place of a network, this script attaches the tensors that it would give: one face, one place that is no face for sure, and much
background. The picture is the astronaut's.
"""

import struct
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstAnalytics", "1.0")
gi.require_version("GstVideo", "1.0")
from gi.repository import GLib, Gst, GstAnalytics, GstVideo

SIDE = 512
# Left, upper, right and lower edge in pixels, and the probability of a face.
FACE = ((176, 68, 288, 212), 0.97)
EMBLEM = ((230, 390, 290, 450), 0.4)
BACKGROUND = ((0, 0, 40, 40), 0.01)
BOXES = "ssd-mobilenet-v1-variant-1-out-boxes"
SCORES = "ultra-lightweight-face-detection-rfb-320-v1-variant-1-out-scores"


def tensor(name: str, rows: list[list[float]]) -> GstAnalytics.Tensor:
    """A tensor of floats, 1×rows×columns."""
    values = [value for row in rows for value in row]
    return GstAnalytics.Tensor.new_simple(
        GLib.quark_from_string(name),
        GstAnalytics.TensorDataType.FLOAT32,
        Gst.Buffer.new_wrapped(struct.pack(f"={len(values)}f", *values)),
        GstAnalytics.TensorDimOrder.ROW_MAJOR,
        [1, len(rows), len(rows[0])],
    )


def pixels(picture: str) -> Gst.Buffer:
    """The picture in RGB."""
    line = Gst.parse_launch(
        f"filesrc location={picture} ! pngdec ! videoconvert ! video/x-raw,format=RGB,width={SIDE},height={SIDE} ! appsink name=sink"
    )
    line.set_state(Gst.State.PLAYING)
    buffer = line.get_by_name("sink").emit("pull-sample").get_buffer()
    data = buffer.extract_dup(0, buffer.get_size())
    line.set_state(Gst.State.NULL)
    return Gst.Buffer.new_wrapped(data)


def attach_tensors(buffer: Gst.Buffer) -> None:
    """What the network would attach."""
    places = [FACE, EMBLEM] + [BACKGROUND] * 30
    boxes = [[edge / SIDE for edge in box] for box, _ in places]
    scores = [[1 - probability, probability] for _, probability in places]
    meta = GstAnalytics.buffer_add_tensor_meta(buffer)
    meta.set([tensor(BOXES, boxes), tensor(SCORES, scores)])


def main() -> None:
    picture, drawn = sys.argv[1:]
    Gst.init(None)
    line = Gst.parse_launch(
        "appsrc name=source format=time ! ultralightfacedetectortensordec name=decoder ! emotionclassify name=classify "
        f"! emotionoverlay ! videoconvert ! pngenc ! filesink location={drawn}"
    )
    # With the tensors that the decoder asks for, as the network's element would say.
    caps = Gst.Caps.from_string(f"video/x-raw,format=RGB,width={SIDE},height={SIDE},framerate=25/1")
    tensors = line.get_by_name("decoder").get_static_pad("sink").get_pad_template_caps()
    source = line.get_by_name("source")
    source.set_property("caps", caps.intersect(tensors).fixate())
    found = []

    def read(_pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        # No region comes with the decoder's objects: all that are there are ours, from 1 on.
        number = 1
        while region := GstVideo.buffer_get_video_region_of_interest_meta_id(info.get_buffer(), number):
            emotion = region.get_param("emotion")
            found.append(((region.x, region.y, region.w, region.h), emotion.get_string("label")))
            number += 1
        return Gst.PadProbeReturn.OK

    line.get_by_name("classify").get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, read)
    line.set_state(Gst.State.PLAYING)
    buffer = pixels(picture)
    buffer.pts = 0
    attach_tensors(buffer)
    source.emit("push-buffer", buffer)
    source.emit("end-of-stream")
    ends = Gst.MessageType.EOS | Gst.MessageType.ERROR
    message = line.get_bus().timed_pop_filtered(20 * Gst.SECOND, ends)
    line.set_state(Gst.State.NULL)
    assert message is not None, "nothing came out within 20 seconds"
    assert message.type == Gst.MessageType.EOS, message.parse_error()
    print(found)
    (left, upper, right, lower), _ = FACE
    assert [box for box, _ in found] == [(left, upper, right - left, lower - upper)], found
    assert found[0][1] == "happy", found


main()
