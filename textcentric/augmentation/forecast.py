"""What a run would do and take: outputs, requests, the first prompt, tokens and time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypedDict

import numpy as np

from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.driver import Job, prices_of
from textcentric.augmentation.plan import CAPTION, Plan, asks_model
from textcentric.data.dataset import Dataset
from textcentric.data.rows import Rows
from textcentric.experts.image import MOST_PICTURES
from textcentric.prompts.prompt import Prompt
from textcentric.rows import Inputs, Record
from textcentric.runs.prices import Prices
from textcentric.runs.shard_files import shard_files

TRIES = 2  # requests for an answer that must fit a schema
RESAMPLES = 2000
EMPTY: Inputs = {"table": {}, "text": ""}  # values of a row that stands for its kind
PILOT_ROWS = 20  # from which the others are estimated


@dataclass
class Work:
    """What a run owes: rows, and of each prompt outputs and requests at most (inf: no bound)."""

    rows: int = 0
    outputs: Counter[str] = field(default_factory=Counter)
    requests: dict[str, float] = field(default_factory=dict)

    def ask(self, prompt: str, requests: float) -> None:
        """Count requests of a prompt."""
        self.requests[prompt] = self.requests.get(prompt, 0.0) + requests


def count_work(config: AugmentConfig, plan: Plan, dataset: Rows) -> Work:
    """Count over all rows what the plan wants of them."""
    work = Work()
    for record, rows in _alike(config, plan, dataset):
        wanted = [prompt for prompt, _ in plan.wanted(record)]
        work.rows += rows
        work.outputs["clean"] += rows
        work.outputs.update({p: n * rows for p, n in Counter(p.id for p in wanted).items()})
        if config.image_expert == "vlm":
            work.ask(CAPTION, min(MOST_PICTURES, len(record.inputs.get("image", ()))))
        for prompt in (*plan.derive, *wanted):
            work.ask(prompt.id, _most(prompt, record) * rows)
        if plan.judge:
            work.ask(plan.judge.id, _most(plan.judge, record) * len(wanted) * rows)
    return work


def _alike(config: AugmentConfig, plan: Plan, dataset: Rows) -> Iterator[tuple[Record, int]]:
    """Yield a row of each kind that owes the same, with the number of such rows.

    Each row stands for itself where prompts are drawn by it, or its pictures or class count.
    """
    by_kind = dataset.kept_kinds() if isinstance(dataset, Dataset) else None
    drawn = any(prompt.front.stage == "bank" for prompt in plan.variants)
    if by_kind is None or drawn or plan.shares or config.image_expert == "vlm":
        yield from ((record, 1) for record in dataset)
        return
    for (split, modalities), rows in by_kind.items():
        inputs = {name: EMPTY.get(name, ()) for name in modalities}
        yield Record("any", inputs, split=split or None), rows


def prompt_tokens(work: Work, tokens: Mapping[str, float]) -> dict[str, int | None]:
    """Return about how many prompt tokens each prompt takes, None where that cannot be known."""
    return {
        prompt: None if math.isinf(asked) or prompt not in tokens else round(asked * tokens[prompt])
        for prompt, asked in work.requests.items()
        if asked
    }


def _most(prompt: Prompt, record: Record) -> float:
    """Return how many requests `prompt` makes of one row at most."""
    front = prompt.front
    if not asks_model(prompt):
        return 0
    units = (front.take or math.inf) if front.each == "sentence" else 1
    parts = len(record.inputs) if front.stage == "align" else 1
    asked = TRIES if front.answer_schema or front.pick else 1
    return units * parts * front.candidates * asked


class Expected(TypedDict):
    """What is expected of a whole run, with its 95 % interval."""

    mean: int
    interval: list[int]


class Cost(TypedDict):
    """What is expected to be paid for a whole run, with its 95 % interval."""

    mean: float
    interval: list[float]


class Estimated(TypedDict):
    """What a whole run would take, by the rows that are finished; `cost` where tokens have one."""

    path: str
    rows: int
    pilot_rows: int
    start_seconds: float
    prompt_tokens: Expected
    output_tokens: Expected
    seconds: Expected
    cost: Cost | None


def estimate_run(job: Job, seed: int = 0) -> Estimated:
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
    seconds = _interval(start + means.sum(axis=1) * per_token, start + mean.sum() * per_token)
    if not job.plan.asks:  # rules take the time of their rows, and no tokens
        taken = round(metrics.seconds / max(1, metrics.rows) * rows)
        seconds = {"mean": taken, "interval": [taken, taken]}
    return {
        "path": str(job.folder),
        "rows": rows,
        "pilot_rows": pilot,
        "start_seconds": round(start, 1),
        "prompt_tokens": _interval(means[:, 0], mean[0]),
        "output_tokens": _interval(means[:, 1], mean[1]),
        "seconds": seconds,
        "cost": _cost(prices_of(job.config), means, mean),
    }


def _cost(prices: Prices, draws: np.ndarray, mean: np.ndarray) -> Cost | None:
    """Return the cost of `mean` tokens read and written (2,), its interval from `draws` (S, 2)."""
    if not prices:
        return None
    low, high = np.percentile([prices.of(*draw) for draw in draws], [2.5, 97.5])
    interval = [round(float(low), 6), round(float(high), 6)]
    return {"mean": round(prices.of(*mean), 6), "interval": interval}


def cost_bounds(
    work: Work, tokens: Mapping[str, int | None], plan: Plan, config: AugmentConfig
) -> dict[str, float] | None:
    """Return the cost of all prompts read and the most that all answers may cost.

    None where tokens have no price, or requests or tokens are not known.
    """
    longest = {
        prompt.id: config.max_tokens or prompt.front.sampling.max_tokens
        for prompt in (*plan.derive, *plan.variants, *([plan.judge] if plan.judge else []))
    }
    prices = prices_of(config)
    asked = {prompt: n for prompt, n in work.requests.items() if n}
    counts = [tokens.get(prompt) for prompt in asked]
    if not prices or None in counts or any(math.isinf(n) for n in asked.values()):
        return None
    written = sum(n * longest.get(prompt, 0) for prompt, n in asked.items())
    read = sum(count or 0 for count in counts)
    return {"prompts": prices.of(read, 0), "answers_at_most": prices.of(0, written)}


def row_tokens(job: Job) -> np.ndarray:
    """Return the prompt and output tokens of each finished row (R, 2), from its answers."""
    import pyarrow.dataset as ds

    spent: dict[str, np.ndarray] = {}
    for name in ("data", "rejected"):
        if not (shards := shard_files(job.folder, name)):
            continue
        table = ds.dataset(shards, format="parquet")
        for row in table.to_table(["source_id", "request_key"]).to_pylist():
            total = spent.setdefault(row["source_id"], np.zeros(2))
            answers = map(job.journal.get, (row["request_key"] or "").split())
            for answer in filter(None, answers):
                total += (answer.get("prompt_tokens", 0), answer.get("output_tokens", 0))
    return np.array(list(spent.values())).reshape(-1, 2)


def _interval(draws: np.ndarray, mean: float) -> Expected:
    low, high = np.percentile(draws, [2.5, 97.5])
    return {"mean": round(mean), "interval": [round(low), round(high)]}
