"""What `train reward` is told: which pairs, and the sections `train` and `reward`.

A file holds the same names; those of the loop and of the model may stand outside their section, as
in TRL's configurations:

    dataset_name: pairs.jsonl
    reward_objective: sfc
    learning_rate: 1.0e-4
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from textcentric.cli.sections import merged, read_set, split_commas
from textcentric.config import fingerprint, first_problem, read_keys
from textcentric.errors import ConfigError, unknown
from textcentric.methods.reward.config import RewardConfig, reward_config
from textcentric.training.config import ALIASES, TrainConfig, train_config

SECTIONS = ("train", "reward")
LISTS = ("reward.proxy_fields", "eval_dataset")


class RewardTraining(BaseModel):
    """Pairs of a file, a hub data set or a run directory; and how to train on them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset_name: str | None = None
    layout: str | None = None
    run: str | None = None
    eval_dataset: tuple[str, ...] = ()
    image_dir: str | None = None
    image_expert: str = "auto"
    train_rows: int | None = Field(None, ge=1)
    eval_rows: int | None = Field(None, ge=1)
    seed: int = 0
    output_dir: Path | None = None
    train: dict[str, Any] = {}
    reward: dict[str, Any] = {}

    def loop(self) -> TrainConfig:
        """Return the configuration of the loop; the folder is named after everything."""
        values = {"seed": self.seed, **self.train, "output_dir": self.output_dir or "models"}
        config = train_config(values)
        if self.output_dir is not None:
            return config
        known = self.model_dump(mode="json", exclude={"train", "reward", "output_dir"})
        known |= {"train": config.identity(), "reward": self.method().model_dump(mode="json")}
        name = Path(str(self.run or self.dataset_name)).name.split(".")[0]
        folder = Path("models") / f"{name}-reward-{fingerprint(known)}"
        return config.model_copy(update={"output_dir": folder})

    def method(self) -> RewardConfig:
        """Return the configuration of the model."""
        return reward_config({"seed": self.seed, **self.reward})


def sorted_reward_flags(given: Mapping[str, Any], pairs: Sequence[str]) -> dict[str, Any]:
    """Return the flags of the command by the name of the key they set; `pairs` are of `--set`."""
    flags = read_set(pairs, SECTIONS)
    for name, value in given.items():
        key = _key(name)
        if key is not None and value is not None:
            flags[key] = split_commas(value) if key in LISTS else value
    return flags


def read_reward_training(file: Path | None, flags: Mapping[str, Any]) -> RewardTraining:
    """Merge `file` and `flags` (None means not given; "a.b" reaches into a section).

    Raises ConfigError with the nearest name for an unknown key, and with the value otherwise.
    """
    held = {_key(name) or name: value for name, value in (read_keys(file) if file else {}).items()}
    whole = {name: value for name, value in held.items() if "." not in name}
    within = {name: value for name, value in held.items() if "." in name}
    values = merged(whole, within | flags, SECTIONS)  # type: ignore[operator]
    for name in values:
        if name not in RewardTraining.model_fields:
            known = [*RewardTraining.model_fields, *RewardConfig.model_fields]
            raise ConfigError(unknown("key of train reward", name, known))
    try:
        training = RewardTraining.model_validate(values)
    except ValidationError as error:
        raise ConfigError(first_problem(error, "train reward")) from error
    _check(training)
    return training


def _key(name: str) -> str | None:
    """Return the key that a flag sets: of the whole, or of the section that knows it."""
    if name in RewardTraining.model_fields:
        return name
    if name in TrainConfig.model_fields or name in ALIASES:
        return f"train.{name}"
    return f"reward.{name}" if name in RewardConfig.model_fields else None


def _check(training: RewardTraining) -> None:
    if (training.dataset_name is None) == (training.run is None):
        raise ConfigError("which pairs? Give either --dataset-name PAIRS or --run RUN")
    if training.run is not None and training.layout is not None:
        raise ConfigError(f"layout={training.layout!r} is of files; a run has a layout of its own")
    if "output_dir" in training.train:
        raise ConfigError("train.output_dir: give output_dir (-o) outside the section")
    training.loop()
    training.method()
