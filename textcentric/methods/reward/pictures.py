"""Pictures as a reward model reads them: features of a frozen encoder, in the place of tokens.

The features pass a projector and become embeddings that the text model reads before the text
(LLaVA, arXiv 2304.08485; the projector's layers are those of InternVL, arXiv 2404.16821).
Legend: N texts, T tokens, P features a picture, M features of all texts, F their width, D width
of the text model.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


class Projector(nn.Sequential):
    """From features (M, F) to embeddings (M, D): layer norm, linear, GELU, linear."""

    def __init__(self, features: int, width: int):
        super().__init__(
            nn.LayerNorm(features), nn.Linear(features, width), nn.GELU(), nn.Linear(width, width)
        )

    def start_like(self, embeddings: nn.Module) -> None:
        """Scale the last layer so that its outputs begin about as large as token embeddings."""
        weight = embeddings.weight
        assert isinstance(weight, Tensor)
        first, last = self[1], self[-1]
        assert isinstance(first, nn.Linear)
        assert isinstance(last, nn.Linear)
        with torch.no_grad():
            spread = self(torch.randn(64, first.in_features)).std()
            last.weight *= weight.float().std().cpu() / spread
            nn.init.zeros_(last.bias)


@contextmanager
def in_place(embeddings: nn.Module, places: Tensor, vectors: Tensor) -> Iterator[None]:
    """Let `embeddings` give `vectors` (M, D) at the `places` (N, T) that are True, in order.

    Whatever token stands there is not read, so any model of transformers takes part as it is.
    """

    def put(module: nn.Module, args: Any, told: Tensor) -> Tensor:
        return told.masked_scatter(places[..., None], vectors.to(told.dtype))

    handle = embeddings.register_forward_hook(put)
    try:
        yield
    finally:
        handle.remove()
