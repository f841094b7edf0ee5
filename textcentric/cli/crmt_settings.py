"""What `train crmt` is told: which rows, and the sections `train` and `crmt`.

A file holds the same names; those of the loop and of the model may stand outside their section:

    dataset: clips.csv
    variant: crmt-jt
    encoders: {image: conv, audio: conv}
    learning_rate: 1.0e-3
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from textcentric import fields
from textcentric.errors import ConfigError
from textcentric.methods.crmt.config import CrmtConfig
from textcentric.settings import read, setting
from textcentric.training.config import TrainConfig, TrainingSettings


class CrmtTraining(TrainingSettings):
    """Raw rows of a table with its files; and how to train on them."""

    called = "train crmt"
    part = "crmt"
    sections: ClassVar = {"train": TrainConfig, "crmt": CrmtConfig}

    dataset: str | None = fields.dataset()
    data_dir: str | None = fields.data_dir()
    table_schema: dict[str, Any] | str | None = fields.table_schema()
    train_rows: int | None = fields.at_most("rows of split train")
    held_out_rows: int | None = fields.at_most("rows of split validation")
    crmt: dict[str, Any] = setting({}, "Settings of the method.", flags=())

    def name(self) -> str:
        """Return the name of the rows and of the method."""
        return f"{Path(str(self.dataset)).stem}-{self.method().variant}"

    def check(self) -> None:
        """Raise ConfigError where rows are missing or settings do not fit together."""
        if self.dataset is None:
            raise ConfigError("which rows? Give --dataset, a table or the name of a data set")
        self.loop()
        self.method()


def read_crmt_training(file: Path | None, flags: Mapping[str, Any]) -> CrmtTraining:
    """Merge `file` and `flags` (None means not given; "a.b" reaches into a section).

    Raises ConfigError with the nearest name for an unknown key, and with the value otherwise.
    """
    training = read(CrmtTraining, file, flags)
    training.check()
    return training
