"""Finished outputs as parquet shards, all of a run under one explicit Arrow schema.

A shard is written under a temporary name, moved into place and only then recorded in the
journal; a shard that the journal does not know is a leftover of a killed run and is removed.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from operator import attrgetter
from pathlib import Path

from textcentric.errors import StoppedError
from textcentric.folders import written
from textcentric.rows import TargetType
from textcentric.runs.columns import (
    FAILURE_COLUMNS,
    FOLDERS,
    OUTPUT_COLUMNS,
    Failure,
    Output,
    Value,
    as_table,
    begun,
    schemas,
)
from textcentric.runs.counters import ranked
from textcentric.runs.journal import Count, Detail, Journal
from textcentric.runs.shard_files import remove_unknown, shard_files
from textcentric.runs.written import Written, measured, put_on_disk

SHARD_OUTPUTS = 4000
SHARD_CHARACTERS = 32_000_000  # of the texts of a shard, which wait in memory
SHARD_SECONDS = 60.0
JSON_LINES = "data.jsonl"
NOTHING = "nothing changed"  # every piece that was written is refused


NAMES = dict(zip(FOLDERS, (OUTPUT_COLUMNS[:-1], OUTPUT_COLUMNS, FAILURE_COLUMNS), strict=True))
_accepted = attrgetter(*OUTPUT_COLUMNS[:-1])
_rejected = attrgetter(*OUTPUT_COLUMNS)
_failed = attrgetter(*FAILURE_COLUMNS)


def with_pieces(reason: str, pieces: Mapping[str, int]) -> str:
    """Return why a variant was rejected with why its pieces were refused, the commonest first.

    >>> with_pieces("nothing changed", {"loop": 1, "new word": 2})
    'nothing changed: new word 2, loop 1'
    """
    return f"{reason}: {ranked(pieces)}" if pieces else reason


def kind(reason: str) -> str:
    """Return a reason as it is counted, without what was counted of its pieces.

    >>> kind("nothing changed: new word 2, loop 1"), kind("not judged: too long")
    ('nothing changed', 'not judged: too long')
    """
    return NOTHING if reason.startswith(f"{NOTHING}: ") else reason


class ShardWriter:
    """Collect the outputs of finished rows and write them, a shard at a time."""

    def __init__(
        self, folder: Path, journal: Journal, target: TargetType, classes: Sequence[str] = ()
    ):
        self.folder = folder
        self.journal = journal
        self._next = max(journal.shards(), default=-1) + 1
        self._remove_leftovers()
        self._schemas = begun(folder) or schemas(target, classes)
        self._clear()

    def add_row(self, source_id: str, outputs: Sequence[Output | Failure]) -> None:
        """Add all outputs of one row; a full shard is written at once."""
        self._sources.append(source_id)
        for output in outputs:
            if isinstance(output, Failure):
                self._rows["errors"].append(_failed(output))
                self._counts[output.prompt, "failed", output.error_type] += 1
                continue
            self._details.update(output.details)
            if output.reason:
                self._rows["rejected"].append(_rejected(output))
            else:
                self._rows["data"].append(_accepted(output))
            status = "rejected" if output.reason else "accepted"
            self._counts[output.prompt, status, kind(output.reason)] += 1
            self._characters += _characters(output)
        self._size += len(outputs)
        full = self._size >= SHARD_OUTPUTS or self._characters >= SHARD_CHARACTERS
        if full or time.monotonic() - self._since > SHARD_SECONDS:
            self.write()

    def write(self) -> None:
        """Write what was collected as one shard and record it."""
        if not self._sources:
            return
        try:
            files = dict(
                self._write_table(name, rows)
                for name, rows in self._rows.items()
                if rows or (self._next == 0 and name == "data")
            )
        except OSError as error:
            raise StoppedError(
                f"cannot write to {self.folder} ({error.strerror or error}); free space on the disk"
                " or check the folder's permissions, then run the same command again to go on"
            ) from error
        self.journal.finish_shard(self._next, self._sources, self._counts, self._details, files)
        self._next += 1
        self._clear()

    def close(self) -> None:
        """Write the last shard; a run without any output gets an empty one."""
        self.write()
        if self._next == 0:
            self._write_table("data", [])

    def _write_table(self, name: str, rows: list[tuple[Value, ...]]) -> tuple[str, Written]:
        """Write rows as a shard that the disk holds; return its path and what was written."""
        import pyarrow.parquet as pq

        schema = self._schemas[name]
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        path = folder / f"part-{self._next:05d}.parquet"
        with written(path) as draft:
            with pq.ParquetWriter(draft, schema, compression="zstd") as file:
                if rows:  # an empty shard has no row group: `datasets` cannot read an empty one
                    file.write_table(as_table(rows, NAMES[name], schema))
            recorded = measured(draft)
            put_on_disk(draft)
        put_on_disk(folder)
        return f"{name}/{path.name}", recorded

    def _remove_leftovers(self) -> None:
        known = {f"part-{number:05d}.parquet" for number in self.journal.shards()}
        for name in FOLDERS:
            remove_unknown(self.folder, name, known)

    def _clear(self) -> None:
        self._rows: dict[str, list[tuple[Value, ...]]] = {name: [] for name in FOLDERS}
        self._sources: list[str] = []
        self._counts: Counter[Count] = Counter()
        self._details: Counter[Detail] = Counter()
        self._size = self._characters = 0
        self._since = time.monotonic()


def _characters(output: Output) -> int:
    return sum(map(len, filter(None, (output.text, output.source_text, *output.parts.values()))))


def write_jsonl(folder: Path) -> None:
    """Write the accepted rows as `data.jsonl` too, streamed from the parquet."""
    import pyarrow.dataset as ds

    with written(folder / JSON_LINES) as draft, draft.open("w", encoding="utf-8") as file:
        for batch in ds.dataset(shard_files(folder, "data"), format="parquet").to_batches():
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in batch.to_pylist())
