"""Tags the files of an archive as tasks of a Ray cluster."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
from tqdm import tqdm

from .plan import PlannedFile, TaskSizer, by_root, read_plan
from .program import Failure, NodeError, Program, TaskResult

RETRIES_OF_A_TASK = 5
"""How often Ray starts a task again whose node has died."""


@dataclass
class Options:
    """How an archive is tagged."""

    out: str
    """A folder that all machines reach by this path, or an address with s3://."""
    address: str | None = None
    program: Program = field(default_factory=Program)
    arguments: list[str] = field(default_factory=list)
    """For emotion-tag, such as --format csv."""
    root: str | None = None
    attempts: int = 3
    """How often a file is tried whose failure may pass."""
    memory: int = 1 << 30
    """Bytes of memory that a task needs, for the scheduler of Ray."""
    task_seconds: float = 60.0
    """About how long a task takes."""


@dataclass
class Outcome:
    """What became of the archive."""

    tagged: int = 0
    failures: list[Failure] = field(default_factory=list)
    nodes: set[str] = field(default_factory=set)
    """The machines that have tagged files."""

    @property
    def can_be_completed(self) -> bool:
        """Whether the same command may tag the rest."""
        return all(failure.retry for failure in self.failures)


def plan(paths: list[str], options: Options) -> tuple[list[PlannedFile], str]:
    """The files to tag, and the plan as emotion-tag has printed it."""
    root = ["--root", options.root] if options.root else []
    listed = options.program.run("list", "--json", *root, *paths)
    files = read_plan(listed.stdout)
    if listed.returncode != 0 and not files:
        raise ValueError(listed.stderr.strip() or "there are no files to tag")
    return files, listed.stdout


def tag(paths: list[str], options: Options) -> Outcome:
    """Tags all files, and leaves table, page and plan in ``options.out``.

    Files that are tagged already are skipped, so the same call goes on after a failure of any machine.
    """
    files, text = plan(paths, options)
    if not ray.is_initialized():
        ray.init(address=options.address, log_to_driver=False)
    if is_store(options.out):
        with tempfile.TemporaryDirectory() as folder:
            return _tag_into(options, files, text, Path(folder), mark="")
    out = Path(options.out).resolve()
    out.mkdir(parents=True, exist_ok=True)
    options.out = str(out)
    # A machine that does not see it writes its results elsewhere.
    mark = out / f".emotion-ray-{uuid.uuid4().hex}"
    mark.touch()
    try:
        return _tag_into(options, files, text, out, mark.name)
    finally:
        mark.unlink(missing_ok=True)


def is_store(place: str) -> bool:
    """Whether this is an address in an object store, which every machine reaches."""
    return place.startswith("s3://")


def _tag_into(options: Options, files: list[PlannedFile], plan_text: str, folder: Path, mark: str) -> Outcome:
    """Tags ``files`` and merges the archive; the plan is left in ``folder``."""
    plan_file = folder / "archive.plan.jsonl"
    plan_file.write_text(plan_text)
    with tqdm(total=len(files), unit="file") as bar:
        outcome = _Run(options, files, mark, bar).outcome()
    merged = options.program.run("merge", options.out, "--plan", str(plan_file), "--json")
    if not merged.stdout:
        raise RuntimeError(merged.stderr.strip())
    return outcome


@ray.remote(num_cpus=0)
class _Counter:
    """Counts the files that have ended on all machines."""

    def __init__(self) -> None:
        self._ended = 0

    def add(self, count: int) -> None:
        self._ended += count

    def ended(self) -> int:
        return self._ended


@ray.remote(num_cpus=1, max_retries=RETRIES_OF_A_TASK)
def _tag_files(
    program: Program,
    files: list[PlannedFile],
    out: str,
    mark: str,
    arguments: list[str],
    counter: Any,
) -> TaskResult:
    if mark and not os.path.exists(os.path.join(out, mark)):
        raise NodeError(
            f"{os.uname().nodename}: {out} is not the folder of the other machines: --out must be on a "
            "file system that all of them share"
        )
    return program.tag(files, out, arguments, lambda count: counter.add.remote(count))


class _Run:
    """The tasks of one archive."""

    def __init__(self, options: Options, files: list[PlannedFile], mark: str, bar: Any) -> None:
        self._options = options
        self._by_path = {file.path: file for file in files}
        self._attempts = dict.fromkeys(self._by_path, 0)
        self._waiting = by_root(files)
        self._sizer = TaskSizer(options.task_seconds)
        self._running: dict[Any, list[PlannedFile]] = {}
        self._program = ray.put(options.program)
        # On the node of the caller, so that it outlives every other node.
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._counter = cast(Any, _Counter).options(scheduling_strategy=here).remote()
        self._mark = mark
        self._bar = bar
        self._result = Outcome()

    def outcome(self) -> Outcome:
        """Runs all tasks to their ends."""
        while self._start_tasks() or self._running:
            done, _ = ray.wait(list(self._running), num_returns=1, timeout=1.0)
            for task in done:
                self._ended(task)
            self._show_progress()
        return self._result

    def _show_progress(self) -> None:
        # The archive is tagged even where nothing can be shown of it.
        with contextlib.suppress(ray.exceptions.RayError):
            self._bar.n = min(ray.get(self._counter.ended.remote()), self._bar.total)
            self._bar.refresh()

    def _start_tasks(self) -> bool:
        """Starts tasks while machines are idle; returns whether one was started."""
        # Twice as many as are at work: the next one is there when one ends, and no queue grows without end.
        most = max(2, 2 * int(cast(Any, ray).cluster_resources().get("CPU", 1)))
        was_started = False
        while len(self._running) < most:
            files = self._next_files()
            if not files:
                break
            for file in files:
                self._attempts[file.path] += 1
            options = self._options
            remote = _tag_files.options(memory=options.memory)
            task = remote.remote(self._program, files, options.out, self._mark, options.arguments, self._counter)
            self._running[task] = files
            was_started = True
        return was_started

    def _next_files(self) -> list[PlannedFile]:
        while self._waiting:
            files = self._sizer.take(self._waiting[0])
            if files:
                return files
            self._waiting.pop(0)
        return []

    def _ended(self, task: Any) -> None:
        files = self._running.pop(task)
        try:
            result: TaskResult = ray.get(task)
        except ray.exceptions.RayTaskError as error:
            # Every task on that machine would fail.
            raise cast(Any, error).as_instanceof_cause() from None
        except ray.exceptions.RayError as error:
            result = TaskResult(node="")
            message = f"its machine was lost: {error}".splitlines()[0]
            result.failures = [Failure(file.path, message, True) for file in files]
        else:
            self._sizer.add(files, result.seconds)
            self._result.nodes.add(result.node)
        self._result.tagged += result.tagged
        again = []
        for failure in result.failures:
            if failure.retry and self._attempts[failure.path] < self._options.attempts:
                again.append(self._by_path[failure.path])
            else:
                self._result.failures.append(failure)
        if again:
            # What may pass needs a moment for it.
            time.sleep(1.0)
            self._waiting += by_root(again)
