"""Late fusion of encoders, trained by CRMT, its variants and its rivals."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textcentric.methods.fusion.config import VARIANTS, CrmtConfig, crmt_config
    from textcentric.methods.fusion.method import Crmt

__all__ = [
    "VARIANTS",
    "Crmt",
    "CrmtConfig",
    "crmt_config",
]
_HOME = {
    "VARIANTS": "config",
    "Crmt": "method",
    "CrmtConfig": "config",
    "crmt_config": "config",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that reading settings imports no torch."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
