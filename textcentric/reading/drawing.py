"""Outputs of a run that are drawn to be read: the same by the same seed, in one pass.

Of each prompt and fate those with the smallest hash of (seed, id) are taken: a fair draw without
replacement in whatever order the rows were finished, and nothing is loaded whole.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import TypedDict

from textcentric.errors import RunError
from textcentric.reading.groups import Bank, Group, bank_of
from textcentric.reading.items import ACCEPTED, REFUSED, Item
from textcentric.report.run_rows import own_notes
from textcentric.rows import CLEAN, DERIVED
from textcentric.runs.columns import read_rows
from textcentric.runs.shard_files import shard_files

COLUMNS = ("id", "source_id", "prompt", "source_text", "text", "parts", "notes")
FOLDERS = {True: "data", False: "rejected"}
NONE = (None, "")  # of a row whose clean text was not accepted
Ranked = tuple[bytes, str, "Row"]


class Row(TypedDict):
    """The columns of an output that a reader needs."""

    id: str
    source_id: str
    prompt: str
    source_text: str
    text: str
    parts: dict[str, str]
    notes: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many outputs of each prompt are drawn, by which seed, and which are read already."""

    accepted: int
    refused: int
    seed: int
    read: frozenset[str] = frozenset()


def draw_outputs(run: Path, groups: Mapping[str, Group], wanted: Wanted) -> list[Item]:
    """Return the outputs of `run` that are to be read, by prompt; raises RunError for bad files."""
    bank = bank_of(run)
    derived = {group.part: name for name, group in groups.items() if group.part}
    heaps: dict[tuple[str, bool], list[Ranked]] = {}
    for accepted in (True, False):
        most = wanted.accepted if accepted else wanted.refused
        for row in rows_of(run, FOLDERS[accepted]):
            for name in _groups(row, bank, derived):
                if name in groups and row["id"] not in wanted.read:
                    _keep(heaps.setdefault((name, accepted), []), row, name, most, wanted.seed)
    drawn = [(key, row) for key, heap in sorted(heaps.items()) for _, _, row in sorted(heap)[::-1]]
    clean = _clean_rows(run, {row["source_id"] for _, row in drawn})
    return [
        _drawn(row, _held_to(row, groups[name], bank), accepted, *clean.get(row["source_id"], NONE))
        for (name, accepted), row in drawn
    ]


def _held_to(row: Row, group: Group, bank: Bank) -> Group:
    """Return the group with the facts that this very output is held to."""
    return replace(group, facts=bank.facts.get(row["prompt"], group.facts))


def pairs_of(run: Path) -> Iterator[tuple[str, str, dict[str, str], dict[str, str]]]:
    """Yield id, prompt, source and variant of every accepted variant of `run`, as parts."""
    clean = {
        row["source_id"]: _without_derived(row)
        for row in rows_of(run, "data")
        if row["prompt"] == CLEAN
    }
    for row in rows_of(run, "data"):
        if row["prompt"] == CLEAN:
            continue
        source, variant = clean.get(row["source_id"]), row["parts"]
        if source is None or set(source).isdisjoint(variant):
            source, variant = {"text": row["source_text"]}, {"text": row["text"]}
        yield row["id"], row["prompt"], source, variant


def _without_derived(row: Row) -> dict[str, str]:
    return {k: v for k, v in row["parts"].items() if k not in DERIVED}


def rows_of(run: Path, folder: str) -> Iterator[Row]:
    """Yield the outputs in one folder of a run, only what a reader needs of them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in shard_files(run, folder):
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(batch_size=2048, columns=list(COLUMNS)):
                    yield from read_rows(batch)  # type: ignore[misc]
        except (pa.ArrowInvalid, OSError) as error:
            raise RunError(
                f"{path} cannot be read ({error}); resume the run to write it"
            ) from error


def _groups(row: Row, bank: Bank, derived: Mapping[str, str]) -> list[str]:
    """Return under which names an output is read: a clean row under those that wrote into it."""
    if row["prompt"] != CLEAN:
        return [bank.group(row["prompt"])]
    parts = row["parts"] if derived else {}
    return [name for part, name in derived.items() if parts.get(part)]


def _keep(heap: list[Ranked], row: Row, name: str, most: int, seed: int) -> None:
    """Keep `row` where its hash is among the `most` smallest."""
    digest = blake2b(f"{seed}\x1f{name}\x1f{row['id']}".encode(errors="replace"), digest_size=8)
    rank = bytes(255 - byte for byte in digest.digest())  # of a heap the first is the largest hash
    if len(heap) < most:
        heapq.heappush(heap, (rank, row["id"], row))
    elif heap and rank > heap[0][0]:
        heapq.heapreplace(heap, (rank, row["id"], row))


def _clean_rows(run: Path, sources: set[str]) -> dict[str, tuple[dict[str, str], str]]:
    """Return parts and notes of the clean rows of `sources`, without what a model wrote."""
    found = {}
    for row in rows_of(run, "data"):
        if row["prompt"] == CLEAN and row["source_id"] in sources:
            found[row["source_id"]] = _without_derived(row), row["notes"] or ""
    return found


def _drawn(
    row: Row, group: Group, accepted: bool, clean: dict[str, str] | None, of_row: str
) -> Item:
    parts = row["parts"]
    source, variant = clean, parts
    if group.part:
        variant = {group.part: parts[group.part]}
    elif clean is None or set(clean).isdisjoint(parts):
        source, variant = {"text": row["source_text"]}, {"text": row["text"]}
    return Item(
        item="",  # it is numbered where all are in order
        kind=ACCEPTED if accepted else REFUSED,
        group=group.prompt,
        output=row["id"],
        source_id=row["source_id"],
        source=source or {"text": row["source_text"]},
        variant=variant,
        facts=group.facts,
        declared=_declared(row, group, of_row),
    )


def _declared(row: Row, group: Group, of_row: str) -> str:
    """Say what the variant changes on purpose, where its prompt is to change facts.

    What is noted of its clean row too (`of_row`) is of the experts, not of the variant.
    """
    if group.facts == "beside":
        return "something unrelated was added on purpose"
    if group.facts != "changed":
        return ""
    own = own_notes(row["notes"] or "", of_row).split("; ")
    notes = [note for note in own if note and "cut:" not in note]
    return f"changed on purpose: {'; '.join(notes) or 'not said what'}"
