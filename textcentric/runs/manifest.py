"""`manifest.json`: what came of a run, in counts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NotRequired, TypedDict

from textcentric.errors import RunError
from textcentric.folders import write_text
from textcentric.rows import CLEAN, Balance, Read
from textcentric.runs.counters import Bottleneck, ranked
from textcentric.runs.failures import Said
from textcentric.runs.journal import ABSENT, PIECE, Count, Detail, Journal
from textcentric.runs.manifest_form import parsed
from textcentric.security.files import read_text
from textcentric.values import Json

STATUSES = ("requested", "accepted", "rejected", "failed", "pending")
MANIFEST = "manifest.json"
# What prompts of a stage write into clean rows, as people call it.
PARTS = {"summarize": "summaries", "reason": "explanations"}


class SourceData(TypedDict):
    """The data set that a run was made of; former versions' lack its `balance` and `read`."""

    name: str
    path: str
    digest: str
    origin: str
    rows: int
    balance: NotRequired[Balance]
    read: NotRequired[Read]
    notes: list[str]


class PromptUsed(TypedDict):
    """A prompt as a run used it; `label` is its effect on the label."""

    version: int
    digest: str
    label: str
    stage: str


class WrittenParts(TypedDict):
    """In how many clean rows the part of a prompt stands, and why it is absent from the others."""

    written: int
    absent: dict[str, int]


class Priced(TypedDict, total=False):
    """What a run has cost, by the prices of a million tokens; nothing where they have none."""

    cost: float
    prices: dict[str, float]


class Counted(TypedDict, total=False):
    """What came of a run: counts and reasons by prompt, errors by type.

    `derived` counts summaries and explanations by prompt; `pieces` are, by prompt and reason, those
    refused of variants in which nothing changed.
    """

    counts: dict[str, dict[str, int]]
    totals: dict[str, int]
    reasons: dict[str, dict[str, int]]
    derived: dict[str, WrittenParts]
    pieces: dict[str, dict[str, int]]
    errors: dict[str, int]


class Manifest(Priced, Counted, total=False):
    """What came of a run, its tokens, and what it was made with.

    `said` is the commonest sentence of each kind of failure, `checks` the identity of the checks
    that judged, `weights` says which prompts were judged by weights of the user's own, `read` what
    people read of each prompt before.

    Manifests of former versions may lack keys.
    """

    fingerprint: str
    status: str
    stopped: str
    started: str
    seconds: float
    versions: dict[str, str]
    git: str | None
    machine: dict[str, Json]
    seed: int
    dataset: SourceData
    said: dict[str, Said]  # absent: nothing failed
    engine: Mapping[str, str | None]  # null: no model was asked
    judge: dict[str, str]
    prompts: dict[str, PromptUsed]
    checks: str
    weights: str  # absent: the shipped ones judged
    read: dict[str, str]
    tokens: dict[str, float]
    requests: dict[str, float]
    answers: int
    shards: dict[str, list[int | str]]  # by path: bytes and digest
    engine_full: float
    engine_starved: float
    bottleneck: Bottleneck


def counted(journal: Journal, requested: Mapping[str, int]) -> Counted:
    """Return what a run's journal counts; `requested` says how many outputs a prompt owes."""
    counts, reasons, errors = count_outputs(journal.counts(), requested)
    totals = Counter(dict.fromkeys(STATUSES, 0))
    for entry in counts.values():
        totals.update(entry)
    clean_rows = counts.get(CLEAN, {}).get("accepted", 0)
    derived, pieces = count_details(journal.details(), clean_rows)
    return {
        "counts": counts,
        "totals": dict(totals),
        "reasons": reasons,
        "derived": derived,
        "pieces": pieces,
        "errors": errors,
    }


def shards_of(journal: Journal) -> dict[str, list[int | str]]:
    """Return bytes and digest of every file of the shards that a run's journal records."""
    files = [pair for shard in journal.written().values() for pair in shard.files.items()]
    return {path: list(recorded) for path, recorded in sorted(files)}


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


def count_details(
    details: Mapping[Detail, int], clean_rows: int
) -> tuple[dict[str, WrittenParts], dict[str, dict[str, int]]]:
    """Return what prompts wrote into the accepted clean rows, and refused pieces, by prompt.

    Prompts that wrote into fewer rows than there are, since a former version that counted nothing
    began the run, are left out.
    """
    parts: dict[str, WrittenParts] = {}
    pieces: dict[str, dict[str, int]] = {}
    for (prompt, what, reason), n in sorted(details.items()):
        if what == PIECE:
            pieces.setdefault(prompt, {})[reason] = n
            continue
        entry = parts.setdefault(prompt, {"written": 0, "absent": {}})
        if what == ABSENT:
            entry["absent"][reason] = n
        else:
            entry["written"] = n
    whole = {name: of for name, of in parts.items() if _rows_of(of) == clean_rows}
    return whole, pieces


def _rows_of(parts: WrittenParts) -> int:
    return parts["written"] + sum(parts["absent"].values())


def derived_words(manifest: Manifest) -> dict[str, str]:
    """Say by prompt in how many clean rows what it derived stands, and why not in the others.

    >>> counted = {"a": {"written": 22, "absent": {"new word": 2}}}
    >>> derived_words({"derived": counted, "prompts": {"a": {"stage": "summarize"}}})
    {'a': 'summaries: 22 of 24; 2 absent: new word 2'}
    """
    derived = manifest.get("derived", {})
    stages = {name: prompt["stage"] for name, prompt in manifest.get("prompts", {}).items()}
    names = {name: PARTS.get(stages.get(name, ""), name) for name in derived}
    words = {}
    for prompt, parts in derived.items():
        alone = list(names.values()).count(names[prompt]) == 1
        name = names[prompt] if alone else f"{names[prompt]} by {prompt}"
        absent = sum(parts["absent"].values())
        why = f"; {absent} absent: {ranked(parts['absent'])}" if absent else ""
        words[prompt] = f"{name}: {parts['written']} of {_rows_of(parts)}{why}"
    return words


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `manifest.json`."""
    write_text(folder / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")


def read_manifest(folder: Path) -> Manifest:
    """Read `manifest.json`; raises RunError where there is no run, or what is there is not one."""
    path = folder / MANIFEST
    try:
        manifest: Manifest = parsed(read_text(path))  # type: ignore[assignment]
    except OSError as error:
        raise RunError(
            f"{folder} holds no run (no {MANIFEST}); see `textcentric runs list`"
        ) from error
    except json.JSONDecodeError as error:
        raise RunError(f"{path} is not JSON ({error})") from error
    except ValueError as error:
        raise RunError(f"{path} is no manifest that a run wrote ({error})") from error
    return manifest
