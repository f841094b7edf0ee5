"""PAL's head: ridge regression on a fixed random layer, to which rows and classes can be added.

After the abstract of Yue et al. (arXiv 2501.09352), whose recursive least squares it is; sizes are
ours, no figure of theirs is claimed, and their prompts for absent modalities are left out: such a
modality adds nothing to the random layer. Rows that were counted are not needed again, since their
weights are those of all rows at once (Sherman, Morrison and Woodbury):

    x = relu([phi_1; ..; phi_M] P), S_0 = I / g, W_0 = 0,
    S_k = S_{k-1} - S_{k-1} X' (I + X S_{k-1} X')^-1 X S_{k-1},
    W_k = W_{k-1} + S_k X' (Y - X W_{k-1}), which is (X'X + g I)^-1 X'Y of all rows.

Legend: B, N rows, M modalities, C classes, D_m features of a modality, E width of the random layer.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from textcentric.errors import DataError, cut, option
from textcentric.methods.fusion.encoders import Encoder
from textcentric.methods.fusion.model import Batch, FusionModel, Output

BLOCK = 256  # rows that are solved for at once; any number gives the same weights


@dataclass(frozen=True)
class Ridge:
    """All that is kept of counted rows: S (E, E), W (E, C), and digests (N,) of their ids.

    S and W are float64, on the CPU.
    """

    inverse: Tensor
    weights: Tensor
    counted: Tensor

    @classmethod
    def begin(cls, width: int, classes: int, penalty: float) -> Ridge:
        """Return the state before the first row; `penalty` is g."""
        inverse = torch.eye(width, dtype=torch.float64) / penalty
        weights = torch.zeros(width, classes, dtype=torch.float64)
        return cls(inverse, weights, torch.empty(0, dtype=torch.int64))

    def widened(self, classes: int) -> Ridge:
        """Return the state for so many classes; new ones come last and have no rows yet."""
        return replace(
            self, weights=functional.pad(self.weights, (0, classes - self.weights.shape[1]))
        )

    def added(self, x: Tensor, y: Tensor, ids: Sequence[str]) -> Ridge:
        """Return the state with rows x (N, E) and their one-hot classes y (N, C) counted too."""
        inverse, weights = self.inverse, self.weights
        for rows, told in zip(x.double().split(BLOCK), y.double().split(BLOCK), strict=True):
            across = rows @ inverse  # (n, E): X S
            known = torch.eye(len(rows), dtype=torch.float64) + across @ rows.T  # (n, n)
            root = torch.linalg.cholesky(known)
            across = torch.linalg.solve_triangular(root, across, upper=False)
            missed = torch.linalg.solve_triangular(root, told - rows @ weights, upper=False)
            inverse = inverse - across.T @ across
            weights = weights + across.T @ missed
        return Ridge(inverse, weights, torch.cat([self.counted, digests(ids)]))

    def refuse_again(self, ids: Sequence[str]) -> None:
        """Raise DataError where some of `ids` are counted already."""
        known = set(self.counted.tolist())
        numbers = digests(ids).tolist()
        again = [one for one, number in zip(ids, numbers, strict=True) if number in known]
        if again:
            raise DataError(
                f"{len(again):,} of {len(ids):,} rows are counted in the model already"
                f" ({cut(', '.join(again))}), and a row counts once; leave them out, or give other"
                f" rows other ids ({option('id')})",
                row_id=again[0],
            )

    def tensors(self) -> dict[str, Tensor]:
        """Return the state by the names that it is saved under."""
        return {f"ridge.{name}": one.contiguous() for name, one in vars(self).items()}

    @classmethod
    def of(cls, saved: dict[str, Tensor], begun: Ridge | None) -> Ridge | None:
        """Take what `tensors` returned out of `saved`, None where it is not there.

        Raises ValueError where it has not the shapes and types of a state that has `begun`.
        """
        if begun is None or not {*begun.tensors()} <= {*saved}:
            return None
        found = cls(**{name: saved.pop(f"ridge.{name}") for name in vars(begun)})
        for name, usual in vars(begun).items():
            one = getattr(found, name)
            if one.dtype != usual.dtype or one.shape[1:] != usual.shape[1:]:
                raise ValueError(f"ridge.{name} is {one.dtype} of shape {tuple(one.shape)}")
        return found


def digests(ids: Sequence[str]) -> Tensor:
    """Return a digest (N,) of each id, int64."""
    found = (hashlib.blake2b(one.encode(), digest_size=8).digest() for one in ids)
    return torch.tensor([int.from_bytes(one, signed=True) for one in found], dtype=torch.int64)


class RidgeFusion(FusionModel):
    """Frozen encoders, the random layer P (sum of D_m, E) ~ N(0, 1 / sum of D_m), and W (E, C).

    Scores of a modality are what is said where it alone is there; they do not add up to the logits,
    so nothing is certified.
    """

    linear = False

    def __init__(self, encoders: Mapping[str, Encoder], classes: int, *, width: int):
        widths = [one.width for one in encoders.values()]
        drawn = torch.randn(sum(widths), width) / math.sqrt(sum(widths))  # whatever the classes are
        super().__init__(encoders, classes, orthogonality="none", weights_start=None)
        del self.rows, self.weights, self.bias  # the head below is all there is
        self.widths = widths
        self.register_buffer("projection", drawn)
        self.register_buffer("solution", torch.zeros(width, classes))
        self.projection: Tensor
        self.solution: Tensor

    def take(self, state: Ridge) -> None:
        """Predict by the weights of `state`, which may know more classes."""
        self.solution = state.weights.to(self.solution)

    def class_rows(self) -> dict[str, Tensor]:
        """Return none: classes have weights over the random layer alone."""
        return {}

    def read(self, opened: Batch, rows: Mapping[str, Tensor] | None = None) -> Output:
        """Return what the model says of an opened batch."""
        features, present = self.features(opened), opened["present"]
        scores = torch.stack(self._parts(features, present), dim=1).relu() @ self.solution
        logits = self.expanded(features, present) @ self.solution
        return Output(logits, scores, features, present)

    def expanded(self, features: Batch, present: Tensor) -> Tensor:
        """Return the random layer's values x (B, E)."""
        return torch.stack(self._parts(features, present)).sum(dim=0).relu()

    def _parts(self, features: Batch, present: Tensor) -> list[Tensor]:
        """Return what each modality adds to the random layer (B, E), before its relu."""
        layers = zip(self.names, self.projection.split(self.widths), strict=True)
        return [
            (features[name].float() * present[:, [at]]) @ layer
            for at, (name, layer) in enumerate(layers)
        ]
