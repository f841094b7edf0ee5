"""A method small enough for tests: a two-layer BERT that reads how many words are 'good'."""

from __future__ import annotations

import atexit
import gc
import sys
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from safetensors.torch import load_file, save_model
from torch import Tensor
from transformers import BertConfig, BertModel

from textcentric.training.config import TrainConfig
from textcentric.training.loop import train

gc.freeze()  # a training collects garbage at its end; what was imported need not be searched
atexit.register(gc.unfreeze)

WORDS = "good bad small large old young calm loud".split()
VOCABULARY = 64


@dataclass(frozen=True)
class Row:
    id: str
    text: str
    target: float


def make_rows(n: int, seed: int = 0) -> list[Row]:
    """Return `n` rows of 1 to 12 words; the target is the share of 'good' among them."""
    rng, rows = Random(seed), []
    for i in range(n):
        words = rng.choices(WORDS, k=rng.randint(1, 12))
        rows.append(Row(f"row-{i}", " ".join(words), words.count("good") / len(words)))
    return rows


class Scorer(torch.nn.Module):
    """BERT with one number on top; its pooler has weights that nothing uses."""

    def __init__(self, dropout: float):
        super().__init__()
        config = BertConfig(
            vocab_size=VOCABULARY,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=16,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
        )
        self.encoder = BertModel(config)
        self.head = torch.nn.Linear(32, 1)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        out = self.encoder(input_ids=input_ids, attention_mask=attention_mask)
        scores: Tensor = self.head(out.last_hidden_state[:, 0])  # (B, 1)
        return scores.squeeze(-1)


class TinyMethod:
    """Regression on the target; `seen` lists the ids of every micro-batch."""

    name = "tiny"
    notes: tuple[str, ...] = ()

    def __init__(self, *, dropout: float = 0.1, colour: str = "red", scores: Sequence[float] = ()):
        torch.manual_seed(0)
        self.model: Any = Scorer(dropout)
        self.colour = colour
        self.seen: list[list[str]] = []
        self.epochs: list[int] = []
        self._scores = list(scores)

    def collate(self, rows: Sequence[Row], epoch: int) -> dict[str, Tensor]:
        self.seen.append([row.id for row in rows])
        self.epochs.append(epoch)
        ids = [[zlib.crc32(word.encode()) % 60 + 1 for word in row.text.split()] for row in rows]
        longest = max(map(len, ids))
        padded = torch.tensor([one + [0] * (longest - len(one)) for one in ids])
        targets = torch.tensor([row.target for row in rows])
        return {"input_ids": padded, "attention_mask": (padded > 0).long(), "targets": targets}

    def loss(self, model: torch.nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        scores: Tensor = model(batch["input_ids"], batch["attention_mask"])
        return (scores - batch["targets"]) ** 2

    def lengths(self, rows: Sequence[Row]) -> list[int]:
        return [len(row.text.split()) for row in rows]

    def evaluate(self, rows: Sequence[Row], batch_size: int) -> dict[str, float]:
        if self._scores:
            return {"score": self._scores.pop(0)}
        batch = self.collate(rows, 0)
        self.seen.pop()
        self.epochs.pop()
        device = next(self.model.parameters()).device
        losses = self.loss(self.model, {name: one.to(device) for name, one in batch.items()})
        return {"loss": losses.mean().item()}

    def finish(self, rows: Sequence[Row], held_out: Sequence[Row], size: int) -> dict[str, float]:
        return {}

    def save(self, folder: Path) -> None:
        save_model(self.model, str(folder / "model.safetensors"))

    def fingerprint(self) -> dict[str, Any]:
        return {"colour": self.colour}


def settings(folder: Path, **changes: Any) -> TrainConfig:
    """Return a configuration for seconds: two epochs in batches of four."""
    small = {"num_train_epochs": 2, "per_device_train_batch_size": 4, "learning_rate": 1e-3}
    quick = {"logging_steps": 1, "use_cpu": True}
    return TrainConfig(**{"output_dir": folder, **small, **quick, **changes})


def weights(folder: Path) -> dict[str, Tensor]:
    """Return the weights that a training left in `folder`."""
    return load_file(folder / "model.safetensors")


def same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    """Say whether two sets of weights agree in every bit."""
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


def train_slowly(folder: Path, pause: float) -> None:
    """Train with a pause before every step, for a test that kills this process."""
    method = TinyMethod()
    collate = method.collate

    def slow(rows: Sequence[Row], epoch: int) -> dict[str, Tensor]:
        time.sleep(pause)
        return collate(rows, epoch)

    method.collate = slow  # type: ignore[method-assign]
    config = settings(folder, num_train_epochs=4, save_strategy="steps", save_steps=2)
    train(method, config, make_rows(22), make_rows(6, seed=1), quiet=True)


if __name__ == "__main__":
    train_slowly(Path(sys.argv[1]), float(sys.argv[2]))
