"""Preferences between two responses: pairs, the layouts they come in, and how they are made."""

from textcentric.preferences.loading import PairSet, read_pairs
from textcentric.preferences.pair import Pair, fault

__all__ = ["Pair", "PairSet", "fault", "read_pairs"]
