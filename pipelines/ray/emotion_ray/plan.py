"""The files of an archive and their division into tasks."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class PlannedFile:
    """A file to tag, as ``emotion-tag list --json`` prints it."""

    root: str
    path: str
    """The path below the root, which names the results."""
    size: int
    """Bytes; 0 if it is not known."""

    @property
    def location(self) -> str:
        """Where the file is."""
        return os.path.join(self.root, self.path)


def read_plan(text: str) -> list[PlannedFile]:
    """The files that ``emotion-tag list --json`` has printed."""
    files = []
    for line in text.splitlines():
        planned = json.loads(line)
        if planned["root"] is None:
            raise ValueError("standard input cannot be tagged on a cluster: name files or folders")
        files.append(PlannedFile(planned["root"], planned["path"], planned["size"] or 0))
    return files


class TaskSizer:
    """Chooses how many files make a task of about a minute, from the speed of the tasks so far."""

    def __init__(self, seconds: float = 60.0, most_files: int = 500) -> None:
        self._seconds = seconds
        self._most_files = most_files
        self._bytes = 0
        self._files = 0
        self._took = 0.0

    def add(self, files: Iterable[PlannedFile], took: float) -> None:
        """Learns from a task that has ended after so many seconds."""
        for file in files:
            self._bytes += file.size
            self._files += 1
        self._took += took

    def take(self, files: Iterator[PlannedFile]) -> list[PlannedFile]:
        """The files of the next task, all of one root; none if there are no more."""
        taken: list[PlannedFile] = []
        seconds = 0.0
        for file in files:
            taken.append(file)
            seconds += self._estimate(file)
            if seconds >= self._seconds or len(taken) >= self._limit():
                break
        return taken

    def _limit(self) -> int:
        # Nothing is known before the first task has ended.
        return self._most_files if self._files else 1

    def _estimate(self, file: PlannedFile) -> float:
        if not self._files:
            return 0.0
        by_size = self._took * file.size / self._bytes if self._bytes and file.size else 0.0
        # Small files cost the start of a decoder.
        return max(by_size, 0.1 * self._took / self._files)


def by_root(files: Iterable[PlannedFile]) -> list[Iterator[PlannedFile]]:
    """The files of each root, since a task names its results by one."""
    roots: dict[str, list[PlannedFile]] = {}
    for file in files:
        roots.setdefault(file.root, []).append(file)
    return [iter(of_root) for of_root in roots.values()]
