"""What `train crmt` is told: which rows, and the sections `train` and `crmt`.

A file holds the same names; those of the loop and of the model may stand outside their section:

    dataset: clips.csv
    variant: crmt-jt
    encoders: {image: conv, audio: conv}
    learning_rate: 1.0e-3
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from textcentric.cli.sectioned import Sectioned
from textcentric.config import fingerprint
from textcentric.errors import ConfigError
from textcentric.methods.crmt.config import CrmtConfig, crmt_config
from textcentric.training.config import TrainConfig, train_config

ENCODERS = {f"{name}_encoder": name for name in ("image", "audio", "text", "table")}


class CrmtTraining(BaseModel):
    """Raw rows of a table with its files; and how to train on them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str | None = None
    data_dir: str | None = None
    table_schema: dict[str, Any] | str | None = None
    train_rows: int | None = Field(None, ge=1)
    held_out_rows: int | None = Field(None, ge=1)
    seed: int = 0
    output_dir: Path | None = None
    train: dict[str, Any] = {}
    crmt: dict[str, Any] = {}

    def loop(self) -> TrainConfig:
        """Return the configuration of the loop; the folder is named after everything."""
        values = {"seed": self.seed, **self.train, "output_dir": self.output_dir or "models"}
        config = train_config(values)
        if self.output_dir is not None:
            return config
        known = self.model_dump(mode="json", exclude={"train", "crmt", "output_dir"})
        known |= {"train": config.identity(), "crmt": self.method().model_dump(mode="json")}
        name = f"{Path(str(self.dataset)).stem}-{self.method().variant}-{fingerprint(known)}"
        return config.model_copy(update={"output_dir": Path("models") / name})

    def method(self) -> CrmtConfig:
        """Return the configuration of the model."""
        return crmt_config({"seed": self.seed, **self.crmt})


def sorted_crmt_flags(given: Mapping[str, Any], pairs: Sequence[str]) -> dict[str, Any]:
    """Return the flags of the command by the name of the key they set; `pairs` are of `--set`."""
    flags = KEYS.flags(given, pairs)
    encoders = {m: given[flag] for flag, m in ENCODERS.items() if given.get(flag) is not None}
    if encoders:
        flags["crmt.encoders"] = {**(flags.get("crmt.encoders") or {}), **encoders}
    return flags


def read_crmt_training(file: Path | None, flags: Mapping[str, Any]) -> CrmtTraining:
    """Merge `file` and `flags` (None means not given; "a.b" reaches into a section).

    Raises ConfigError with the nearest name for an unknown key, and with the value otherwise.
    """
    training = KEYS.read(file, flags)
    if training.dataset is None:
        raise ConfigError("which rows? Give --dataset, a table or the name of a data set")
    training.loop()
    training.method()
    return training


KEYS = Sectioned("train crmt", CrmtTraining, "crmt", CrmtConfig, ("crmt.modalities",))
