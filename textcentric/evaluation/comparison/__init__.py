"""What a comparison is made of: its configuration, its arms, the cheap baselines."""

from __future__ import annotations
