"""The program emotion-ray."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import ray

from .crowd import Crowd, CrowdOptions, CrowdStatus
from .crowd_settings import CrowdSettings
from .program import TRY_AGAIN, NodeError, Program
from .tag import Options, tag


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="emotion-ray", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    tags = commands.add_parser(
        "tag",
        help="tag an archive on all machines of a Ray cluster",
        epilog="Options after -- go to emotion-tag: emotion-ray tag talks --out tags -- --format csv",
    )
    tags.add_argument("paths", nargs="+", metavar="PATH", help="files, folders, patterns")
    tags.add_argument("--out", required=True, help="a folder that all machines reach by this path, or s3://…")
    tags.add_argument("--root", help="name results by the path below this folder")
    _add_cluster(tags, "emotion-tag")
    tags.add_argument("--attempts", type=int, default=3, help="for files that may succeed later")
    tags.add_argument("--memory", type=int, default=1 << 30, help="bytes that a task needs")
    crowd = commands.add_parser(
        "crowd",
        help="watch cameras on all machines of a Ray cluster",
        epilog="Ctrl-C ends all cameras; with --detach they go on when this program has ended, until --stop.",
    )
    crowd.add_argument("settings", type=Path, metavar="FILE", help="settings of emotion-crowd, without [api]")
    _add_cluster(crowd, "emotion-crowd")
    crowd.add_argument("--listen", default="127.0.0.1:8090", help="where the list of all cameras is served")
    crowd.add_argument("--detach", action="store_true", help="end when the cameras are placed, and let them go on")
    crowd.add_argument("--stop", action="store_true", help="end the cameras of an earlier call")
    return parser


def _add_cluster(command: argparse.ArgumentParser, program: str) -> None:
    command.add_argument(
        "--address", help="the cluster, such as auto or ray://head:10001 [default: this machine alone]"
    )
    command.add_argument("--program", default=program, help=f"{program} on every machine [default: in PATH]")
    command.add_argument(
        "--ship", action="store_true", help="bring the program of this machine along to the others"
    )


def _program(path: str, is_shipped: bool) -> Program:
    here = Program(path)
    located = here.located()
    version = here.run("--version").stdout.strip()
    content = Path(located).read_bytes() if is_shipped else None
    return Program(path, content, version)


def main(arguments: list[str] | None = None) -> int:
    """Runs a command line and returns its exit status: 0, 1, 2, or 75 if the same command may tag the rest."""
    words = sys.argv[1:] if arguments is None else arguments
    split = words.index("--") if "--" in words else len(words)
    named = _parser().parse_args(words[:split])
    try:
        return _crowd(named) if named.command == "crowd" else _tag(named, words[split + 1 :])
    except (NodeError, ValueError, ConnectionError, OSError) as error:
        print(f"emotion-ray: {error}", file=sys.stderr)
        return 1
    finally:
        if ray.is_initialized():
            ray.shutdown()


def _tag(named: argparse.Namespace, more: list[str]) -> int:
    options = Options(
        out=named.out,
        address=named.address,
        program=_program(named.program, named.ship),
        arguments=more,
        root=named.root,
        attempts=named.attempts,
        memory=named.memory,
    )
    outcome = tag(named.paths, options)
    for failure in outcome.failures:
        print(f"{failure.path}: {failure.message}", file=sys.stderr)
    print(
        f"{outcome.tagged} tagged, {len(outcome.failures)} failed, on {len(outcome.nodes)} machines",
        file=sys.stderr,
    )
    if not outcome.failures:
        return 0
    return TRY_AGAIN if outcome.can_be_completed else 1


def _crowd(named: argparse.Namespace) -> int:
    settings = CrowdSettings.read(named.settings)
    options = CrowdOptions(settings, _program(named.program, named.ship), named.listen)
    crowd = Crowd(options, named.address)
    if named.stop:
        crowd.stop()
        return 0
    print(f"list of all cameras: {crowd.address()}", file=sys.stderr)
    last = None
    try:
        while True:
            status = crowd.status()
            if status != last:
                print(_described(status), file=sys.stderr)
            last = status
            if named.detach and not status.unplaced:
                return 0
            time.sleep(1.0)
    except KeyboardInterrupt:
        crowd.stop()
        return 0


def _described(status: CrowdStatus) -> str:
    lines = [f"{page} {', '.join(cameras) or 'no camera'}" for page, cameras in sorted(status.nodes.items())]
    if status.unplaced:
        lines.append(f"watched by no machine: {', '.join(status.unplaced)}")
    return "\n".join([*lines, *status.problems])


if __name__ == "__main__":
    sys.exit(main())
