"""The protocol of all peers: one JSON object a line.

A peer reads its task, then {"count": N} for each turn. It writes its name and its output, then the times of each turn,
{"seconds": [...]}.
"""

import json
import sys
import time


def task():
    return json.loads(sys.stdin.readline())


def serve(introduction, work):
    """Writes the introduction, then runs `work` as often as each turn asks."""
    answer(introduction)
    for line in sys.stdin:
        answer({"seconds": [timed(work) for _ in range(json.loads(line)["count"])]})


def timed(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def answer(message):
    print(json.dumps(message), flush=True)
