"""`results.json` and the report: everything that a comparison or an evaluation found.

Every figure comes from `Findings`; here they are only put together and written down.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from textcentric.corruption.grid import CLEAN, Cell
from textcentric.corruption.orders import ORDER
from textcentric.evaluation.findings import Findings
from textcentric.folders import write_text, writing
from textcentric.machine import machine, versions
from textcentric.metrics.scores import score
from textcentric.report.page import is_page
from textcentric.report.robustness import FIGURES, PAGE
from textcentric.rows import Target
from textcentric.runs.manifest import read_manifest
from textcentric.security.outputs import check_ours, head
from textcentric.settings import Given
from textcentric.values import Json

Parts = Mapping[str, str]
WordsByCell = Mapping[str, Mapping[str, Parts]]  # cell name -> row id -> parts
MOST_CHANGED = 20  # rows kept of one arm and cell
RESULTS, SCHEMA = "results.json", "schema.yaml"
WHAT = "a result"


def figures(findings: Findings, pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return cells, areas, orders, and the paired differences of (arm, against) `pairs`."""
    found = [
        findings.difference(arm, against, corruption)
        for arm, against in pairs
        for corruption in findings.corruptions
    ]
    return {
        "metric": findings.metric,
        "higher_is_better": findings.higher_is_better,
        "cells": findings.table(),
        "areas": findings.areas(),
        "orders": [entry for arm in findings.predicted if (entry := _orders(findings, arm))],
        "differences": [entry for entry in found if entry],
    }


def changed_rows(
    findings: Findings, arm: str, cell: Cell, words: WordsByCell
) -> list[dict[str, Json]]:
    """Return the rows whose prediction `cell` changed most, with their texts, of the first seed."""
    by_cell = next(iter(findings.predicted[arm].values()))
    if cell.name not in by_cell or cell.name not in words:
        return []
    clean, damaged = by_cell[CLEAN.name], by_cell[cell.name]
    moved = [(_distance(clean[row], damaged[row]), row) for row in damaged if row in clean]
    most = sorted((m for m in moved if m[0] > 0), key=lambda m: (-m[0], m[1]))[:MOST_CHANGED]
    return [
        {
            "arm": arm,
            "id": row,
            "corruption": cell.corruption if not cell.missing else cell.name,
            "level": cell.level,
            "target": findings.targets[row],
            "clean_prediction": clean[row],
            "corrupted_prediction": damaged[row],
            "clean_parts": dict(words[CLEAN.name].get(row, {})),
            "corrupted_parts": dict(words[cell.name].get(row, {})),
        }
        for _, row in most
    ]


def llm_costs(runs: Mapping[str, Sequence[Path]]) -> dict[str, dict[str, Json]]:
    """Return what an LLM did for each arm in its run directories: requests, tokens, seconds.

    What several arms read was asked once; `llm_shared_with` names the others that a cost is of.
    """
    return {
        arm: {
            **_llm_cost(read),
            "llm_shared_with": [o for o in runs if o != arm and set(runs[o]) & set(read)],
        }
        for arm, read in runs.items()
    }


def llm_total(runs: Mapping[str, Sequence[Path]]) -> dict[str, float]:
    """Return what an LLM did for all arms together, each run counted once."""
    return _llm_cost(dict.fromkeys(run for read in runs.values() for run in read))


def _llm_cost(runs: Iterable[Path]) -> dict[str, float]:
    manifests = [read_manifest(run) for run in runs]
    return {
        "llm_requests": sum(m["requests"]["sent"] for m in manifests),
        "llm_tokens": sum(m["tokens"]["prompt"] + m["tokens"]["output"] for m in manifests),
        "llm_seconds": round(sum(m["seconds"] for m in manifests), 1),
    }


def refuse_other_files(folder: Path, *others: str, settings: str | None = None) -> None:
    """Raise RunError where `folder` holds files of other people under the names of ours.

    `settings` is the file of a comparison's. `others` are more names that are written there; where
    our results lie, they are ours.
    """
    if settings is not None:
        check_ours(folder / settings, WHAT, lambda path: b"\narms:" in head(path))
    check_ours(folder / RESULTS, WHAT, _is_results)
    check_ours(folder / PAGE, WHAT, is_page)
    check_ours(folder / FIGURES, WHAT, _is_results)
    if not (folder / RESULTS).exists():
        for name in others:
            check_ours(folder / name, WHAT, lambda path: False)


def _is_results(path: Path) -> bool:
    begun = head(path)
    return begun.startswith(b'{\n "title": ') and b'\n "dataset": ' in begun


def write_results(folder: Path, results: Given, schema: Given | None = None) -> Path:
    """Write `results.json` and the report into `folder`; return the path of the page.

    `schema` was given in Python; the line that does it again reads it from a file beside them.
    """
    from textcentric.report.robustness import write_robustness_report

    signed = {**results, "versions": versions(), "machine": _machine()}
    with writing(folder):
        if schema is not None:
            write_text(folder / SCHEMA, yaml.safe_dump(dict(schema), sort_keys=False))
        write_text(folder / RESULTS, json.dumps(signed, indent=1, ensure_ascii=False) + "\n")
        return write_robustness_report(folder)


def _orders(findings: Findings, arm: str) -> dict[str, Json] | None:
    """Return what other orders of the parts do to `arm`, None where they were not tried.

    `given` is the score of the same rows in the order as given: they are the first ones, not all.
    """
    trials = list(_in_orders(findings, arm))
    if not trials:
        return None
    scores, flips = zip(*trials, strict=True)
    rows = [by_cell[f"{ORDER}0"] for by_cell in findings.predicted[arm].values()]
    worst = min(scores) if findings.higher_is_better else max(scores)
    return {
        "arm": arm,
        "rows": len(rows[0]),
        "given": statistics.mean(
            score(findings.metric, [findings.targets[row] for row in told], list(told.values()))
            for told in rows
        ),
        "mean": statistics.mean(scores),
        "worst": worst,
        "flips": sum(flips) / (len(flips) - len(findings.predicted[arm])),  # the first flips none
        "orders": len(trials) // len(findings.predicted[arm]),
    }


def _in_orders(findings: Findings, arm: str) -> Iterator[tuple[float, float]]:
    """Yield the score and the share of changed predictions of every order and seed."""
    for by_cell in findings.predicted[arm].values():
        first = by_cell.get(f"{ORDER}0", {})
        targets = [findings.targets[row] for row in first]
        for name, told in by_cell.items():
            if name.startswith(ORDER):
                flips = statistics.mean(told[row] != first[row] for row in first)
                yield score(findings.metric, targets, [told[row] for row in first]), flips


def _distance(one: Target, other: Target) -> float:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(float(one) - float(other))
    return float(one != other)


def _machine() -> str:
    known = machine()
    return f"{known['system']}, {known['cores']} cores, {'a' if known['gpu'] else 'no'} GPU"
