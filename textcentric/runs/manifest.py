"""`manifest.json`: what came of a run, in counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

from textcentric.errors import RunError
from textcentric.folders import write_text
from textcentric.runs.counters import Bottleneck
from textcentric.runs.journal import Count
from textcentric.values import Json

STATUSES = ("requested", "accepted", "rejected", "failed", "pending")
MANIFEST = "manifest.json"


class SourceData(TypedDict):
    """The data set that a run was made of."""

    name: str
    path: str
    digest: str
    origin: str
    rows: int
    notes: list[str]


class PromptUsed(TypedDict):
    """A prompt as a run used it; `label` is its effect on the label."""

    version: int
    digest: str
    label: str
    stage: str


class Priced(TypedDict, total=False):
    """What a run has cost, by the prices of a million tokens; nothing where they have none."""

    cost: float
    prices: dict[str, float]


class Manifest(Priced, total=False):
    """What came of a run: counts by prompt, reasons and errors, tokens, and what it was made with.

    `checks` is the digest of the checks that judged, `read` what people read of each prompt before.

    Manifests of former versions may lack keys.
    """

    name: str
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
    engine: Mapping[str, str | None]  # null: no model was asked
    judge: dict[str, str]
    prompts: dict[str, PromptUsed]
    checks: str
    read: dict[str, str]
    counts: dict[str, dict[str, int]]
    totals: dict[str, int]
    reasons: dict[str, dict[str, int]]
    errors: dict[str, int]
    tokens: dict[str, float]
    requests: dict[str, float]
    answers: int
    engine_full: float
    engine_starved: float
    bottleneck: Bottleneck


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


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `manifest.json`."""
    write_text(folder / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")


def read_manifest(folder: Path) -> Manifest:
    """Read `manifest.json`; raises RunError where there is no run."""
    try:
        manifest: Manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except OSError as error:
        raise RunError(
            f"{folder} holds no run (no {MANIFEST}); see `textcentric runs list`"
        ) from error
    except ValueError as error:
        raise RunError(f"{folder / MANIFEST} is not JSON ({error})") from error
    return manifest
