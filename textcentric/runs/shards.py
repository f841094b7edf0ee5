"""Finished outputs as parquet shards, each under one explicit Arrow schema.

A shard is written under a temporary name, moved into place and only then recorded in the
journal; a shard that the journal does not know is a leftover of a killed run and is removed.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic_core import to_json

from textcentric.errors import StoppedError
from textcentric.folders import written
from textcentric.rows import Target
from textcentric.runs.counters import ranked
from textcentric.runs.journal import Count, Detail, Journal
from textcentric.settings import Given

if TYPE_CHECKING:
    import pyarrow as pa

SHARD_OUTPUTS = 4000
SHARD_SECONDS = 60.0
FOLDERS = ("data", "rejected", "errors")
NOTHING = "nothing changed"  # every piece that was written is refused


@dataclass(slots=True)
class Output:
    """One wanted output that was written; `reason` is empty where it was accepted."""

    id: Annotated[str, "ROW/PROMPT/SAMPLE"]
    source_id: Annotated[str, "id of the row"]
    dataset: Annotated[str, "name of the data set"]
    split: Annotated[str | None, "train, validation, test or another"]
    group: Annotated[str | None, "what is never parted between splits"]
    target: Annotated[Target, "what is to be predicted: a number or a text, one of them in a run"]
    prompt: Annotated[str, "id of the prompt; `clean` for the row itself"]
    sample: Annotated[int, "which variant by this prompt, from 0"]
    source_text: Annotated[str, "the row in the experts' words"]
    text: Annotated[str, "the row as it was written: what is trained on"]
    parts: Annotated[str, "JSON: the parts of `text` by name"]
    model: Annotated[str, "language model, empty where none was asked"]
    model_revision: Annotated[str, "its commit, or a digest of its weights"]
    prompt_digest: Annotated[
        str, "digest of the prompt's file; of a clean row, of those that wrote into it"
    ]
    sampling: Annotated[str, "JSON: sampling values, without the seed"]
    seed: Annotated[int | None, "of this output; its further requests count on from it"]
    request_key: Annotated[str, "keys of its requests in the journal, space between"]
    experts: Annotated[str, "JSON: name, version and confidence of each modality's expert"]
    scores: Annotated[str, "JSON: written, similarity, sibling, facts, judge; as far as measured"]
    notes: Annotated[str, "what was cut, kept, missing; semicolons between"]
    reason: Annotated[str, "why it was rejected"] = ""
    details: tuple[Detail, ...] = ()  # no column: they are counted in the journal


@dataclass(slots=True)
class Failure:
    """One wanted output that could not be written, and at which stage."""

    id: Annotated[str, "ROW/PROMPT/SAMPLE"]
    source_id: Annotated[str, "id of the row"]
    prompt: Annotated[str, "id of the prompt; `clean` for the row itself"]
    sample: Annotated[int, "which variant by this prompt, from 0"]
    stage: Annotated[str, "describe, align, derive, perturb or judge"]
    error_type: Annotated[str, "kind of the error"]
    message: Annotated[str, "what went wrong"]
    attempts: Annotated[int, "how often the request was sent"]


OUTPUT_COLUMNS = [f.name for f in fields(Output) if f.name != "details"]
FAILURE_COLUMNS = [f.name for f in fields(Failure)]
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


def output_id(source_id: str, prompt: str, sample: int) -> str:
    """Return the id of one wanted output: `row/prompt/sample`."""
    return f"{source_id}/{prompt}/{sample}"


class ShardWriter:
    """Collect the outputs of finished rows and write them, a shard at a time."""

    def __init__(self, folder: Path, journal: Journal, *, numeric_target: bool):
        self.folder = folder
        self.journal = journal
        self._schemas = schemas(numeric_target)
        self._numeric = numeric_target
        self._next = max(journal.shards(), default=-1) + 1
        self._remove_leftovers()
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
        self._size += len(outputs)
        if self._size >= SHARD_OUTPUTS or time.monotonic() - self._since > SHARD_SECONDS:
            self.write()

    def write(self) -> None:
        """Write what was collected as one shard and record it."""
        if not self._sources:
            return
        try:
            for name, rows in self._rows.items():
                if rows or (self._next == 0 and name == "data"):
                    self._write_table(name, rows)
        except OSError as error:
            raise StoppedError(
                f"cannot write to {self.folder} ({error.strerror or error}); free space on the disk"
                " or check the folder's permissions, then run the same command again to go on"
            ) from error
        self.journal.finish_shard(self._next, self._sources, self._counts, self._details)
        self._next += 1
        self._clear()

    def close(self) -> None:
        """Write the last shard; a run without any output gets an empty one."""
        self.write()
        if self._next == 0:
            self._write_table("data", [])

    def _write_table(self, name: str, rows: list[tuple[Target, ...]]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema: pa.Schema = self._schemas[name]
        columns: Sequence[Sequence[Target]] = (
            list(zip(*rows, strict=True)) if rows else [[]] * len(schema)
        )
        if name != "errors":
            at = schema.get_field_index("target")
            convert = _number if self._numeric else _text
            columns = [*columns[:at], [convert(v) for v in columns[at]], *columns[at + 1 :]]
        arrays = [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)]
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        with (
            written(folder / f"part-{self._next:05d}.parquet") as draft,
            pq.ParquetWriter(draft, schema, compression="zstd") as file,
        ):
            if rows:  # an empty shard has no row group: `datasets` cannot read an empty one
                file.write_table(pa.table(arrays, schema=schema))

    def _remove_leftovers(self) -> None:
        known = {f"part-{number:05d}.parquet" for number in self.journal.shards()}
        for name in FOLDERS:
            for path in (self.folder / name).glob("*"):
                if path.name not in known:
                    path.unlink()

    def _clear(self) -> None:
        self._rows: dict[str, list[tuple[Target, ...]]] = {name: [] for name in FOLDERS}
        self._sources: list[str] = []
        self._counts: Counter[Count] = Counter()
        self._details: Counter[Detail] = Counter()
        self._size = 0
        self._since = time.monotonic()


def schemas(numeric_target: bool) -> dict[str, pa.Schema]:
    """Return the Arrow schema of each folder; `target` is double or string, a run one of them."""
    import pyarrow as pa

    numbers = {"sample": pa.int32(), "seed": pa.int64(), "attempts": pa.int32()}
    numbers["target"] = pa.float64() if numeric_target else pa.string()

    def schema(names: list[str]) -> pa.Schema:
        return pa.schema([(name, numbers.get(name, pa.string())) for name in names])

    return {
        "data": schema(OUTPUT_COLUMNS[:-1]),
        "rejected": schema(OUTPUT_COLUMNS),
        "errors": schema(FAILURE_COLUMNS),
    }


def dump(value: Given) -> str:
    """Return `value` as one line of JSON, as the JSON columns hold it."""
    return to_json(value).decode()


def _number(value: Target) -> float | None:
    return None if value is None else float(value)


def _text(value: Target) -> str | None:
    return None if value is None else str(value)


def write_jsonl(folder: Path) -> None:
    """Write the accepted rows as `data.jsonl` too, streamed from the parquet."""
    import pyarrow.dataset as ds

    with written(folder / "data.jsonl") as draft, draft.open("w", encoding="utf-8") as file:
        for batch in ds.dataset(folder / "data", format="parquet").to_batches():
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in batch.to_pylist())
