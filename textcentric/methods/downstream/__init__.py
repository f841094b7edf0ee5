"""Downstream transformers: fine-tuned on text rows and their adversarial variants."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textcentric.methods.downstream.config import DownstreamConfig, downstream_config
    from textcentric.methods.downstream.decision import Decision, Predictions
    from textcentric.methods.downstream.method import Downstream

__all__ = [
    "Decision",
    "Downstream",
    "DownstreamConfig",
    "Predictions",
    "downstream_config",
]

_HOME = {
    "Decision": "decision",
    "Downstream": "method",
    "DownstreamConfig": "config",
    "Predictions": "decision",
    "downstream_config": "config",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that reading settings imports no torch."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
