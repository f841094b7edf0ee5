"""What a comparison is made of: its configuration, its arms, the cheap rivals."""

from __future__ import annotations
