"""A client: it is sent weights, trains on its own rows alone, and returns weights and counts.

The class is Flower's, so the same one could serve a real federation; here the command calls it.
It keeps nothing between rounds. Legend: B rows, C classes, Q projected width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from random import Random

import numpy as np
import torch
from torch import Tensor

from textcentric.errors import DataError
from textcentric.methods.fusion.federated.clients import Member
from textcentric.methods.fusion.federated.config import FederatedConfig
from textcentric.methods.fusion.federated.flower import NumPyClient
from textcentric.methods.fusion.federated.model import PROTOTYPES, UNCERTAINTY, ClientModel, State
from textcentric.methods.fusion.federated.objective import prototypes_of
from textcentric.methods.fusion.federated.uncertainty import uncertainty
from textcentric.methods.fusion.inputs import Senses
from textcentric.models.loading import seeded
from textcentric.rows import Record

Scalars = dict[str, bool | bytes | float | int | str]


class FusionClient(NumPyClient):
    """One member of a federation with its rows; `senses` read its modalities, normalised alike.

    `complete` says whether it has all modalities of the federation. `sent` and `returned` name the
    arrays of `fit` in their order.
    """

    def __init__(
        self,
        member: Member,
        config: FederatedConfig,
        senses: Senses,
        classes: Sequence[str],
        *,
        complete: bool,
        device: str = "cpu",
    ):
        self.name, self.modalities, self.rows = member.name, member.modalities, member.rows
        self.config, self.senses, self.complete, self.device = config, senses, complete, device
        self.classes = {name: at for at, name in enumerate(classes)}
        model = self._model()
        own = [name for one in self.modalities for name in model.shared(one)]
        prototypes = PROTOTYPES if config.method == "mfcpl" else ()
        self.sent = [*own, *prototypes]
        self.returned = [*own, *(prototypes if complete else ())]
        self.measured = _measured(model) if config.method == "ha-fed" and config.kappa else []
        self.returned += [UNCERTAINTY] if self.measured else []

    def fit(
        self, parameters: list[np.ndarray], config: Scalars
    ) -> tuple[list[np.ndarray], int, Scalars]:
        """Train for the epochs of one round; `config` holds its number under "round".

        Returns the arrays that `returned` names, the number of rows, and under "rows_<modality>"
        how many have each. Raises DataError where a loss is not finite.
        """
        number = int(config["round"])
        sent = dict(zip(self.sent, parameters, strict=True))
        with seeded(self._rng(number, "torch").randrange(2**31)):
            model = self._model()
            model.take(sent)
            fixed = {
                name: torch.from_numpy(np.asarray(sent[name])).to(self.device)
                for name in PROTOTYPES
                if name in sent
            }
            loss = self._train(model, number, fixed)
            found = model.state(self.modalities)
            if self.config.method == "mfcpl" and self.complete:
                found |= self._prototypes(model)
            if self.measured:
                found[UNCERTAINTY] = self._uncertainty(model, number, fixed)
        counts: Scalars = {
            f"rows_{name}": sum(name in row.inputs for row in self.rows) for name in self.modalities
        }
        return [found[name] for name in self.returned], len(self.rows), {**counts, "loss": loss}

    def _model(self) -> ClientModel:
        return ClientModel(self.config, self.senses, len(self.classes)).to(self.device)

    def _train(self, model: ClientModel, number: int, fixed: dict[str, Tensor]) -> float:
        """Run SGD over the round's epochs; return the mean loss of a row in the last one."""
        learnt = [one for one in model.parameters() if one.requires_grad]
        optimizer = torch.optim.SGD(
            learnt, lr=self.config.learning_rate, momentum=self.config.momentum
        )
        model.train()
        total = 0.0
        for epoch in range(self.config.local_epochs):
            total = 0.0
            for rows in self._batches(self._rng(number, epoch)):
                losses = model.losses(self._batch(rows) | fixed, complete=self.complete)
                if not bool(torch.isfinite(losses).all()):
                    raise DataError(
                        f"client {self.name!r}: the loss of a batch with row {rows[0].id!r} is not"
                        " finite; look at its values, or lower learning_rate",
                        row_id=rows[0].id,
                    )
                optimizer.zero_grad(set_to_none=True)
                losses.mean().backward()
                optimizer.step()
                total += float(losses.detach().sum())
        return total / len(self.rows)

    def _prototypes(self, model: ClientModel) -> State:
        """Return the prototypes of this client's complete rows, as its trained model sees them."""
        model.eval()
        read, labels = [], []
        with torch.no_grad():
            for rows in self._batches(None):
                batch = self._batch(rows)
                read.append(model.read(batch))
                labels.append(batch["labels"])
        projected = torch.cat([one.projected for one in read if one.projected is not None])
        present = torch.cat([one.output.present for one in read])
        found = prototypes_of(projected, present, torch.cat(labels), len(self.classes))
        return {name: one.cpu().numpy().copy() for name, one in zip(PROTOTYPES, found, strict=True)}

    def _uncertainty(self, model: ClientModel, number: int, fixed: dict[str, Tensor]) -> np.ndarray:
        """Return the uncertainty of each of `measured`, float64."""
        model.train()  # what follows moves a copy: the state is taken
        rng = self._rng(number, UNCERTAINTY)
        batches = chain.from_iterable(self._batches(rng) for _ in repeat(None))
        weights = dict(model.named_parameters())

        def loss(rows: Sequence[Record]) -> Tensor:
            batch = self._batch(rows) | fixed
            return model.losses(batch, complete=self.complete).mean()

        found = uncertainty(
            {name: weights[name] for name in self.measured},
            ((lambda rows=rows: loss(rows)) for rows in batches),  # type: ignore[misc]
            samples=self.config.uncertainty_samples,
            temperature=self.config.uncertainty_temperature,
            learning_rate=self.config.learning_rate,
            generator=torch.Generator().manual_seed(rng.randrange(2**31)),
        )
        return np.array([found[name] for name in self.measured])

    def _batches(self, rng: Random | None) -> Iterator[list[Record]]:
        """Yield the rows in batches, in an order of `rng`, or in their own."""
        rows = list(self.rows)
        if rng is not None:
            rng.shuffle(rows)
        for start in range(0, len(rows), self.config.batch_size):
            yield rows[start : start + self.config.batch_size]

    def _batch(self, rows: Sequence[Record]) -> dict[str, Tensor]:
        labels = torch.tensor([self.classes[str(row.target)] for row in rows])
        batch = {**self.senses.batch(rows), "labels": labels}
        return {name: value.to(self.device) for name, value in batch.items()}

    def _rng(self, number: int, what: object) -> Random:
        return Random(f"federated/{self.config.seed}/{number}/{self.name}/{what}")


def _measured(model: ClientModel) -> list[str]:
    """Return the names of the parameters that are trained, in the order of the model."""
    return [name for name, one in model.named_parameters() if one.requires_grad]
