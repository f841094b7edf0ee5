"""Align-VL on cached latents as a method of the training loop; with noise and smoothing 0, FuseMix.

FuseMix is Vouitsis et al., arXiv 2312.10144; Random Perturbation and Embedding Smoothing are those
of Align-VL. Negatives are those of a micro-batch on one process.

>>> latents = open_latents("latents/flickr8k")                                  # doctest: +SKIP
>>> rows = latents.rows("train")                                                # doctest: +SKIP
>>> method = AlignVl(AlignConfig(), latents, rows)                              # doctest: +SKIP
>>> train(method, TrainConfig(output_dir="models/flickr8k"), rows)              # doctest: +SKIP

Legend: B rows of a batch, D width of latents, W width of the shared space.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

import numpy as np
import torch
from torch import Tensor, nn

from textcentric.errors import DataError, RunError
from textcentric.folders import write_text
from textcentric.methods.align_vl.config import AlignConfig
from textcentric.methods.align_vl.latents import Latents, PairRow, PairRows
from textcentric.methods.align_vl.model import Adapters, AlignModel
from textcentric.metrics.recall import Searched, recall, search_one_way
from textcentric.models.loading import seeded
from textcentric.security.files import check_real
from textcentric.security.foreign import foreign
from textcentric.security.trust import is_trusted, writing_ours
from textcentric.training.folder import read_metadata
from textcentric.values import Json

PAPERS, WEIGHTS, FORMAT = "align.json", "model.safetensors", 1
NEEDS = ("config", "modalities", "encoders")  # keys of that file
BLOCK = 8192  # items at a time, where all are read


class AlignVl:
    """Two adapters that learn from pairs of cached latents.

    `rows` are the pairs of training: their items give mean and spread. Raises DataError where
    there are fewer than two.
    """

    name = "align-vl"
    notes: tuple[str, ...] = ()
    said_by: Path | None = None  # the folder that names the encoders, where one does

    def __init__(self, config: AlignConfig, latents: Latents, rows: Sequence[PairRow]):
        if len(rows) < 2:
            raise DataError(f"{len(rows)} pairs to learn from; a contrast needs at least two")
        self.config, self.latents = config, latents
        self.names = latents.modalities
        sizes = {name: latents.width(name) for name in self.names}
        self.encoders = {name: latents.encoder(name) for name in self.names}
        with seeded(config.seed):
            self.model = AlignModel(Adapters(sizes, config), config)
        if config.standardize:
            self._standardize(rows)

    @property
    def adapters(self) -> Adapters:
        """Return what is kept."""
        return self.model.adapters

    def collate(self, rows: Sequence[PairRow], epoch: int) -> dict[str, Tensor]:
        """Return the latents (B, D) of pairs, and the share by which they are mixed."""
        places = np.array([row.places for row in rows])  # (B, 2)
        batch = {"epoch": torch.tensor(float(epoch))}
        for name, at in zip(self.names, places.T, strict=True):
            batch[name] = torch.from_numpy(self.latents.read(name, at))
        if self.config.mixing:
            rng = Random(f"mix/{self.config.seed}/{epoch}/{rows[0].id}")
            beta = self.config.mixing_beta
            batch["share"] = torch.tensor(rng.betavariate(beta, beta))
        return batch

    def loss(self, model: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the loss of each row (B,)."""
        told: Tensor = model(batch)
        return told

    def lengths(self, rows: Sequence[PairRow]) -> list[int]:
        """Return 1 for each row."""
        return [1] * len(rows)

    def evaluate(self, rows: Sequence[PairRow], batch_size: int) -> dict[str, float]:
        """Return R@1, 5 and 10 both ways among the items of rows, and their mean.

        An item may belong to several of the other modality; the nearest of them counts.
        """
        told = {
            f"{way.replace(' ', '_')}_r{k}": value
            for way, found in self.searched(rows).items()
            for k, value in recall(found.ranks).items()
        }
        told["mean_recall"] = sum(told.values()) / len(told)
        return told | {"temperature": self.adapters.temperature.item()}

    def searched(self, rows: Sequence[PairRow]) -> dict[str, Searched]:
        """Search the items of rows with each other, both ways: {"image to text": ...}."""
        pairs = _pairs(rows)
        items, places = zip(
            *(np.unique(column, return_inverse=True) for column in pairs.T), strict=True
        )
        vectors = [
            self.embed(name, self.latents.read(name, of))
            for name, of in zip(self.names, items, strict=True)
        ]
        return {
            f"{self.names[one]} to {self.names[other]}": search_one_way(
                vectors[one], vectors[other], np.stack([places[one], places[other]], axis=1)
            )
            for one, other in ((0, 1), (1, 0))
        }

    def finish(
        self, rows: Sequence[PairRow], held_out: Sequence[PairRow], batch_size: int
    ) -> dict[str, float]:
        """Do nothing: there is no second step."""
        return {}

    def embed(self, name: str, latents: np.ndarray) -> Tensor:
        """Return unit vectors (B, W), on the CPU, of latents (B, D) as the encoder gave them."""
        device = self.adapters.temperature.device
        training = self.model.training
        self.model.eval()
        try:
            with torch.no_grad():
                parts = [
                    self.adapters.embed(name, torch.from_numpy(latents[at : at + BLOCK]).to(device))
                    for at in range(0, len(latents), BLOCK)
                ]
        finally:
            self.model.train(training)
        return torch.cat(parts).cpu()

    def save(self, folder: str | Path) -> None:
        """Write adapters and `align.json`."""
        from safetensors.torch import save_file

        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with writing_ours(folder, is_trusted(self.said_by or self.latents.folder)):
            weights = {name: one.contiguous() for name, one in self.adapters.state_dict().items()}
            save_file(weights, folder / WEIGHTS)
            metadata = {
                "format": FORMAT,
                "config": self.config.model_dump(mode="json"),
                "modalities": {name: self.adapters.of(name).mean.shape[0] for name in self.names},
                "encoders": self.encoders,
            }
            write_text(folder / PAPERS, json.dumps(metadata, indent=2) + "\n")

    @classmethod
    def load(cls, folder: str | Path, latents: Latents | None = None) -> AlignVl:
        """Return what `save` wrote, ready to embed `latents`.

        Raises RunError where it cannot be used, or where other encoders made the latents.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        folder = Path(folder)
        check_real(folder)
        metadata = read_metadata(folder, PAPERS, FORMAT, "aligned model", "train align-vl", NEEDS)
        method = cls.__new__(cls)
        with foreign(str(folder / PAPERS), RunError, cure="; copy the folder again"):
            method.config = config = AlignConfig.of(metadata["config"])
            method.names = tuple(metadata["modalities"])
            encoders = {name: (str(n), str(v)) for name, (n, v) in metadata["encoders"].items()}
            adapters = Adapters(metadata["modalities"], config)
        method.encoders, method.said_by = encoders, folder
        try:
            adapters.load_state_dict(load_file(folder / WEIGHTS))
        except (OSError, SafetensorError, RuntimeError) as error:
            raise RunError(
                f"the adapters in {folder} cannot be loaded ({error}); copy the folder again, or"
                " train again"
            ) from error
        method.model = AlignModel(adapters, config).eval()
        if latents is not None:
            method.latents = latents
            method.check(latents)
        return method

    def check(self, latents: Latents) -> None:
        """Raise RunError where latents were made by other encoders than those of training."""
        for name in self.names:
            if name not in latents.modalities or latents.encoder(name) != self.encoders[name]:
                has = latents.encoder(name) if name in latents.modalities else "nothing"
                raise RunError(
                    f"the model reads {name} latents of {self.encoders[name]}, and"
                    f" {latents.folder} holds {has}; make latents with that encoder"
                )

    def fingerprint(self) -> dict[str, Json]:
        """Return the configuration and the digest of the latents."""
        config = self.config.model_dump(mode="json")
        return {"method": self.name, "config": config, "latents": self.latents.digest}

    def _standardize(self, rows: Sequence[PairRow]) -> None:
        """Set mean and spread of each dimension by the items of rows, each once."""
        for name, places in zip(self.names, _pairs(rows).T, strict=True):
            mean, spread = _moments(self.latents, name, np.unique(places))
            adapter = self.adapters.of(name)
            adapter.mean.copy_(torch.from_numpy(mean))
            adapter.spread.copy_(torch.from_numpy(spread))


def _moments(latents: Latents, name: str, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation (D,) of items, 1 where a dimension never changes."""
    total, squares = np.zeros((2, latents.width(name)))
    for start in range(0, len(places), BLOCK):
        found = latents.read(name, places[start : start + BLOCK]).astype(np.float64)
        total += found.sum(axis=0)
        squares += (found**2).sum(axis=0)
    mean = total / len(places)
    spread = np.sqrt(np.maximum(squares / len(places) - mean**2, 0))
    return mean, np.where(spread > 1e-6, spread, 1.0)


def _pairs(rows: Sequence[PairRow]) -> np.ndarray:
    """Return the places (N, 2) of rows, without making each row where they are held together."""
    return np.asarray(rows.pairs if isinstance(rows, PairRows) else [row.places for row in rows])
