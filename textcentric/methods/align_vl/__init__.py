"""FuseMix and Align-VL: two frozen encoders brought together by what is learnt between them."""

from typing import TYPE_CHECKING

from textcentric.machine import importing

if TYPE_CHECKING:
    from textcentric.methods.align_vl.config import AlignConfig
    from textcentric.methods.align_vl.method import AlignVl

__all__ = ["AlignConfig", "AlignVl"]

__getattr__ = importing(__name__, {"config": ["AlignConfig"], "method": ["AlignVl"]})
