"""Everything known of one output of a run, its answers from the journal included."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

from textcentric.errors import DataError, unknown
from textcentric.runs.columns import FOLDERS, read_rows
from textcentric.runs.directory import JOURNAL
from textcentric.runs.journal import Journal
from textcentric.runs.shard_files import shard_files
from textcentric.values import Json


class Made(TypedDict):
    """An output of a row: the folder of the run that holds it, and why it is not in `data`."""

    id: str
    found_in: str
    reason: str


def lineage(folder: Path, row_id: str) -> dict[str, Any]:
    """Return everything known of one output, its answers from the journal included.

    `row_id` is an output's id (`row/prompt/sample`); raises DataError with the nearest one.
    """
    import pyarrow.dataset as ds

    for name in FOLDERS:
        if not (shards := shard_files(folder, name)):
            continue
        table = ds.dataset(shards, format="parquet")
        found = next(read_rows(table.to_table(filter=ds.field("id") == row_id)), None)
        if found is not None:
            return {"found_in": name, **found, "answers": _answers(folder, found)}
    raise DataError(unknown("output", row_id, _near_ids(folder, row_id)), row_id=row_id)


def _answers(folder: Path, row: Mapping[str, Any]) -> list[dict[str, Json]]:
    journal = Journal.reading(folder / JOURNAL)
    try:
        keys = (row.get("request_key") or "").split()
        return [{"key": key, "answer": journal.get(key)} for key in keys]
    finally:
        journal.close()


def _near_ids(folder: Path, row_id: str) -> list[str]:
    """Return some ids to suggest: those of the same source row, else the first few."""
    import pyarrow.dataset as ds

    near: list[str] = []
    source = row_id.split("/")[0]
    for name in FOLDERS:
        if shards := shard_files(folder, name):
            table = ds.dataset(shards, format="parquet")
            same = ds.field("source_id") == source
            near += table.to_table(["id"], filter=same)["id"].to_pylist()
            near += table.head(3, columns=["id"])["id"].to_pylist()
    return list(dict.fromkeys(near))[:20]


def outputs_of(folder: Path, source_id: str) -> list[Made]:
    """Return id, folder and reason of each output made of the row `source_id`."""
    import pyarrow.dataset as ds

    outputs: list[Made] = []
    for name in FOLDERS:
        if not (shards := shard_files(folder, name)):
            continue
        why = {"data": [], "rejected": ["reason"], "errors": ["message"]}[name]
        table = ds.dataset(shards, format="parquet").to_table(
            ["id", *why], filter=ds.field("source_id") == source_id
        )
        outputs += [
            {"id": row["id"], "found_in": name, "reason": next((row[c] for c in why), "")}
            for row in table.to_pylist()
        ]
    return sorted(outputs, key=lambda one: one["id"])
