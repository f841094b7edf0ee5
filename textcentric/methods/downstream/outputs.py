"""What a model says of a text, remembered: weights and token ids decide it.

Legend: N texts, T tokens, W outputs of a text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import torch
import transformers

from textcentric.runs.journal import Journal
from textcentric.values import Json


class OutputMemory:
    """The outputs of texts in a journal, under a digest of the model's weights and token ids."""

    def __init__(self, journal: Journal, model: torch.nn.Module):
        self._journal, self._model = journal, weights_digest(model)

    def recall(self, texts: Sequence[np.ndarray]) -> dict[int, np.ndarray]:
        """Return {place: outputs (W,)} of those `texts`, each of token ids (T,), seen before."""
        found = ((at, self._journal.get(self._key(ids))) for at, ids in enumerate(texts))
        return {at: np.asarray(row, np.float32) for at, row in found if _are_numbers(row)}

    def keep(self, texts: Sequence[np.ndarray], outputs: Mapping[int, np.ndarray]) -> None:
        """Store the outputs of the texts at these places; those that are not finite are not."""
        for at, row in outputs.items():
            if np.isfinite(row).all():
                self._journal.put(self._key(texts[at]), [float(value) for value in row])

    def _key(self, ids: np.ndarray) -> str:
        digest = hashlib.blake2b(self._model, digest_size=16)
        digest.update(np.asarray(ids, np.int64).tobytes())
        return digest.hexdigest()


def _are_numbers(row: Json) -> bool:
    """Say whether outputs are stored, and not something else, in a journal of others."""
    return isinstance(row, list) and bool(row) and all(isinstance(one, float) for one in row)


def weights_digest(model: torch.nn.Module) -> bytes:
    """Return a digest of all weights, their names, and the versions of what computes with them."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"{torch.__version__} {transformers.__version__}".encode())
    for name, value in model.state_dict().items():
        digest.update(name.encode())
        bits = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        digest.update(bits.numpy().tobytes())
    return digest.digest()
