"""Late fusion with a weight for each modality and class (Yang et al., ICLR 2024).

Logits are h_k = sum_m a^m_k <w^m_k, phi^m(x^m)> + b_k: class rows w of each modality are kept
orthogonal, so that how far a modality separates a class (its score) and how much it counts (a) can
be told apart. With rows as they are and all weights 1 it is one linear layer over joined features.
Legend: B rows, M modalities, C classes, D_m features of a modality.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from textcentric.methods.fusion.config import Absent, Orthogonality
from textcentric.methods.fusion.crmt.orthogonal import ORTHOGONALITY
from textcentric.methods.fusion.crmt.radius import Head
from textcentric.methods.fusion.encoders import Encoder

Batch = Mapping[str, Tensor]


class Output(NamedTuple):
    """Logits (B, C), scores (B, M, C), features (B, D_m) by modality, and `present` (B, M).

    `present` is 1 where a row has a modality, else 0: an encoder of zeros gives features that are
    none, so objectives ask here and never look for zeros.
    """

    logits: Tensor
    scores: Tensor
    features: dict[str, Tensor]
    present: Tensor


class FusionModel(nn.Module):
    """Encoders by modality, class rows for each, modality weights and a bias.

    Where it is `linear` logits are sums of scores by weights, which the certified radius asks for.
    What a row lacks is read as zeros, or adds nothing to its logits, as `absent` says.
    """

    linear: ClassVar[bool] = True

    def __init__(
        self,
        encoders: Mapping[str, Encoder],
        classes: int,
        *,
        orthogonality: Orthogonality = "own",
        weights_start: float | None = 0.1,
        absent: Absent = "zeros",
    ):
        super().__init__()
        self.absent = absent
        self.names = tuple(encoders)
        self.encoders = nn.ModuleDict(encoders)
        self.orthogonality = orthogonality
        widths = {name: one.width for name, one in encoders.items()}
        reach = 1 / math.sqrt(sum(widths.values()))  # as of one linear layer over all features
        self.rows = nn.ParameterDict(
            {
                n: nn.Parameter(torch.empty(classes, w).uniform_(-reach, reach))
                for n, w in widths.items()
            }
        )
        fixed = weights_start is None
        start = torch.full(
            (len(encoders), classes), 1.0 if weights_start is None else weights_start
        )
        self.weights = nn.Parameter(start, requires_grad=not fixed)
        self.bias = nn.Parameter(torch.zeros(classes))
        self.class_rows()  # a misfit of classes and width is told at once

    @property
    def head(self) -> Head:
        """Return the weights (M, C) and the bias (C,)."""
        return Head(self.weights, self.bias)

    def encoder(self, name: str) -> Encoder:
        """Return that of a modality."""
        found = self.encoders[name]
        assert isinstance(found, Encoder)
        return found

    def class_rows(self) -> dict[str, Tensor]:
        """Return the normalised class rows (C, D_m) by modality."""
        normalise = ORTHOGONALITY[self.orthogonality]
        return {name: normalise(self.rows[name]) for name in self.names}

    def opened(self, batch: Batch) -> dict[str, Tensor]:
        """Return the batch with, by modality, what an attack may change; absent ones are zero."""
        opened = dict(batch)
        for at, name in enumerate(self.names):
            inputs = self.encoder(name).opened(batch[name])
            present = batch["present"][:, at].to(inputs.dtype)
            opened[name] = inputs * present.view(-1, *[1] * (inputs.ndim - 1))
        return opened

    def features(self, opened: Batch) -> dict[str, Tensor]:
        """Return the features (B, D_m) by modality of an opened batch.

        Those that it holds as `<modality>_features` are taken as they are.
        """
        return {
            name: opened[f"{name}_features"]
            if f"{name}_features" in opened
            else self.encoder(name)(opened[name], opened.get(f"{name}_mask"))
            for name in self.names
        }

    def read(self, opened: Batch, rows: Mapping[str, Tensor] | None = None) -> Output:
        """Return what the model says of an opened batch.

        `rows` are its `class_rows`, where they are known and the model learns nothing meanwhile.
        """
        features = self.features(opened)
        scores = self.scored(features, self.class_rows() if rows is None else rows)
        present = opened["present"]
        if self.absent == "nothing":
            scores = scores * present[:, :, None].to(scores)
        return Output(self.joined(scores, features, present), scores, features, present)

    def scored(self, features: Batch, rows: Mapping[str, Tensor]) -> Tensor:
        """Return the scores (B, M, C) of features by class rows."""
        return torch.stack([features[n].float() @ rows[n].T for n in self.names], dim=1)

    def joined(self, scores: Tensor, features: Batch, present: Tensor) -> Tensor:
        """Return the logits (B, C): the sum of scores by their weights, and the bias."""
        return self.head.logits(scores)

    def scores(self, opened: Batch) -> Tensor:
        """Return the scores (B, M, C) of an opened batch."""
        return self.read(opened).scores

    def forward(self, batch: Batch) -> Output:
        """Return what the model says of a raw batch."""
        return self.read(self.opened(batch))
