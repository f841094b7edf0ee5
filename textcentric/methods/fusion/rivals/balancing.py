"""What rivals that balance modalities share: some change with the epoch, and are told of it."""

from __future__ import annotations

from torch import nn


class Balancing(nn.Module):
    """An objective that weighs modalities against each other."""

    epoch: int = 0  # of the next batch, from 0
