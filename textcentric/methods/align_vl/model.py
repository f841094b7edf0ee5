"""The adapters and their loss as one module, which a training wraps and calls.

Legend: B rows of a batch, N positives of it, W width of the shared space.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn.functional import normalize

from textcentric.methods.align_vl.adapters import Adapters
from textcentric.methods.align_vl.config import AlignConfig
from textcentric.methods.align_vl.disturbance import mixed, perturbed, to_rows
from textcentric.methods.align_vl.objective import contrastive_losses, over_all, smoothing_now


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
