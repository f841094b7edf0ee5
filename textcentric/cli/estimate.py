"""`augment --estimate`: from a pilot's rows, what all rows would take, with an interval."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from textcentric.augment import Job
from textcentric.cli.progress import duration

RESAMPLES = 2000


def show_estimate(job: Job, *, as_json: bool) -> None:
    """Print tokens and time for all rows; the pilot's answers stay in the run and are reused."""
    estimate = estimate_run(job)
    if as_json:
        print(json.dumps(estimate))
        return
    low, high = estimate["output_tokens"]["interval"]
    print(f"pilot: {estimate['pilot_rows']} rows; all: {estimate['rows']} rows")
    print(f"output tokens: {estimate['output_tokens']['mean']:,} ({low:,} to {high:,})")
    low, high = estimate["prompt_tokens"]["interval"]
    print(f"prompt tokens: {estimate['prompt_tokens']['mean']:,} ({low:,} to {high:,})")
    low, high = estimate["seconds"]["interval"]
    mean = estimate["seconds"]["mean"]
    print(f"time: about {duration(mean)} ({duration(low)} to {duration(high)}, 95 % interval),")
    print(f"of which {duration(estimate['start_seconds'])} until the first answer")


def estimate_run(job: Job, seed: int = 0) -> dict[str, Any]:
    """Scale the pilot's rows up to all rows; intervals are 95 % bootstrap over rows."""
    metrics, rows = job.metrics, job.dataset.count()
    spent = row_tokens(job)  # (R, 2)
    pilot = max(1, len(spent))
    rng = np.random.default_rng(seed)
    draws = rng.integers(0, pilot, size=(RESAMPLES, pilot))
    means = spent[draws].mean(axis=1) * rows if len(spent) else np.zeros((1, 2))
    total = spent.sum(axis=0) if len(spent) else np.zeros(2)
    per_token = metrics.busy_seconds / max(1.0, total.sum())
    start = metrics.first_answer or 0.0
    return {
        "rows": rows,
        "pilot_rows": len(spent),
        "start_seconds": round(start, 1),
        "prompt_tokens": _interval(means[:, 0], total[0] * rows / pilot),
        "output_tokens": _interval(means[:, 1], total[1] * rows / pilot),
        "seconds": _interval(
            start + means.sum(axis=1) * per_token, start + total.sum() * rows / pilot * per_token
        ),
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
