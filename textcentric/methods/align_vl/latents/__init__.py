"""Latents of frozen encoders, computed once and read from disk."""

from __future__ import annotations

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
