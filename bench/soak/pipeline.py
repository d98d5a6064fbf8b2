"""A pipeline of all elements at the greatest speed while sizes, formats, weights and times change.

Prints what the process takes; --limits makes growth a failure.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import gi
from samples import SampleFile, descriptors_left, growth, steady

gi.require_version("Gst", "1.0")
from gi.repository import Gst

PORTRAIT = Path(__file__).parents[2] / "tests/media/astronaut.png"
FORMATS = ["I420", "NV12", "GRAY8", "RGB", "BGRx", "YUY2", "I420_10LE", "P010_10LE", "Y444", "AYUV"]
SIZES = [(320, 240), (640, 360), (641, 363), (480, 640), (1280, 720)]
WARM_UP = 60.0
"""Seconds in which each format, size and network comes once."""
STALL = 60.0
"""Seconds without a frame after which the pipeline hangs."""


def picture(faces: int, folder: Path) -> Path:
    """A picture with this many faces, from a grid of portraits."""
    file = folder / "faces.png"
    columns = next(n for n in (1, 2, 4, 8) if n * n >= faces / 2)
    rows = -(-faces // columns) if faces else 1
    crop = "crop=330:330:70:0" if faces else "crop=100:100:390:10"
    scale = f"{crop},scale={1280 // max(columns, 2)}:{720 // max(rows, 2)}:force_original_aspect_ratio=decrease"
    tiles = f"{scale},tile={columns}x{rows}:nb_frames={max(faces, 1)},pad=1280:720:-1:-1"
    command = ["ffmpeg", "-v", "error", "-y", "-loop", "1", "-i", str(PORTRAIT), "-vf", tiles, "-frames:v", "1", str(file)]
    subprocess.run(command, check=True)
    return file


class Soak:
    """The pipeline, and what happens to it."""

    def __init__(self, still: Path, folder: Path) -> None:
        self._pipeline = Gst.parse_launch(
            f"filesrc location={still} ! pngdec ! imagefreeze name=source ! videoscale add-borders=true "
            "! capsfilter name=size ! videoconvert ! capsfilter name=format "
            "! facedetect name=detect ! emotionclassify name=classify ! emotionzones "
            "zones=\"left=0,0 0.5,0 0.5,1 0,1\" ! emotionoverlay landmarks=true zones=true "
            f"! emotionpublish location={folder}/records.jsonl ! fakesink name=sink sync=false"
        )
        self._records = folder / "records.jsonl.part"
        self._random = random.Random(1)
        self._changed = 0
        self._frames = 0
        self._before = 0

    def start(self) -> None:
        self._set_caps()
        self._pipeline.set_state(Gst.State.PLAYING)

    def stop(self) -> None:
        self._pipeline.set_state(Gst.State.NULL)

    def frames(self) -> int:
        """The frames that have reached the sink."""
        rendered = self._pipeline.get_by_name("sink").get_property("stats").get_value("rendered")
        # A flushing seek starts again from zero.
        self._frames += rendered - self._before if rendered >= self._before else rendered
        self._before = rendered
        return self._frames

    def check(self) -> None:
        """Ends the program where the pipeline has posted an error."""
        while message := self._pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR | Gst.MessageType.EOS):
            sys.exit(f"{message.src.get_name()}: {message.parse_error() if message.type == Gst.MessageType.ERROR else 'EOS'}")

    def change(self) -> None:
        """Changes one thing, each kind in turn."""
        changes = [self._change_caps, self._seek, self._change_caps, self._swap_weights, self._change_caps, self._set_back]
        changes[self._changed % len(changes)]()
        self._changed += 1
        if self._records.exists() and self._records.stat().st_size > 1 << 30:
            os.truncate(self._records, 0)

    def _change_caps(self) -> None:
        # In front of a frame, because none must be on its way with the caps of before. (Filters that let such frames pass,
        # caps-change-mode=delayed, keep each of their caps in memory.)
        pad = self._pipeline.get_by_name("source").get_static_pad("src")
        pad.add_probe(Gst.PadProbeType.BUFFER, self._set_caps)

    def _set_caps(self, *_: object) -> Gst.PadProbeReturn:
        width, height = self._random.choice(SIZES)
        for name, fields in [("size", f"width={width},height={height}"), ("format", f"format={self._random.choice(FORMATS)}")]:
            caps = Gst.Caps.from_string(f"video/x-raw,{fields}")
            self._pipeline.get_by_name(name).set_property("caps", caps)
        return Gst.PadProbeReturn.REMOVE

    def _seek(self) -> None:
        self.frames()
        target = self._random.randrange(3600) * Gst.SECOND
        self._pipeline.seek_simple(Gst.Format.TIME, Gst.SeekFlags.FLUSH, target)

    def _swap_weights(self) -> None:
        classify = self._pipeline.get_by_name("classify")
        models = ["mini_xception", "residual_xception"]
        classify.set_property("model", models[classify.get_property("model") == models[0]])

    def _set_back(self) -> None:
        pad = self._pipeline.get_by_name("source").get_static_pad("src")
        pad.set_offset(self._random.randrange(-10, 10) * Gst.SECOND)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("samples", type=Path, help="CSV of samples; one that is there is gone on with")
    parser.add_argument("--faces", type=int, default=0)
    parser.add_argument("--frames", type=int, default=1_000_000, help="of all runs together")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="of this run at most")
    parser.add_argument("--sample-every", type=float, default=5.0)
    parser.add_argument("--limits", action="store_true", help="fail where memory grows by 1 MiB or descriptors are left")
    args = parser.parse_args()
    Gst.init(None)
    samples = SampleFile(args.samples)
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(picture(args.faces, Path(folder)), Path(folder))
        soak.start()
        began = next_sample = last_frame = time.monotonic()
        seen = 0
        while samples.done + seen < args.frames and time.monotonic() - began < args.seconds:
            time.sleep(0.5)
            soak.check()
            soak.change()
            now = time.monotonic()
            if soak.frames() > seen:
                seen, last_frame = soak.frames(), now
            elif now - last_frame > STALL:
                sys.exit(f"no frame for {STALL:.0f} s")
            if now >= next_sample:
                samples.take(os.getpid(), seen)
                next_sample = now + args.sample_every
        soak.stop()
    print(f"{samples.done + seen:.0f} frames in all, {seen / (time.monotonic() - began):.0f} a second in this run")
    found = steady(samples, WARM_UP)
    more = growth(found) / 1024
    left = descriptors_left(found)
    if args.limits and (more > 1 or left > 0):
        sys.exit(f"expected at most 1 MiB and no descriptor more, found {more:.2f} MiB and {left}")


if __name__ == "__main__":
    main()
