"""Remember what a scan of a large table found, so that a finished run opens at once.

Looking through 100,000 rows takes two seconds; reading their bytes for the digest a tenth of one.
The result is kept in the user's cache under all that decides it: the content of the table and its
side tables, the schema and the version of the scan. Where files belong to the rows nothing is
kept, since those can change while the table stays.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from textcentric.data.layout import Layout
from textcentric.data.named import cache_folder
from textcentric.data.records import RecordReader
from textcentric.data.scan import LabelSurvey, RowFault, Scan, scan

VERSION = 1  # raise when a scan looks at rows in another way: the cache goes by it
LARGE = 5_000  # rows; a smaller table is looked through in no time
COUNTERS = ("unreadable", "splits")


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
        values |= {name: Counter(dict(values[name])) for name in COUNTERS}
        values["faults"] = [RowFault(**fault) for fault in values["faults"]]
        values["labels"] = LabelSurvey(**values["labels"])
        return Scan(**values)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # then the table is scanned, as if nothing had been kept


def write_scan(path: Path, found: Scan) -> None:
    """Keep `found`; a cache that cannot be written only costs the time of the next scan."""
    values: dict[str, Any] = {f.name: getattr(found, f.name) for f in fields(found)}
    values["faults"] = [asdict(fault) for fault in found.faults]
    values["labels"] = asdict(found.labels)
    draft = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(values), encoding="utf-8")
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
