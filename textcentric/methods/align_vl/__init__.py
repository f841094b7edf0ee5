"""FuseMix and Align-VL: two frozen encoders brought together by what is learnt between them."""

from textcentric.methods.align_vl.config import AlignConfig, align_config
from textcentric.methods.align_vl.method import AlignVl

__all__ = ["AlignConfig", "AlignVl", "align_config"]
