"""A comparison run to its end: every trial made, and what they found put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import yaml

from textcentric.command_line import command
from textcentric.data.rows import tell_notes
from textcentric.evaluation.comparison.arms import Tried
from textcentric.evaluation.comparison.comparison import CONSTANT, SETTINGS, Comparison
from textcentric.evaluation.comparison.config import main_arm
from textcentric.evaluation.comparison.folds import pooled
from textcentric.evaluation.results_file import (
    figures,
    llm_costs,
    llm_total,
    refuse_other_files,
    write_results,
)
from textcentric.evaluation.sentences import verdict, warnings
from textcentric.folders import write_text
from textcentric.runs.lock import lock


def compare(comparison: Comparison) -> dict[str, Any]:
    """Run a comparison to its end; return its results, which are on disk with their report."""
    comparison.check()
    refuse_other_files(comparison.folder, settings=SETTINGS)
    with lock(comparison.folder):
        settings = comparison.config.model_dump(mode="json")
        write_text(comparison.folder / SETTINGS, yaml.safe_dump(settings, sort_keys=False))
        tell_notes(comparison.test_rows, comparison.say)
        trials = pooled([list(part.tried()) for part in comparison.by_fold])
        results = assemble(comparison, trials)
        results["report"] = str(write_results(comparison.folder, results))
        return results


def assemble(comparison: Comparison, trials: Sequence[tuple[str, int, Tried]]) -> dict[str, Any]:
    """Return what the trials found, as `results.json` holds it, the primary difference first."""
    config, arms = comparison.config, comparison.arms
    findings = comparison.findings(trials)
    main, against = main_arm(config.arms, config.against), config.against
    augmented = [name for name, arm in arms.items() if arm.llm]
    scores = figures(findings, list(_pairs(arms, against)))
    primary = config.llm_corruptions[0]
    scores["differences"].sort(key=lambda one: (one["corruption"] != primary, one["arm"] != main))
    runs = comparison.llm_runs()
    costs = llm_costs(runs)
    seconds = {name: sum(t.train_seconds for n, _, t in trials if n == name) for name in arms}
    return {
        "title": f"Robustness on {comparison.test_rows.name}",
        "dataset": {"name": comparison.test_rows.name},
        "task": comparison.task,
        "rows": comparison.by_fold[0].row_counts() | {"test": len(comparison.test_rows.records)},
        "seeds": list(config.seeds),
        "arms": {
            name: {"what": arm.what, "llm": arm.llm, "train_seconds": round(seconds[name], 1)}
            | {"train_rows": min((t.train_rows for n, _, t in trials if n == name), default=0)}
            | costs[name]
            for name, arm in arms.items()
        },
        "llm_total": llm_total(runs),
        **scores,
        "changed": comparison.changed(findings),
        "removed": comparison.damaged(llm=False).removals(),
        "notes": [*comparison.test_rows.notes, *(n for f in comparison.by_fold for n in f.notes())],
        "verdict": verdict(findings, main, against, primary, augmented),
        "warnings": warnings(findings, [name for name in arms if name != CONSTANT]),
        "reproduce": [command("compare", config=comparison.folder / SETTINGS)],
    }


def _pairs(arms: Iterable[str], against: str) -> Iterator[tuple[str, str]]:
    """Yield the arms whose differences are taken, each pair once, those with `against` first."""
    known = list(arms)
    done: set[frozenset[str]] = set()
    for other in (against, "dropout-train"):
        for name in known:
            pair = frozenset((name, other))
            if other in known and name != other and pair not in done:
                done.add(pair)
                yield name, other
