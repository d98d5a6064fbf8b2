"""An emotion-crowd of this machine, which is given its cameras."""

from __future__ import annotations

import ctypes
import json
import platform
import queue
import re
import secrets
import signal
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from dataclasses import dataclass
from typing import Any

from .crowd_settings import CrowdSettings, Table
from .program import NodeError, Program

START_TIMEOUT = 60.0
REQUEST_TIMEOUT = 4.0
"""Seconds that emotion-crowd may take to answer."""
ENOUGH = 0.9
"""The share of the wanted frames that a machine which is not full analyses."""
SLOWEST = 1.0
"""Seconds from a frame to its result, which one in a hundred may exceed."""
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class NodeReport:
    """What a machine says."""

    cameras: list[str]
    page: str
    is_full: bool


class CrowdNode:
    """A running emotion-crowd. It ends with this process."""

    def __init__(self, program: Program, settings: CrowdSettings) -> None:
        """Starts it; raises NodeError if it does not start."""
        self._token = secrets.token_hex(16)
        self._rates = {camera.name: camera.rate for camera in settings.loads()}
        self._load = _Load()
        path = program.located()
        # The file has tokens in it, so only this user may read it, and it is removed at once.
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(settings.of_node(self._token))
            file.flush()
            self._process = subprocess.Popen(
                [path, file.name],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                preexec_fn=_end_with_parent,
            )
            self.page = self._started()

    def _started(self) -> str:
        said: queue.Queue[str | None] = queue.Queue()
        last: deque[str] = deque(maxlen=5)
        assert self._process.stderr is not None
        threading.Thread(target=_read, args=(self._process.stderr, said), daemon=True).start()
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            try:
                line = said.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                self.stop()
                raise NodeError(f"{platform.node()}: emotion-crowd does not start: {' '.join(last)}")
            last.append(line.strip())
            if found := re.search(r"page: (https?)://([^/\s]+)", line):
                self._base = f"{found[1]}://{found[2]}"
                host, _, port = found[2].rpartition(":")
                shown = host if host in ("127.0.0.1", "localhost") else platform.node()
                return f"{found[1]}://{shown}:{port}/"

    def report(self) -> NodeReport:
        """What it watches, and how it does."""
        sources = self._ask("GET", "/api/sources")
        self._load.add(self._text("/metrics"), time.monotonic())
        cameras = [source["name"] for source in sources]
        return NodeReport(cameras, self.page, self._load.is_full(self._rates))

    def renew(self, seconds: float) -> None:
        """Lets it watch its cameras for so long. Those whose time is over have ended."""
        self._ask("POST", "/api/lease", {"seconds": max(1.0, seconds)})

    def add(self, table: Table) -> None:
        """Gives it a camera; one that it has already is no error."""
        try:
            self._ask("POST", "/api/sources", table)
        except urllib.error.HTTPError as error:
            if error.code != 409:
                raise RuntimeError(f"{table['name']}: {error.read().decode()}") from error

    def remove(self, name: str) -> None:
        """Takes a camera away; one that it does not have is no error."""
        try:
            self._ask("DELETE", f"/api/sources/{name}")
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise

    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Ends it."""
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        text = self._text(path, method, None if body is None else json.dumps(body).encode())
        return json.loads(text) if text else None

    def _text(self, path: str, method: str = "GET", body: bytes | None = None) -> str:
        headers = {"Authorization": f"Bearer {self._token}"}
        request = urllib.request.Request(self._base + path, data=body, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT) as answer:
            text: str = answer.read().decode()
        return text


class _Load:
    """Whether a machine analyses its cameras as often as it should, from its last metrics."""

    WINDOW = 10.0

    def __init__(self) -> None:
        self._samples: deque[tuple[float, dict[str, float]]] = deque()

    def add(self, metrics: str, now: float) -> None:
        values = {}
        for line in metrics.splitlines():
            if found := re.match(r"emotion_crowd_(\w+)\{(.*)\} (\S+)$", line):
                values[f"{found[1]} {found[2]}"] = float(found[3])
        self._samples.append((now, values))
        while len(self._samples) > 2 and now - self._samples[1][0] > self.WINDOW:
            self._samples.popleft()

    def is_full(self, rates: dict[str, float]) -> bool:
        (begin, before), (end, after) = self._samples[0], self._samples[-1]
        if end - begin < self.WINDOW / 2:
            return False

        def since(key: str) -> float:
            return after.get(key, 0.0) - before.get(key, after.get(key, 0.0))

        wanted = analysed = 0.0
        late = all_results = 0.0
        for name, rate in rates.items():
            label = f'source="{name}"'
            if f"frames_total {label}" not in before or f"frames_total {label}" not in after:
                continue
            wanted += min(rate, since(f"frames_total {label}") / (end - begin))
            analysed += since(f"analysed_frames_total {label}") / (end - begin)
            count = since(f"latency_seconds_count {label}")
            all_results += count
            late += count - since(f'latency_seconds_bucket {label},le="{SLOWEST}"')
        return analysed < ENOUGH * wanted or late > 0.01 * all_results


def _end_with_parent() -> None:
    # An emotion-crowd that nobody controls has to end.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _read(stream: Any, said: queue.Queue[str | None]) -> None:
    """Reads to the end, so that the program never waits for a reader."""
    for line in stream:
        if said.qsize() < 1000:
            said.put(line)
    said.put(None)
