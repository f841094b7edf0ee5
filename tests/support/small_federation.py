"""Small federations on small clips: three sites, with pictures, with sounds, or with both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.support.small_fusion import rows_of
from textcentric.methods.fusion.federated.clients import members
from textcentric.methods.fusion.federated.config import FederatedConfig
from textcentric.methods.fusion.federated.rounds import Federation
from textcentric.methods.fusion.federated.training import federated
from textcentric.rows import Record

SMALL: dict[str, Any] = {
    "client_column": "site",
    "encoders": {"image": "conv", "audio": "conv"},
    "width": 8,
    "image_side": 8,
    "mel_bins": 8,
    "mel_frames": 8,
    "rounds": 2,
    "batch_size": 4,
    "learning_rate": 0.05,
    "uncertainty_samples": 3,
    "prototype_width": 5,
    "use_cpu": True,
}
HAS = {"east": ("image",), "north": ("audio",), "west": ("image", "audio")}


def sited(rows: Sequence[Record], has: dict[str, tuple[str, ...]] | None = None) -> list[Record]:
    """Return rows that sites take turns to have, each with the modalities of its site."""
    kept = has or HAS
    sites = sorted(kept)
    found = []
    for at, row in enumerate(rows):
        site = sites[at // 3 % len(sites)]  # three classes take turns in the clips
        inputs = {name: row.inputs[name] for name in kept[site]}
        found.append(replace(row, inputs={**inputs, "table": {"site": site}}))
    return found


def federation(
    folder: Path, has: dict[str, tuple[str, ...]] | None = None, **values: Any
) -> Federation:
    """Return a federation of sites over the clips in `folder`; nothing is trained."""
    config = FederatedConfig.of({**SMALL, **values})
    rows = sited(rows_of(folder, "image", "audio"), has)
    held_out = rows_of(folder, "image", "audio", split="validation")
    return federated(config, members(rows, config), held_out, root=folder)
