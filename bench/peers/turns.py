"""What all peers speak: a JSON object per line.

They read their task, then {"count": N} for each turn. They write who they are and what they computed, then the times of
the turn, {"seconds": [...]}.
"""

import json
import sys
import time


def task():
    return json.loads(sys.stdin.readline())


def serve(introduction, work):
    """Introduces itself, then does `work` as often as asked."""
    answer(introduction)
    for line in sys.stdin:
        answer({"seconds": [timed(work) for _ in range(json.loads(line)["count"])]})


def timed(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def answer(message):
    print(json.dumps(message), flush=True)
