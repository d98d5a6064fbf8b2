"""The share of lines that tests reach, by crate, and the files with the most lines that they do not.

    coverage.py COVERAGE.json

The file is that of `cargo llvm-cov --json --summary-only`.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
FILES = 25
"""How many files are listed."""


def main() -> None:
    report = json.loads(Path(sys.argv[1]).read_text())
    crates: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    missing = []
    for file in report["data"][0]["files"]:
        path = Path(file["filename"])
        if not path.is_relative_to(REPOSITORY):
            continue
        path = path.relative_to(REPOSITORY)
        lines = file["summary"]["lines"]
        crates[path.parts[0]][0] += lines["covered"]
        crates[path.parts[0]][1] += lines["count"]
        missing.append((lines["count"] - lines["covered"], lines["count"], path))
    for crate, (covered, count) in sorted(crates.items()):
        print(f"{crate:12} {covered:6} of {count:6} lines {100 * covered / max(count, 1):5.1f} %")
    print()
    for left, count, path in sorted(missing, reverse=True)[:FILES]:
        print(f"{left:5} of {count:5} lines not reached: {path}")


if __name__ == "__main__":
    main()
