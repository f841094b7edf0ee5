"""The model of one client: the parts of the fusion model that its modalities need.

What clients and server send each other are arrays by name: of encoders, heads and projections,
statistics of batch normalisation among them. Legend: B rows, M modalities, C classes, Q width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from textcentric.methods.fusion.encoders import make_encoder
from textcentric.methods.fusion.federated.config import FederatedConfig
from textcentric.methods.fusion.federated.objective import (
    own_losses,
    prototype_losses,
    read_prototypes,
)
from textcentric.methods.fusion.inputs import Senses
from textcentric.methods.fusion.model import FusionModel, Output

State = dict[str, np.ndarray]
PROTOTYPES = ("prototypes", "prototype_rows")
UNCERTAINTY = "uncertainty"


class Read(NamedTuple):
    """What the model says of a batch, and projected features (B, M, Q) where it has any."""

    output: Output
    projected: Tensor | None


class ClientModel(nn.Module):
    """A fusion model of some modalities, without a bias, and their projections for prototypes.

    One bias could not be told apart by modality, so heads have none.
    """

    def __init__(self, config: FederatedConfig, senses: Senses, classes: int):
        super().__init__()
        model = config.model()
        encoders = {name: make_encoder(model, name, senses.size(name)) for name in senses.names}
        self.fusion = FusionModel(
            encoders, classes, orthogonality="none", weights_start=None, absent=model.absent
        )
        self.fusion.bias.requires_grad_(False)
        self.config = config
        self.projections = nn.ModuleDict(
            {
                name: nn.Linear(encoder.width, config.prototype_width, bias=False)
                for name, encoder in encoders.items()
                if config.method == "mfcpl"
            }
        )

    def read(self, batch: Mapping[str, Tensor]) -> Read:
        """Return what the model says of a raw batch; a lone row has no statistics of its own."""
        training = self.training
        if len(batch["present"]) == 1:
            self.fusion.encoders.eval()
        output = self.fusion(batch)
        self.train(training)
        if not self.projections:
            return Read(output, None)
        names = self.fusion.names
        each = [self.projections[name](output.features[name].float()) for name in names]
        return Read(output, torch.stack(each, dim=1))

    def losses(self, batch: Mapping[str, Tensor], *, complete: bool) -> Tensor:
        """Return the loss of each row (B,); with prototypes, those stand in the batch."""
        output, projected = self.read(batch)
        labels, present = batch["labels"], output.present
        losses = own_losses(output.scores, present, labels)
        if projected is None:
            return losses
        return losses + prototype_losses(
            projected, present, labels, read_prototypes(batch), self.config, complete=complete
        )

    def shared(self, modality: str) -> dict[str, Tensor]:
        """Return what is averaged over the clients of a modality, by name.

        Counters of batches, which say nothing of the weights, stay where they are.
        """
        starts = (f"fusion.encoders.{modality}.", f"projections.{modality}.")
        return {
            name: value
            for name, value in self.state_dict(keep_vars=True).items()
            if (name.startswith(starts) or name == f"fusion.rows.{modality}")
            and value.is_floating_point()
        }

    def state(self, modalities: Sequence[str]) -> State:
        """Return copies of what is averaged over the clients of these modalities."""
        return {
            name: value.detach().cpu().numpy().copy()
            for modality in modalities
            for name, value in self.shared(modality).items()
        }

    @torch.no_grad()
    def take(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over the arrays of `state` that belong to this model."""
        for modality in self.fusion.names:
            for name, value in self.shared(modality).items():
                value.copy_(torch.from_numpy(np.asarray(state[name])))
