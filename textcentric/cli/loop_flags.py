"""The flags of the training loop, which every method of `textcentric train` takes.

A command says `**loop: Any` and is decorated; what it gets there are the flags by name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Annotated, Any

import typer

Flags = Mapping[str, tuple[type, str]]  # name -> type, what help says of it

LOOP: Flags = {
    "learning_rate": (float, "Its highest value."),
    "weight_decay": (float, "Of AdamW."),
    "num_train_epochs": (float, "Times that every row is seen."),
    "max_steps": (int, "Optimiser steps, over the epochs."),
    "per_device_train_batch_size": (int, "Rows of a micro-batch."),
    "per_device_eval_batch_size": (int, "Rows, when evaluating."),
    "gradient_accumulation_steps": (int, "Micro-batches of a step."),
    "max_grad_norm": (float, "Clip gradients there; 0 does not clip."),
    "warmup_steps": (float, "Steps; below 1 a share of all steps."),
    "lr_scheduler_type": (str, "linear, cosine, constant, ..."),
    "mixed_precision": (str, "no, bf16 or fp16."),
    "bf16": (bool, "The same as --mixed-precision bf16."),
    "fp16": (bool, "The same as --mixed-precision fp16."),
    "use_cpu": (bool, "Leave accelerators alone."),
    "metric_for_best_model": (str, "Keep the best weights by this metric."),
    "greater_is_better": (bool, "If its name does not say it."),
    "early_stopping_patience": (int, "Evaluations without a gain."),
    "eval_strategy": (str, "epoch, steps or no."),
    "eval_steps": (int, "Steps between two evaluations."),
    "save_strategy": (str, "Checkpoints: epoch, steps or no."),
    "save_steps": (int, "Steps between two checkpoints."),
    "save_total_limit": (int, "Checkpoints to keep, beside the model."),
    "logging_steps": (int, "Steps between two lines of figures."),
    "report_to": (str, "none, tensorboard or wandb."),
    "train_sampling_strategy": (str, "group_by_length or random."),
    "resume": (str, "auto, never or always."),
    "resume_from_checkpoint": (bool, "The same as --resume always, or never."),
}
OPPOSITES = {"greater_is_better": "--lower-is-better"}


def taking(flags: Flags) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the `flags` where it says `**NAME`; those not given are None."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        known = inspect.signature(command, eval_str=True)
        parameters = list(known.parameters.values())
        place = next(n for n, p in enumerate(parameters) if p.kind is p.VAR_KEYWORD)
        parameters[place : place + 1] = [_parameter(name, *flags[name]) for name in flags]

        @wraps(command)
        def taking_them(**given: Any) -> None:
            command(**given)

        named = [p.replace(kind=p.KEYWORD_ONLY) for p in parameters]
        taking_them.__signature__ = known.replace(parameters=named)  # type: ignore[attr-defined]
        return taking_them

    return decorate


def _parameter(name: str, kind: type, about: str) -> inspect.Parameter:
    """Return the parameter of a flag, as Typer reads it."""
    spelt = f"--{name.replace('_', '-')}"
    if kind is bool:
        spelt += "/" + OPPOSITES.get(name, f"--no-{name.replace('_', '-')}")
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind | None, typer.Option(spelt, help=about)],
    )
