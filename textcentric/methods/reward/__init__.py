"""Reward models: a score for a response, learnt from pairs of which one is preferred."""

from typing import TYPE_CHECKING

from textcentric.machine import importing

if TYPE_CHECKING:
    from textcentric.methods.reward.config import RewardConfig
    from textcentric.methods.reward.method import Item, Reward

__all__ = ["Item", "Reward", "RewardConfig"]

__getattr__ = importing(__name__, {"config": ["RewardConfig"], "method": ["Item", "Reward"]})
