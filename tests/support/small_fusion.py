"""Small fusion models on small clips: how tests make and train them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.small_clips import schema
from textcentric.data import load
from textcentric.methods.fusion import VARIANTS, Crmt, CrmtConfig
from textcentric.rows import Record
from textcentric.training.config import TrainConfig
from textcentric.training.folder import TrainResult
from textcentric.training.loop import train

SMALL: dict[str, Any] = {
    "encoders": {"image": "conv", "audio": "conv"},
    "width": 8,
    "image_side": 8,
    "mel_bins": 8,
    "mel_frames": 8,
    "second_steps": 20,
    "mcr_permutations": 4,
}
LOOP: dict[str, Any] = {
    "num_train_epochs": 6,
    "learning_rate": 5e-3,
    "per_device_train_batch_size": 12,
    "warmup_steps": 0,
    "eval_strategy": "no",
    "save_strategy": "no",
    "use_cpu": True,
}


def rows_of(folder: Path, *modalities: str, split: str = "train") -> list[Record]:
    """Return the rows of a split of the clips in `folder`, with the modalities that are wanted."""
    roles = schema(*modalities)
    return list(load(folder / "clips.csv", data_dir=folder, schema=roles, split=split))


def made(folder: Path, *modalities: str, **values: Any) -> tuple[Crmt, list[Record]]:
    """Return an untrained small model (of picture and sound where none is named) and its rows."""
    rows = rows_of(folder, *(modalities or ("image", "audio")))
    return Crmt(CrmtConfig.of({**SMALL, **values}), rows, folder), rows


def trained(
    method: Crmt,
    rows: Sequence[Record],
    place: Path,
    held: Sequence[Record] | None = None,
    **loop: Any,
) -> TrainResult:
    """Train in `place` and return what came of it."""
    own = method.config.method.loop
    config = TrainConfig(**{**LOOP, **own, **loop}, output_dir=place)
    return train(method, config, rows, held or (), quiet=True)


def single_models(folder: Path, place: Path, *modalities: str, **values: Any) -> dict[str, str]:
    """Return the folder of a model (variant jt) of each modality alone, trained in `place`."""
    for name in modalities:
        method, rows = made(folder, *modalities, variant="jt", modalities=[name], **values)
        trained(method, rows, place / name)
    return {name: str(place / name) for name in modalities}


def changes_of(variant: str, starts: dict[str, str]) -> dict[str, Any]:
    """Return the settings of a variant that is tried on picture and sound."""
    return {"variant": variant, "start": starts if VARIANTS[variant].starts else {}}
