"""Latents of frozen encoders, computed once and read from disk."""

from textcentric.latents.cache import Latents, PairRow, PairRows, open_latents
from textcentric.latents.encoders import LatentEncoder, latent_encoder
from textcentric.latents.writing import write_arrays, write_latents

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
