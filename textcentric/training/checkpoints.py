"""Checkpoints that resume bit for bit: one folder a checkpoint, written aside and moved into place.

They lie beside the model folder, not in it: who shares a model shares no pickles. Weights are
safetensors; the files of optimiser, scheduler, loss scaler and random numbers are those of
Accelerate's `save_state`, read back without executing anything (`weights_only=True`). Our own
state is `state.json`, written last, with the size and digest of every other file.
"""

from __future__ import annotations

import _codecs
import hashlib
import json
import os
import random
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypedDict

import numpy as np
import torch
from accelerate import Accelerator
from safetensors.torch import load_model
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from textcentric.errors import RunError, option
from textcentric.folders import refuse_another, remove, writing
from textcentric.security.files import check_real, is_real_folder, need_real, read_text
from textcentric.security.foreign import foreign
from textcentric.settings import with_current_names
from textcentric.training.log import FILE as FIGURES
from textcentric.values import Json

STATE, WEIGHTS = "state.json", "model.safetensors"
STEP = re.compile(r"step-[0-9]{8}")
# What a saved numpy random state is made of; everything else in those files torch knows itself.
NUMPY = [
    np.zeros(0).__reduce__()[0],
    np.ndarray,
    np.dtype,
    type(np.dtype(np.uint32)),
    _codecs.encode,
]


class FileFacts(TypedDict):
    """Size in bytes and digest of a file."""

    bytes: int
    sha256: str


class _Saved(TypedDict):
    """What `state.json` holds."""

    state: dict[str, Any]
    identity: dict[str, Json]
    files: dict[str, FileFacts]


@dataclass
class TrainState:
    """Where a training stands: `position` batches of `epoch` are done, `step` in all."""

    step: int = 0
    epoch: int = 0
    position: int = 0
    best: float | None = None  # of metric_for_best_model
    best_step: int | None = None
    stale: int = 0  # evaluations since the best one
    seconds: float = 0.0
    stopped: str = ""  # why it ended before the last step


def checkpoint_folder(output_dir: Path) -> Path:
    """Return the folder of checkpoints that belongs to the model folder `output_dir`.

    >>> checkpoint_folder(Path("models/first")).as_posix()
    'models/first-checkpoints'
    """
    named = output_dir if output_dir.name not in ("", "..") else output_dir.resolve()
    return named.with_name(f"{named.name}-checkpoints")


class Checkpoints:
    """The checkpoints of one training, beside `output_dir`; every process calls every method."""

    def __init__(
        self,
        accelerator: Accelerator,
        output_dir: Path,
        identity: Mapping[str, Json],
        *,
        limit: int | None = None,
    ):
        self.folder = checkpoint_folder(output_dir)
        self._figures = output_dir / FIGURES
        self._accelerator = accelerator
        self._identity = json.loads(json.dumps(identity))
        self._limit = limit

    def save(self, state: TrainState) -> Path:
        """Write a checkpoint of the prepared model and its optimiser; drop those over the limit."""
        main, target = self._accelerator.is_main_process, self._path(state.step)
        draft = self.folder / f".{target.name}.tmp"
        if main:
            remove(draft)
        self._accelerator.wait_for_everyone()
        try:
            self._accelerator.save_state(str(draft), safe_serialization=True)
            self._accelerator.wait_for_everyone()
            if main:
                remove(target)  # the same step, written once before
                self._finish(draft, state)
                os.replace(draft, target)
                self._drop_old(state)
        finally:
            if main:
                remove(draft)  # half a checkpoint would keep the disk full
        self._accelerator.wait_for_everyone()
        return target

    def _finish(self, draft: Path, state: TrainState) -> None:
        shutil.copyfile(self._figures, draft / FIGURES)
        content = {"state": asdict(state), "identity": self._identity, "files": _files(draft)}
        (draft / STATE).write_text(json.dumps(content, indent=2), encoding="utf-8")

    def newest(self) -> Path | None:
        """Return the checkpoint of the last step, None where there is none."""
        return max(self._steps(), default=None)

    def begin(
        self,
        policy: Literal["auto", "never", "always"],
        model: nn.Module,
        optimizer: Optimizer,
        scheduler: LRScheduler,
    ) -> TrainState:
        """Return where to go on: at the newest checkpoint, or at the first step.

        Raises RunError where `policy` forbids it, StoppedError where no checkpoint can be written,
        and what `resume` raises, and where links lie among the checkpoints.
        """
        if os.path.lexists(self.folder):
            need_real(self.folder)
        if self.folder.is_dir():
            check_real(self.folder)
        newest = self.newest()
        if policy == "never" and newest is not None:
            raise RunError(
                f"{newest} is there already and {option('resume', 'never')} was given; choose"
                f" another {option('output_dir')}"
            )
        if policy == "always" and newest is None:
            raise RunError(f"{self.folder} holds no checkpoint to resume; use resume='auto'")
        if self._accelerator.is_main_process:
            with writing(self.folder):
                self.folder.mkdir(parents=True, exist_ok=True)
        return self.resume(model, optimizer, scheduler) or TrainState()

    def resume(
        self, model: nn.Module, optimizer: Optimizer, scheduler: LRScheduler
    ) -> TrainState | None:
        """Load the newest checkpoint into what Accelerate prepared; None where there is none.

        Raises RunError for one that is damaged or belongs to another configuration.
        """
        newest = self.newest()
        if newest is None:
            return None
        content = self._read(newest)
        cure = f"Choose another {option('output_dir')}, or remove {self.folder} to begin anew"
        before = with_current_names(content["identity"])
        refuse_another(f"the checkpoint {newest}", before, self._identity, cure)
        self._check_files(newest, content["files"])
        if self._accelerator.is_main_process and not self._figures.is_file():
            shutil.copyfile(newest / FIGURES, self._figures)  # the model folder was removed
        with foreign(f"the checkpoint {newest}", RunError, cure=f"; remove it, or {self.folder}"):
            self._load_weights(model, newest)
            optimizer.load_state_dict(_load(newest / "optimizer.bin"))
            scheduler.load_state_dict(_load(newest / "scheduler.bin"))
            if self._accelerator.scaler is not None:
                self._accelerator.scaler.load_state_dict(_load(newest / "scaler.pt"))
            _set_random(_load(newest / f"random_states_{self._accelerator.process_index}.pkl"))
        return TrainState(**content["state"])

    def restore(self, model: nn.Module, step: int) -> None:
        """Load the weights of `step` into the prepared model."""
        self._load_weights(model, self._path(step))

    def clear(self) -> None:
        """Remove all checkpoints, and their folder where nothing else lies in it."""
        self._accelerator.wait_for_everyone()
        if self._accelerator.is_main_process and is_real_folder(self.folder):
            for path in [*self._steps(), *self._drafts()]:
                remove(path)
            with suppress(OSError):  # it holds something else
                self.folder.rmdir()

    def _steps(self) -> list[Path]:
        """Return the checkpoints, oldest first; nothing else that is called like one."""
        found = sorted(self.folder.glob("step-*")) if self.folder.is_dir() else []
        return [path for path in found if STEP.fullmatch(path.name) and path.is_dir()]

    def _drafts(self) -> list[Path]:
        found = self.folder.glob(".step-*.tmp")
        return [path for path in found if STEP.fullmatch(path.name[1:-4])]

    def _load_weights(self, model: nn.Module, path: Path) -> None:
        """Load weights, which `save_state` names as the model does without its wrapper."""
        load_model(self._accelerator.unwrap_model(model), path / WEIGHTS)

    def _path(self, step: int) -> Path:
        return self.folder / f"step-{step:08d}"

    def _drop_old(self, state: TrainState) -> None:
        """Keep the newest `limit` checkpoints and the best one; drop drafts of killed trainings."""
        steps = self._steps()
        kept = {*steps[-self._limit :]} if self._limit else {*steps}
        if state.best_step is not None:
            kept.add(self._path(state.best_step))
        for path in {*steps, *self._drafts()} - kept:
            remove(path)

    def _read(self, path: Path) -> _Saved:
        try:
            content = json.loads(read_text(path / STATE))
            TrainState(**content["state"])
            if not all(isinstance(content.get(n, {}), dict) for n in ("identity", "files")):
                raise TypeError("identity and files are no objects")
            return {
                "identity": content.get("identity", {}),
                "files": content.get("files", {}),
                "state": content["state"],
            }
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(self._damaged(path, f"{STATE} cannot be read ({error})")) from error

    def _check_files(self, path: Path, expected: Mapping[str, FileFacts]) -> None:
        found = _files(path)
        for name, facts in expected.items():
            if name not in found:
                raise RunError(self._damaged(path, f"{name} is missing"))
            if found[name]["bytes"] != facts["bytes"]:
                sizes = f"{found[name]['bytes']:,} of {facts['bytes']:,} bytes"
                raise RunError(self._damaged(path, f"{name} has {sizes}"))
            if found[name] != facts:
                raise RunError(self._damaged(path, f"{name} has other content than was written"))

    def _damaged(self, path: Path, what: str) -> str:
        before = [other for other in self._steps() if other < path]
        then = f"go on from {before[-1].name}" if before else "begin anew"
        return f"the newest checkpoint {path} is damaged: {what}; remove that folder to {then}"


def _files(folder: Path) -> dict[str, FileFacts]:
    """Return size in bytes and digest of each file but `state.json`."""
    found: dict[str, FileFacts] = {}
    for path in sorted(folder.iterdir()):
        if path.name != STATE:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            found[path.name] = {"bytes": path.stat().st_size, "sha256": digest}
    return found


def _load(path: Path) -> Any:
    """Read a file of `save_state` as data; nothing in it is executed."""
    with torch.serialization.safe_globals(NUMPY):  # type: ignore[arg-type]
        return torch.load(path, map_location="cpu", weights_only=True)


def _set_random(states: Mapping[str, Any]) -> None:
    """Put the generators of Python, numpy and torch back to where they were."""
    random.setstate(states["random_state"])
    np.random.set_state(states["numpy_random_seed"])
    torch.set_rng_state(states["torch_manual_seed"])
    if "torch_cuda_manual_seed" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(states["torch_cuda_manual_seed"])
