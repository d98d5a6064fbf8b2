"""Watches cameras on all machines of a Ray cluster."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from .crowd_node import CrowdNode, NodeReport
from .crowd_settings import CrowdSettings, Table
from .placement import LEASE, Move, Placement
from .program import NodeError, Program

PERIOD = 1.0
"""Seconds between two looks at the machines."""
ASKING_PERIOD = 2.0
"""Seconds between two requests of a machine for a lease."""
PATIENCE = 5.0
"""Seconds that an actor may take to answer."""
DRIVER = "emotion-crowd-driver"
NAMESPACE = "emotion-crowd"


@dataclass(frozen=True)
class CrowdOptions:
    """How cameras are watched."""

    settings: CrowdSettings
    program: Program
    listen: str = "127.0.0.1:8090"
    """Where the list of all cameras is served."""


@dataclass(frozen=True)
class CrowdStatus:
    """Who watches what."""

    nodes: dict[str, list[str]]
    """The cameras by page of the machine that watches them."""
    unplaced: list[str]
    """The cameras that nobody watches."""
    problems: list[str]
    """Why machines cannot take part, or cameras cannot be added."""


class _Driver:
    """Places the cameras. It is an actor of its own, which Ray starts again when its machine is lost."""

    def __init__(self, options: CrowdOptions) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._placement = Placement(options.settings.loads())
        self._actors: dict[str, Any] = {}
        self._pages: dict[str, str] = {}
        self._problems: dict[str, str] = {}
        self._stop = threading.Event()
        self._page = _ListPage(options.listen, self)
        threading.Thread(target=self._run, daemon=True).start()

    def grant(self, node: str, report: NodeReport) -> list[str]:
        """Lets a machine go on for a lease from when it has asked; returns the cameras that it must not watch."""
        with self._lock:
            self._pages[node] = report.page
            self._problems.pop(node, None)
            return self._placement.grant(node, time.monotonic(), report.cameras, report.is_full)

    def status(self) -> CrowdStatus:
        """Who watches what at this moment."""
        with self._lock:
            nodes = {self._pages[node]: names for node, names in self._placement.nodes.items()}
            return CrowdStatus(nodes, self._placement.unplaced, sorted(self._problems.values()))

    def address(self) -> str:
        """Where the list of all cameras is served."""
        return self._page.address

    def stop(self) -> None:
        """Ends all cameras."""
        self._stop.set()
        for actor in self._actors.values():
            ray.kill(actor)

    def _run(self) -> None:
        while not self._stop.wait(PERIOD):
            self._start_machines()
            with self._lock:
                lost = self._placement.lost(time.monotonic())
                moves = self._placement.moves(time.monotonic())
            for node in lost:
                # One that still runs has no lease; a new one is started if the machine is there.
                if (actor := self._actors.pop(node, None)) is not None:
                    ray.kill(actor)
            for move in moves:
                self._make(move)

    def _actor(self, node: str) -> Any:
        """The emotion-crowd of a machine, which an earlier driver may have started."""
        on_node = NodeAffinitySchedulingStrategy(node, soft=False)
        return _NodeActor.options(
            name=f"emotion-crowd-{node}", get_if_exists=True, lifetime="detached", scheduling_strategy=on_node
        ).remote(node, self._options.program, self._options.settings)

    def _start_machines(self) -> None:
        """Starts an emotion-crowd on each machine that has none, and starts those again that have ended."""
        nodes = {
            node["NodeID"] for node in cast(Any, ray).nodes() if node["Alive"] and node["Resources"].get("CPU", 0)
        }
        for node in nodes - set(self._actors):
            self._actors[node] = self._actor(node)
        for node in set(self._actors) - nodes:
            del self._actors[node]
        looks = {actor.is_alive.remote(): node for node, actor in self._actors.items()}
        done, _ = ray.wait(list(looks), num_returns=len(looks), timeout=PERIOD) if looks else ([], [])
        for look in done:
            try:
                ray.get(look)
            except ray.exceptions.RayError as error:
                node = looks[look]
                with self._lock:
                    self._problems[node] = _last_line(error)
                    if isinstance(error, NodeError):
                        # It lives, and says that its emotion-crowd has ended.
                        self._placement.ended(node)
                # A new one is started in its place.
                ray.kill(self._actors.pop(node))

    def _make(self, move: Move) -> None:
        actor = self._actors.get(move.node)
        if actor is None:
            return
        if move.kind == "add":
            made = actor.add.remote(self._options.settings.cameras[move.camera])
            # It may be added although no answer comes.
            with self._lock:
                self._placement.done(move)
        else:
            made = actor.remove.remote(move.camera)
        problem = None
        try:
            ray.get(made, timeout=PATIENCE)
        except ray.exceptions.RayError as error:
            problem = _last_line(error)
        with self._lock:
            if problem is not None:
                self._problems[move.camera] = problem
                return
            self._problems.pop(move.camera, None)
            self._placement.done(move)


class _NodeCrowd:
    """The emotion-crowd of a machine: does what the driver says, and asks it for leases.

    A lease counts from when it is asked for, so it always ends before the driver takes it for ended.
    """

    def __init__(self, node: str, program: Program, settings: CrowdSettings) -> None:
        self._node = node
        self._crowd = CrowdNode(program, settings)
        self._crowd.renew(LEASE)
        threading.Thread(target=self._ask_for_leases, daemon=True).start()

    def is_alive(self) -> bool:
        """Whether it runs; it ends when emotion-crowd does."""
        if not self._crowd.is_running():
            raise NodeError(f"{self._crowd.page}: emotion-crowd has ended")
        return True

    def add(self, table: Table) -> None:
        """Watches a camera."""
        self._crowd.add(table)

    def remove(self, name: str) -> None:
        """Watches a camera no more."""
        self._crowd.remove(name)

    def _ask_for_leases(self) -> None:
        while True:
            asked = time.monotonic()
            try:
                driver = ray.get_actor(DRIVER)
                wrong: list[str] = ray.get(driver.grant.remote(self._node, self._crowd.report()), timeout=PATIENCE)
                for name in wrong:
                    self._crowd.remove(name)
                if (left := asked + LEASE - time.monotonic()) > 0:
                    self._crowd.renew(left)
            except (ray.exceptions.RayError, ValueError, OSError):
                # Without a driver the lease ends, and the cameras with it.
                pass
            time.sleep(ASKING_PERIOD)


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1]


_DriverActor = cast(Any, ray).remote(num_cpus=0, max_restarts=-1, max_concurrency=16)(_Driver)
_NodeActor = cast(Any, ray).remote(num_cpus=1, max_concurrency=4)(_NodeCrowd)


class _ListPage:
    """Serves a list of all cameras that leads to the page of the right machine, and the targets of Prometheus."""

    def __init__(self, listen: str, driver: _Driver) -> None:
        host, _, port = listen.rpartition(":")

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status = driver.status()
                if self.path == "/api/http_sd":
                    pages = [page.split("://")[1].rstrip("/") for page in status.nodes if "://" in page]
                    self._answer("application/json", json.dumps([{"targets": pages}]))
                elif self.path == "/":
                    self._answer("text/html; charset=utf-8", _html(status))
                else:
                    self.send_error(404)

            def _answer(self, kind: str, text: str) -> None:
                content = text.encode()
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Content-Security-Policy", "default-src 'none'")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer((host, int(port)), Handler)
        self.address = f"http://{host}:{self._server.server_address[1]}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()


def _html(status: CrowdStatus) -> str:
    # Names of cameras have no characters with a meaning in HTML, and pages are addresses of ours.
    placed = sorted((camera, page) for page, cameras in status.nodes.items() for camera in cameras)
    rows = [f'<li><a href="{page}">{camera}</a></li>' for camera, page in placed]
    rows += [f"<li>{camera}: no machine watches it</li>" for camera in status.unplaced]
    return f"<!DOCTYPE html><title>emotion-crowd</title><h1>Cameras</h1><ul>{''.join(rows)}</ul>"


class Crowd:
    """The cameras on a cluster, also after the program that began it has ended."""

    def __init__(self, options: CrowdOptions, address: str | None = None) -> None:
        """Begins to watch, or finds those that are watched already."""
        if not ray.is_initialized():
            # A later call finds the actors by their names in it.
            ray.init(address=address, namespace=NAMESPACE, log_to_driver=False)
        self._driver = (
            cast(Any, _DriverActor).options(name=DRIVER, get_if_exists=True, lifetime="detached").remote(options)
        )

    def status(self) -> CrowdStatus:
        """Who watches what."""
        status: CrowdStatus = ray.get(self._driver.status.remote())
        return status

    def address(self) -> str:
        """Where the list of all cameras is served."""
        address: str = ray.get(self._driver.address.remote())
        return address

    def stop(self) -> None:
        """Ends all cameras."""
        ray.get(self._driver.stop.remote())
        ray.kill(self._driver)
