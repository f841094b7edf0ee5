"""Late fusion of encoders, trained by CRMT, its variants and its rivals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textcentric.machine import importing

if TYPE_CHECKING:
    from textcentric.methods.fusion.config import VARIANTS, CrmtConfig
    from textcentric.methods.fusion.method import Crmt

__all__ = ["VARIANTS", "Crmt", "CrmtConfig"]

__getattr__ = importing(__name__, {"config": ["VARIANTS", "CrmtConfig"], "method": ["Crmt"]})
