"""Pairs of responses of which one is preferred: the layouts they come in."""

from __future__ import annotations

from textcentric.data.pairs.layouts import fault
from textcentric.data.pairs.loading import PairSet, PairsLike, read_pairs

__all__ = ["PairSet", "PairsLike", "fault", "read_pairs"]
