"""A file of predictions: a row for each id, as CSV, parquet or JSON lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from textcentric.errors import ConfigError, unknown
from textcentric.folders import writing, written
from textcentric.values import Json


def write_predictions(rows: Iterable[Mapping[str, Json]], path: str | Path) -> Path:
    """Write predictions as CSV, parquet or JSON lines, by the ending of `path`.

    Raises ConfigError for another ending.
    """
    path = Path(path)
    check_ending(path)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with written(path) as draft:
            WRITERS[path.suffix]([dict(row) for row in rows], draft)
    return path


def check_ending(path: str | Path) -> None:
    """Raise ConfigError, before the work, for a file that could not be written in the end."""
    if Path(path).suffix not in WRITERS:
        raise ConfigError(f"output={str(path)!r}: {unknown('ending', Path(path).suffix, WRITERS)}")


def _write_csv(rows: list[dict[str, Json]], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _write_parquet(rows: list[dict[str, Json]], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(rows), path)


def _write_jsonl(rows: list[dict[str, Json]], path: Path) -> None:
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")


WRITERS = {".csv": _write_csv, ".parquet": _write_parquet, ".jsonl": _write_jsonl}
