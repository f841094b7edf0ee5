"""What `textcentric runs list|show|diff` and `report` print, from the run directories alone."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from textcentric.cli.columns import columns
from textcentric.cli.find_run import find_run
from textcentric.cli.progress import duration
from textcentric.cli.terminal import say
from textcentric.command_line import command
from textcentric.config import Change, brief
from textcentric.errors import ConfigError
from textcentric.journal import Journal
from textcentric.runs import (
    STATUSES,
    all_failed,
    count_outputs,
    diff_runs,
    holder,
    list_runs,
    read_manifest,
    variants_and_clean,
)

MOST_OF_A_PART = 6  # differences that are shown of one part, such as the data's schema
GO_ON = {
    "killed": "it was killed; what was finished is kept",
    "stopped": "it was stopped; what was finished is kept",
    "interrupted": "it was interrupted; what was finished is kept",
}


def list_command(parent: Path, *, as_json: bool) -> None:
    """Print one line a run, newest first."""
    if not parent.is_dir():
        raise ConfigError(f"there is no folder {parent}; name the folder that holds the runs")
    runs = [run | {"status": status(Path(run["path"]), run)} for run in list_runs(parent)]
    if as_json:
        print(json.dumps(runs, ensure_ascii=False))
    elif runs:
        header = ["run", "status", "started", "rows", "accepted", "rejected", "failed", "model"]
        print(columns([_run_cells(run) for run in runs], header))
    else:
        say(f"no run in {parent}")


def _run_cells(run: Mapping[str, Any]) -> list[object]:
    variants, _ = variants_and_clean(run.get("counts", {}))
    return [
        Path(run["path"]).name,
        run["status"],
        run.get("started", ""),
        run.get("dataset", {}).get("rows", 0),
        *(variants[name] for name in ("accepted", "rejected", "failed")),
        run.get("engine", {}).get("model", ""),
    ]


def status(folder: Path, manifest: Mapping[str, Any]) -> str:
    """Return the run's status.

    A "running" one that no process holds was killed; a "finished" one of which nothing came failed.
    """
    said = str(manifest.get("status", "unknown"))
    if said == "finished" and all_failed(manifest.get("counts", {})):
        return "failed"
    return "killed" if said == "running" and not holder(folder) else said


def show_command(name: str, *, as_json: bool) -> None:
    """Print a summary of one run."""
    folder = find_run(name)
    shown = summary(folder)
    print(json.dumps(shown, ensure_ascii=False) if as_json else _as_text(folder, shown))


def summary(folder: Path) -> dict[str, Any]:
    """Return the manifest with the true status; counts of an unfinished run from its journal."""
    manifest = read_manifest(folder)
    shown = {"path": str(folder), **manifest, "status": status(folder, manifest)}
    if manifest.get("status") == "running" and (folder / "journal.sqlite").is_file():
        shown |= _from_journal(folder)
    tokens = manifest.get("tokens", {})
    prompt = tokens.get("prompt", 0)
    shown["cached_share"] = round(tokens.get("cached", 0) / prompt, 3) if prompt else None
    return shown


def _from_journal(folder: Path) -> dict[str, Any]:
    """Count what is finished: the manifest of a running or killed run is as old as its start."""
    journal = Journal(folder / "journal.sqlite")
    try:
        counts, reasons, errors = count_outputs(journal.counts(), {})
        totals = Counter(dict.fromkeys(STATUSES, 0))
        for entry in counts.values():
            totals.update(entry)
        found = {"counts": counts, "reasons": reasons, "errors": errors, "totals": dict(totals)}
        return found | {"finished_rows": journal.finished_rows(), "answers": journal.answers()}
    finally:
        journal.close()


def _as_text(folder: Path, shown: Mapping[str, Any]) -> str:
    lines = [f"{folder}: {_status_text(folder, shown)}"]
    dataset, engine = shown.get("dataset", {}), shown.get("engine", {})
    finished = f"{shown['finished_rows']} of " if "finished_rows" in shown else ""
    lines.append(
        f"data    {finished}{dataset.get('rows')} rows of {dataset.get('name')}"
        f" ({dataset.get('origin')}, {dataset.get('path')})"
    )
    lines.append(f"engine  {engine.get('engine')}, model {engine.get('model')}")
    lines.append(
        f"time    {duration(shown.get('seconds', 0))}, started {shown.get('started')},"
        f" seed {shown.get('seed')}"
    )
    counts = shown.get("counts", {})
    if counts:
        rows = [[name, *(entry.get(s, 0) for s in STATUSES)] for name, entry in counts.items()]
        variants, _ = variants_and_clean(counts)
        rows.append(["variants", *(variants[s] for s in STATUSES)])
        rows.append(["all", *(shown["totals"].get(s, 0) for s in STATUSES)])
        lines += ["", columns(rows, ["prompt", *STATUSES]), ""]
    lines += _reasons(shown)
    lines += _costs(shown)
    return "\n".join(lines)


def _status_text(folder: Path, shown: Mapping[str, Any]) -> str:
    said = str(shown["status"])
    if said == "running":
        return f"running in process {holder(folder)}"
    if said == "failed":
        return f"failed: {what_failed(folder, shown)}"
    if said not in GO_ON:
        return said
    why = f" ({shown['stopped']})" if shown.get("stopped") else ""
    return f"{said}{why}: {GO_ON[said]}; {command('runs', 'resume', folder)}"


def what_failed(folder: Path, manifest: Mapping[str, Any]) -> str:
    """Say how many outputs of a run failed, and what asks for them again."""
    failed, requested = (manifest["totals"][name] for name in ("failed", "requested"))
    again = command("runs", "resume", folder, retry_failed=True)
    return f"{failed} of {requested} outputs failed; `{again}` asks for them again"


def _reasons(shown: Mapping[str, Any]) -> list[str]:
    lines = []
    for prompt, reasons in shown.get("reasons", {}).items():
        often = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
        told = ", ".join(f"{reason} {n}" for reason, n in often)
        lines.append(f"rejected from {prompt}: {told}")
    errors = sorted(shown.get("errors", {}).items(), key=lambda item: (-item[1], item[0]))
    if errors:
        lines.append(f"failed: {', '.join(f'{kind} {n}' for kind, n in errors)}")
    return lines


def _costs(shown: Mapping[str, Any]) -> list[str]:
    if "finished_rows" in shown:
        return [f"{shown['answers']} answers are kept"]
    tokens, requests = shown.get("tokens", {}), shown.get("requests", {})
    share = shown["cached_share"]
    cached = f" ({share:.0%} from the cache)" if share is not None else ""
    return [
        f"tokens: {tokens.get('prompt', 0):,} of prompts{cached}, {tokens.get('output', 0):,}"
        " written",
        f"requests: {requests.get('sent', 0):,} sent, {requests.get('reused', 0):,} reused",
        f"limited by: {shown.get('bottleneck', 'unknown')}",
    ]


def diff_command(one: str, two: str, *, as_json: bool) -> None:
    """Print what differs, a value a line, fitted to the screen."""
    found = diff_runs(find_run(one), find_run(two))
    if as_json:
        print(json.dumps({name: [before, after] for name, before, after in found}))
    elif found:
        names = ("", Path(one).name, Path(two).name)
        print(diff_as_text(found, names, shutil.get_terminal_size().columns))
    else:
        say("no difference in configuration, counts, tokens, engine or versions")


def diff_as_text(found: Sequence[Change], header: tuple[str, str, str], width: int) -> str:
    """Return three columns at most `width` wide: name, before, after; of a long part the first."""
    parts: dict[str, list[Change]] = {}
    for change in found:
        parts.setdefault(".".join(change[0].split(".")[:2]), []).append(change)
    rows: list[Change] = []
    for part, of in parts.items():
        rows += of[:MOST_OF_A_PART]
        if len(of) > MOST_OF_A_PART:
            rows.append((part, f"and {len(of) - MOST_OF_A_PART} more", ""))
    names = min((width - 4) // 2, max(len(name) for name, _, _ in rows))  # two blanks between
    room = (width - 4 - names) // 2
    cells = [[brief(n, names), brief(_said(b), room), brief(_said(a), room)] for n, b, a in rows]
    return columns(cells, [brief(name, room) for name in header])


def _said(value: object) -> object:
    return "-" if value is None else value


def report_command(name: str) -> None:
    """Write the report of a run and print its path."""
    from textcentric.report import write_report

    print(write_report(find_run(name)))
