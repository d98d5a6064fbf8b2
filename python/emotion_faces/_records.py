"""Results of emotion-tag and emotionpublish as data frames."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

from ._face import LANDMARKS

if TYPE_CHECKING:
    import pandas  # type: ignore[import-untyped,unused-ignore]
    import polars

Library: TypeAlias = Literal["pandas", "polars"]
Row: TypeAlias = dict[str, Any]

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
# Columns in their order, as in the CSV and Parquet files, with their types.
COLUMNS = {
    "stream_time": "float",
    "running_time": "float",
    "wall_clock": "text",
    "source": "text",
    "frame": "integer",
    "frame_width": "integer",
    "frame_height": "integer",
    "pixel_aspect_ratio": "float",
    "faces": "integer",
    "id": "integer",
    "x": "integer",
    "y": "integer",
    "width": "integer",
    "height": "integer",
    "x_normalized": "float",
    "y_normalized": "float",
    "width_normalized": "float",
    "height_normalized": "float",
    "detection_confidence": "float",
    "emotion": "text",
    "uncertain": "boolean",
    "confidence": "float",
    **dict.fromkeys(EMOTIONS, "float"),
    "valence": "float",
    "quality": "float",
    "model": "text",
    "weights_id": "text",
    "threshold": "float",
    **{f"{point}_{axis}": "float" for point in LANDMARKS for axis in "xy"},
    "in_zones": "text",
    "zones": "text",
    "lines": "text",
}
PANDAS_TYPES = {"float": "float64", "integer": "Int64", "boolean": "boolean", "text": "string"}
POLARS_TYPES = {"float": "Float64", "integer": "Int64", "boolean": "Boolean", "text": "String"}
READ_AS: dict[str, Callable[[str], Any]] = {
    "float": float,
    "integer": int,
    "boolean": lambda text: text == "true",
    "text": str,
}
KINDS = ".jsonl, .csv or .parquet"


@overload
def read(path: str | os.PathLike[str], library: Literal["pandas"] = "pandas") -> pandas.DataFrame: ...
@overload
def read(path: str | os.PathLike[str], library: Literal["polars"]) -> polars.DataFrame: ...
def read(path: str | os.PathLike[str], library: Library = "pandas") -> pandas.DataFrame | polars.DataFrame:
    """Records of emotion-tag or emotionpublish as a data frame: a row for each face, and one for a frame without faces.

    The columns are the same for JSON Lines, CSV and Parquet. Labels that are not those of FER-2013 have columns at the end.

    Args:
        path: A file, `.jsonl`, `.csv` or `.parquet`, or a folder with `.jsonl` files, of which all are read.
        library: `pandas` or `polars`.

    Raises:
        FileNotFoundError: There is no such file, or none in the folder.
        ValueError: The file holds no records.
        ImportError: The library, or what it needs for Parquet, is not installed.
    """
    if library not in ("pandas", "polars"):
        raise ValueError(f"library: expected 'pandas' or 'polars', found {library!r}")
    file = Path(path)
    if not file.exists():
        raise FileNotFoundError(f"{file}: there is no such file or folder")
    if file.is_dir():
        files = sorted(file.rglob("*.jsonl"))
        if not files:
            raise FileNotFoundError(f"{file}: no .jsonl file is in this folder or below it")
        return _frame([row for one in files for row in _json_rows(one)], library)
    match file.suffix:
        case ".jsonl" | ".json":
            return _frame(list(_json_rows(file)), library)
        case ".csv":
            return _frame(list(_csv_rows(file)), library)
        case ".parquet":
            return _parquet(file, library)
    raise ValueError(f"{file}: expected a file {KINDS}, found {file.suffix or 'no extension'}")


def _import(name: Library) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        other = "polars" if name == "pandas" else "pandas"
        raise ImportError(
            f"{name} is not installed: pip install 'emotion-faces[{name}]', or pass library='{other}'"
        ) from error


def _json_rows(file: Path) -> Iterator[Row]:
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
                rows = [_row(record, face) for face in record["faces"] or [None]]
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                what = "a record" if line.endswith("\n") else "a whole record, the last one is cut short"
                raise ValueError(f"{file}:{number}: expected {what}: {error!r}") from error
            yield from rows


def _row(record: Row, face: Row | None) -> Row:
    row = {name: record.get(name) for name in COLUMNS}
    row |= {
        "frame_width": record["width"],
        "frame_height": record["height"],
        "pixel_aspect_ratio": record.get("pixel_aspect_ratio", 1.0),
        "faces": len(record["faces"]),
        # The same names stand for the frame in the record and for the face in the table.
        "width": None,
        "height": None,
        "zones": _json(record.get("zones")),
        "lines": _json(record.get("lines")),
    }
    if face:
        single = ("id", "detection_confidence", "emotion", "uncertain", "confidence", "valence", "quality")
        row |= {name: face.get(name) for name in single}
        row |= face["box"]
        row |= {f"{name}_normalized": value for name, value in face["box_normalized"].items()}
        row |= face.get("probabilities") or {}
        row |= face.get("landmarks") or {}
        row["in_zones"] = _zones_of(face, record)
    return row


def _zones_of(face: Row, record: Row) -> str | None:
    """The names of the zones that the person with this face is in."""
    zones = record.get("zones") or []
    ids = [(zone["name"], [person["id"] for person in zone["present"]]) for zone in zones]
    return ";".join(name for name, present in ids if face.get("id") in present) or None


def _json(counts: list[Row] | None) -> str | None:
    """The counts of zones or lines as CSV and Parquet have them."""
    return json.dumps(counts, ensure_ascii=False, separators=(",", ":")) if counts else None


def _csv_rows(file: Path) -> Iterator[Row]:
    with file.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines)
        missing = [name for name in ("stream_time", "faces", "emotion") if name not in (rows.fieldnames or [])]
        if missing:
            raise ValueError(f"{file}: expected records, but the column {missing[0]} is missing")
        for row in rows:
            try:
                yield {
                    name: READ_AS[COLUMNS.get(name, "text")](text) if text else None
                    for name, text in row.items()
                }
            except (TypeError, ValueError) as error:
                raise ValueError(f"{file}:{rows.line_num}: expected a record: {error}") from error


def _frame(rows: list[Row], library: Library) -> Any:
    module = _import(library)
    others = dict.fromkeys(name for row in rows for name in row if name not in COLUMNS)
    types = COLUMNS | dict.fromkeys(others, "float")
    columns = {name: [row.get(name) for row in rows] for name in types}
    if library == "polars":
        schema = {name: getattr(module, POLARS_TYPES[kind]) for name, kind in types.items()}
        return module.DataFrame(columns, schema=schema)
    series = {name: module.Series(columns[name], dtype=PANDAS_TYPES[kind]) for name, kind in types.items()}
    return module.DataFrame(series)


def _parquet(file: Path, library: Library) -> Any:
    module = _import(library)
    try:
        frame = module.read_parquet(file)
    except ImportError as error:
        raise ImportError("pandas reads Parquet with pyarrow: pip install 'emotion-faces[pandas]'") from error
    except Exception as error:  # each library and version has exceptions of its own
        raise ValueError(f"{file}: expected a Parquet file: {error}") from error
    if library == "polars":
        return frame
    known = {name: PANDAS_TYPES[kind] for name, kind in COLUMNS.items() if name in frame.columns}
    return frame.astype(known)
