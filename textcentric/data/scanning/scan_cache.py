"""Scans that are kept: a large table whose content is known is not looked through again."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from textcentric.data.named import Layout, cache_folder
from textcentric.data.notation import NumberSurvey
from textcentric.data.records import RecordReader
from textcentric.data.scanning.labels import LabelSurvey
from textcentric.data.scanning.scan import RowFault, Scan, scan
from textcentric.data.scanning.survey import ColumnSurvey, Odd
from textcentric.data.tables.left_out import LeftOut
from textcentric.folders import written
from textcentric.values import Json

VERSION = 7  # raise when a scan looks at rows in another way
LARGE = 5_000  # rows; a smaller table is looked through in no time


def remembered_scan(layout: Layout, reader: RecordReader, digest: str) -> Scan:
    """Return what a scan of `layout` finds, from the cache where it lies there already.

    `digest` is of the content of its tables.
    """
    if reader.finders or not layout.table.files:
        return scan(layout.table, reader)
    path = cache_folder() / "scans" / f"{scan_key(reader, digest)}.json"
    found = read_scan(path)
    if found is None:
        found = scan(layout.table, reader)
        if found.rows >= LARGE:
            write_scan(path, found)
    return found


def scan_key(reader: RecordReader, digest: str) -> str:
    """Return 32 hex digits that stand for all that decides a scan."""
    decides = [VERSION, digest, reader.columns, reader.schema.model_dump_json()]
    return hashlib.blake2b(json.dumps(decides).encode(), digest_size=16).hexdigest()


def read_scan(path: Path) -> Scan | None:
    """Read a scan; None where there is none, or none of this shape."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        values["kinds"] = Counter({(s, tuple(have)): n for s, have, n in values["kinds"]})
        for name in ("left_out", "unfit"):
            values[name] = LeftOut.of(values[name])
        values["faults"] = [RowFault(**fault) for fault in values["faults"]]
        values["classes"] = Counter({(s, name): n for s, name, n in values["classes"]})
        labels = values["labels"]
        values["labels"] = LabelSurvey(**labels | {"marked": Counter(dict(labels["marked"]))})
        values["columns"] = {name: _column(seen) for name, seen in values["columns"].items()}
        return Scan(**values, files={})
    except (OSError, ValueError, KeyError, TypeError):
        return None  # then the table is scanned, as if nothing had been kept


def _column(values: dict[str, Any]) -> ColumnSurvey:
    parts = {"numbers": NumberSurvey(**values["numbers"])}
    return ColumnSurvey(**values | parts | {"odd": [Odd(**odd) for odd in values["odd"]]})


def write_scan(path: Path, found: Scan) -> None:
    """Keep `found`; a cache that cannot be written only costs the time of the next scan."""
    values: dict[str, Json] = {f.name: getattr(found, f.name) for f in fields(found)}
    values["faults"] = [asdict(fault) for fault in found.faults]
    values["kinds"] = [[*kind, count] for kind, count in found.kinds.items()]
    values["classes"] = [[*key, count] for key, count in found.classes.items()]
    values["labels"] = vars(found.labels)
    values["columns"] = {name: asdict(survey) for name, survey in found.columns.items()}
    del values["files"]  # files may change while the table does not
    values["left_out"], values["unfit"] = found.left_out.to_dict(), found.unfit.to_dict()
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with written(path) as draft:
            draft.write_text(json.dumps(values), encoding="utf-8")
