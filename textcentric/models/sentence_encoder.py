"""Sentence embeddings for curation: a real encoder, loaded once, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from textcentric.errors import ConfigError
from textcentric.machine import IMPORTS, require
from textcentric.models.hub import lacking, reached
from textcentric.models.received import check_base, check_model
from textcentric.security.foreign import foreign

if TYPE_CHECKING:
    import numpy as np

BATCH, BATCH_ON_CPU = 64, 4  # texts; padding to the longest costs a CPU more than calls do
MOST_CHARACTERS = 20_000  # of a text that are read: an encoder takes a few hundred tokens


class Encoder(Protocol):
    """What puts texts side by side: one unit vector a text."""

    async def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return one unit vector a text (B, D)."""
        ...


def sentence_transformer(model: str, what: str, code: bool = False) -> Any:
    """Return a model of sentence-transformers, by folder or hub name; its `code` where it may run.

    Raises ConfigError, which calls it `what`, where it cannot be loaded.
    """
    with IMPORTS:
        from sentence_transformers import SentenceTransformer

    folder, local = Path(model), {}
    if folder.is_dir():
        check_model(folder)
        check_base(folder)
        local = {"use_safetensors": True}
    expected = "; expected a folder or a hub name"
    try:
        with foreign(what, ConfigError, cure=expected), reached(model) as place:
            return SentenceTransformer(
                place,
                trust_remote_code=code,
                model_kwargs=local,
                local_files_only=folder.is_dir(),
            )
    except ConfigError as error:
        if cure := lacking(model, error):
            raise ConfigError(f"{what} cannot be loaded: {cure}") from error
        raise


class SentenceEncoder:
    """Embed texts with sentence-transformers; `model` is a folder or a hub name.

    Raises ConfigError where that package is not installed.

    >>> encoder = SentenceEncoder(folder)  # doctest: +SKIP
    >>> (await encoder.embed(["a dog", "a cat"])).shape  # doctest: +SKIP
    (2, 384)
    """

    def __init__(self, model: str):
        require("--embeddings")
        self.model = model
        self._encoder: Any = None
        self._batch = BATCH
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="encoder")

    async def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return one unit vector a text (B, D)."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._embed, list(texts))

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        """Return one unit vector a text (B, D), for callers that can wait."""
        return self._thread.submit(self._embed, list(texts)).result()

    def load(self) -> None:
        """Start loading in the background; `embed` waits for it."""
        self._thread.submit(self._load)

    def close(self) -> None:
        """Stop the thread; what it is doing is finished first."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _load(self) -> None:
        if self._encoder is None:
            with IMPORTS:
                import torch

            if not torch.cuda.is_available():  # leave the other cores to the engine
                torch.set_num_threads(max(1, torch.get_num_threads() // 2))
                self._batch = BATCH_ON_CPU
            self._encoder = sentence_transformer(self.model, f"the encoder {self.model!r}")

    def _embed(self, texts: list[str]) -> np.ndarray:
        import numpy as np

        self._load()
        if not texts:
            return np.zeros((0, self._encoder.get_embedding_dimension()), dtype=np.float32)
        vectors: np.ndarray = self._encoder.encode(
            [text[:MOST_CHARACTERS] for text in texts],
            batch_size=self._batch,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return vectors
