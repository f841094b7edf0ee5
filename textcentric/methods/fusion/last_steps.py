"""What follows the last step of training, once, by the variant: figures of it are returned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor

from textcentric.methods.fusion.adapters import merge_adapters
from textcentric.methods.fusion.config import CrmtConfig, LastStep
from textcentric.methods.fusion.crmt.radius import Head
from textcentric.methods.fusion.crmt.step_two import Cached, step_two
from textcentric.methods.fusion.model import FusionModel
from textcentric.rows import Record


class Trained(Protocol):
    """A method whose last step of training is made; `tau` (M, C) is measured."""

    config: CrmtConfig
    tau: Tensor | None

    @property
    def fusion(self) -> FusionModel: ...

    def head(self) -> Head: ...

    def cached(self, rows: Sequence[Record], batch_size: int = 64) -> Cached: ...

    def evaluate(self, rows: Sequence[Record], batch_size: int) -> dict[str, float]: ...


Follow = Callable[[Trained, Sequence[Record], Sequence[Record], int], dict[str, float]]


def second_step(
    method: Trained, rows: Sequence[Record], held_out: Sequence[Record], batch_size: int
) -> dict[str, float]:
    """Set the weights a that widen the mean radius; held-out figures are of those that are kept."""
    assert method.tau is not None
    config = method.config
    found = step_two(
        method.cached(rows, batch_size),
        method.head(),
        method.tau,
        held_out=method.cached(held_out, batch_size) if held_out else None,
        over=config.bound,
        steps=config.second_steps,
        learning_rate=config.second_learning_rate,
    )
    with torch.no_grad():
        method.fusion.weights.copy_(found.weights)
    told = method.evaluate(held_out, batch_size) if held_out else {}
    return told | {
        "second_steps": float(found.steps),
        "radius_before": found.before,
        "radius_after": found.after,
    }


def merge(
    method: Trained, rows: Sequence[Record], held_out: Sequence[Record], batch_size: int
) -> dict[str, float]:
    """Add the adapters of the encoders to their weights; no logits change by it."""
    merge_adapters(method.fusion.encoders)
    return {}


LAST_STEPS: Mapping[LastStep, Follow] = {"second step": second_step, "merge": merge}
