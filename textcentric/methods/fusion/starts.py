"""Begin from models of single modalities: their encoders, class rows and biases.

Legend: M modalities, C classes, D_m features of a modality.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch

from textcentric.errors import ConfigError
from textcentric.methods.fusion.config import CrmtConfig
from textcentric.methods.fusion.encoders import DEFAULTS
from textcentric.methods.fusion.inputs import Senses
from textcentric.methods.fusion.model import FusionModel
from textcentric.methods.fusion.ridge import RidgeFusion

READING = {  # settings that shape what an encoder reads, by modality
    "image": ("width", "image_side", "image_channels"),
    "audio": ("width", "mel_bins", "mel_frames"),
    "text": ("max_length", "layers"),
    "table": ("width",),
}


class Single(Protocol):
    """A trained model of one modality, as `Crmt.load` returns it."""

    config: CrmtConfig
    classes: list[str]
    senses: Senses

    @property
    def fusion(self) -> FusionModel: ...


def check_starts(starts: Mapping[str, Single], config: CrmtConfig) -> None:
    """Raise ConfigError for a start of another modality, encoder or width, with both values."""
    for name, start in starts.items():
        theirs = start.config
        if start.fusion.names != (name,) or theirs.variant != "jt":
            read = ", ".join(start.fusion.names)
            raise ConfigError(
                f"the start of {name}, {config.start[name]}, is variant {theirs.variant!r} of"
                f" {read}; expected variant 'jt' of {name} alone"
            )
        pairs = {"encoder": (_encoder(theirs, name), _encoder(config, name))}
        pairs |= {key: (getattr(theirs, key), getattr(config, key)) for key in READING[name]}
        _check_same(name, config, pairs)


@torch.no_grad()
def begin_from(
    fusion: FusionModel,
    starts: Mapping[str, Single],
    config: CrmtConfig,
    classes: list[str],
    senses: Senses,
) -> None:
    """Copy the encoders and class rows of `starts` into `fusion`; its bias is the sum of theirs.

    So its first logits are the sum of theirs, where each modality has one. A ridge head takes the
    encoders alone, whatever classes they were trained on. Raises ConfigError for a start of other
    classes or normalisation, with both values.
    """
    for name, start in starts.items():
        headless = isinstance(fusion, RidgeFusion)
        known = start.classes if headless else classes
        _check_read(name, start, config, known, senses)
        fusion.encoder(name).load_state_dict(start.fusion.encoder(name).state_dict())
        if not headless:
            fusion.rows[name].copy_(start.fusion.rows[name])
            fusion.bias.add_(start.fusion.bias)


def read_as(starts: Mapping[str, Single], senses: Senses) -> None:
    """Normalise what `senses` read as `starts` do, whose encoders will stay as they are."""
    for name, start in starts.items():
        if name in start.senses.moments:
            senses.moments[name] = start.senses.moments[name]
        if name == "table":
            senses.table = start.senses.table


def _check_read(
    name: str, start: Single, config: CrmtConfig, classes: list[str], senses: Senses
) -> None:
    pairs: dict[str, tuple[object, object]] = {
        "classes": (start.classes, classes),
        "mean and deviation": (_moments(start.senses, name), _moments(senses, name)),
    }
    if name == "table":
        pairs["columns"] = (start.senses.table.plain(), senses.table.plain())
    _check_same(name, config, pairs)


def _check_same(name: str, config: CrmtConfig, pairs: Mapping[str, tuple[object, object]]) -> None:
    for what, (its, ours) in pairs.items():
        if its != ours:
            raise ConfigError(
                f"the start of {name}, {config.start[name]}, has the {what} {its}, and here it is"
                f" {ours}; train it on the same rows with the same settings"
            )


def _encoder(config: CrmtConfig, name: str) -> str:
    return config.encoders.get(name, DEFAULTS[name])


def _moments(senses: Senses, name: str) -> list[list[float]]:
    """Return mean and standard deviation of a modality, to six digits."""
    found = senses.moments.get(name, ([], []))
    return [[float(f"{value:.6g}") for value in one] for one in found]
