"""The folder of a trained model: found by name, written in one step, never another's."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from textcentric.errors import ConfigError, RunError, cut, option, unknown
from textcentric.folders import (
    drafted,
    refuse_another,
    remove,
    remove_leftovers,
    write_text,
    writing,
)
from textcentric.report.model_card import write_train_card
from textcentric.report.pictures import draw_learning_curve
from textcentric.security.files import read_text
from textcentric.security.foreign import reason
from textcentric.settings import with_current_names
from textcentric.training.protocol import Method
from textcentric.values import Json

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
    notes: tuple[str, ...] = ()  # what else to know of the model, in sentences
    metric: str | None = None  # by which the best weights were chosen


def identity_of(folder: Path) -> Any:
    """Return what tells the training that ended in `folder` from others, None where none has."""
    try:
        return json.loads(read_text(folder / FACTS))["identity"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def refuse_other_model(folder: Path, identity: Mapping[str, Json]) -> None:
    """Raise RunError where `folder` holds the model of another training than `identity`."""
    before = identity_of(folder)
    if before is None:
        return  # no training has ended here
    plain = json.loads(json.dumps(identity))
    cure = f"Choose another {option('output_dir')}"
    refuse_another(f"the model in {folder}", with_current_names(before), plain, cure)


def write_model(method: Method, folder: Path) -> None:
    """Save the method's model aside and move its files into `folder`."""
    from textcentric.models.loading import without_bars

    folder.mkdir(parents=True, exist_ok=True)
    remove_leftovers(folder)
    with drafted(folder / "model") as draft:
        draft.mkdir()
        with without_bars():
            method.save(draft)
        for path in sorted(draft.iterdir()):
            target = folder / path.name
            if path.is_dir():
                remove(target)
            os.replace(path, target)


def _draw_curve(result: TrainResult, path: Path, metric: str | None) -> None:
    """Draw the learning curve; what matplotlib chokes on, such as its fonts, ends no training."""
    try:
        draw_learning_curve(result.history, path, metric=metric, best_step=result.best_step)
    except OSError:
        raise  # the disk is full, which is told by the one who writes
    except Exception as error:
        warnings.warn(f"no learning curve was drawn ({reason(error)})", stacklevel=2)


def write_metadata(
    method: str, identity: Mapping[str, Any], result: TrainResult, *, usage: str = ""
) -> None:
    """Write `train.json`, the learning curve and the model card.

    `identity` says what was trained on what, `usage` how the model is loaded.
    """
    folder = result.output_dir
    facts = {
        "step": result.step,
        "best_step": result.best_step,
        "stopped": result.stopped,
        "train_seconds": round(result.train_seconds, 3),
    }
    notes = {"notes": list(result.notes)} if result.notes else {}
    content = {"identity": identity, **facts, "metrics": result.metrics, **notes}
    write_text(folder / FACTS, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    curve = folder / "learning_curve.png"
    _draw_curve(result, curve, result.metric)
    about = {name: value for name, value in identity.items() if name != "train"}
    write_train_card(
        folder,
        method=method,
        facts=about | facts,
        metrics=result.metrics,
        notes=result.notes,
        settings=identity["train"],
        usage=usage,
    )


def usage_of(method: Method, folder: Path) -> str:
    """Return how a model in `folder` is loaded without this package, "" where nothing is said."""
    told: Callable[[Path], str] | None = getattr(method, "usage", None)
    return told(folder) if told else ""


def refuse_export(folder: Path, output_dir: Path) -> None:
    """Raise RunError where `folder` holds another model than the one that ended in `output_dir`."""
    before = identity_of(folder)
    if before is not None and before != identity_of(output_dir):
        raise RunError(
            f"{option('export', str(folder))}: the model of another training lies there; name"
            " another folder"
        )


def export_model(method: Any, result: TrainResult, folder: Path) -> None:
    """Write a trained model into `folder` as well, with its adapter merged into the weights.

    Raises RunError where the model of another training lies there.
    """
    identity = json.loads(read_text(result.output_dir / FACTS))["identity"]
    refuse_other_model(folder, identity)
    if method.config.lora_r is not None:
        method.merge()
    with writing(folder):
        write_model(method, folder)
        exported = replace(result, output_dir=folder)
        write_metadata(method.name, identity, exported, usage=usage_of(method, folder))


def read_metadata(
    folder: Path, file: str, version: int, kind: str, command: str, needs: Collection[str] = ()
) -> dict[str, Any]:
    """Return the JSON `file` that makes `folder` a `kind` of model, as it stands there.

    Raises RunError where there is none, or none of this `version` with the keys that it `needs`.
    """
    path = folder / file
    try:
        content = json.loads(read_text(path))
    except OSError as error:
        raise RunError(
            f"{folder} holds no {kind} (no {file}); name a folder that `textcentric {command}` has"
            " finished"
        ) from error
    except ValueError as error:
        raise RunError(f"{path} is not JSON ({error}); copy the folder again") from error
    complete = isinstance(content, dict) and {"format", *needs} <= content.keys()
    if not complete or content["format"] != version:
        raise RunError(f"{path} is not of format {version}; train again with this version")
    return dict(content)


def find_model_folder(name: str, metadata: str, kind: str = "model") -> Path:
    """Return the folder of the model `name`, which holds the file `metadata`.

    Raises ConfigError with the nearest one where there is none, and for a folder without that file.
    """
    places = (Path(name), Path("models") / name)
    for folder in places:
        if (folder / metadata).is_file():
            return folder
    for folder in filter(Path.is_dir, places):
        identity = identity_of(folder)
        of = identity.get("method") if isinstance(identity, dict) else None
        theirs = f"a model of {cut(str(of))!r} and " if of else ""
        raise ConfigError(
            f"the folder {folder} holds {theirs}no {kind} (it has no {metadata}); name one that a"
            " training wrote"
        )
    parent = Path(name).parent if "/" in name else Path("models")
    known = [path.parent.name for path in parent.glob(f"*/{metadata}")]
    raise ConfigError(f"{unknown(kind, Path(name).name, known)} (looked in {parent}/)")
