"""The methods: what each trains, and on what; they share one loop, `textcentric.training.loop`.

A method is a line here and a folder: `config.py` says what can be chosen, `training.py` turns rows
into a training (`textcentric.training.plan.MethodTraining`), the other files are its mathematics.
Its command, its flags, `textcentric.train` and its reference page follow from those.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from textcentric.errors import check_known

if TYPE_CHECKING:
    from textcentric.training.config import TrainingSettings
    from textcentric.training.plan import MethodTraining


class Listed(NamedTuple):
    """A method: its folder, the settings in its `config.py`, and a line on what it trains."""

    folder: str
    settings: str
    about: str


METHODS = {
    "downstream": Listed("downstream", "Training", "Fine-tune a transformer on rows in words."),
    "reward": Listed("reward", "RewardTraining", "Train a reward model on pairs of responses."),
    "crmt": Listed("fusion", "CrmtTraining", "Train a fusion model that is harder to attack."),
    "align-vl": Listed("align_vl", "AlignTraining", "Bring two frozen encoders into one space."),
}


def training_settings(method: str) -> type[TrainingSettings]:
    """Return the settings of a training; raises ConfigError with the nearest method."""
    config = import_module(f"{_folder(method)}.config")
    settings: type[TrainingSettings] = getattr(config, METHODS[method].settings)
    return settings


def method_training(method: str) -> MethodTraining:
    """Return what trains a method; raises ConfigError with the nearest one."""
    training: MethodTraining = import_module(f"{_folder(method)}.training")  # type: ignore
    return training


def _folder(method: str) -> str:
    check_known("method", method, METHODS)
    return f"{__name__}.{METHODS[method].folder}"
