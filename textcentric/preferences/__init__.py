"""Preferences between two responses: the layouts they come in, and what is left out."""

from textcentric.preferences.faults import fault
from textcentric.preferences.loading import PairSet, read_pairs

__all__ = ["PairSet", "fault", "read_pairs"]
