"""What a training needs before its first step: processes, trackers, optimiser, identity."""

from __future__ import annotations

import hashlib
import math
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from importlib.util import find_spec

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import (
    DistributedDataParallelKwargs,
    GradientAccumulationPlugin,
    InitProcessGroupKwargs,
    ProjectConfiguration,
)

from textcentric.errors import ConfigError, DataError, option
from textcentric.machine import cpu_dtype
from textcentric.training.config import TrainConfig
from textcentric.training.protocol import Identified, Method, Row
from textcentric.values import Json

WAIT = timedelta(hours=6)  # how long processes wait while the main one evaluates


def check_rows(
    config: TrainConfig, train_rows: Sequence[Identified], eval_rows: Sequence[Identified]
) -> None:
    """Raise DataError where there is nothing to train on, or nothing to evaluate on."""
    if not len(train_rows):
        raise DataError("there are no rows to train on; give at least one")
    if config.eval_strategy != "no" and not len(eval_rows):
        raise DataError(
            f"eval_strategy={config.eval_strategy!r} needs held-out rows and there are none;"
            " give some, or eval_strategy='no'"
        )


def open_accelerator(config: TrainConfig) -> Accelerator:
    """Start Accelerate, in one process or in as many as were launched."""
    if config.report_to != "none" and find_spec(config.report_to) is None:
        raise ConfigError(
            f"report_to={config.report_to!r} is not installed: pip install {config.report_to},"
            " or report_to='none'"
        )
    cpu = config.use_cpu or not torch.accelerator.is_available()
    if cpu and config.mixed_precision == "fp16":
        raise ConfigError("mixed_precision='fp16' needs a GPU; on a CPU use 'bf16' or 'no'")
    if cpu and config.mixed_precision == "bf16" and cpu_dtype() != "bfloat16":
        warnings.warn(
            "mixed_precision='bf16': this CPU has no AVX-512 and emulates such numbers, which is"
            " many times slower than mixed_precision='no'",
            stacklevel=2,
        )
    AcceleratorState._reset_state()  # the last training in this process had its own precision
    try:
        accelerator = Accelerator(
            mixed_precision=config.mixed_precision,
            cpu=cpu,  # where it is not said, Accelerate runs processes on CPUs side by side
            gradient_accumulation_plugin=GradientAccumulationPlugin(num_steps=1),  # not from env
            step_scheduler_with_optimizer=False,  # else it steps once a process
            log_with=None if config.report_to == "none" else config.report_to,
            project_config=ProjectConfiguration(
                project_dir=str(config.output_dir), logging_dir=str(config.output_dir / "logs")
            ),
            kwargs_handlers=[
                InitProcessGroupKwargs(timeout=WAIT),
                DistributedDataParallelKwargs(find_unused_parameters=True),
            ],
        )
    except ValueError as error:
        raise ConfigError(f"Accelerate cannot start so: {error}") from error
    launched = int(os.environ.get("WORLD_SIZE", "1"))
    if launched != accelerator.num_processes:
        raise ConfigError(
            f"{launched} processes were launched and Accelerate uses {accelerator.num_processes};"
            f" start them with `torchrun --nproc_per_node {launched}`"
        )
    return accelerator


@contextmanager
def trackers(accelerator: Accelerator, config: TrainConfig) -> Iterator[None]:
    """Open the trackers with the settings of this training, and close them again."""
    settings = {name: value for name, value in config.identity().items() if value is not None}
    accelerator.init_trackers("textcentric", config=settings)
    try:
        yield
    finally:
        for tracker in accelerator.trackers:
            tracker.finish()


def make_optimizer(
    model: torch.nn.Module, config: TrainConfig, device: torch.device
) -> torch.optim.Optimizer:
    """Return AdamW (arXiv 1711.05101); biases and the weights of norms, vectors, do not decay."""
    trained = [one for one in model.parameters() if one.requires_grad]
    if not trained and config.max_steps != 0:
        raise ConfigError(
            "the model has no parameter that can be trained; unfreeze some, or take no step"
            f" ({option('max_steps', 0)})"
        )
    groups = [
        {"params": [one for one in trained if one.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [one for one in trained if one.ndim <= 1], "weight_decay": 0.0},
    ]
    fused = device.type in ("cpu", "cuda")
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=fused)


def total_steps(config: TrainConfig, steps_of_epoch: int) -> int:
    """Return the number of optimiser steps of the whole training."""
    if config.max_steps >= 0:
        return config.max_steps
    return max(1, math.ceil(config.num_train_epochs * steps_of_epoch))


def warmup_steps(config: TrainConfig, steps: int) -> int:
    """Return the steps of warm-up: as many as configured, or their share of all `steps`."""
    share_of_steps = config.warmup_steps < 1
    return math.ceil(config.warmup_steps * steps) if share_of_steps else int(config.warmup_steps)


def training_identity(
    method: Method[Row],
    config: TrainConfig,
    train_rows: Sequence[Row],
    eval_rows: Sequence[Row],
    lengths: Sequence[int],
    accelerator: Accelerator,
) -> dict[str, Json]:
    """Return what must agree for a resumed training to give the weights of an undisturbed one."""
    known = [*zip(map(row_id, train_rows), lengths, strict=True), *map(row_id, eval_rows)]
    return {
        "method": method.name,
        "fingerprint": method.fingerprint(),
        "train": config.identity(),
        "rows": {
            "train": len(train_rows),
            "held out": len(eval_rows),
            "digest": hashlib.sha256(repr(known).encode()).hexdigest()[:16],
        },
        "processes": accelerator.num_processes,
        "device": accelerator.device.type,
    }


def row_id(row: Identified) -> str:
    """Return the id of a row, as messages name it."""
    return str(row.id)
