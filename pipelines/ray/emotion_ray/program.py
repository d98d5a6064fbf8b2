"""emotion-tag, or emotion-crowd, on the machine where this runs."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .plan import PlannedFile

TRY_AGAIN = 75
"""The exit status of emotion-tag if the same command may tag the rest."""


class NodeError(RuntimeError):
    """A machine of the cluster cannot tag anything; the message says what to do."""


@dataclass(frozen=True)
class Failure:
    """A file that could not be tagged."""

    path: str
    message: str
    retry: bool
    """Whether another attempt may succeed."""


@dataclass
class TaskResult:
    """What became of the files of a task."""

    node: str
    tagged: int = 0
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True)
class Program:
    """A program, and how it is called."""

    path: str = "emotion-tag"
    """A path, or a name that is looked for in PATH."""
    content: bytes | None = None
    """The program itself, if it is brought along."""
    version: str | None = None
    """The version that all machines must have."""

    def located(self) -> str:
        """The path of the program on this machine.

        Raises NodeError if it is not there, of another version, or for another processor.
        """
        path = self._unpacked() if self.content is not None else shutil.which(self.path)
        if path is None:
            raise NodeError(
                f"{platform.node()}: there is no {self.path}: install it on every machine of the cluster, "
                "or bring it along with --ship"
            )
        try:
            printed = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        except OSError as error:
            raise NodeError(
                f"{platform.node()}: {path} does not start ({error}): it is for another processor "
                f"than {platform.machine()}; install one that is built for it"
            ) from error
        found = printed.stdout.strip()
        if printed.returncode != 0:
            raise NodeError(
                f"{platform.node()}: {path} does not start: {printed.stderr.strip()}; "
                "is GStreamer installed there?"
            )
        if self.version is not None and found != self.version:
            raise NodeError(
                f"{platform.node()}: expected {self.version}, found {found}: install the same "
                "version on every machine"
            )
        return path

    def _unpacked(self) -> str:
        assert self.content is not None
        name = hashlib.sha256(self.content).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"emotion-ray-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / f"{Path(self.path).name}-{name}"
        if not path.exists():
            # Another task may do the same at this moment.
            growing = folder / f"{path.name}.{uuid.uuid4().hex}"
            growing.write_bytes(self.content)
            growing.chmod(0o700)
            growing.rename(path)
        return str(path)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs it to its end."""
        return subprocess.run([self.located(), *arguments], capture_output=True, text=True, check=False)

    def tag(
        self,
        files: list[PlannedFile],
        out: str,
        arguments: list[str],
        on_ended: Callable[[int], None],
    ) -> TaskResult:
        """Tags files of one root; calls ``on_ended`` with the number of files that have ended since."""
        started = time.monotonic()
        result = TaskResult(node=platform.node())
        paths = {file.location: file.path for file in files}
        command = [
            self.located(),
            *("--out", out, "--root", files[0].root, "--list", "-"),
            # A work folder of its own: one that hangs elsewhere must not keep this one from working.
            *("--work", f"ray-{uuid.uuid4().hex}", "--jobs", "1", "--json"),
            *arguments,
        ]
        with tempfile.TemporaryFile("w+") as errors:
            with subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            ) as running:
                assert running.stdin is not None and running.stdout is not None
                with running.stdin as names:
                    names.write("".join(f"{location}\0" for location in paths))
                for line in running.stdout:
                    self._count(json.loads(line), paths, result, on_ended)
            if running.returncode not in (0, 1, TRY_AGAIN):
                errors.seek(0)
                raise NodeError(f"{result.node}: emotion-tag: {errors.read().strip()}")
        # What it has not reached, because it was stopped or killed.
        for path in paths.values():
            result.failures.append(Failure(path, "it was not reached", True))
        result.seconds = time.monotonic() - started
        return result

    @staticmethod
    def _count(
        event: dict[str, object],
        paths: dict[str, str],
        result: TaskResult,
        on_ended: Callable[[int], None],
    ) -> None:
        kind = event["event"]
        if kind not in ("tagged", "tagged before", "tagged in part", "failed"):
            return
        path = paths.pop(str(event["file"]), None)
        if path is None:
            return
        if kind in ("tagged", "tagged before"):
            result.tagged += 1
        else:
            failure = Failure(path, str(event["message"]), bool(event.get("retry")))
            result.failures.append(failure)
        on_ended(1)
