"""What a training came to, for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textcentric.cli.progress import duration

if TYPE_CHECKING:
    from textcentric.training.folder import TrainResult


def facts(result: TrainResult) -> dict[str, Any]:
    """Return where the model is, its steps and its figures, as JSON values."""
    return {
        "path": str(result.output_dir),
        "steps": result.step,
        "best_step": result.best_step,
        "stopped": result.stopped,
        "seconds": round(result.train_seconds, 1),
        "metrics": result.metrics,
    }


def in_words(result: TrainResult, nothing_held_out: str, then: str) -> str:
    """Return the same as lines; `then` is the command that comes next."""
    from textcentric.training.held_out import in_words as metrics_in_words

    steps = f"{result.step} in {duration(result.train_seconds)}"
    steps += f", best {result.best_step}" if result.best_step is not None else ""
    steps += f", stopped early: {result.stopped}" if result.stopped else ""
    lines = [
        f"steps    {steps}",
        f"metrics  {metrics_in_words(result.metrics) or nothing_held_out}",
        f"model    {result.output_dir}",
        f"next     {then}",
    ]
    return "\n".join(lines)
