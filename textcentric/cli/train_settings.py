"""What `train downstream` is told: which rows, and the sections `train` and `downstream`.

A file holds the same names:

    run: runs/first
    train: {learning_rate: 1.0e-4, num_train_epochs: 4}
    downstream: {task: ordinal, variants: 2}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from textcentric.cli.sections import merged, read_set, split_commas
from textcentric.config import AugmentConfig, fingerprint, first_problem, read_keys, resolve
from textcentric.errors import ConfigError, unknown
from textcentric.methods.downstream.config import DownstreamConfig, downstream_config
from textcentric.prompts import LABELS
from textcentric.training.config import ALIASES, TrainConfig, train_config

SECTIONS = ("train", "downstream")
SHARED = ("output_dir", "seed")  # keys of the whole, not of a section
LISTS = ("labels", "downstream.parts", "downstream.dropout_levels")
DATA = ("data_dir", "table_schema", "image_expert", "audio_expert", "missing_values")


class Training(BaseModel):
    """Rows of a run directory, or raw rows for the experts; and how to train on them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str | None = None
    labels: tuple[str, ...] = ("keep",)
    dataset: str | None = None
    data_dir: str | None = None
    table_schema: dict[str, Any] | str | None = None
    image_expert: str | None = None
    audio_expert: str | None = None
    missing_values: Literal["skip", "name"] | None = None
    train_rows: int | None = Field(None, ge=1)
    held_out_rows: int | None = Field(None, ge=1)
    seed: int = 0
    output_dir: Path | None = None
    train: dict[str, Any] = {}
    downstream: dict[str, Any] = {}

    def loop(self) -> TrainConfig:
        """Return the configuration of the loop; the folder is named after everything."""
        values = {"seed": self.seed, **self.train, "output_dir": self.output_dir or "models"}
        config = train_config(values)
        if self.output_dir is not None:
            return config
        known = self.model_dump(mode="json", exclude={"train", "downstream", "output_dir"})
        known |= {"train": config.identity(), "downstream": self.method().model_dump(mode="json")}
        name = Path(str(self.run or self.dataset)).name.split(".")[0]
        folder = Path("models") / f"{name}-{fingerprint(known)}"
        return config.model_copy(update={"output_dir": folder})

    def method(self) -> DownstreamConfig:
        """Return the configuration of the model."""
        return downstream_config({"seed": self.seed, **self.downstream})

    def data(self) -> AugmentConfig:
        """Return what says which raw rows are read, and how the experts say them."""
        return resolve(None, {name: getattr(self, name) for name in ("dataset", *DATA)})


def sorted_flags(given: Mapping[str, Any], pairs: Sequence[str]) -> dict[str, Any]:
    """Return the flags of the command by the name of the key they set; `pairs` are of `--set`."""
    flags = read_set(pairs, SECTIONS)
    for name, value in given.items():
        key = _key(name)
        if key is not None and value is not None:
            flags[key] = split_commas(value) if key in LISTS else value
    return flags


def read_training(file: Path | None, flags: Mapping[str, Any]) -> Training:
    """Merge `file` and `flags` (None means not given; "a.b" reaches into a section).

    Raises ConfigError with the nearest name for an unknown key, and with the value otherwise.
    """
    values = merged((read_keys(file) if file else {}), flags, SECTIONS)
    for name in values:
        if name not in Training.model_fields:
            raise ConfigError(unknown("key of train downstream", name, Training.model_fields))
    try:
        training = Training.model_validate(values)
    except ValidationError as error:
        raise ConfigError(first_problem(error, "train downstream")) from error
    _check(training)
    return training


def _key(flag: str) -> str | None:
    """Return the key that a flag sets: of the whole, or of the section that knows it."""
    if flag in Training.model_fields and flag not in SECTIONS:
        return flag
    if flag in TrainConfig.model_fields or flag in ALIASES:
        return f"train.{flag}"
    return f"downstream.{flag}" if flag in DownstreamConfig.model_fields else None


def _check(training: Training) -> None:
    if training.run is None and training.dataset is None:
        raise ConfigError("which rows? Give --run RUN, or raw rows with --dataset")
    given = [name for name in ("dataset", *DATA) if getattr(training, name) is not None]
    if training.run is not None and given:
        raise ConfigError(
            f"run={training.run!r} and {given[0]}={getattr(training, given[0])!r}: a run holds its"
            " rows in words already; leave one of the two out"
        )
    for label in training.labels:
        if label not in LABELS:
            raise ConfigError(unknown("effect on the label", label, LABELS))
    if "output_dir" in training.train:
        raise ConfigError("train.output_dir: give output_dir (-o) outside the section")
    training.loop()
