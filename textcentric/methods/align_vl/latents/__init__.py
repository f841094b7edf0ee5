"""Latents of frozen encoders, computed once and read from disk."""

from typing import TYPE_CHECKING

from textcentric.machine import importing

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

__getattr__ = importing(
    __name__,
    {
        "cache": ["Latents", "PairRow", "PairRows", "open_latents"],
        "encoders": ["LatentEncoder", "latent_encoder"],
        "writing": ["write_arrays", "write_latents"],
    },
)
