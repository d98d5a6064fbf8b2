"""The settings of emotion-crowd, divided into what each machine has and the cameras."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .placement import Camera

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Table = dict[str, Any]


@dataclass(frozen=True)
class CrowdSettings:
    """The settings of all machines, and the tables of the cameras by name."""

    shared: Table
    cameras: dict[str, Table]

    @staticmethod
    def read(path: Path) -> CrowdSettings:
        """Reads a settings file of emotion-crowd; raises ValueError if it cannot be divided."""
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"{path}: {error}") from error
        cameras: dict[str, Table] = {}
        for source in table.pop("source", []):
            name = source.get("name", "")
            if "frames-per-second" not in source:
                raise ValueError(
                    f"{path}: the source {name} has no frames-per-second: set it, because the load of a "
                    "camera decides which machine watches it"
                )
            if name in cameras:
                raise ValueError(f"{path}: a second source named {name}: expected names that differ")
            cameras[name] = source
        if "api" in table:
            raise ValueError(f"{path}: [api] is for emotion-ray itself: leave it out")
        return CrowdSettings(table, cameras)

    def loads(self) -> list[Camera]:
        """The cameras with their rates."""
        return [Camera(name, float(table["frames-per-second"])) for name, table in self.cameras.items()]

    def of_node(self, control: str) -> str:
        """The text of the settings of a machine, which is controlled with the token ``control``."""
        page = dict(self.shared.get("page", {}))
        # Other machines reach the page of a machine only if it has a token.
        host = "0.0.0.0" if "token" in page else "127.0.0.1"
        page["listen"] = f"{host}:0"
        api = {"token": control, "allow-local-sources": True}
        sections = self.shared | {"page": page, "api": api}
        return "".join(f"{_toml(key)} = {_toml(value)}\n" for key, value in sections.items())


def _toml(value: Any) -> str:
    """A value as TOML in one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml(key)} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    # Texts, numbers, true and false are written as in JSON.
    return json.dumps(value)
