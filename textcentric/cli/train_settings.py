"""What `train downstream` is told: which rows, and the sections `train` and `downstream`.

A file holds the same names; those of the loop and of the model may stand outside their section:

    run: runs/first
    train: {learning_rate: 1.0e-4, num_train_epochs: 4}
    downstream: {task: ordinal, variants: 2}
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from textcentric import fields
from textcentric.config import AugmentConfig, resolve
from textcentric.errors import ConfigError
from textcentric.methods.downstream.config import DownstreamConfig
from textcentric.settings import read, setting
from textcentric.training.config import TrainConfig, TrainingSettings

DATA = ("data_dir", "table_schema", "image_expert", "audio_expert", "missing_values")


class Training(TrainingSettings):
    """Rows of a run directory, or raw rows for the experts; and how to train on them."""

    called = "train downstream"
    part = "downstream"
    sections: ClassVar = {"train": TrainConfig, "downstream": DownstreamConfig}

    run: str | None = setting(
        None, "Run directory to train on, or its name in runs/.", panel="Data", metavar="RUN"
    )
    labels: tuple[Literal["keep", "unsure", "changes"], ...] = setting(
        ("keep",), "Effects on the label that variants may have.", panel="Data"
    )
    dataset: str | None = fields.dataset()
    data_dir: str | None = fields.data_dir()
    table_schema: dict[str, Any] | str | None = fields.table_schema()
    image_expert: str | None = fields.image_expert(None, shown="auto")
    audio_expert: str | None = fields.audio_expert(None, shown="auto")
    missing_values: Literal["skip", "name"] | None = fields.missing_values(None, shown="skip")
    train_rows: int | None = fields.at_most("rows of split train")
    held_out_rows: int | None = fields.at_most("rows of split validation")
    downstream: dict[str, Any] = setting({}, "Settings of the method.", flags=())

    def name(self) -> str:
        """Return the name of the rows."""
        return Path(str(self.run or self.dataset)).name.split(".")[0]

    def data(self) -> AugmentConfig:
        """Return what says which raw rows are read, and how the experts say them."""
        return resolve(None, {name: getattr(self, name) for name in ("dataset", *DATA)})

    def check(self) -> None:
        """Raise ConfigError where rows or settings are missing, or do not fit together."""
        if self.run is None and self.dataset is None:
            raise ConfigError("which rows? Give --run RUN, or raw rows with --dataset")
        given = [name for name in ("dataset", *DATA) if getattr(self, name) is not None]
        if self.run is not None and given:
            raise ConfigError(
                f"run={self.run!r} and {given[0]}={getattr(self, given[0])!r}: a run holds its"
                " rows in words already; leave one of the two out"
            )
        self.loop()
        self.method()


def read_training(file: Path | None, flags: Mapping[str, Any]) -> Training:
    """Merge `file` and `flags` (None means not given; "a.b" reaches into a section).

    Raises ConfigError with the nearest name for an unknown key, and with the value otherwise.
    """
    training = read(Training, file, flags)
    training.check()
    return training
