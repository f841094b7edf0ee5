"""`textcentric lineage`: everything known of one output, or the outputs of one source row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textcentric.cli.columns import columns
from textcentric.cli.find_run import find_run, newest_run
from textcentric.cli.terminal import say
from textcentric.runs import lineage
from textcentric.shards import FOLDERS

FATES = dict(zip(FOLDERS, ("accepted", "rejected", "failed"), strict=True))
FIELDS = (
    "source_id dataset split group target prompt sample prompt_digest model model_revision"
    " sampling seed experts scores reason notes stage error_type attempts message"
).split()


def lineage_command(row_id: str, run: str | None, *, as_json: bool) -> None:
    """Print the lineage of an output, or the outputs of a source row."""
    folder = find_run(run) if run else newest_run()
    if run is None:
        say(f"in the newest run, {folder}")
    outputs = outputs_of(folder, row_id)
    if outputs and as_json:
        print(json.dumps({"source_id": row_id, "outputs": outputs}, ensure_ascii=False))
    elif outputs:
        rows = [[one["id"], FATES[one["found_in"]], one["reason"]] for one in outputs]
        print(columns(rows, ["output", "fate", "reason"]))
    else:
        found = lineage(folder, row_id)
        print(json.dumps(found, ensure_ascii=False) if as_json else _as_text(found))


def outputs_of(folder: Path, source_id: str) -> list[dict[str, Any]]:
    """Return id, folder and reason of each output made of the row `source_id`."""
    import pyarrow.dataset as ds

    outputs: list[dict[str, Any]] = []
    for name in FOLDERS:
        if not any((folder / name).glob("*.parquet")):
            continue
        why = {"data": [], "rejected": ["reason"], "errors": ["message"]}[name]
        table = ds.dataset(folder / name, format="parquet").to_table(
            ["id", *why], filter=ds.field("source_id") == source_id
        )
        outputs += [
            {"id": row["id"], "found_in": name, "reason": next((row[c] for c in why), "")}
            for row in table.to_pylist()
        ]
    return sorted(outputs, key=lambda one: one["id"])


def _as_text(found: Mapping[str, Any]) -> str:
    lines = [f"{found['id']}: {FATES[found['found_in']]}"]
    known = [[name, _value(found[name])] for name in FIELDS if found.get(name) not in (None, "")]
    lines.append(columns(known))
    for title, name in (("source", "source_text"), ("text", "text")):
        if found.get(name):
            lines += [f"--- {title}", found[name]]
    for one in found["answers"]:
        lines += [f"--- answer {one['key']}", _answer(one["answer"])]
    return "\n".join(lines)


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


def _answer(answer: Any) -> str:
    """Return what the model wrote; a journal that was moved away no longer has it."""
    if answer is None:
        return "(not in the run's journal)"
    return str(answer.get("text", "")) if isinstance(answer, dict) else str(answer)
