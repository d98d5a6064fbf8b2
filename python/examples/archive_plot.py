#!/usr/bin/env python3
"""Draws the emotions in a result of emotion-tag over time. Needs pandas and matplotlib, and pyarrow for Parquet.

usage: archive_plot.py tags/talk.mp4.jsonl talk.png
"""

import sys

import matplotlib

matplotlib.use("Agg")
from emotion_faces import read
from matplotlib import pyplot

EMOTIONS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    records = read(sys.argv[1])
    faces = records.dropna(subset=["id", "happy"])
    if faces.empty:
        sys.exit(f"{sys.argv[1]}: no face in it has an emotion")
    people = faces["id"].unique()
    figure, rows = pyplot.subplots(len(people), figsize=(10, 2.5 * len(people)), sharex=True, squeeze=False)
    for axes, person in zip(rows[:, 0], people):
        seen = faces[faces["id"] == person]
        axes.stackplot(seen["stream_time"], *(seen[emotion] for emotion in EMOTIONS), labels=EMOTIONS)
        axes.set(ylim=(0, 1), ylabel=f"face {person}")
    rows[0, 0].legend(loc="upper left", bbox_to_anchor=(1, 1))
    rows[-1, 0].set_xlabel("seconds")
    figure.savefig(sys.argv[2], bbox_inches="tight")


if __name__ == "__main__":
    main()
