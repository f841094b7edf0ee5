"""Run directories by name: the one a person means, their states, what differs."""

from __future__ import annotations

import os
from pathlib import Path

from textcentric.command_line import command
from textcentric.errors import ConfigError, RunError, option, unknown
from textcentric.folders import Change, changes, read_yaml
from textcentric.runs.directory import CONFIG, all_failed
from textcentric.runs.failures import commonest_sentences
from textcentric.runs.identity import identity_of
from textcentric.runs.journal import Journal
from textcentric.runs.lock import holder
from textcentric.runs.manifest import MANIFEST, Manifest, counted, read_manifest

RUNS = Path("runs")


class Listed(Manifest, total=False):
    """A run as it is shown: its manifest, where it lies, and what is counted anew.

    `problem` says why the manifest cannot be read; `cached_share` is of the prompt tokens, in
    [0, 1].
    """

    path: str
    problem: str
    finished_rows: int
    cached_share: float | None


def find_run(name: str) -> Path:
    """Return the folder of the run `name`; raises ConfigError with the nearest name."""
    for folder in (Path(name), RUNS / name):
        if (folder / MANIFEST).is_file() or (folder / "run.yaml").is_file():
            return folder
    parent = Path(name).parent if "/" in name else RUNS
    known = [path.parent.name for path in parent.glob(f"*/{MANIFEST}")]
    raise ConfigError(f"{unknown('run', Path(name).name, known)} (looked in {parent}/)")


def is_run(name: str) -> bool:
    """Say whether there is a run of that name or path."""
    return any((folder / "run.yaml").is_file() for folder in (Path(name), RUNS / name))


def newest_run() -> Path:
    """Return the run in `runs/` that was started last."""
    found = list_runs(RUNS)
    if not found:
        raise ConfigError(f"there is no run in {RUNS}/; name one by {option('run')}")
    return Path(found[0]["path"])


def list_runs(parent: Path) -> list[Listed]:
    """Return the manifests of the runs in `parent`, newest first, each with its `path`.

    A manifest tells the second of the start; of runs of one second the one written last is newer.
    """
    manifests = sorted(parent.glob(f"*/{MANIFEST}"), key=_written_at, reverse=True)
    folders = [path.parent for path in manifests]
    runs: list[Listed] = [{"path": str(folder), **_manifest_or_why(folder)} for folder in folders]
    return sorted(runs, key=lambda run: run.get("started", ""), reverse=True)


def _written_at(path: Path) -> int:
    """Return when a file was last written, in nanoseconds; 0 where it is gone by now."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _manifest_or_why(folder: Path) -> Listed:
    """Return the manifest, or that it cannot be read: one bad run must not hide the others."""
    try:
        return {**read_manifest(folder)}
    except RunError as error:
        return {"status": "unreadable", "problem": str(error)}


def diff_runs(one: Path, two: Path) -> list[Change]:
    """Return what differs between the configurations and the counts of two runs."""
    before, after = (identity_of(read_yaml(folder / CONFIG)) for folder in (one, two))
    found = changes(before, after)
    old, new = read_manifest(one), read_manifest(two)
    for section in ("totals", "counts", "tokens", "engine", "versions"):
        found += changes({section: old.get(section, {})}, {section: new.get(section, {})})
    return found


def status(folder: Path, manifest: Manifest) -> str:
    """Return the run's status.

    A "running" one that no process holds was killed; a "finished" one of which nothing came failed.
    """
    said = str(manifest.get("status", "unknown"))
    if said == "finished" and all_failed(manifest.get("counts", {})):
        return "failed"
    return "killed" if said == "running" and not holder(folder) else said


def summary(folder: Path) -> Listed:
    """Return the manifest with the true status; counts of an unfinished run from its journal."""
    manifest = read_manifest(folder)
    shown: Listed = {"path": str(folder), **manifest, "status": status(folder, manifest)}
    shown["said"] = commonest_sentences(folder)
    if manifest.get("status") == "running" and os.path.lexists(folder / "journal.sqlite"):
        shown |= _from_journal(folder)
    tokens = manifest.get("tokens", {})
    prompt = tokens.get("prompt", 0)
    shown["cached_share"] = round(tokens.get("cached", 0) / prompt, 3) if prompt else None
    return shown


def _from_journal(folder: Path) -> Listed:
    """Count what is finished: the manifest of a running or killed run is as old as its start."""
    journal = Journal.reading(folder / "journal.sqlite")
    try:
        return {
            **counted(journal, {}),
            "finished_rows": journal.finished_rows(),
            "answers": journal.answers(),
        }
    finally:
        journal.close()


def what_failed(folder: Path, manifest: Manifest) -> str:
    """Say how many outputs of a run failed, and what asks for them again."""
    failed, requested = (manifest.get("totals", {}).get(n, 0) for n in ("failed", "requested"))
    again = command("runs", "resume", folder, retry_failed=True)
    return f"{failed} of {requested} outputs failed; `{again}` asks for them again"
