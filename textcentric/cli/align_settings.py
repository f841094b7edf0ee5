"""What `train align-vl` is told: which latents, and the sections `train` and `align_vl`.

A file holds the same names; those of the loop and of the model may stand outside their section:

    latents: latents/flickr8k
    noise_sigma: 0.01
    per_device_train_batch_size: 2048
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from textcentric.cli.sectioned import Sectioned
from textcentric.config import fingerprint
from textcentric.errors import ConfigError
from textcentric.methods.align_vl.config import AlignConfig, align_config
from textcentric.training.config import TrainConfig, train_config

LOOP = {"per_device_train_batch_size": 1024, "learning_rate": 1e-3, "weight_decay": 0.1}


class AlignTraining(BaseModel):
    """Cached latents, and how to train on them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    latents: str | None = None
    train_pairs: int | None = Field(None, ge=2)
    seed: int = 0
    output_dir: Path | None = None
    train: dict[str, Any] = {}
    align_vl: dict[str, Any] = {}

    def loop(self) -> TrainConfig:
        """Return the configuration of the loop; the folder is named after everything."""
        values = {**LOOP, "seed": self.seed, **self.train}
        config = train_config(values | {"output_dir": self.output_dir or "models"})
        if self.output_dir is not None:
            return config
        known = self.model_dump(mode="json", exclude={"train", "align_vl", "output_dir"})
        known |= {"train": config.identity(), "align_vl": self.method().model_dump(mode="json")}
        name = f"{Path(str(self.latents)).name}-align-vl-{fingerprint(known)}"
        return config.model_copy(update={"output_dir": Path("models") / name})

    def method(self) -> AlignConfig:
        """Return the configuration of the model."""
        return align_config({"seed": self.seed, **self.align_vl})


def read_align_training(file: Path | None, flags: Mapping[str, Any]) -> AlignTraining:
    """Merge `file` and `flags` (None means not given; "a.b" reaches into a section).

    Raises ConfigError with the nearest name for an unknown key, and with the value otherwise.
    """
    training = KEYS.read(file, flags)
    if training.latents is None:
        raise ConfigError("which latents? Give --latents, a folder that `textcentric latents` made")
    training.loop()
    training.method()
    return training


KEYS = Sectioned("train align-vl", AlignTraining, "align_vl", AlignConfig)
