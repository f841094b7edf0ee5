"""Downstream transformers: fine-tuned on text rows and their adversarial variants."""

from textcentric.methods.downstream.config import DownstreamConfig, downstream_config
from textcentric.methods.downstream.decision import Decision, Predictions
from textcentric.methods.downstream.method import Downstream
from textcentric.methods.downstream.origin import Origin, expert_origin, read_origin

__all__ = [
    "Decision",
    "Downstream",
    "DownstreamConfig",
    "Origin",
    "Predictions",
    "downstream_config",
    "expert_origin",
    "read_origin",
]
