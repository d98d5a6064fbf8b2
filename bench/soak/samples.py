"""Samples of a process over hours, in a CSV file to which later runs add, and their curves.

    samples.py CHART.svg SAMPLES.csv…
"""

from __future__ import annotations

import csv
import os
import sys
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path


@dataclass
class Sample:
    """What a process takes at one moment."""

    run: int
    """The process, from 1: memory grows from its start on."""
    seconds: float
    """Since the start of the process."""
    progress: float
    """What all runs have done, in frames or seconds."""
    rss_kib: int
    descriptors: int
    threads: int
    latency_p99: float
    """Seconds, of what ended since the sample before; not a number where nothing did."""


class SampleFile:
    """A CSV file of samples. What an earlier run has written stays."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.samples = read(path) if path.exists() else []
        self.run = self.samples[-1].run + 1 if self.samples else 1
        self.done = self.samples[-1].progress if self.samples else 0.0
        self._began = time.monotonic()

    def take(self, pid: int, progress: float, latency_p99: float = float("nan")) -> Sample:
        """Adds a sample of the process `pid`; `progress` is that of this run."""
        rss, threads = status(pid)
        sample = Sample(
            self.run,
            round(time.monotonic() - self._began, 1),
            round(self.done + progress, 1),
            rss,
            len(os.listdir(f"/proc/{pid}/fd")),
            threads,
            round(latency_p99, 4),
        )
        is_new = not self._path.exists()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", newline="") as file:
            writer = csv.DictWriter(file, [field.name for field in fields(Sample)])
            if is_new:
                writer.writeheader()
            writer.writerow(asdict(sample))
        self.samples.append(sample)
        return sample


def status(pid: int) -> tuple[int, int]:
    """Resident memory in KiB, and the number of threads."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    values = dict(line.split(":", 1) for line in lines)
    return int(values["VmRSS"].split()[0]), int(values["Threads"])


def read(path: Path) -> list[Sample]:
    """The samples of a file."""
    with path.open(newline="") as file:
        return [
            Sample(
                int(row["run"]),
                float(row["seconds"]),
                float(row["progress"]),
                int(row["rss_kib"]),
                int(row["descriptors"]),
                int(row["threads"]),
                float(row["latency_p99"]),
            )
            for row in csv.DictReader(file)
        ]


def after_warm_up(samples: list[Sample], seconds: float) -> list[Sample]:
    """Those of the last run from `seconds` on: before, caches fill."""
    return [sample for sample in samples if sample.run == samples[-1].run and sample.seconds >= seconds]


def slope(samples: list[Sample]) -> float:
    """The KiB of resident memory that are added each hour, by least squares."""
    if len(samples) < 2:
        return 0.0
    hours = [sample.seconds / 3600 for sample in samples]
    sizes = [float(sample.rss_kib) for sample in samples]
    mean_hour, mean_size = sum(hours) / len(hours), sum(sizes) / len(sizes)
    spread = sum((hour - mean_hour) ** 2 for hour in hours)
    both = zip(hours, sizes, strict=True)
    return sum((hour - mean_hour) * (size - mean_size) for hour, size in both) / spread


def growth(samples: list[Sample]) -> int:
    """By how many KiB the last tenth of the samples is larger than the first tenth, in the median."""
    tenth = max(1, len(samples) // 10)
    sizes = [sample.rss_kib for sample in samples]
    return sorted(sizes[-tenth:])[tenth // 2] - sorted(sizes[:tenth])[tenth // 2]


def descriptors_left(samples: list[Sample]) -> int:
    """By how many descriptors the least of the last tenth exceeds the least of the first tenth."""
    tenth = max(1, len(samples) // 10)
    counts = [sample.descriptors for sample in samples]
    return min(counts[-tenth:]) - min(counts[:tenth])


def summary(samples: list[Sample]) -> str:
    """The ranges of a run in one line."""

    def span(values: list[float], digits: int) -> str:
        return f"{min(values):.{digits}f} to {max(values):.{digits}f}"

    latencies = [sample.latency_p99 for sample in samples if sample.latency_p99 == sample.latency_p99]
    return (
        f"{samples[-1].seconds - samples[0].seconds:.0f} s: "
        f"RSS {span([sample.rss_kib / 1024 for sample in samples], 1)} MiB, "
        f"growth {growth(samples) / 1024:+.2f} MiB, slope {slope(samples) / 1024:+.2f} MiB an hour, "
        f"descriptors {span([sample.descriptors for sample in samples], 0)}, "
        f"threads {span([sample.threads for sample in samples], 0)}"
        + (f", latency p99 {span(latencies, 3)} s" if latencies else "")
    )


def steady(samples: SampleFile, warm_up: float) -> list[Sample]:
    """The samples of this run behind its warm-up, of which it prints the ranges; it ends the program if there are none."""
    found = [sample for sample in after_warm_up(samples.samples, warm_up) if sample.run == samples.run]
    if not found:
        sys.exit(f"expected a run of more than {warm_up:.0f} s, in which caches fill")
    print(summary(found))
    return found


def chart(files: list[Path], out: Path) -> None:
    """Draws the curves of the last run of each file."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "soak"
    from matplotlib import pyplot

    rows = [
        ("RSS in MiB", lambda sample: sample.rss_kib / 1024),
        ("descriptors", lambda sample: sample.descriptors),
        ("threads", lambda sample: sample.threads),
        ("latency p99 in s", lambda sample: sample.latency_p99),
    ]
    figure, axes = pyplot.subplots(len(rows), len(files), sharex="col", squeeze=False)
    figure.set_size_inches(4 * len(files), 7)
    for column, file in enumerate(files):
        samples = after_warm_up(read(file), 0)
        for axis, (name, value) in zip(axes[:, column], rows, strict=True):
            values = [value(sample) for sample in samples]
            axis.plot([sample.seconds / 60 for sample in samples], values, linewidth=0.8)
            most = max((one for one in values if one == one), default=0)
            axis.set_ylim(0, 1.15 * most or 1)
            axis.grid(alpha=0.3)
            if column == 0:
                axis.set_ylabel(name)
        axes[0, column].set_title(file.stem)
        axes[-1, column].set_xlabel("minutes")
    figure.tight_layout()
    figure.savefig(out, metadata={"Date": None})


if __name__ == "__main__":
    picture, *names = map(Path, sys.argv[1:])
    for csv_file in names:
        print(f"{csv_file.stem}: {summary(after_warm_up(read(csv_file), 0))}")
    chart(names, picture)
