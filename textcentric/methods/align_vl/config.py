"""What can be chosen about a training on cached latents: FuseMix, and what Align-VL adds to it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from textcentric import fields
from textcentric.settings import Settings, Values, setting
from textcentric.training.config import TrainConfig, TrainingSettings

Noise = Literal["gaussian", "uniform"]
Place = Literal["before", "after"]
OffDiagonal = Literal["all", "others"]
Schedule = Literal["constant", "linear", "cosine", "per-pair"]


class AlignConfig(Settings):
    """Mixing, Random Perturbation, Embedding Smoothing, adapters; with both off this is FuseMix.

    A batch of B rows that are mixed two by two gives B / 2 positives. By the schedule the
    smoothing is constant, falls to 0 ("linear", "cosine"), or grows with a pair's own doubt
    ("per-pair": times 1 - cosine).
    """

    called = "align-vl"

    mixing: bool = setting(True, "FuseMix: mix pairs two by two.")
    mixing_beta: float = setting(1.0, "Shares are drawn from Beta of this, twice.", gt=0)
    noise: Noise = setting("gaussian", "Random Perturbation: its distribution.")
    noise_sigma: float = setting(
        0.01, "Standard deviation of the noise; 0: off.", ge=0, allow_inf_nan=False
    )
    noise_relative: bool = setting(
        False, "Sigma in standard deviations of each dimension, not in units of the latents."
    )
    noise_place: Place = setting("before", "Noise before or after the adapters.")
    smoothing: float = setting(
        0.1, "Embedding Smoothing (alpha): share taken from the positive; 0: off.", ge=0, lt=1
    )
    smoothing_off_diagonal: OffDiagonal = setting(
        "all", "Spread it over all the batch, or over the others."
    )
    smoothing_schedule: Schedule = setting("constant", "How the smoothing changes.")
    smoothing_epochs: float = setting(
        10.0, "Epochs in which a linear or cosine schedule falls to 0.", gt=0
    )
    blocks: int = setting(2, "Residual blocks of an adapter.", panel="Model", ge=0)
    expansion: int = setting(4, "Width inside a block, over that outside.", panel="Model", ge=1)
    width: int = setting(256, "Of the shared space.", panel="Model", ge=2)
    dropout: float = setting(0.2, "In the adapters, 0 to 1.", panel="Model", ge=0, lt=1)
    standardize: bool = setting(True, "Standardise latents by the training items.", panel="Model")
    temperature: float = setting(
        0.07, "Of the softmax, at the start, 0.001 to 0.5.", panel="Model", ge=1e-3, le=0.5
    )
    learn_temperature: bool = setting(True, "Learn the temperature, or keep it.", panel="Model")
    seed: int = fields.seed()


class RetrieveConfig(Settings):
    """What is searched for, and in what; without a query the search is tested."""

    called = "retrieve"

    latents: str = setting(..., "Folder of the latents to search.", panel="Data", metavar="PATH")
    text: tuple[str, ...] = setting(
        (), "Search with words; may be repeated.", panel="Data", repeat=True
    )
    image: tuple[str, ...] = setting(
        (), "Search with a picture; may be repeated.", panel="Data", repeat=True, metavar="PATH"
    )
    audio: tuple[str, ...] = setting(
        (), "Search with a sound; may be repeated.", panel="Data", repeat=True, metavar="PATH"
    )
    queries: Path | None = setting(
        None, "File with a text to search with on each line.", panel="Data"
    )
    split: str | None = setting(
        None, "Items to search or to test.", panel="Data", shown="all to search, test to test"
    )
    data_dir: str | None = setting(
        None, "Folder of the files, if it has moved.", panel="Data", metavar="PATH"
    )
    trust_remote_code: bool = fields.trust_remote_code()
    top: int = setting(10, "Items to find for each query.", panel="Output", ge=1)
    page: Path | None = setting(
        None, "HTML page of what was found, with pictures.", panel="Output", shown="none"
    )

    def wanted(self) -> bool:
        """Say whether anything is searched for."""
        return bool(self.text or self.image or self.audio or self.queries)


class AlignTraining(TrainingSettings):
    """Cached latents, and how to train on them."""

    called = "train align-vl"
    part = "align_vl"
    sources = ("latents",)
    asked = "which latents? Give {}, a folder that `textcentric latents` made"
    help: ClassVar = """\
    Bring two frozen encoders into one space by what is learnt between them.

    Align-VL; --noise-sigma 0 --smoothing 0 makes it FuseMix (Vouitsis et al. 2024).
    The same as: accelerate launch pipelines/train.py align-vl ...

    Example: textcentric train align-vl --latents latents/captions -o models/captions
    """
    sections: ClassVar = {"train": TrainConfig, "align_vl": AlignConfig}
    defaults: ClassVar = {
        "train.per_device_train_batch_size": 1024,
        "train.learning_rate": 1e-3,
        "train.weight_decay": 0.1,
    }

    latents: str | None = setting(
        None, "Folder that `textcentric latents` made.", panel="Data", metavar="PATH"
    )
    train_rows: int | None = fields.at_most("pairs of split train", least=2)
    align_vl: Values = setting({}, "Settings of the method.", flags=())

    def name(self) -> str:
        """Return the name of the latents and of the method."""
        return f"{Path(str(self.latents)).name}-align-vl"
