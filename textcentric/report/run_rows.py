"""The parquet shards of a run: counted in one pass, then only the rows to be shown are read.

A run may hold a million outputs, so nothing is ever loaded whole. The sources to be shown are
those with the smallest hash of (seed, id): a fair draw without replacement that needs no list of
ids, and the same draw in whatever order the rows were finished.
"""

from __future__ import annotations

import heapq
import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textcentric.runs.columns import dump, read_rows
from textcentric.runs.shard_files import readable_shards
from textcentric.values import Json

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

FOLDERS = {"accepted": "data", "rejected": "rejected", "failed": "errors"}
CLEAN = "clean"
MOST_VARIANTS = 40  # shown per source
LONGEST_TEXT = 2_000  # characters shown per part
FACTS = (
    *("id", "source_id", "sample", "model", "model_revision", "prompt_digest", "sampling"),
    *("seed", "request_key", "experts", "stage", "error_type", "message", "attempts"),
)


@dataclass(slots=True)
class Tally:
    """What one pass over the shards found, by prompt; `sources` are the ids drawn to be shown."""

    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    reasons: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    errors: Counter[str] = field(default_factory=Counter)
    sources: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Output:
    """One output as the page shows it; `cut` counts the characters left out of its texts."""

    status: str
    prompt: str
    source_text: str
    text: str
    parts: Mapping[str, str]
    scores: Mapping[str, Json]
    notes: str
    reason: str
    row: Mapping[str, Json]
    facts: Mapping[str, Json]
    cut: int


@dataclass(slots=True)
class Source:
    """One source with its outputs; `more` counts those beyond `MOST_VARIANTS`."""

    id: str
    clean: Output | None = None
    variants: list[Output] = field(default_factory=list)
    more: int = 0


def tally(run_dir: Path, seed: int, size: int = 20) -> Tally:
    """Count every output of `run_dir` and draw `size` sources by `seed`.

    Sources that have variants come first; those with nothing but a clean row fill up.
    """
    found = Tally()
    varied: list[tuple[bytes, str]] = []
    others: list[tuple[bytes, str]] = []
    for status, file in _files(run_dir, found.notices):
        for batch in batches(file, ["id", "source_id", "prompt", "reason", "error_type"]):
            _count(found, status, batch)
            perturbed, rest = _source_ids(batch)
            varied = _smallest(varied, perturbed, seed, size)
            others = _smallest(others, rest, seed, size)
    drawn = [source for _, source in varied]
    spare = [source for _, source in others if source not in drawn]
    found.sources = (drawn + spare)[:size]
    return found


def fetch(run_dir: Path, sources: Collection[str]) -> list[Source]:
    """Read the outputs of `sources`, in the order of `sources`, and nothing else."""
    shown = {source: Source(source) for source in sources}
    for status, file in _files(run_dir, []):
        for row in _rows_of(file, shown):
            _place(shown[str(source_id(row))], _output(status, row))
    for source in shown.values():
        source.variants.sort(key=lambda one: (one.prompt, one.row.get("sample") or 0))
    return list(shown.values())


def _place(source: Source, output: Output) -> None:
    if output.prompt == CLEAN and output.status == "accepted":
        source.clean = output
    elif len(source.variants) < MOST_VARIANTS:
        source.variants.append(output)
    else:
        source.more += 1


def _files(run_dir: Path, notices: list[str]) -> Iterator[tuple[str, pq.ParquetFile]]:
    """Yield every readable shard with its status; a broken one becomes a notice."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for status, folder in FOLDERS.items():
        for path in readable_shards(run_dir, folder, notices):
            try:
                with pq.ParquetFile(path) as file:
                    yield status, file
            except (pa.ArrowInvalid, OSError) as error:
                notices.append(f"{folder}/{path.name} cannot be read: {error}")


def batches(
    file: pq.ParquetFile, columns: list[str], groups: list[int] | None = None, size: int = 32_768
) -> Iterator[pa.RecordBatch]:
    """Yield those of `columns` that the shard has, `size` rows at a time."""
    present = [name for name in columns if name in file.schema_arrow.names]
    if present:
        yield from file.iter_batches(batch_size=size, row_groups=groups, columns=present)


def _count(found: Tally, status: str, batch: pa.RecordBatch) -> None:
    columns = batch.to_pydict()
    prompts = columns.get("prompt") or ["(unknown)"] * batch.num_rows
    for prompt, number in Counter(prompts).items():
        found.counts[str(prompt)][status] += number
    if status == "rejected":
        reasons = columns.get("reason") or [None] * batch.num_rows
        for (prompt, reason), number in Counter(zip(prompts, reasons, strict=True)).items():
            found.reasons[str(prompt)][kind(reason)] += number
    if status == "failed":
        found.errors.update(str(kind) for kind in columns.get("error_type") or [])


def kind(reason: str | None) -> str:
    """Return a reason without its figures, so that equal reasons are counted together."""
    return re.split(r"[:(\d]", reason or "")[0].strip() or "(no reason given)"


def _source_ids(batch: pa.RecordBatch) -> tuple[set[str], set[str]]:
    """Return the sources of variants and the sources of clean rows in one batch."""
    columns = batch.to_pydict()
    ids = columns.get("id") or [None] * batch.num_rows
    sources = columns.get("source_id") or ids
    prompts = columns.get("prompt") or [None] * batch.num_rows
    varied: set[str] = set()
    others: set[str] = set()
    for own, source, prompt in zip(ids, sources, prompts, strict=True):
        name = own if source is None else source
        if name is not None:
            (others if prompt == CLEAN else varied).add(str(name))
    return varied, others


def _smallest(
    pool: list[tuple[bytes, str]], ids: set[str], seed: int, size: int
) -> list[tuple[bytes, str]]:
    ranked = {(_rank(seed, one), one) for one in ids}
    return heapq.nsmallest(size, ranked.union(pool))


def _rank(seed: int, source: str) -> bytes:
    return blake2b(f"{seed}\x1f{source}".encode(errors="replace"), digest_size=8).digest()


def _rows_of(file: pq.ParquetFile, sources: Collection[str]) -> Iterator[dict[str, Any]]:
    """Yield the rows of `sources`; a row group without one costs only its id columns."""
    for group in range(file.num_row_groups):
        for batch in batches(file, ["id", "source_id"], [group]):
            varied, others = _source_ids(batch)
            if not (varied | others).isdisjoint(sources):
                break
        else:
            continue
        for batch in batches(file, file.schema_arrow.names, [group], size=512):
            yield from _chosen(batch, sources)


def _chosen(batch: pa.RecordBatch, sources: Collection[str]) -> Iterator[dict[str, Any]]:
    keys = batch.select([n for n in ("id", "source_id") if n in batch.schema.names]).to_pylist()
    for position, key in enumerate(keys):
        if str(source_id(key)) in sources:
            yield from read_rows(batch.slice(position, 1))


def source_id(row: Mapping[str, Json]) -> Json:
    """Return the id of an output's source; a row without one is its own."""
    source = row.get("source_id")
    return row.get("id") if source is None else source


def _output(status: str, row: Mapping[str, Any]) -> Output:
    parts = {name: str(text) for name, text in (row.get("parts") or {}).items()}
    texts = {"text": str(row.get("text") or ""), "source": str(row.get("source_text") or "")}
    shown = {name: cut(text) for name, text in parts.items()}
    short = {name: cut(text) for name, text in texts.items()}
    return Output(
        status=status,
        prompt=str(row.get("prompt")),
        source_text=short["source"],
        text=short["text"],
        parts=shown,
        scores=row.get("scores") or {},
        notes=joined(row.get("notes")),
        reason=str(row.get("reason") or ""),
        row={name: row.get(name) for name in ("split", "group", "target", "dataset", "sample")},
        facts={name: _fact(row[name]) for name in FACTS if row.get(name) not in (None, "", {})},
        cut=_length(parts) - _length(shown) if parts else len(texts["text"]) - len(short["text"]),
    )


def _fact(value: Json) -> Json:
    return dump(value) if isinstance(value, Mapping) else value


def cut(text: str) -> str:
    """Return at most `LONGEST_TEXT` characters, cut between words where there are any."""
    start = text[:LONGEST_TEXT]
    return text if start == text else start.rpartition(" ")[0].rstrip() or start


def _length(parts: Mapping[str, str]) -> int:
    return sum(map(len, parts.values()))


def own_notes(notes: str, of_row: str) -> str:
    """Return the notes of a variant without those that its clean row has too.

    >>> own_notes("language=en; cut: preamble", "language=en")
    'cut: preamble'
    """
    common = set(of_row.split("; "))
    return "; ".join(note for note in notes.split("; ") if note not in common)


def joined(value: Json) -> str:
    """Return notes as one line, whether they are text, a list or a JSON list."""
    if isinstance(value, str) and value.startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return str(value)
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value or "")
