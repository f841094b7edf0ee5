"""Reward models: a score for a response, learnt from pairs of which one is preferred."""

from textcentric.methods.reward.config import RewardConfig, reward_config
from textcentric.methods.reward.method import Item, Reward

__all__ = ["Item", "Reward", "RewardConfig", "reward_config"]
