"""Scans that are kept: a large table whose content is known is not looked through again."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, get_type_hints

from textcentric.data.named import Layout, cache_folder
from textcentric.data.records import RecordReader
from textcentric.data.scanning.scan import Scan, scan
from textcentric.errors import DataError, RunError
from textcentric.folders import written
from textcentric.security.files import read_bytes
from textcentric.security.foreign import foreign
from textcentric.values import Json

VERSION = 7  # raise when a scan looks at rows in another way
NOT_KEPT = "files"  # which may change while the table does not
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
    if not path.is_file():
        return None
    with suppress(DataError, RunError), foreign("a scan that was kept"):
        values = json.loads(read_bytes(path))
        values["kinds"] = {(split, tuple(have)): n for split, have, n in values["kinds"]}
        values["classes"] = {(split, name): n for split, name, n in values["classes"]}
        kept = {name: shape.validate_python(values[name]) for name, shape in _shapes().items()}
        return Scan(**kept)
    return None  # then the table is scanned, as if nothing had been kept


@lru_cache(maxsize=1)
def _shapes() -> dict[str, Any]:
    """Return what makes each part of a scan of values of the right types, and refuses others."""
    from pydantic import TypeAdapter

    hints = get_type_hints(Scan)
    return {name: TypeAdapter(hint) for name, hint in hints.items() if name != NOT_KEPT}


def write_scan(path: Path, found: Scan) -> None:
    """Keep `found`; a cache that cannot be written only costs the time of the next scan."""
    values: dict[str, Json] = {f.name: getattr(found, f.name) for f in fields(found)}
    values["faults"] = [asdict(fault) for fault in found.faults]
    values["kinds"] = [[*kind, count] for kind, count in found.kinds.items()]
    values["classes"] = [[*key, count] for key, count in found.classes.items()]
    values["labels"] = vars(found.labels)
    values["columns"] = {name: asdict(survey) for name, survey in found.columns.items()}
    del values[NOT_KEPT]
    values["left_out"], values["unfit"] = found.left_out.to_dict(), found.unfit.to_dict()
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with written(path) as draft:
            draft.write_text(json.dumps(values), encoding="utf-8")
