"""Encoders of one modality: from what an attack may change to features.

What may change is pixels, log-mel values or a table's numbers as they are; of a text it is the word
embeddings. ResNet-18 (He et al., arXiv 1512.03385) is transformers' own, from scratch as in the
paper of CRMT. Legend: B rows, T tokens, D features.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from textcentric.errors import ConfigError, check_known, unknown
from textcentric.methods.fusion.config import CrmtConfig
from textcentric.models.loading import PACKAGED, checked_layers, found, quiet, source
from textcentric.rows import FILES

DEFAULTS = {"image": "resnet18", "audio": "resnet18", "text": PACKAGED, "table": "mlp"}
CONVOLUTIONS = ("resnet18", "conv")
HIDDEN = 32  # channels of the first small convolution; the others double it


class Encoder(nn.Module, ABC):
    """From what may change (B, ...) to features (B, D); subclasses say how."""

    width: int

    def opened(self, raw: Tensor) -> Tensor:
        """Return what an attack may change of a raw batch: the batch itself."""
        return raw

    @abstractmethod
    def forward(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return features (B, D)."""


class ResNet18(Encoder):
    """Eighteen layers for pictures or spectrograms (B, channels, height, width)."""

    width = 512

    def __init__(self, channels: int):
        super().__init__()
        from transformers import ResNetConfig, ResNetModel

        shape = ResNetConfig(
            num_channels=channels,
            embedding_size=64,
            hidden_sizes=[64, 128, 256, 512],
            depths=[2, 2, 2, 2],
            layer_type="basic",
        )
        self.body = ResNetModel(shape)

    def forward(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the mean over places of the last feature map."""
        pooled: Tensor = self.body(inputs).pooler_output
        return pooled.flatten(1)


class SmallConv(Encoder):
    """Three convolutions, each halving the sides, and the mean over places: for small inputs."""

    def __init__(self, channels: int, width: int):
        super().__init__()
        self.width = width
        sizes = [channels, HIDDEN, 2 * HIDDEN, width]
        layers: list[nn.Module] = []
        for size, wider in pairwise(sizes):
            conv = nn.Conv2d(size, wider, 3, stride=2, padding=1, bias=False)
            layers += [conv, nn.BatchNorm2d(wider), nn.ReLU()]
        self.body = nn.Sequential(*layers)

    def forward(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the mean over places."""
        told: Tensor = self.body(inputs)
        return told.mean(dim=(2, 3))


class Mlp(Encoder):
    """Two layers over a vector (B, size): a table's numbers, or features of a frozen encoder."""

    def __init__(self, size: int, width: int):
        super().__init__()
        self.width = width
        self.body = nn.Sequential(nn.Linear(size, width), nn.GELU(), nn.Linear(width, width))

    def forward(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the second layer."""
        told: Tensor = self.body(inputs)
        return told


class TextEncoder(Encoder):
    """A Hugging Face encoder; an attack changes its word embeddings (B, T, E).

    Padding is hidden by the mask, and features are the mean over the tokens that are none.
    """

    def __init__(self, config: CrmtConfig, name: str):
        super().__init__()
        from transformers import AutoConfig, AutoModel

        with quiet():
            settings = found(AutoConfig, source(name), name)
            options: dict[str, Any] = {}
            if config.layers is not None:
                options["num_hidden_layers"] = checked_layers(config.layers, settings, name)
            self.body = found(AutoModel, source(name), name, dtype=torch.float32, **options)
        if hasattr(self.body, "pooler"):
            self.body.pooler = None  # its weights would never learn
        self.width = int(self.body.config.hidden_size)

    def opened(self, raw: Tensor) -> Tensor:
        """Return the word embeddings (B, T, E) of token ids (B, T)."""
        told: Tensor = self.body.get_input_embeddings()(raw)
        return told

    def forward(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the mean of the last hidden states."""
        assert mask is not None
        read = mask[:, :, None].to(inputs.dtype)  # (B, T, 1)
        told = self.body(inputs_embeds=inputs * read, attention_mask=mask).last_hidden_state
        mean: Tensor = (told * read).sum(dim=1) / read.sum(dim=1).clamp(min=1)
        return mean


def make_encoder(config: CrmtConfig, modality: str, size: int) -> Encoder:
    """Return the encoder of `modality`; `size` are its channels, or the length of its vector.

    Raises ConfigError for one that does not fit the modality.
    """
    name = config.encoders.get(modality, DEFAULTS[modality])
    if modality == "text":
        return TextEncoder(config, name)
    if modality == "table" or (modality == "image" and name == PACKAGED):
        return Mlp(size, config.width)
    if name == "resnet18":
        return ResNet18(size)
    return SmallConv(size, config.width)


def check_encoders(config: CrmtConfig) -> None:
    """Raise ConfigError for an unknown modality, or an encoder that it cannot have."""
    for modality, name in config.encoders.items():
        check_known("modality of crmt.encoders", modality, DEFAULTS)
        if modality in FILES:
            known = (*CONVOLUTIONS, PACKAGED) if modality == "image" else CONVOLUTIONS
            check_known(f"encoder of {modality}", name, known)
        if modality == "table" and name != "mlp":
            raise ConfigError(unknown("encoder of table", name, ["mlp"]))
