"""A cluster of several nodes on this machine.

EMOTION_TAG names the program, EMOTION_RAY_CLIPS the number of clips (60 unless it is set).
"""

import hashlib
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from ray.cluster_utils import Cluster

from emotion_ray.cli import main
from emotion_ray.program import NodeError, Program
from emotion_ray.tag import Options, tag

PORTRAIT = Path(__file__).parents[3] / "tests/media/astronaut.png"
PROGRAM = os.environ.get("EMOTION_TAG", "emotion-tag")
CLIPS = int(os.environ.get("EMOTION_RAY_CLIPS", "60"))


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with clips of one face that moves, in two folders."""
    folder = tmp_path_factory.mktemp("clips")
    made = folder / "made.mp4"
    subprocess.run(
        [
            *("ffmpeg", "-v", "error", "-loop", "1", "-i", PORTRAIT, "-t", "2", "-r", "10"),
            *("-vf", "crop=360:360:'40+10*t':20,format=yuv420p", made),
        ],
        check=True,
    )
    for number in range(CLIPS):
        clip = folder / f"day{number % 2}" / f"{number:03}.mp4"
        clip.parent.mkdir(exist_ok=True)
        shutil.copy(made, clip)
    made.unlink()
    return folder


@pytest.fixture(scope="session")
def single(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a single run."""
    out = tmp_path_factory.mktemp("single") / "out"
    subprocess.run([PROGRAM, clips, "--out", out], check=True, capture_output=True)
    return out


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A cluster with a head, which has one processor, and two nodes of one processor."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def results(folder: Path) -> dict[str, str]:
    """Hashes of all results of files, by name."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and not name.startswith((".", "archive.")):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def options(out: Path, cluster: Cluster) -> Options:
    return Options(out=str(out), address=cluster.address, program=Program(PROGRAM), memory=1, task_seconds=3)


def test_nodes_that_die_cost_no_results(clips: Path, single: Path, cluster: Cluster, tmp_path: Path) -> None:
    out = tmp_path / "out"
    head, *victims = cluster.list_all_nodes()
    assert head.head and len(victims) == 2
    half = CLIPS // 2

    def kill() -> None:
        while len(list(out.rglob("*.summary.json"))) < half:
            time.sleep(0.05)
        for victim in victims:
            cluster.remove_node(victim, allow_graceful=False)

    killer = threading.Thread(target=kill)
    killer.start()
    outcome = tag([str(clips)], options(out, cluster))
    killer.join()
    assert (outcome.failures, outcome.tagged) == ([], CLIPS)
    assert results(out) == results(single)
    table = (out / "archive.csv").read_text().splitlines()
    assert len(table) == CLIPS + 1


def test_the_same_command_goes_on_and_failures_are_named(
    clips: Path, cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = tmp_path / "few"
    few.mkdir()
    for clip in sorted(clips.rglob("*.mp4"))[:2]:
        shutil.copy(clip, few)
    (few / "broken.mp4").write_text("no video")
    out = tmp_path / "out"
    words = ["tag", str(few), "--out", str(out), "--address", cluster.address]
    words += ["--program", PROGRAM, "--ship", "--memory", "1", "--", "--format", "csv"]
    assert main(words) == 1
    said = capsys.readouterr().err
    assert "broken.mp4: " in said and "2 tagged, 1 failed" in said
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.mp4.csv")}
    assert len(before) == 2
    (few / "broken.mp4").unlink()
    assert main(words) == 0
    assert before == {path: path.stat().st_mtime_ns for path in out.rglob("*.mp4.csv")}


def test_a_node_without_the_program_or_the_folder_says_what_to_do(
    clips: Path, cluster: Cluster, tmp_path: Path
) -> None:
    missing = options(tmp_path / "out", cluster)
    missing.program = Program("no-such-emotion-tag")
    with pytest.raises(NodeError, match="--ship"):
        tag([str(clips)], missing)
    other = options(tmp_path / "out", cluster)
    other.program = Program(PROGRAM, version="emotion-tag 0.0.1")
    with pytest.raises(NodeError, match="same version"):
        tag([str(clips)], other)
    foreign = tmp_path / "emotion-tag"
    foreign.write_bytes(b"\x7fELF of another processor")
    foreign.chmod(0o700)
    elsewhere = options(tmp_path / "out", cluster)
    elsewhere.program = Program(str(foreign))
    with pytest.raises(NodeError, match="another processor"):
        tag([str(clips)], elsewhere)
