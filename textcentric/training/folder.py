"""The folder that a training leaves: the model's files, `train.json`, the curve and the card."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textcentric.atomic import replace_text
from textcentric.config import differences
from textcentric.errors import RunError
from textcentric.methods.protocol import Method
from textcentric.settings import with_current_names
from textcentric.training.card import write_train_card
from textcentric.training.learning_curve import draw_learning_curve

FACTS = "train.json"


@dataclass(frozen=True)
class TrainResult:
    """What came of a training; the model of the method holds the weights that were saved."""

    output_dir: Path
    step: int
    metrics: dict[str, float]  # of these weights, on the held-out rows
    best_step: int | None
    stopped: str  # why it ended before the last step, "" where it did not
    train_seconds: float  # of all sittings of a training that was resumed
    history: list[dict[str, Any]]  # the lines of metrics.jsonl


def refuse_another(folder: Path, identity: Mapping[str, Any]) -> None:
    """Raise RunError where `folder` holds the model of another training than `identity`."""
    try:
        before = json.loads((folder / FACTS).read_text(encoding="utf-8"))["identity"]
    except (OSError, ValueError, KeyError):
        return  # no training has ended here
    changed = differences(with_current_names(before), json.loads(json.dumps(identity)))
    if changed:
        raise RunError(
            f"{folder} holds a model of another configuration ({'; '.join(changed)});"
            " choose another output_dir"
        )


def write_model(method: Method, folder: Path) -> None:
    """Save the method's model aside and move its files into `folder`."""
    draft = folder / ".model.tmp"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    method.save(draft)
    for path in sorted(draft.iterdir()):
        target = folder / path.name
        if target.is_dir():
            shutil.rmtree(target)
        os.replace(path, target)
    draft.rmdir()


def write_papers(
    method: str, identity: Mapping[str, Any], result: TrainResult, metric: str | None = None
) -> None:
    """Write `train.json`, the learning curve of `metric` and the model card.

    `identity` says what was trained on what.
    """
    folder = result.output_dir
    facts = {
        "step": result.step,
        "best_step": result.best_step,
        "stopped": result.stopped,
        "train_seconds": round(result.train_seconds, 3),
    }
    content = {"identity": identity, **facts, "metrics": result.metrics}
    replace_text(folder / FACTS, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    curve = folder / "learning_curve.png"
    draw_learning_curve(result.history, curve, metric=metric, best_step=result.best_step)
    about = {name: value for name, value in identity.items() if name != "train"}
    write_train_card(
        folder,
        method=method,
        facts=about | facts,
        metrics=result.metrics,
        settings=identity["train"],
    )
