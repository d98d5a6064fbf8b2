"""Cameras on a cluster of several nodes on this machine. EMOTION_CROWD names the program."""

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import ray
from ray.cluster_utils import Cluster

from emotion_ray.crowd import Crowd, CrowdOptions, CrowdStatus
from emotion_ray.crowd_settings import CrowdSettings
from emotion_ray.placement import LEASE
from emotion_ray.program import Program

PROGRAM = os.environ.get("EMOTION_CROWD", "emotion-crowd")
CAMERAS = int(os.environ.get("EMOTION_RAY_CAMERAS", "12"))
PATIENCE = 120.0
LINE = "videotestsrc is-live=true pattern=ball ! video/x-raw,width=64,height=48,framerate=5/1"


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A cluster with a head without processors, and two nodes."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    cluster.add_node(num_cpus=1)
    cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    yield cluster
    ray.shutdown()
    cluster.shutdown()


@pytest.fixture
def crowd(cluster: Cluster, tmp_path: Path) -> Iterator[Crowd]:
    """Cameras that both nodes watch."""
    sources = [
        f'[[source]]\nname = "camera-{number}"\nlaunch = "{LINE}"\nframes-per-second = 2\n'
        for number in range(CAMERAS)
    ]
    path = tmp_path / "crowd.toml"
    path.write_text('[page]\npictures = "off"\n' + "".join(sources))
    options = CrowdOptions(CrowdSettings.read(path), Program(PROGRAM), "127.0.0.1:0")
    crowd = Crowd(options, cluster.address)
    yield crowd
    crowd.stop()


def until(crowd: Crowd, is_it: Callable[[CrowdStatus], bool]) -> CrowdStatus:
    began = time.monotonic()
    while not is_it(status := crowd.status()):
        assert time.monotonic() - began < PATIENCE, status
        time.sleep(0.2)
    return status


def is_spread(status: CrowdStatus) -> bool:
    counts = [len(cameras) for cameras in status.nodes.values()]
    return counts == [CAMERAS // 2, CAMERAS // 2]


def watched(page: str) -> list[str] | None:
    """The cameras of a machine by its own page; none if it does not answer."""
    try:
        with urllib.request.urlopen(f"{page}api/streams", timeout=1) as answer:
            return [stream["name"] for stream in json.load(answer)]
    except OSError:
        return None


def processes() -> dict[str, int]:
    """The running emotion-crowds by the ports that they listen on."""
    listed = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
    found = {}
    for line in listed.splitlines():
        if "emotion-crowd" in line:
            port = line.split()[3].rsplit(":", 1)[1]
            found[port] = int(line.split("pid=")[1].split(",")[0])
    return found


def pid_of(page: str) -> int:
    return processes()[page.rstrip("/").rsplit(":", 1)[1]]


def test_cameras_of_a_machine_that_dies_come_back_on_another(crowd: Crowd) -> None:
    first = until(crowd, is_spread)
    with urllib.request.urlopen(f"{crowd.address()}api/http_sd") as answer:
        targets = json.load(answer)[0]["targets"]
    assert sorted(f"http://{target}/" for target in targets) == sorted(first.nodes)

    victim, survivor = sorted(first.nodes)
    began = time.monotonic()
    os.kill(pid_of(victim), signal.SIGKILL)
    until(crowd, lambda status: victim not in status.nodes)
    status = until(crowd, lambda status: not status.unplaced)
    took = time.monotonic() - began
    assert survivor in status.nodes
    print(f"all cameras are watched again after {took:.1f} s")


def test_no_camera_is_watched_twice_where_a_machine_hangs_and_comes_back(crowd: Crowd) -> None:
    first = until(crowd, is_spread)
    hung, _ = sorted(first.nodes)
    its_own = set(first.nodes[hung])
    pid = pid_of(hung)
    parent = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    for process in (parent, pid):
        os.kill(process, signal.SIGSTOP)
    began = time.monotonic()

    def is_elsewhere(status: CrowdStatus) -> bool:
        lists = [watched(page) or [] for page in status.nodes]
        cameras = [camera for watched_there in lists for camera in watched_there]
        assert len(cameras) == len(set(cameras)), lists
        return hung not in status.nodes and its_own <= set(cameras)

    try:
        until(crowd, is_elsewhere)
        took = time.monotonic() - began
        assert took > LEASE
        print(f"its cameras are watched elsewhere after {took:.1f} s")
    finally:
        for process in (pid, parent):
            try:
                os.kill(process, signal.SIGCONT)
            except ProcessLookupError:
                # The driver has ended it.
                continue
    # What it believed to watch has ended, or it has ended itself.
    until(crowd, lambda _: not watched(hung))
    until(crowd, lambda status: is_elsewhere(status) and not status.unplaced)
