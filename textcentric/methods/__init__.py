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
    """A method: its folder, the settings in its `config.py`, and a line on what it trains.

    `task` is what its model answers, `inputs` what that reads, `needs` what must be there before,
    `cost` what a step of training takes.
    """

    folder: str
    settings: str
    about: str
    task: str
    inputs: str
    needs: str
    cost: str


METHODS = {
    "downstream": Listed(
        "downstream",
        "Training",
        "Fine-tune a transformer on rows in words.",
        task="a class, an ordered class or a number of a row",
        inputs="rows in words, of any modality",
        needs="a run, or raw rows with a target",
        cost="a transformer over each text and its variants",
    ),
    "reward": Listed(
        "reward",
        "RewardTraining",
        "Train a reward model on pairs of responses.",
        task="how good a response is",
        inputs="prompt and response, a picture in words or as features",
        needs="pairs, chosen and rejected",
        cost="a transformer over both responses; sfc 1.4 times that of bt",
    ),
    "crmt": Listed(
        "fusion",
        "CrmtTraining",
        "Train a fusion model of several modalities.",
        task="a class of a row",
        inputs="pictures, sounds, texts, a table",
        needs="by the variant, below",
        cost="an encoder over each modality, by the variant",
    ),
    "federated": Listed(
        "fusion.federated",
        "FederatedTraining",
        "Train a fusion model over separate clients.",
        task="a class of a row",
        inputs="pictures, sounds, texts, a table; clients may have some of them",
        needs="a column that says whose a row is, two clients or more",
        cost="an encoder over each client's modalities, every round",
    ),
    "align-vl": Listed(
        "align_vl",
        "AlignTraining",
        "Bring two frozen encoders into one space.",
        task="which items of two modalities belong together",
        inputs="latents of two modalities",
        needs="`textcentric latents` of pairs",
        cost="two small adapters over cached latents",
    ),
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
