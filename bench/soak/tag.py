"""emotion-tag on one video of many hours, a clip again and again: what its worker takes meanwhile."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from samples import SampleFile, growth, steady

WARM_UP = 60.0
"""Seconds in which caches fill."""


def worker_of(program: int) -> int | None:
    """The process that reads the file."""
    threads = Path(f"/proc/{program}/task").glob("*/children")
    children = " ".join(thread.read_text() for thread in threads).split()
    return int(children[0]) if children else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="emotion-tag")
    parser.add_argument("video", help="an MP4 file with H.264")
    parser.add_argument("samples", type=Path, help="CSV of samples, to which it adds")
    parser.add_argument("--hours", type=float, default=20.0, help="of video")
    parser.add_argument("--sample-every", type=float, default=5.0)
    parser.add_argument("--limits", action="store_true", help="fail where memory grows by 1 MiB an hour of video")
    args = parser.parse_args()
    samples = SampleFile(args.samples)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        long = folder / "long.mp4"
        loop = ["ffmpeg", "-v", "error", "-stream_loop", "-1", "-i", args.video, "-t", str(args.hours * 3600), "-an"]
        subprocess.run([*loop, "-c", "copy", long], check=True)
        began = next_sample = time.monotonic()
        tag = subprocess.Popen([args.program, "--jobs", "1", long, "--out", folder / "out"], stderr=subprocess.DEVNULL)
        while tag.poll() is None:
            time.sleep(0.2)
            worker = worker_of(tag.pid)
            if worker is not None and time.monotonic() >= next_sample:
                samples.take(worker, time.monotonic() - began)
                next_sample = time.monotonic() + args.sample_every
        seconds = time.monotonic() - began
        if tag.returncode != 0:
            sys.exit(f"emotion-tag ended with the status {tag.returncode}")
        with (folder / "out/long.mp4.jsonl").open() as records:
            frames = sum(1 for _ in records)
    print(f"{args.hours:g} hours, {frames} frames in {seconds:.0f} s, {1000 * seconds / frames:.2f} ms a frame")
    more = growth(steady(samples, WARM_UP)) / 1024 / args.hours
    if args.limits and more > 1:
        sys.exit(f"expected at most 1 MiB more an hour of video, found {more:.2f} MiB")


if __name__ == "__main__":
    main()
