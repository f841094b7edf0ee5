"""What `train reward` is told: which pairs, and the sections `train` and `reward`.

A file holds the same names; those of the loop and of the model may stand outside their section, as
in TRL's configurations:

    dataset_name: pairs.jsonl
    reward_objective: sfc
    learning_rate: 1.0e-4
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from textcentric import fields
from textcentric.errors import ConfigError
from textcentric.methods.reward.config import RewardConfig
from textcentric.settings import read, setting
from textcentric.training.config import TrainConfig, TrainingSettings


class RewardTraining(TrainingSettings):
    """Pairs of a file, a hub data set or a run directory; and how to train on them."""

    called = "train reward"
    part = "reward"
    sections: ClassVar = {"train": TrainConfig, "reward": RewardConfig}

    dataset_name: str | None = setting(None, "Pairs: a file, a folder or OWNER/NAME.", panel="Data")
    layout: str | None = fields.layout()
    run: str | None = setting(
        None, "Run whose clean texts are preferred to variants.", panel="Data", metavar="RUN"
    )
    eval_dataset: tuple[str, ...] = setting(
        (), "Held-out pairs: FILE,FILE.", panel="Data", shown="split validation"
    )
    image_dir: str | None = fields.image_dir()
    image_expert: str = fields.image_expert()
    train_rows: int | None = fields.at_most("pairs to learn from")
    held_out_rows: int | None = fields.at_most("held-out pairs")
    reward: dict[str, Any] = setting({}, "Settings of the method.", flags=())

    def name(self) -> str:
        """Return the name of the pairs and of the method."""
        rows = Path(str(self.run or self.dataset_name)).name.split(".")[0]
        return f"{rows}-reward"

    def check(self) -> None:
        """Raise ConfigError where pairs or settings are missing, or do not fit together."""
        if (self.dataset_name is None) == (self.run is None):
            raise ConfigError("which pairs? Give either --dataset-name PAIRS or --run RUN")
        if self.run is not None and self.layout is not None:
            raise ConfigError(f"layout={self.layout!r} is of files; a run has a layout of its own")
        self.loop()
        self.method()


def read_reward_training(file: Path | None, flags: Mapping[str, Any]) -> RewardTraining:
    """Merge `file` and `flags` (None means not given; "a.b" reaches into a section).

    Raises ConfigError with the nearest name for an unknown key, and with the value otherwise.
    """
    training = read(RewardTraining, file, flags)
    training.check()
    return training
