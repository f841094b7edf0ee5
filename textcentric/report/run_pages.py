"""All outputs of a run for the page's browser: an index to filter and sort by, and chunks of texts.

Up to `MOST_INSIDE` outputs stand in the page itself; more lie in files beside it, which the page
loads as scripts, because a page opened as a file may not fetch. Everything is streamed from the
shards, a chunk at a time. Data are lists, never objects with names from data, and are shown as
text only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textcentric.folders import remove, writing, written
from textcentric.report.formats import visible
from textcentric.report.run_rows import (
    CLEAN,
    FOLDERS,
    LONGEST_TEXT,
    batches,
    cut,
    joined,
    kind,
    own_notes,
    source_id,
)
from textcentric.rows import DERIVED
from textcentric.runs.columns import read_rows
from textcentric.runs.shard_files import readable_shards
from textcentric.values import Json

if TYPE_CHECKING:
    import pyarrow.parquet as pq

MOST_INSIDE = 2_000  # outputs in the page itself
CHUNK = 1_000  # outputs of a chunk
FOLDER = "report_rows"  # beside the page
MOST_CLEAN = 20_000  # clean rows of one shard that are kept to compare variants with
STATUSES = tuple(FOLDERS)
COLUMNS = (
    *("id", "source_id", "prompt", "split", "target", "source_text", "text", "parts", "scores"),
    *("notes", "reason", "stage", "error_type", "message", "attempts"),
)
ESCAPES = str.maketrans(
    {"&": "\\u0026", "<": "\\u003c", ">": "\\u003e", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)

Parts = dict[str, str]  # name -> text; one without a name is the whole row


@dataclass(frozen=True, slots=True)
class Entry:
    """One output: `changed` are the parts that differ from `source` or are absent."""

    id: str
    source_id: str
    prompt: str
    status: str
    target: Json
    split: str
    reason: str
    notes: str
    scores: Mapping[str, float]
    source: Parts
    parts: Parts
    changed: tuple[str, ...]
    kind: str  # the reason without its figures


@dataclass(slots=True)
class Names:
    """Names that occur often, each written once; their place is their number."""

    prompts: dict[str, int] = field(default_factory=dict)
    splits: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    scores: dict[str, int] = field(default_factory=dict)
    changes: dict[tuple[str, ...], int] = field(default_factory=dict)
    cut: bool = False  # whether any text was cut

    def listed(self) -> dict[str, Json]:
        """Return the names in the order of their numbers."""
        return {
            "prompts": list(self.prompts),
            "splits": list(self.splits),
            "reasons": list(self.reasons),
            "scores": list(self.scores),
            "changes": [list(names) for names in self.changes],
            "statuses": list(STATUSES),
            "derived": list(DERIVED),
            "cut": LONGEST_TEXT if self.cut else 0,
        }


def browser_data(run_dir: Path, total: int, most_inside: int = MOST_INSIDE) -> str:
    """Return the JSON that the page holds about its `total` outputs, harmless inside a script.

    Above `most_inside` outputs it only tells of the files in `report_rows/`, which are written
    anew in one step; files of a former report are removed either way. Raises StoppedError where
    they cannot be written.
    """
    about: dict[str, Json] = {"total": total, "size": CHUNK}
    folder = run_dir / FOLDER
    with writing(folder):
        if total > most_inside:
            with written(folder) as draft:
                _write(run_dir, draft)
                remove(folder)
            return dumped({**about, "folder": FOLDER})
        remove(folder)
    names = Names()
    chunks = list(_chunks(run_dir, names))
    rows = [line for lines, _ in chunks for line in lines]
    index = {"rows": rows, **names.listed()}
    return dumped({**about, "index": index, "chunks": [chunk for _, chunk in chunks]})


def dumped(value: Json) -> str:
    """Return JSON that neither ends a script nor a line of one, whatever texts it holds.

    >>> dumped(["</script>"])
    '["\\\\u003c/script\\\\u003e"]'
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(ESCAPES)


def _write(run_dir: Path, folder: Path) -> None:
    """Write the index and the chunks as scripts that assign what they hold."""
    folder.mkdir()
    names = Names()
    with (folder / "index.js").open("w", encoding="utf-8") as index:
        index.write('reportRows.index={"rows":[\n')
        for number, (lines, chunk) in enumerate(_chunks(run_dir, names)):
            index.write((",\n" if number else "") + ",\n".join(map(dumped, lines)))
            text = f"reportRows.chunks[{number}]={dumped(chunk)};\n"
            (folder / f"{number + 1:04}.js").write_text(text, encoding="utf-8")
        index.write(f"\n],{dumped(names.listed())[1:]};\n")


@dataclass(slots=True)
class _Chunk:
    """Lines of the index and texts of outputs, each cut as it comes: a text may be megabytes."""

    names: Names
    lines: list[Json] = field(default_factory=list)
    sources: list[Json] = field(default_factory=list)
    rows: list[Json] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Add an output: its source once, of itself what differs from it."""
        self.lines.append(_line(entry, self.names))
        if entry.source_id not in self.places:
            self.places[entry.source_id] = len(self.sources)
            self.sources.append([[name, cut(text)] for name, text in entry.source.items()])
        parts: list[Json] = [
            [name, None if entry.source.get(name) == text else cut(text)]
            for name, text in entry.parts.items()
        ]
        texts = [*entry.source.values(), *entry.parts.values()]
        self.names.cut = self.names.cut or any(len(text) > LONGEST_TEXT for text in texts)
        self.rows.append([self.places[entry.source_id], parts, entry.reason, entry.notes])

    def texts(self) -> dict[str, Json]:
        """Return the texts of the chunk."""
        return {"sources": self.sources, "rows": self.rows}


def _chunks(run_dir: Path, names: Names) -> Iterator[tuple[list[Json], Json]]:
    """Yield the lines of the index and the texts of `CHUNK` outputs at a time."""
    chunk = _Chunk(names)
    for entry in read_entries(run_dir):
        chunk.add(entry)
        if len(chunk.rows) == CHUNK:
            yield chunk.lines, chunk.texts()
            chunk = _Chunk(names)
    if chunk.rows:
        yield chunk.lines, chunk.texts()


def _line(entry: Entry, names: Names) -> list[Json]:
    """Return what is filtered and sorted by: id, source, prompt, status, target and the rest.

    The source's id is written as a length where the output's id begins with it.
    """
    begins = entry.id.startswith(entry.source_id)
    for name in entry.scores:
        names.scores.setdefault(name, len(names.scores))
    return [
        entry.id,
        len(entry.source_id) if begins else entry.source_id,
        names.prompts.setdefault(entry.prompt, len(names.prompts)),
        STATUSES.index(entry.status),
        entry.target,
        names.splits.setdefault(entry.split, len(names.splits)),
        names.changes.setdefault(entry.changed, len(names.changes)),
        names.reasons.setdefault(entry.kind, len(names.reasons)),
        [entry.scores.get(name) for name in names.scores] if entry.scores else [],
    ]


def read_entries(run_dir: Path) -> Iterator[Entry]:
    """Yield every output, shard by shard; shards that cannot be read are left out.

    Shards of one name hold the outputs of the same rows, so one shard's clean rows suffice.
    """
    found = {path for folder in FOLDERS.values() for path in readable_shards(run_dir, folder, [])}
    for name in sorted({path.name for path in found}):
        shards = {status: run_dir / folder / name for status, folder in FOLDERS.items()}
        shards = {status: path for status, path in shards.items() if path in found}
        sources = _clean_rows(shards["accepted"]) if "accepted" in shards else {}
        for status, path in shards.items():
            for row in _rows(path, COLUMNS):
                yield _entry(status, row, sources)


def _clean_rows(path: Path) -> dict[str, tuple[Parts, str]]:
    """Return parts and notes of the clean rows of a shard by their sources."""
    found: dict[str, tuple[Parts, str]] = {}
    for row in _rows(path, ("id", "source_id", "prompt", "parts", "notes")):
        if row.get("prompt") == CLEAN and len(found) < MOST_CLEAN:
            found[_shown(source_id(row))] = _parts(row), _shown(joined(row.get("notes")))
    return found


def _rows(path: Path, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    # The report counts the shards first and says there which one cannot be read.
    with suppress(pa.ArrowInvalid, OSError), pq.ParquetFile(path) as file:
        yield from _read(file, columns)


def _read(file: pq.ParquetFile, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    for batch in batches(file, list(columns), size=512):
        yield from read_rows(batch)


def _entry(status: str, row: Mapping[str, Any], sources: Mapping[str, tuple[Parts, str]]) -> Entry:
    parts, (source, of_row) = _parts(row), sources.get(_shown(source_id(row)), ({}, ""))
    notes = _shown(joined(row.get("notes")))
    changed = _changed(row, parts, source) if status != "failed" else ()
    if status != "failed" and source.keys().isdisjoint(parts):  # only whole rows can be compared
        source, parts = _whole(row.get("source_text")), _whole(row.get("text"))
    scores = row.get("scores") or {}
    return Entry(
        id=_shown(row.get("id")),
        source_id=_shown(source_id(row)),
        prompt=_shown(row.get("prompt")),
        status=status,
        target=_target(row.get("target")),
        split=_shown(row.get("split")),
        reason=_shown(_failure(row) if status == "failed" else row.get("reason")),
        notes=notes if row.get("prompt") == CLEAN else own_notes(notes, of_row),
        scores={
            _shown(name): round(value, 4)
            for name, value in scores.items()
            if isinstance(value, int | float) and isfinite(value)
        },
        source=source,
        parts=parts,
        changed=changed,
        kind=_shown(_kind(status, row)),
    )


def _changed(row: Mapping[str, Any], parts: Parts, source: Parts) -> tuple[str, ...]:
    """Return the parts that differ or are absent; without a clean row those it does not hold.

    What a model wrote into the clean row is in no variant, so it is not absent there.
    """
    if not source:
        whole = _shown(row.get("source_text"))
        return tuple(sorted(name for name, text in parts.items() if text not in whole))
    names = [name for name in {**source, **parts} if source.get(name) != parts.get(name)]
    return tuple(sorted(name for name in names if name in parts or name not in DERIVED))


def _kind(status: str, row: Mapping[str, Any]) -> Json:
    if status == "failed":
        return row.get("error_type")
    reason = row.get("reason")
    return kind(str(reason)) if reason else ""


def _target(value: Json) -> Json:
    """Return a class or a number; a number that JSON cannot hold is none."""
    if isinstance(value, int | float):
        return value if isfinite(value) else None
    return None if value is None else _shown(value)


def _failure(row: Mapping[str, Any]) -> str:
    attempts = row.get("attempts")
    told = f" while working on {row['stage']}" if row.get("stage") else ""
    told += f", {attempts} {'attempt' if attempts == 1 else 'attempts'}" if attempts else ""
    return f"{row.get('error_type') or 'error'}{told}: {row.get('message') or ''}"


def _parts(row: Mapping[str, Any]) -> Parts:
    return {_shown(name): _shown(text) for name, text in (row.get("parts") or {}).items()}


def _whole(text: Json) -> Parts:
    return {"": _shown(text)} if text else {}


def _shown(value: Json) -> str:
    return "" if value is None else str(visible(str(value)))
