"""Reward models: a score for a response, learnt from pairs of which one is preferred."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textcentric.methods.reward.config import RewardConfig, reward_config
    from textcentric.methods.reward.method import Item, Reward

__all__ = [
    "Item",
    "Reward",
    "RewardConfig",
    "reward_config",
]

_HOME = {
    "Item": "method",
    "Reward": "method",
    "RewardConfig": "config",
    "reward_config": "config",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that reading settings imports no torch."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
