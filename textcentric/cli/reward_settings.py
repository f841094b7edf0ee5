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

from pydantic import BaseModel, ConfigDict, Field

from textcentric.cli.sectioned import Sectioned
from textcentric.config import fingerprint
from textcentric.errors import ConfigError
from textcentric.methods.reward.config import RewardConfig, reward_config
from textcentric.training.config import TrainConfig, train_config


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
    return KEYS.flags(given, pairs)


def read_reward_training(file: Path | None, flags: Mapping[str, Any]) -> RewardTraining:
    """Merge `file` and `flags` (None means not given; "a.b" reaches into a section).

    Raises ConfigError with the nearest name for an unknown key, and with the value otherwise.
    """
    training = KEYS.read(file, flags)
    _check(training)
    return training


def _check(training: RewardTraining) -> None:
    if (training.dataset_name is None) == (training.run is None):
        raise ConfigError("which pairs? Give either --dataset-name PAIRS or --run RUN")
    if training.run is not None and training.layout is not None:
        raise ConfigError(f"layout={training.layout!r} is of files; a run has a layout of its own")
    training.loop()
    training.method()


KEYS = Sectioned(
    "train reward",
    RewardTraining,
    "reward",
    RewardConfig,
    ("reward.proxy_fields", "eval_dataset"),
)
