"""emotion-crowd with many cameras for hours: RTSP streams of a server on this machine, of which one is dropped every few seconds.

The MQTT broker (mosquitto) stops and starts again, and the disk of the record file is full from time to time. Prints the frames of the
sources, the records, the delay of results and what the process takes; --limits makes growth a failure.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from pathlib import Path

from samples import SampleFile, descriptors_left, growth, steady

WARM_UP = 120.0
"""Seconds in which all cameras connect and caches fill."""
SERVER = Path(__file__).parents[2] / "tests/src/rtsp_server.py"
RTSP_PORT, PAGE_PORT, BROKER_PORT = 8599, 8598, 8597


class Metrics:
    """The metrics of emotion-crowd at one moment: values by name, and by source below it."""

    def __init__(self) -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{PAGE_PORT}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        self.by_source: dict[str, dict[str, float]] = defaultdict(dict)
        self.delays: dict[float, float] = defaultdict(float)
        self.totals: dict[str, float] = {}
        for line in text.splitlines():
            found = re.match(r"emotion_crowd_(\w+)(?:\{(.*)\})? (\S+)", line)
            if not found:
                continue
            name, value = found[1], float(found[3])
            labels = dict(re.findall(r'(\w+)="([^"]*)"', found[2] or ""))
            if name == "latency_seconds_bucket":
                self.delays[float(labels["le"])] += value
            elif "source" in labels:
                self.by_source[name][labels["source"]] = value
            elif not labels:
                self.totals[name] = value

    def delay(self, share: float, before: Metrics | None = None) -> float:
        """The delay that this share of the results has at most, in seconds: between bounds in proportion."""
        earlier = before.delays if before else {}
        counts = {bound: count - earlier.get(bound, 0) for bound, count in sorted(self.delays.items())}
        wanted = share * counts.get(float("inf"), 0)
        low, below = 0.0, 0.0
        for bound, count in counts.items():
            if count >= wanted > 0:
                return low if bound == float("inf") else low + (bound - low) * (wanted - below) / (count - below)
            low, below = bound, count
        return float("nan")


class Failures:
    """A broker that is away, and a disk that is full, for the second half of each period."""

    def __init__(self, records: Path, period: float) -> None:
        self._records = records
        self._period = period
        self._broker: subprocess.Popen[bytes] | None = None
        self._is_disk_full = False
        self.brokers_stopped = self.disks_filled = 0

    def update(self, elapsed: float) -> None:
        """Starts or stops what is due after so many seconds. The disk fills when the broker comes back."""
        half = int(2 * elapsed / self._period)
        self._set_broker(half % 2 == 0)
        self._set_disk_full(half % 2 == 0 and half > 0)

    def end(self) -> None:
        self._set_broker(False)

    def _set_broker(self, runs: bool) -> None:
        if runs and self._broker is None:
            self._broker = subprocess.Popen(["mosquitto", "-p", str(BROKER_PORT)], stderr=subprocess.DEVNULL)
        elif not runs and self._broker is not None:
            self._broker.kill()
            self._broker.wait()
            self._broker = None
            self.brokers_stopped += 1

    def _set_disk_full(self, is_full: bool) -> None:
        if is_full == self._is_disk_full:
            return
        # emotion-crowd opens a file anew that was removed.
        self._records.unlink(missing_ok=True)
        if is_full:
            self._records.symlink_to("/dev/full")
            self.disks_filled += 1
        self._is_disk_full = is_full


def settings(streams: int, rate: float, folder: Path, records: Path) -> Path:
    """The settings of emotion-crowd."""
    lines = ["[page]", f'listen = "127.0.0.1:{PAGE_PORT}"', 'pictures = "off"']
    lines += ["[records]", f'jsonl = "{records}"', "[mqtt]", f'address = "mqtt://127.0.0.1:{BROKER_PORT}"']
    for number in range(streams):
        lines += ["[[source]]", f'name = "camera-{number:02}"', f'uri = "rtsp://127.0.0.1:{RTSP_PORT}/live"']
        lines += [f"frames-per-second = {rate}"]
    file = folder / "crowd.toml"
    file.write_text("\n".join(lines) + "\n")
    return file


def watch(args: argparse.Namespace, samples: SampleFile, folder: Path) -> None:
    stream = folder / "clip.h264"
    line = f"filesrc location={args.video} ! qtdemux ! h264parse ! video/x-h264,stream-format=byte-stream,alignment=au"
    subprocess.run(["gst-launch-1.0", "-q", *line.split(), "!", "filesink", f"location={stream}"], check=True)
    served = f"multifilesrc location={stream} loop=true ! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96"
    server = subprocess.Popen(
        ["/usr/bin/python3", SERVER, str(RTSP_PORT), "play", served], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdin and server.stdout
    server.stdout.readline()
    log = (folder / "log").open("w")
    records = folder / "records.jsonl"
    failures = Failures(records, args.fail_every)
    failures.update(0)
    crowd = subprocess.Popen([args.program, settings(args.streams, args.rate, folder, records)], stderr=log)
    try:
        time.sleep(10)
        began = next_drop = next_sample = time.monotonic()
        start = last = Metrics()
        seconds = args.seconds - samples.done
        while (elapsed := time.monotonic() - began) < seconds:
            if crowd.poll() is not None:
                sys.exit(f"emotion-crowd ended: {Path(log.name).read_text()[-2000:]}")
            failures.update(elapsed)
            now = time.monotonic()
            if args.drop_every and now >= next_drop and elapsed > WARM_UP / 2:
                server.stdin.write("drop\n")
                server.stdin.flush()
                next_drop = now + args.drop_every
            if now >= next_sample:
                metrics = Metrics()
                samples.take(crowd.pid, elapsed, metrics.delay(0.99, last))
                last, next_sample = metrics, now + args.sample_every
            time.sleep(0.2)
        report(Metrics(), start, elapsed)
        print(f"the broker was stopped {failures.brokers_stopped} times, the disk was full {failures.disks_filled} times")
    finally:
        crowd.terminate()
        crowd.wait(30)
        server.kill()
        failures.end()


def report(metrics: Metrics, start: Metrics, seconds: float) -> None:
    """Prints what became of the frames."""
    values: dict[str, list[float]] = {}
    for name in ["frames_total", "analysed_frames_total", "skipped_frames_total", "reconnects_total"]:
        before = start.by_source[name]
        values[name] = [value - before.get(source, 0) for source, value in metrics.by_source[name].items()]
        found = values[name]
        print(f"{name} of each source: {min(found):.0f} to {max(found):.0f}, mean {sum(found) / len(found):.1f}")
    analysed = values["analysed_frames_total"]
    print(f"analysed: {sum(analysed) / seconds / len(analysed):.3f} frames a second and source")
    for name in ["mqtt_sent_total", "mqtt_dropped_total", "mqtt_reconnects_total", "file_dropped_records_total"]:
        print(f"{name}: {metrics.totals[name] - start.totals[name]:.0f}")
    delays = {share: metrics.delay(share, start) for share in (0.5, 0.9, 0.99, 0.999)}
    print("delay: " + json.dumps({f"p{share * 100:g}": round(delay, 4) for share, delay in delays.items()}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="emotion-crowd")
    parser.add_argument("video", help="an MP4 file with H.264, which all cameras show")
    parser.add_argument("samples", type=Path, help="CSV of samples, to which it adds")
    parser.add_argument("--streams", type=int, default=8)
    parser.add_argument("--rate", type=float, default=5.0, help="analysed frames a second of each")
    parser.add_argument("--seconds", type=float, default=7200.0, help="of all runs; a run that was stopped is gone on with")
    parser.add_argument("--drop-every", type=float, default=5.0, help="seconds between two drops; 0: none")
    parser.add_argument("--fail-every", type=float, default=120.0, help="seconds between two failures of the broker, and of the disk")
    parser.add_argument("--sample-every", type=float, default=10.0)
    parser.add_argument("--limits", action="store_true", help="fail where memory grows by 5 MiB or descriptors are left")
    args = parser.parse_args()
    samples = SampleFile(args.samples)
    if samples.done >= args.seconds:
        sys.exit(f"{args.samples} has {samples.done:.0f} s: remove it to begin again")
    with tempfile.TemporaryDirectory() as folder:
        watch(args, samples, Path(folder))
    found = steady(samples, WARM_UP)
    if args.limits:
        more = growth(found) / 1024
        left = descriptors_left(found)
        if more > 5 or left > 0:
            sys.exit(f"expected at most 5 MiB and no descriptor more, found {more:.1f} MiB and {left}")


if __name__ == "__main__":
    main()
