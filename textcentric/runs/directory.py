"""A run directory made ready: what it was configured to do, and its frozen prompts."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from textcentric.errors import RunError, option
from textcentric.folders import (
    differences,
    read_yaml,
    refuse_another,
    remove_leftovers,
    write_text,
    writing,
)
from textcentric.prompts.library import Instruction, as_line
from textcentric.prompts.prompt import Prompt
from textcentric.runs.identity import identity_of
from textcentric.runs.journal import Journal
from textcentric.runs.lock import LOCK, lock
from textcentric.runs.manifest import STATUSES
from textcentric.security.files import check_real, is_real_file, is_real_folder, need_real
from textcentric.security.trust import made_here
from textcentric.values import Json

JOURNAL = "journal.sqlite"
CONFIG = "run.yaml"
PROMPTS, DRAFT = "prompts", ".prompts.tmp"
CARD = "README.md"
# Until the run has its card: by this `datasets` knows which of the files are its rows.
UNFINISHED_CARD = """---
configs:
- config_name: default
  data_files: data/*.parquet
---

This run is not finished: rows are missing.
"""
UNFINISHED = (LOCK, DRAFT, ".run.yaml.tmp")  # what a run that never began leaves


def prepare(
    folder: Path,
    identity: Mapping[str, Json],
    resume: str,
    prompts: Iterable[Prompt],
    bank: Iterable[Instruction] = (),
    runtime: Mapping[str, Json] | None = None,
) -> tuple[bool, list[str]]:
    """Make `folder` ready for a run of `identity`; return whether it goes on, and differences.

    `runtime` is the rest of the configuration: saved beside the identity, never compared.
    Outputs of another configuration are forgotten, answers are not. A process that is killed here
    leaves a folder to start again in: `run.yaml` is in place before anything that counts.
    Raises RunError where the folder holds another configuration and `resume` does not allow it.
    """
    remove_leftovers(folder)  # of a process that was killed
    saved = read_yaml(folder / CONFIG)
    old, whole = identity_of(saved), {**identity, **(runtime or {})}
    others = [p.name for p in folder.iterdir() if p.name not in UNFINISHED]
    changed = differences(old, identity) if old else []
    if others and resume == "never":
        raise RunError(
            f"{folder} is not empty and {option('resume', 'never')} was given;"
            f" choose another {option('output_dir')}"
        )
    if others and not old:
        raise RunError(
            f"{folder} is not empty and holds no run ({others[0]}); choose another"
            f" {option('output_dir')}"
        )
    if old and resume == "auto":
        cure = (
            f"Use another {option('output_dir')}, or {option('resume', 'always')} to go on with the"
            " new one and reuse every answer that still fits"
        )
        refuse_another(folder, old, identity, cure)
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
    made_here(folder, [folder / CONFIG])  # it says what whoever called said
    return bool(old), changed


def _save(folder: Path, configuration: Mapping[str, Json]) -> None:
    write_text(folder / CONFIG, yaml.safe_dump(dict(configuration), sort_keys=False))
    made_here(folder, [folder / CONFIG])
    if not os.path.lexists(folder / CARD):
        write_text(folder / CARD, UNFINISHED_CARD)


def frozen_prompts(folder: Path) -> Path:
    """Return the folder of the prompts frozen in `folder`.

    A process that was killed just before it moved them into place left them whole as a draft:
    `run.yaml` is written after it. Raises RunError where another process holds the folder, and
    where a link or a pipe lies among the prompts.
    """
    if os.path.lexists(folder / PROMPTS):
        need_real(folder / PROMPTS)
        check_real(folder / PROMPTS)
    elif is_real_file(folder / CONFIG):
        with lock(folder):
            if is_real_folder(folder / DRAFT) and not os.path.lexists(folder / PROMPTS):
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
            lines = (json.dumps(as_line(entry), ensure_ascii=False) + "\n" for entry in bank)
            write_text(target.parent / "instructions.jsonl", "".join(lines))


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


def started_now() -> str:
    """Return the time as the manifest writes it (UTC)."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
