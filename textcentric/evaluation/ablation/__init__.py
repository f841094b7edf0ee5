"""Ablations: what is lost where one piece of a method is taken away, with seeds and intervals."""

from __future__ import annotations
