"""FuseMix and Align-VL: two frozen encoders brought together by what is learnt between them."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textcentric.methods.align_vl.config import AlignConfig, align_config
    from textcentric.methods.align_vl.method import AlignVl

__all__ = [
    "AlignConfig",
    "AlignVl",
    "align_config",
]

_HOME = {
    "AlignConfig": "config",
    "AlignVl": "method",
    "align_config": "config",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that reading settings imports no torch."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
