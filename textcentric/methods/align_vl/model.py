"""The adapters and their loss as one module, which a training wraps and calls.

Legend: B rows of a batch, N positives of it, W width of the shared space.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from textcentric.methods.align_vl.config import AlignConfig
from textcentric.methods.align_vl.objective import (
    contrastive_losses,
    mixed,
    over_all,
    perturbed,
    smoothing_now,
    to_rows,
)

COLDEST, HOTTEST = 1e-3, 0.5  # temperatures


class AlignModel(nn.Module):
    """FuseMix and Align-VL: mix, perturb, adapt, compare all with all of the batch."""

    def __init__(self, adapters: Adapters, config: AlignConfig):
        super().__init__()
        self.adapters, self.config = adapters, config

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the loss of each row (B,).

        `batch` holds latents (B, D) by modality, `share` () where pairs are mixed, `epoch` ().
        """
        names = self.adapters.names
        first, second = (self._placed(name, batch) for name in names)
        cosines = first @ second.T  # (N, N)
        losses = contrastive_losses(
            cosines / self.adapters.clamped_temperature(), self._smoothing(cosines, batch)
        )
        return to_rows(losses, len(batch[names[0]])) if "share" in batch else losses

    def _placed(self, name: str, batch: Mapping[str, Tensor]) -> Tensor:
        """Return unit vectors (N, W) of a modality, disturbed as configured."""
        adapter = self.adapters.of(name)
        latents = adapter.standardized(batch[name])
        if "share" in batch:
            latents = mixed(latents, batch["share"])
        if self._noise("before"):
            latents = perturbed(latents, self.config.noise, self._sigma(latents))
        places: Tensor = adapter(latents)
        if self._noise("after"):
            places = perturbed(places, self.config.noise, self._sigma(places))
        return normalize(places, dim=1)

    def _noise(self, place: str) -> bool:
        """Say whether noise is drawn: never one of sigma 0, which would move later draws."""
        on = self.training and self.config.noise_sigma > 0
        return on and self.config.noise_place == place

    def _sigma(self, values: Tensor) -> float | Tensor:
        """Return sigma, or sigma of each dimension (D,) by that of the batch."""
        if not self.config.noise_relative:
            return self.config.noise_sigma
        spread: Tensor = values.detach().std(dim=0, correction=0)
        return self.config.noise_sigma * spread

    def _smoothing(self, cosines: Tensor, batch: Mapping[str, Tensor]) -> float | Tensor:
        config = self.config
        alpha = smoothing_now(
            config.smoothing,
            config.smoothing_schedule,
            float(batch["epoch"]),
            config.smoothing_epochs,
            cosines.diagonal(),
        )
        return over_all(alpha, len(cosines), config.smoothing_off_diagonal)


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
