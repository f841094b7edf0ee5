"""What `train align-vl` is told: which latents, and the sections `train` and `align_vl`.

A file holds the same names; those of the loop and of the model may stand outside their section:

    latents: latents/flickr8k
    noise_sigma: 0.01
    per_device_train_batch_size: 2048
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from textcentric import fields
from textcentric.errors import ConfigError
from textcentric.methods.align_vl.config import AlignConfig
from textcentric.settings import read, setting
from textcentric.training.config import TrainConfig, TrainingSettings


class AlignTraining(TrainingSettings):
    """Cached latents, and how to train on them."""

    called = "train align-vl"
    part = "align_vl"
    sections: ClassVar = {"train": TrainConfig, "align_vl": AlignConfig}
    defaults: ClassVar = {
        "train.per_device_train_batch_size": 1024,
        "train.learning_rate": 1e-3,
        "train.weight_decay": 0.1,
    }

    latents: str | None = setting(
        None, "Folder that `textcentric latents` made.", panel="Data", metavar="PATH"
    )
    train_rows: int | None = fields.at_most("pairs of split train", least=2)
    align_vl: dict[str, Any] = setting({}, "Settings of the method.", flags=())

    def name(self) -> str:
        """Return the name of the latents and of the method."""
        return f"{Path(str(self.latents)).name}-align-vl"

    def check(self) -> None:
        """Raise ConfigError where latents are missing or settings do not fit together."""
        if self.latents is None:
            raise ConfigError(
                "which latents? Give --latents, a folder that `textcentric latents` made"
            )
        self.loop()
        self.method()


def read_align_training(file: Path | None, flags: Mapping[str, Any]) -> AlignTraining:
    """Merge `file` and `flags` (None means not given; "a.b" reaches into a section).

    Raises ConfigError with the nearest name for an unknown key, and with the value otherwise.
    """
    training = read(AlignTraining, file, flags)
    training.check()
    return training
