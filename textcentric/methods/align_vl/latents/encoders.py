"""Frozen encoders: an item in, one vector out. Pictures, texts and sounds.

Packaged are EfficientNet-Lite0 (pictures) and MiniLM (texts); sounds without a model of their own
are told by mean and spread of log-mel bins. Everything else is a Hugging Face model by name or
folder. Vectors are as the encoder gives them. Legend: B items, D width, T tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from textcentric.data.media.sounds import RATE, log_mel, open_sound
from textcentric.data.pairs.pictures import root_of
from textcentric.errors import check_known
from textcentric.machine import require
from textcentric.models.loading import load_encoder, revision
from textcentric.models.sentence_encoder import sentence_transformer

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

PACKAGED, LOG_MEL = "packaged", "log-mel"
DEFAULTS = {"image": PACKAGED, "text": PACKAGED, "audio": LOG_MEL}
BINS = 128
Opened = TypeVar("Opened")  # a picture, a text, or a sound's samples


class LatentEncoder(Protocol[Opened]):
    """From items to vectors; `version` tells two models of one name apart."""

    name: str
    version: str

    def open(self, value: str, root: Path | None) -> Opened:
        """Return an item as `encode` takes it; raises DataError for one that cannot be used."""
        ...

    def encode(self, opened: Sequence[Opened]) -> np.ndarray:
        """Return the vectors (B, D) of opened items."""
        ...


def latent_encoder(
    modality: str, name: str | None = None, *, trust_remote_code: bool = False
) -> LatentEncoder:
    """Return the encoder of a modality by name; raises ConfigError where there is none.

    Code that the model brings runs with `trust_remote_code` alone.

    >>> latent_encoder("audio").encode([np.zeros(16000, np.float32)]).shape
    (1, 256)
    """
    check_known("modality with latents", modality, DEFAULTS)
    name = name or DEFAULTS[modality]
    if modality == "image":
        return _Pictures(name, trust_remote_code)
    make = _Texts if modality == "text" else _Sounds
    return make(name, trust_remote_code)


class _Pictures:
    """EfficientNet's mean feature, or the pooled or first token of a vision model."""

    def __init__(self, name: str, code: bool):
        self.name = name
        if name == PACKAGED:
            from textcentric.experts.classifier import picture_features, version

            self.version = version()
            self._see: Callable[[Sequence[Image.Image]], Tensor] = picture_features
        else:
            self.version = revision(name)
            self._see = _vision_model(name, code)

    def open(self, value: str, root: Path | None) -> Image.Image:
        from textcentric.data.media.pictures import open_picture

        root = root_of(value, root)
        return open_picture(_inside(value, root), root)

    def encode(self, opened: Sequence[Image.Image]) -> np.ndarray:
        found: np.ndarray = self._see(opened).float().cpu().numpy()
        return found


class _Texts:
    """A sentence-transformers model with the pooling of its own configuration."""

    def __init__(self, name: str, code: bool):
        from textcentric.models.packaged import packaged_encoder

        self.name = name
        folder = str(packaged_encoder()) if name == PACKAGED else name
        self.version = revision(folder)
        require("--embeddings")
        self._model = sentence_transformer(folder, f"text encoder {name!r}", code)

    def open(self, value: str, root: Path | None) -> str:
        return value

    def encode(self, opened: Sequence[str]) -> np.ndarray:
        found: np.ndarray = self._model.encode(list(opened), show_progress_bar=False)
        return found


class _Sounds:
    """Mean and spread over time of log-mel bins, or the mean state of an audio model."""

    def __init__(self, name: str, code: bool):
        self.name = name
        if name == LOG_MEL:
            self.version = f"{BINS} bins"
            self._hear: Callable[[Sequence[np.ndarray]], np.ndarray] = _log_mel
        else:
            self.version = revision(name)
            self._hear = _audio_model(name, code)

    def open(self, value: str, root: Path | None) -> np.ndarray:
        root = root_of(value, root)
        return open_sound(_inside(value, root), root).samples

    def encode(self, opened: Sequence[np.ndarray]) -> np.ndarray:
        return self._hear(opened)


def _inside(value: str, root: Path | None) -> Path:
    return Path(value) if root is None else root / value


def _log_mel(sounds: Sequence[np.ndarray]) -> np.ndarray:
    """Return mean and standard deviation of each bin (B, 2 x BINS)."""
    found = []
    for samples in sounds:
        bins = log_mel(samples, BINS)  # (frames, BINS)
        found.append(np.concatenate([bins.mean(axis=0), bins.std(axis=0)]))
    return np.stack(found).astype(np.float32)


def _vision_model(name: str, code: bool) -> Callable[[Sequence[Image.Image]], Tensor]:
    import torch

    processor, model = load_encoder(name, "AutoImageProcessor", "image", code)
    model = getattr(model, "vision_model", model)

    def see(pictures: Sequence[Image.Image]) -> Tensor:
        pixels = processor(images=list(pictures), return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            told = model(pixel_values=pixels.to(next(model.parameters()).device))
        states: Tensor = told.last_hidden_state
        if states.ndim == 4:  # a map of features (B, D, height, width)
            return states.mean(dim=(2, 3))
        return states[:, 0]

    return see


def _audio_model(name: str, code: bool) -> Callable[[Sequence[np.ndarray]], np.ndarray]:
    import torch

    processor, model = load_encoder(name, "AutoFeatureExtractor", "audio", code)
    if hasattr(model, "get_encoder"):  # of Whisper and its kind
        model = model.get_encoder()

    def hear(sounds: Sequence[np.ndarray]) -> np.ndarray:
        found = []
        for samples in sounds:
            inputs = processor(samples, sampling_rate=RATE, return_tensors="pt")
            inputs = {k: v.to(next(model.parameters()).device) for k, v in inputs.items()}
            with torch.inference_mode():
                states = model(**inputs).last_hidden_state  # (1, T, D)
            found.append(states[0].mean(dim=0).float().cpu().numpy())
        return np.stack(found)

    return hear
