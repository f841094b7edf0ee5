"""What follows the last step of training, once, by the variant: figures of it are returned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from textcentric.methods.fusion.adapters import merge_adapters
from textcentric.methods.fusion.config import CrmtConfig, LastStep
from textcentric.methods.fusion.crmt.radius import Head
from textcentric.methods.fusion.crmt.step_two import Cached, step_two
from textcentric.methods.fusion.model import FusionModel
from textcentric.methods.fusion.ridge import Ridge, RidgeFusion
from textcentric.rows import Record


class Trained(Protocol):
    """A method whose last step of training is made; `tau` (M, C) is measured."""

    config: CrmtConfig
    tau: Tensor | None
    ridge: Ridge | None

    @property
    def fusion(self) -> FusionModel: ...

    def head(self) -> Head: ...

    def opened(
        self, rows: Sequence[Record], batch_size: int = 64
    ) -> Iterator[dict[str, Tensor]]: ...

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


def ridge(
    method: Trained, rows: Sequence[Record], held_out: Sequence[Record], batch_size: int
) -> dict[str, float]:
    """Add rows to the ridge head; figures say how many it stands for.

    Raises DataError for a row that was counted before.
    """
    fusion, state = method.fusion, method.ridge
    assert isinstance(fusion, RidgeFusion)
    assert state is not None
    state.refuse_again([row.id for row in rows])
    at = 0
    for opened in method.opened(rows, batch_size):
        with torch.no_grad():
            x = fusion.expanded(fusion.features(opened), opened["present"]).cpu()
        y = functional.one_hot(opened["labels"].cpu(), state.weights.shape[1])
        state = state.added(x, y, [row.id for row in rows[at : at + len(x)]])
        at += len(x)
    method.ridge = state
    fusion.take(state)
    return {"rows_added": float(at), "rows_in_head": float(len(state.counted))}


LAST_STEPS: Mapping[LastStep, Follow] = {
    "second step": second_step,
    "merge": merge,
    "ridge": ridge,
}
