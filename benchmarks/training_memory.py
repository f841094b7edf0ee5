"""Peak memory of training, ours and transformers' Trainer, each in a process of its own.

Two epochs, so that the longest batch, which grouping puts first, also meets the optimiser's state.
The Trainer's process gets token ids and imports nothing of ours that it would not need.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.figure import Bar, Figure, median, peak_mb
from benchmarks.processes import child
from benchmarks.training import ARMS, BARS, OURS, texts, token_ids, train_ours, train_theirs
from textcentric.rows import Example

BAR = Bar("training_memory", "<=", 1.10)  # of the Trainer's peak
EPOCHS = 2
QUICK = {"rows": 16, "repeats": 1, "max_length": 64}


def measure(
    rows: int = 64, repeats: int = 3, max_length: int = 512, model: str = "packaged"
) -> Figure:
    """Train each arm `repeats` times, in turn."""
    origin, examples = texts(rows)
    with tempfile.TemporaryDirectory(prefix="textcentric-bench-") as name:
        task = _write(Path(name) / "task.json", examples, max_length, model)
        rounds = [
            {arm: _peak(arm, task, Path(name) / f"{arm}-{n}") for arm in ARMS}
            for n in range(repeats)
        ]
    against = {arm: median([one[OURS] / one[arm] for one in rounds]) for arm in BARS}
    highest = max(against, key=lambda arm: against[arm][0])
    return BAR.figure(
        f"peak memory of training, {max_length} tokens, over the Trainer's",
        against[highest],
        raw={"peak_mb": rounds, "rows": len(examples), "epochs": EPOCHS, "texts": origin},
        notes=(
            f"over the Trainer with {highest}; peaks in MB: "
            + ", ".join(f"{arm} {median([one[arm] for one in rounds])[0]:.0f}" for arm in ARMS),
        ),
    )


def _write(file: Path, examples: Sequence[Example], max_length: int, model: str) -> Path:
    """Write what both sides train on: rows for us, token ids for the Trainer."""
    rows = [
        asdict(example) | {"parts": dict(example.parts), "variants": ()} for example in examples
    ]
    task = {"rows": rows, "ids": token_ids(examples, max_length, model)}
    file.write_text(json.dumps(task | {"max_length": max_length, "model": model}))
    return file


def _peak(arm: str, task: Path, folder: Path) -> float:
    """Train in a new process; return its peak memory in MB."""
    return float(child("training_memory", arm, task, folder)["peak_mb"])


def main() -> None:
    parser = argparse.ArgumentParser(description="Train once; print the peak memory.")
    parser.add_argument("arm", choices=ARMS)
    parser.add_argument("task", type=Path)
    parser.add_argument("folder", type=Path)
    flags = parser.parse_args()
    _train(flags.arm, json.loads(flags.task.read_text()), flags.folder)
    peak = peak_mb()
    print(json.dumps({"peak_mb": peak}))


def _train(arm: str, task: dict[str, Any], folder: Path) -> None:
    more = {"num_train_epochs": EPOCHS}
    if arm == OURS:
        examples = [Example(**row) for row in task["rows"]]
        train_ours(examples, task["max_length"], 0, folder, task["model"], **more)
    else:
        labels = [str(row["target"]) for row in task["rows"]]
        train_theirs(arm, task["ids"], labels, 0, folder, task["model"], **more)


if __name__ == "__main__":
    main()
