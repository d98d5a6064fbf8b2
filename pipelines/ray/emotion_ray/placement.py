"""Which machine watches which camera."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

LEASE = 20.0
"""Seconds for which a machine may watch its cameras without hearing from the driver."""
GRACE = 5.0
"""Seconds after the end of a lease until its cameras are placed elsewhere."""
QUIET = 8.0
"""Seconds after which a machine that asks for no lease gets no further camera."""


@dataclass(frozen=True)
class Camera:
    """A camera and its load: the frames a second that are analysed of it."""

    name: str
    rate: float


@dataclass(frozen=True)
class Move:
    """A camera to be added to a machine or removed from it."""

    kind: Literal["add", "remove"]
    node: str
    camera: str


@dataclass
class _Node:
    cameras: set[str] = field(default_factory=set)
    # When its lease was last granted; it counts from an earlier moment, when the machine asked for it.
    granted: float = 0.0
    is_full: bool = False
    # Since when it has not named a camera that it should watch.
    missing: dict[str, float] = field(default_factory=dict)


class Placement:
    """Decides about the moves of cameras; makes none itself. Times are seconds of a clock that only goes forward.

    No camera is ever on two machines: it is placed elsewhere only when its machine has said that it was
    removed, or has not asked for a lease for longer than any lease that it may have.
    """

    def __init__(self, cameras: Iterable[Camera]) -> None:
        self._rates = {camera.name: camera.rate for camera in cameras}
        self._nodes: dict[str, _Node] = {}

    @property
    def nodes(self) -> dict[str, list[str]]:
        """The cameras of each machine, by name."""
        return {name: sorted(node.cameras) for name, node in self._nodes.items()}

    @property
    def unplaced(self) -> list[str]:
        """The cameras that no machine watches or may still be watching."""
        placed = {camera for node in self._nodes.values() for camera in node.cameras}
        return sorted(set(self._rates) - placed)

    def grant(self, node: str, now: float, cameras: Iterable[str], is_full: bool) -> list[str]:
        """Lets a machine go on for a lease, which says what it watches and whether it is full.

        A new one takes part from now on.

        Returns the cameras that it must not watch, because they are not in the settings or on another machine.
        """
        others = {name: found.cameras for name, found in self._nodes.items() if name != node}
        elsewhere = {camera for watched in others.values() for camera in watched}
        known = set(cameras)
        wrong = {camera for camera in known if camera not in self._rates or camera in elsewhere}
        found = self._nodes.setdefault(node, _Node(cameras=known - wrong))
        found.granted = now
        found.is_full = is_full
        missing = found.cameras - known
        found.missing = {camera: found.missing.get(camera, now) for camera in missing}
        # It was not added, or has ended with a lease that was not renewed.
        found.cameras -= {camera for camera, since in found.missing.items() if now >= since + QUIET}
        return sorted(wrong)

    def ended(self, node: str) -> None:
        """A machine has said that it watches nothing any more: its cameras can be placed at once."""
        self._nodes.pop(node, None)

    def lost(self, now: float) -> list[str]:
        """Forgets the machines whose leases have certainly ended, and returns them."""
        over = [name for name, node in self._nodes.items() if now >= node.granted + LEASE + GRACE]
        for name in over:
            del self._nodes[name]
        return over

    def moves(self, now: float) -> list[Move]:
        """What to do next.

        Each camera that no machine has goes to the one with the least load. Where there is none, one camera goes
        from the machine with the greatest load to the one with the least, if that makes them more equal.
        """
        able = {name: node for name, node in self._nodes.items() if now < node.granted + QUIET}
        open_nodes = [name for name, node in able.items() if not node.is_full]
        if not open_nodes:
            return []
        loads = {name: self._load(node) for name, node in able.items()}
        moves = []
        # The largest first, so that the loads become equal.
        for camera in sorted(self.unplaced, key=lambda name: (-self._rates[name], name)):
            node = min(open_nodes, key=lambda name: (loads[name], name))
            loads[node] += self._rates[camera]
            moves.append(Move("add", node, camera))
        if moves:
            return moves
        most = max(able, key=lambda name: (loads[name], name))
        least = min(open_nodes, key=lambda name: (loads[name], name))
        gap = loads[most] - loads[least]
        fitting = [camera for camera in able[most].cameras if self._rates.get(camera, 0.0) < gap]
        if not fitting:
            return []
        best = min(fitting, key=lambda name: (abs(gap / 2 - self._rates[name]), name))
        return [Move("remove", most, best)]

    def done(self, move: Move) -> None:
        """A move was made, or may have been."""
        if move.node not in self._nodes:
            return
        cameras = self._nodes[move.node].cameras
        if move.kind == "add":
            cameras.add(move.camera)
        else:
            cameras.discard(move.camera)

    def _load(self, node: _Node) -> float:
        return sum(self._rates.get(camera, 0.0) for camera in node.cameras)
