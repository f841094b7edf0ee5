"""What the training loop asks of a method; `textcentric.training.loop` knows nothing else about it.

Legend: B rows of a micro-batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from textcentric.values import Json


class Identified(Protocol):
    """A row of any kind: messages name it by its id."""

    @property
    def id(self) -> str: ...


Row = TypeVar("Row", bound=Identified)
Row_contra = TypeVar("Row_contra", bound=Identified, contravariant=True)


class Method(Protocol[Row_contra]):
    """A model and what it learns from; rows are any objects that have an `id`."""

    name: str

    @property
    def notes(self) -> Sequence[str]:
        """Return what else to know of the model, in sentences, once `finish` was called."""
        ...

    @property
    def model(self) -> torch.nn.Module:
        """Return what is trained."""
        ...

    def collate(self, rows: Sequence[Row_contra], epoch: int) -> dict[str, Tensor]:
        """Return one micro-batch on the CPU.

        What is chosen at random here (variants, dropout of words) depends on (seed, epoch, row id)
        only, never on the process or the order of rows, so that any number of processes and a
        resumed training see the same text.
        """
        ...

    def loss(self, model: torch.nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the loss of each row (B,), from one call of `model`.

        `model` is `self.model`, perhaps wrapped by Accelerate: call it, not `self.model`, or
        processes do not share gradients.
        """
        ...

    def lengths(self, rows: Sequence[Row_contra]) -> list[int]:
        """Return how many tokens each row has; called once, before the first step."""
        ...

    def evaluate(self, rows: Sequence[Row_contra], batch_size: int) -> dict[str, float]:
        """Return named metrics on held-out rows.

        Called without gradients, on the main process only, with the model where it was trained
        (`next(self.model.parameters()).device`).
        """
        ...

    def finish(
        self, rows: Sequence[Row_contra], held_out: Sequence[Row_contra], batch_size: int
    ) -> dict[str, float]:
        """Do what follows the last step, once, with the best weights; return named figures of it.

        Called on the main process only, before the model is saved. Most methods do nothing.
        """
        ...

    def save(self, folder: Path) -> None:
        """Write into `folder` all that `load` needs: weights as safetensors, the rest as JSON."""
        ...

    def fingerprint(self) -> dict[str, Json]:
        """Return, as JSON values, what must agree between a checkpoint and a resumed training."""
        ...
