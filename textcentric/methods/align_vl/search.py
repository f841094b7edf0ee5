"""Search across modalities: what lies nearest to a query in the trained space, by FAISS.

Legend: Q queries, I items, W width of the shared space.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from textcentric.errors import ConfigError, check_known
from textcentric.machine import require
from textcentric.methods.align_vl.latents import Latents, latent_encoder
from textcentric.methods.align_vl.latents.encoders import DEFAULTS, LatentEncoder
from textcentric.methods.align_vl.method import BLOCK, AlignVl
from textcentric.models.received import refuse_names


@dataclass(frozen=True)
class Hit:
    """An item that was found: its rank from 1, its cosine, its place, and itself."""

    rank: int
    cosine: float
    place: int
    value: str


class Search:
    """Exact search by cosine among the items of one modality, `places` of them or all.

    >>> Search(model, latents, "image").nearest("text", ["a dog on a beach"])   # doctest: +SKIP
    [[Hit(rank=1, cosine=0.71, place=17, value='beach.jpg'), ...]]
    """

    def __init__(
        self,
        method: AlignVl,
        latents: Latents,
        modality: str,
        places: np.ndarray | None = None,
        *,
        trust_remote_code: bool = False,
    ):
        method.check(latents)
        check_known("modality to search", modality, method.names)
        self.method, self.latents, self.modality = method, latents, modality
        self.trust_remote_code = trust_remote_code
        self.places = np.arange(latents.count(modality)) if places is None else places
        self._index = _faiss().IndexFlatIP(method.config.width)
        for start in range(0, len(self.places), BLOCK):
            found = latents.read(modality, self.places[start : start + BLOCK])
            self._index.add(method.embed(modality, found).numpy())
        self._encoders: dict[str, LatentEncoder] = {}

    def nearest(
        self, modality: str, queries: Sequence[str], top: int = 10, root: Path | None = None
    ) -> list[list[Hit]]:
        """Return the hits of each query: a text, or a path, inside `root` if that is given.

        Raises DataError for a file that cannot be read, RunError where the encoder of today is not
        the one of training.
        """
        encoder = self._encoder(modality)
        vectors = encoder.encode([encoder.open(query, root) for query in queries])
        return self.near(modality, np.asarray(vectors, np.float32), top)

    def near(self, modality: str, latents: np.ndarray, top: int = 10) -> list[list[Hit]]:
        """Return the hits of latents (Q, D) as the encoder gives them."""
        embedded = self.method.embed(modality, latents).numpy()
        cosines, found = self._index.search(embedded, min(top, len(self.places)))
        return [
            [
                Hit(at, float(cosine), place, value)
                for at, (cosine, place, value) in enumerate(
                    zip(row, places, self.latents.values(self.modality, places), strict=True), 1
                )
            ]
            for row, places in (
                (row, self.places[at].tolist()) for row, at in zip(cosines, found, strict=True)
            )
        ]

    def _encoder(self, modality: str) -> LatentEncoder:
        if modality not in self._encoders:
            check_known("modality of the query", modality, self.method.names)
            name, version = self.method.encoders[modality]
            if name != DEFAULTS[modality] and self.method.said_by is not None:
                refuse_names(self.method.said_by, {f"{modality} encoder": name})
            encoder = latent_encoder(modality, name, trust_remote_code=self.trust_remote_code)
            if encoder.version != version:
                raise ConfigError(
                    f"the model reads {modality} latents of {name!r} in version {version}, here is"
                    f" {encoder.version}; install that version, or make latents and train again"
                )
            self._encoders[modality] = encoder
        return self._encoders[modality]


def _faiss() -> Any:
    require("retrieve by a query")
    import faiss

    return faiss
