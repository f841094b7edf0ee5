"""A folder of preferred pairs with a tiny model, and how `train reward` is asked in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.methods.reward.test_method import pairs
from tests.support.commands import Said, textcentric
from tests.support.small_run import KINDS as ANIMALS
from tests.support.small_run import PLACES, records, run
from tests.support.small_run import WORDS as MOODS
from tests.support.tiny_models import WORDS, tiny_model

SMALL = ["--max-length", 48, "--max-steps", 2, "--use-cpu"]


def rows(count: int = 12, **values: Any) -> list[dict[str, Any]]:
    return [
        {"id": p.id, "prompt": p.prompt, "chosen": p.chosen, "rejected": p.rejected}
        | {"image_description": p.descriptions["image"], **values}
        for p in pairs(count)
    ]


def write(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def preferred(folder: Path) -> Path:
    """Write pairs, a tiny model and a run directory into `folder`; return it."""
    words = list(dict.fromkeys([*WORDS, *ANIMALS, *MOODS, *PLACES, "described", "not"]))
    tiny_model(folder / "bert", words=words)
    write(folder / "pairs.jsonl", rows())
    write(folder / "held-out.jsonl", rows(4))
    run(folder / "runs" / "first", records(12), "It naps behind the bakery all day long.")
    return folder


def train(
    *arguments: object, pairs: tuple[object, ...] = ("--dataset-name", "pairs.jsonl")
) -> Said:
    model = ("--model-name-or-path", "bert")
    return textcentric("train", "reward", *pairs, *model, *SMALL, *arguments)
