"""How fast this machine describes, learns and predicts: the real model for a few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from textcentric.api import InHand
from textcentric.compare import Comparison
from textcentric.errors import DataError
from textcentric.examples import Example, describe_examples
from textcentric.session import make_experts
from textcentric.training.config import train_config

SECONDS = 3.0  # of learning, and of predicting
SAMPLE = 64  # rows


@dataclass(frozen=True)
class Rates:
    """Rows described a second, and texts learnt and predicted; guesses where not `measured`."""

    described: float = 10.0
    trained: float = 20.0
    predicted: float = 60.0
    measured: bool = False
    why: str = "assumed 20 and 60 a second (not measured)"

    def as_dict(self) -> dict[str, Any]:
        """Return the rates as plain values."""
        return {k: round(v, 1) if isinstance(v, float) else v for k, v in asdict(self).items()}


def measure(comparison: Comparison) -> Rates:
    """Return the rates on rows spread over the training rows; nothing is written."""
    rows = comparison.train_rows
    chosen = rows.records[:: max(1, len(rows.records) // SAMPLE)][:SAMPLE]
    sample = InHand(chosen, rows.schema, name=rows.name, path=rows.path)
    experts = make_experts(comparison.config.augment_config(), sample)
    started = time.monotonic()
    examples = [e for e in describe_examples(sample, experts) if e.parts]
    rates = Rates(described=len(chosen) / max(time.monotonic() - started, 1e-9))
    if all(arm.baseline for arm in comparison.arms.values()):
        return replace(rates, why="no arm trains a transformer")
    try:
        return _model_rates(comparison, examples, rates)
    except DataError as error:  # such as one class only in so few rows
        return replace(rates, why=f"{rates.why}: {error}")


def _model_rates(comparison: Comparison, examples: Sequence[Example], rates: Rates) -> Rates:
    import torch

    from textcentric.methods.downstream import Downstream, downstream_config
    from textcentric.training.start import make_optimizer

    config = comparison.config
    loop = train_config({**config.training, "output_dir": config.output_dir})
    values = {**config.downstream, "target_transform": "none", "variants": 0}
    method = Downstream(downstream_config(values), examples)
    accelerator = None if loop.use_cpu else torch.accelerator.current_accelerator()
    device = accelerator or torch.device("cpu")
    method.model.to(device).train()
    optimizer = make_optimizer(method.model, loop, device)
    rows = list(examples)[: loop.per_device_train_batch_size]

    def learn() -> int:
        batch = {name: one.to(device) for name, one in method.collate(rows, 0).items()}
        method.loss(method.model, batch).mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        return len(rows)

    def tell() -> int:
        return len(
            method.predict([row.parts for row in rows], loop.per_device_eval_batch_size).values
        )

    return Rates(rates.described, _rate(learn), _rate(tell), measured=True, why="measured")


def _rate(work: Callable[[], int]) -> float:
    """Return units a second of `work`, after a first call that warms up."""
    work()
    done, started = 0, time.monotonic()
    while not done or time.monotonic() - started < SECONDS:
        done += work()
    return done / (time.monotonic() - started)
