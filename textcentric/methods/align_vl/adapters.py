"""What is learnt between two frozen encoders: an adapter each, and a temperature.

The adapter is that of FuseMix (Vouitsis et al., arXiv 2312.10144).
Legend: B rows, D width of the latents, W width of the shared space.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from textcentric.methods.align_vl.config import AlignConfig

COLDEST, HOTTEST = 1e-3, 0.5  # temperatures


class Block(nn.Module):
    """u + W2 drop(gelu(W1 norm(u)))."""

    def __init__(self, width: int, expansion: int, dropout: float):
        super().__init__()
        self.body = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, expansion * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(expansion * width, width),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Return inputs (B, D) and what the layers add."""
        added: Tensor = self.body(inputs)
        return inputs + added


class Adapter(nn.Module):
    """Latents (B, D), standardised, through blocks and a linear map into the shared space (B, W).

    `mean` and `spread` (D,) are of the training items; 0 and 1 leave latents as they are.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, size: int, config: AlignConfig):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("spread", torch.ones(size))
        blocks = (Block(size, config.expansion, config.dropout) for _ in range(config.blocks))
        self.body = nn.Sequential(*blocks, nn.LayerNorm(size), nn.Linear(size, config.width))

    def standardized(self, latents: Tensor) -> Tensor:
        """Return latents (B, D) as the layers take them."""
        return (latents - self.mean) / self.spread

    def forward(self, standardized: Tensor) -> Tensor:
        """Return places in the shared space (B, W), of any length."""
        told: Tensor = self.body(standardized)
        return told


class Adapters(nn.Module):
    """Two adapters and their temperature."""

    def __init__(self, sizes: dict[str, int], config: AlignConfig):
        super().__init__()
        self.names = tuple(sizes)
        self.adapters = nn.ModuleList(Adapter(size, config) for size in sizes.values())
        self.temperature = nn.Parameter(
            torch.tensor(config.temperature), requires_grad=config.learn_temperature
        )

    def of(self, name: str) -> Adapter:
        """Return the adapter of a modality."""
        adapter = self.adapters[self.names.index(name)]
        assert isinstance(adapter, Adapter)
        return adapter

    def embed(self, name: str, latents: Tensor) -> Tensor:
        """Return unit vectors (B, W) of latents (B, D) as they were cached."""
        adapter = self.of(name)
        return normalize(adapter(adapter.standardized(latents)), dim=1)

    def clamped_temperature(self) -> Tensor:
        """Return the temperature, first brought back to where it may be."""
        self.temperature.data.clamp_(COLDEST, HOTTEST)  # data: graphs that hold it stay valid
        return self.temperature
