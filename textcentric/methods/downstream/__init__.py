"""Downstream transformers: fine-tuned on text rows and their adversarial variants."""

from typing import TYPE_CHECKING

from textcentric.machine import importing

if TYPE_CHECKING:
    from textcentric.methods.downstream.config import DownstreamConfig
    from textcentric.methods.downstream.decision import Decision, Predictions
    from textcentric.methods.downstream.method import Downstream

__all__ = ["Decision", "Downstream", "DownstreamConfig", "Predictions"]

__getattr__ = importing(
    __name__,
    {
        "config": ["DownstreamConfig"],
        "decision": ["Decision", "Predictions"],
        "method": ["Downstream"],
    },
)
