"""Latents of frozen encoders, computed once and read from disk."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textcentric.methods.align_vl.latents.cache import Latents, PairRow, PairRows, open_latents
    from textcentric.methods.align_vl.latents.encoders import LatentEncoder, latent_encoder
    from textcentric.methods.align_vl.latents.writing import write_arrays, write_latents

__all__ = [
    "LatentEncoder",
    "Latents",
    "PairRow",
    "PairRows",
    "latent_encoder",
    "open_latents",
    "write_arrays",
    "write_latents",
]

_HOME = {
    **dict.fromkeys(("Latents", "PairRow", "PairRows", "open_latents"), "cache"),
    **dict.fromkeys(("LatentEncoder", "latent_encoder"), "encoders"),
    **dict.fromkeys(("write_arrays", "write_latents"), "writing"),
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that reading settings imports no torch."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
