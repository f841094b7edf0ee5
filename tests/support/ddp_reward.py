"""One of the processes that `torchrun` starts in `test_reward.py`; writes what it saw."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch.distributed as dist

from tests.methods.reward.test_training import OBJECTIVES, trained
from textcentric.methods.reward import Reward

FIRST: list[str] = []  # the pairs of this process's first micro-batch


def noting(self: Reward, rows: Any, epoch: int, collate: Any = Reward.collate) -> Any:
    FIRST.extend([] if FIRST else [pair.id for pair in rows])
    return collate(self, rows, epoch)


def main(folder: Path) -> None:
    Reward.collate = noting  # type: ignore[method-assign]
    for name, values in OBJECTIVES.items():
        FIRST.clear()
        losses, _ = trained(folder, name, values, 2)
        told = {"world": dist.get_world_size(), "losses": losses, "first": FIRST}
        (folder / f"{name}-{dist.get_rank()}.json").write_text(json.dumps(told))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
