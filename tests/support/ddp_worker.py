"""One of the processes that `torchrun` starts in `test_train.py`; writes what it saw."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch.distributed as dist
from torch.optim.optimizer import register_optimizer_step_post_hook

from tests.support.tiny_method import TinyMethod, make_rows, same, settings, weights
from textcentric.training.checkpoints import checkpoint_folder
from textcentric.training.loop import train

SIZE = "per_device_train_batch_size"
# name -> rows, settings. The last step of an epoch has 1 of 4 rows (one process has none), 6 of 8,
# and 5 of 8 (two micro-batches in the first process, one in the second). With fewer than eight
# batches grouping by length would sort windows of one batch, which groups nothing.
CASES: dict[str, tuple[int, dict[str, Any]]] = {
    "grouped": (37, {SIZE: 2}),
    "random": (22, {SIZE: 4, "train_sampling_strategy": "random"}),
    "accumulated": (69, {SIZE: 2, "gradient_accumulation_steps": 2}),
}

BEST = {"metric_for_best_model": "loss", "num_train_epochs": 3}


@contextmanager
def rows_by_step(method: TinyMethod) -> Iterator[list[list[str]]]:
    """Fill the list it yields with the ids of the rows that each optimiser step read."""
    steps: list[list[str]] = []
    read = 0

    def note(*known: Any) -> None:
        nonlocal read
        steps.append([row for batch in method.seen[read:] for row in batch])
        read = len(method.seen)

    handle = register_optimizer_step_post_hook(note)
    try:
        yield steps
    finally:
        handle.remove()


def main(folder: Path) -> None:
    for name, (rows, changes) in CASES.items():
        method, config = TinyMethod(dropout=0), settings(folder / name, **changes)
        with rows_by_step(method) as steps:
            result = train(method, config, make_rows(rows), make_rows(6, seed=1), quiet=True)
        told = {
            "world": dist.get_world_size(),
            "steps": steps,
            "losses": [line["loss"] for line in result.history if "loss" in line],
        }
        (folder / f"{name}-{dist.get_rank()}.json").write_text(json.dumps(told))
    (folder / f"resumed-{dist.get_rank()}.json").write_text(json.dumps(resumed(folder / "resumed")))
    dist.destroy_process_group()


def resumed(folder: Path) -> bool:
    """Say whether going on from the middle gives the same weights, with dropout on both sides."""
    config = settings(folder, save_strategy="steps", save_steps=2, save_total_limit=None, **BEST)
    found = []
    for _ in range(2):
        train(TinyMethod(dropout=0.3), config, make_rows(22), make_rows(6, seed=1), quiet=True)
        found.append(weights(folder))
        dist.barrier()
        if dist.get_rank() == 0:
            for path in sorted(checkpoint_folder(folder).iterdir())[1:]:
                shutil.rmtree(path)
        dist.barrier()
    return same(*found)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
