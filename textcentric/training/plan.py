"""A training before its first step: what it learns from, and what it would do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from textcentric.errors import DataError, Say, check_known
from textcentric.rows import Balance
from textcentric.runs.counters import Steps
from textcentric.training.checkpoints import checkpoint_folder
from textcentric.training.config import TrainConfig, TrainingSettings
from textcentric.training.folder import FACTS, TrainResult, export_model, refuse_export
from textcentric.training.processes import first_process, processes
from textcentric.training.protocol import Method
from textcentric.training.start import total_steps

Planned = Mapping[str, Any]  # figures of a training that has not begun, as JSON values


@dataclass(frozen=True)
class Prepared:
    """A training that could begin: everything is checked, rows are read, the model is built.

    `name` is of the rows, `unit` says what each of them is, `about` what is trained and how.
    `counts` are the rows of both splits, of which a dry run may have read only some. `task` is what
    the targets ask for, and `of` says it in words. `balance` says how many rows of the source are
    used and why the others are not.
    """

    name: str
    method: Method
    loop: TrainConfig
    train: Sequence[Any]
    held_out: Sequence[Any]
    about: str
    unit: str = "row"
    task: str = ""
    of: str = ""
    counts: tuple[int, int] = field(kw_only=True)
    balance: Balance | None = None
    export: Path | None = None  # where the model is written once more, its adapter merged

    def run(self, *, quiet: bool = False, steps: Steps | None = None) -> TrainResult:
        """Train to the end; `steps` is told how far it is."""
        from textcentric.training.loop import train

        if self.export is not None:
            refuse_export(self.export, self.loop.output_dir)
        rows = (self.train, self.held_out)
        result = train(self.method, self.loop, *rows, quiet=quiet, steps=steps)
        if self.export is not None and first_process():
            export_model(self.method, result, self.export)
        return result


class MethodTraining(Protocol):
    """What `training.py` of a method gives; one `train` command and one `tc.train` serve all."""

    def prepared(
        self, training: TrainingSettings, say: Say, *, rows: object = None, writes: bool = True
    ) -> Prepared:
        """Return the training that settings describe; `rows` stand in for those they name.

        Without `writes` nothing is written, and less may be read.
        """

    def planned(self, ready: Prepared) -> Planned:
        """Return the figures of a training that has not begun."""

    def plan_as_text(self, plan: Planned) -> str:
        """Return those figures as people read them."""

    def then_do(self, result: TrainResult, training: TrainingSettings) -> str:
        """Return the command that comes after the training."""

    def load(
        self, folder: Path, files: str | Path | None = None, *, trust_remote_code: bool = False
    ) -> Method:
        """Return a trained model; `files` is the folder of what its rows name."""


def without_evaluation(
    loop: TrainConfig,
    given: Mapping[str, Any],
    absent: str,
    say: Say,
    *,
    cure: str = "",
    so: str = "nothing is evaluated (eval_strategy no)",
) -> TrainConfig:
    """Return the configuration of a training that has no held-out rows, as `absent` says.

    Raises DataError, with the `cure`, where an evaluation was `given` all the same.
    """
    for name in ("metric_for_best_model", "eval_strategy"):
        if given.get(name) is not None:
            raise DataError(
                f"{name}={given[name]!r} needs held-out rows and {absent}; leave it out{cure}"
            )
    say(f"{absent}: {so}")
    return loop.model_copy(update={"eval_strategy": "no"})


def check_metric(loop: TrainConfig, kind: str, names: Sequence[str]) -> None:
    """Raise ConfigError, before the first step, for a metric that a `kind` of model lacks."""
    name = (loop.metric_for_best_model or names[0]).removeprefix("eval_")
    check_known(f"metric of {kind}", name, names)


def figures(method: Method, loop: TrainConfig, rows: int) -> dict[str, Any]:
    """Return how many weights would be trained on so many rows, in what steps, and where."""
    weights = list(method.model.parameters())
    return {
        "parameters": sum(weight.numel() for weight in weights),
        "trained": sum(weight.numel() for weight in weights if weight.requires_grad),
        "batch": batch_of(loop),
        "processes": processes(),
        "device": device(loop),
        "mixed_precision": loop.mixed_precision,
        "steps": total_steps(loop, math.ceil(rows / batch_of(loop))),
        "epochs": loop.num_train_epochs if loop.max_steps < 0 else None,
        "eval_strategy": loop.eval_strategy,
        "output_dir": str(loop.output_dir),
        "output_dir_holds": holds(loop),
    }


def device(loop: TrainConfig) -> str:
    """Return where the training would run."""
    import torch

    if loop.use_cpu or not torch.accelerator.is_available():
        return "cpu"
    return str(torch.accelerator.current_accelerator())


def holds(loop: TrainConfig) -> str:
    """Return what the folder of the training holds already."""
    folder = loop.output_dir
    if (folder / FACTS).is_file():
        return "a trained model"
    begun = any(checkpoint_folder(folder).glob("step-*"))
    return "a training, to go on with" if begun else "nothing yet"


def batch_of(loop: TrainConfig) -> int:
    """Return the rows of an optimiser step, over all processes."""
    return loop.per_device_train_batch_size * processes() * loop.gradient_accumulation_steps


def figures_as_text(plan: Planned) -> str:
    """Return figures one a line."""
    return "\n".join(f"{name.replace('_', ' '):<18}{value}" for name, value in plan.items())


def facts(result: TrainResult, task: str = "", balance: Balance | None = None) -> dict[str, Any]:
    """Return what came of a training as JSON values: where the model is, rows, steps, figures."""
    return {
        **({"task": task} if task else {}),
        **({"rows": balance} if balance is not None else {}),
        "path": str(result.output_dir),
        "steps": result.step,
        "best_step": result.best_step,
        "stopped": result.stopped,
        "seconds": round(result.train_seconds, 1),
        "metrics": result.metrics,
        **({"notes": list(result.notes)} if result.notes else {}),
    }
