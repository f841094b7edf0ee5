"""`augment --estimate`: from a pilot's rows, what all rows would take, with an interval."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from textcentric.augment import Job
from textcentric.cli.progress import duration
from textcentric.cli.terminal import say

RESAMPLES = 2000


def show_estimate(job: Job, *, as_json: bool) -> None:
    """Print tokens and time for all rows; the pilot's answers stay in the run and are reused."""
    estimate = estimate_run(job)
    if not estimate["output_tokens"]["mean"]:
        say(f"no answer of the model stands in {job.folder}: there is nothing to estimate from")
    print(json.dumps(estimate) if as_json else _as_text(estimate))


def _as_text(estimate: dict[str, Any]) -> str:
    pilot, rows = estimate["pilot_rows"], estimate["rows"]
    start = estimate["start_seconds"]
    left = f"{rows - pilot:,} rows are left: without --estimate the same command goes on with them"
    return "\n".join(
        [
            f"pilot: the first {pilot:,} of {rows:,} rows, kept in {estimate['path']}",
            f"all {rows:,} rows (95 % intervals):",
            f"  prompt tokens  {_told(estimate['prompt_tokens'], '{:,}'.format)}",
            f"  output tokens  {_told(estimate['output_tokens'], '{:,}'.format)}",
            f"  time           {_told(estimate['seconds'], duration)},"
            f" {duration(start)} of it until the first answer",
            left if pilot < rows else "no row is left: the run is finished",
        ]
    )


def _told(value: dict[str, Any], words: Any) -> str:
    low, high = map(words, value["interval"])
    return f"about {words(value['mean'])} ({low} to {high})"


def estimate_run(job: Job, seed: int = 0) -> dict[str, Any]:
    """Scale the finished rows up to all rows; intervals are 95 % bootstrap over rows.

    Earlier pilots count for the tokens; only this process knows what its own rows took in time.
    """
    metrics, rows = job.metrics, job.dataset.count()
    spent = row_tokens(job)  # (R, 2)
    pilot = len(spent)
    spent = spent if pilot else np.zeros((1, 2))
    draws = np.random.default_rng(seed).integers(0, len(spent), size=(RESAMPLES, len(spent)))
    means = spent[draws].mean(axis=1) * rows  # (S, 2)
    mean = spent.mean(axis=0) * rows  # (2,)
    per_token = metrics.busy_seconds / max(1.0, spent.mean(axis=0).sum() * metrics.rows)
    start = metrics.first_answer or 0.0
    return {
        "path": str(job.folder),
        "rows": rows,
        "pilot_rows": pilot,
        "start_seconds": round(start, 1),
        "prompt_tokens": _interval(means[:, 0], mean[0]),
        "output_tokens": _interval(means[:, 1], mean[1]),
        "seconds": _interval(start + means.sum(axis=1) * per_token, start + mean.sum() * per_token),
    }


def row_tokens(job: Job) -> np.ndarray:
    """Return the prompt and output tokens of each finished row (R, 2), from its answers."""
    import pyarrow.dataset as ds

    spent: dict[str, np.ndarray] = {}
    for name in ("data", "rejected"):
        if not any((job.folder / name).glob("*.parquet")):
            continue
        table = ds.dataset(job.folder / name, format="parquet")
        for row in table.to_table(["source_id", "request_key"]).to_pylist():
            total = spent.setdefault(row["source_id"], np.zeros(2))
            answers = map(job.journal.get, row["request_key"].split())
            for answer in filter(None, answers):
                total += (answer.get("prompt_tokens", 0), answer.get("output_tokens", 0))
    return np.array(list(spent.values())).reshape(-1, 2)


def _interval(draws: np.ndarray, mean: float) -> dict[str, Any]:
    low, high = np.percentile(draws, [2.5, 97.5])
    return {"mean": round(mean), "interval": [round(low), round(high)]}
