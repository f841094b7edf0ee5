"""Held-out metrics in a training: which weights are the best ones, and when to stop."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast

from textcentric.errors import ConfigError, unknown
from textcentric.metrics.scores import HIGHER_IS_BETTER
from textcentric.training.checkpoints import TrainState
from textcentric.training.config import TrainConfig
from textcentric.training.log import TrainLog
from textcentric.training.protocol import Method, Row


def held_out_metrics(
    method: Method[Row], config: TrainConfig, rows: Sequence[Row], accelerator: Accelerator
) -> dict[str, float]:
    """Return the metrics of the held-out rows, on the main process; the others wait for it."""
    if not accelerator.is_main_process:
        return {}
    method.model.eval()
    with torch.no_grad():
        metrics = method.evaluate(rows, config.per_device_eval_batch_size)
    method.model.train()
    return {name: float(value) for name, value in metrics.items()}


def best_metric(config: TrainConfig) -> str | None:
    """Return the name of the metric that chooses the best weights, as the method calls it."""
    name = config.metric_for_best_model
    return name and name.removeprefix("eval_")


def judge(
    metrics: Mapping[str, float], config: TrainConfig, state: TrainState, accelerator: Accelerator
) -> None:
    """Note in `state` whether these weights are the best ones, and whether to stop early."""
    name = best_metric(config)
    if not name:
        return
    if accelerator.is_main_process and name not in metrics:
        raise ConfigError(unknown("metric_for_best_model", name, metrics))
    told = torch.tensor([metrics.get(name, math.nan)], device=accelerator.device)
    value = float(broadcast(told).item())
    greater = config.greater_is_better
    if greater is None:
        greater = HIGHER_IS_BETTER.get(name, not name.endswith(("loss", "error")))
    gain = value - (-math.inf if state.best is None else state.best)
    if state.best is not None and not greater:
        gain = -gain
    if gain > 0:
        state.best, state.best_step, state.stale = value, state.step, 0
        return
    state.stale += 1
    if config.early_stopping_patience and state.stale >= config.early_stopping_patience:
        state.stopped = f"{name} did not improve in {state.stale} evaluations"


def last_metrics(log: TrainLog, step: int) -> dict[str, float]:
    """Return the metrics of the last evaluation up to `step`, from `metrics.jsonl`."""
    for line in reversed(log.lines()):
        found = {k[5:]: v for k, v in line.items() if k.startswith("eval_") and v is not None}
        if found and line["step"] <= step:
            return found
    return {}


def in_words(metrics: Mapping[str, float]) -> str:
    """Return metrics as people read them.

    >>> in_words({"macro_f1": 0.5})
    'macro f1 0.5000'
    """
    return ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in metrics.items())
