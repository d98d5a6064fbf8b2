"""The program emotion-ray."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import ray

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
    tags.add_argument("--out", required=True, help="a folder that all machines reach by this path")
    tags.add_argument("--root", help="name results by the path below this folder")
    tags.add_argument(
        "--address", help="the cluster, such as auto or ray://head:10001 [default: this machine alone]"
    )
    tags.add_argument("--program", default="emotion-tag", help="emotion-tag on every machine [default: in PATH]")
    tags.add_argument("--ship", action="store_true", help="bring the program of this machine along to the others")
    tags.add_argument("--attempts", type=int, default=3, help="for files that may succeed later")
    tags.add_argument("--memory", type=int, default=1 << 30, help="bytes that a task needs")
    return parser


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
        options = Options(
            out=named.out,
            address=named.address,
            program=_program(named.program, named.ship),
            arguments=words[split + 1 :],
            root=named.root,
            attempts=named.attempts,
            memory=named.memory,
        )
        outcome = tag(named.paths, options)
    except (NodeError, ValueError, ConnectionError, OSError) as error:
        print(f"emotion-ray: {error}", file=sys.stderr)
        return 1
    finally:
        if ray.is_initialized():
            ray.shutdown()
    for failure in outcome.failures:
        print(f"{failure.path}: {failure.message}", file=sys.stderr)
    print(
        f"{outcome.tagged} tagged, {len(outcome.failures)} failed, on {len(outcome.nodes)} machines",
        file=sys.stderr,
    )
    if not outcome.failures:
        return 0
    return TRY_AGAIN if outcome.can_be_completed else 1


if __name__ == "__main__":
    sys.exit(main())
