"""Mean or pooler on top of MiniLM, and the rate of an adapter: small trainings on real rows.

    python -m benchmarks.heads usage --fashion DIR --head pooler --rate 2e-4
    python -m benchmarks.heads price --airbnb DIR --lora-r 8 --rate 1e-3

Products of a shop and what they are used for (three classes), or listings and the logarithm of
their price. `pooler` trains `BertForSequenceClassification` with its pretrained pooler in the place
of the mean over the tokens; everything else is the same. Prints the figures of held-out rows.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from textcentric.methods.downstream import Downstream, DownstreamConfig
from textcentric.models.loading import quiet, seeded, source
from textcentric.rows import Example
from textcentric.training.config import TrainConfig
from textcentric.training.loop import train

LISTED = "Category Location guests beds bathrooms bedrooms amenities_count".split()
TASKS: dict[str, dict[str, Any]] = {
    "usage": {},
    "price": {"task": "regression", "target_transform": "log"},
}


class Pooler(nn.Module):
    """The classifier of transformers, as the method reads a model."""

    def __init__(self, method: Downstream):
        super().__init__()
        from transformers import AutoModelForSequenceClassification

        config, outputs = method.config, method.decision.width
        with quiet(), seeded(config.seed):
            self.encoder: Any = AutoModelForSequenceClassification.from_pretrained(
                source(config.model), num_labels=outputs, classifier_dropout=config.head_dropout
            )

    @property
    def head(self) -> nn.Module:
        """Return the layer whose weights say whether the model has changed."""
        layer: nn.Module = self.encoder.classifier
        return layer

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return outputs (N, W) of token ids and mask (N, T)."""
        told: Tensor = self.encoder(input_ids=input_ids, attention_mask=attention_mask).logits
        return told


def usage(folder: Path) -> list[Example]:
    """Return products: what is said of them, and whether they are for every day, for sports."""
    with gzip.open(folder / "styles.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    random.Random(0).shuffle(rows)
    return [
        Example(
            row["id"],
            {
                "table": f"gender: {row['gender']}, baseColour: {row['baseColour']},"
                f" year: {row['year']}",
                "text": row["productDisplayName"],
            },
            row["usage"] if row["usage"] in ("Casual", "Sports") else "Other",
        )
        for row in rows
    ]


def price(folder: Path) -> list[Example]:
    """Return listings and their price a night."""
    with (folder / "listings.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    random.Random(0).shuffle(rows)
    made = []
    for row in rows:
        amount = row["Price_Night"].replace(",", "").replace("$", "")
        if not amount.replace(".", "", 1).isdigit() or float(amount) <= 0:
            continue
        table = ", ".join(f"{name}: {row[name]}" for name in LISTED)
        text = f"{row['Title']}. {row['Description'][:400]}"
        made.append(Example(row["ID"], {"table": table, "text": text}, float(amount)))
    return made


def figures(rows: list[Example], flags: argparse.Namespace) -> dict[str, float]:
    """Train on the first rows and return the figures of the next ones."""
    learnt, held_out = rows[: flags.rows], rows[flags.rows : 2 * flags.rows]
    values = {"max_length": 48, "seed": flags.seed, "lora_r": flags.lora_r, **TASKS[flags.task]}
    method = Downstream(DownstreamConfig.of(values), learnt, calibrate_on=held_out)
    if flags.head == "pooler":
        method.model = Pooler(method)  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as folder:
        method.save = lambda folder: None  # type: ignore[method-assign,assignment,misc]
        method.usage = lambda folder: ""  # type: ignore[method-assign,assignment,misc]
        settings = {"learning_rate": flags.rate, "seed": flags.seed, "output_dir": folder}
        loop = TrainConfig.of({**settings, "eval_strategy": "no", "save_strategy": "no"})
        train(method, loop, learnt, quiet=True)
    with torch.no_grad():
        return method.evaluate(held_out, 64)


def main() -> int:
    """Train once and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.heads", description=__doc__)
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--fashion", type=Path, metavar="DIR", help="folder of styles.csv.gz")
    parser.add_argument("--airbnb", type=Path, metavar="DIR", help="folder of listings.csv")
    parser.add_argument("--head", choices=("mean", "pooler"), default="mean")
    parser.add_argument("--lora-r", type=int)
    parser.add_argument("--rate", type=float, default=5e-5)
    parser.add_argument("--rows", type=int, default=200, help="to learn from, and as many held out")
    parser.add_argument("--seed", type=int, default=0)
    flags = parser.parse_args()
    folder = flags.fashion if flags.task == "usage" else flags.airbnb
    if folder is None:
        parser.error(f"{flags.task} needs the folder of its rows")
    rows = usage(folder) if flags.task == "usage" else price(folder)
    print(json.dumps({name: round(value, 4) for name, value in figures(rows, flags).items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
