"""Peak memory of `sfc` with two adapters on one frozen backbone, against `bt` with one.

Each trains in a process of its own; two epochs, so that the longest batch, which grouping puts
first, also meets the optimiser's state. The longest batch is the same in both.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.figure import Figure, median, peak_mb
from benchmarks.reward_training import GROUPED, SFC, reward_pairs, train_ours
from textcentric.rows import Pair

ARMS = {"bt": GROUPED, "sfc": SFC}
BAR = 1.25  # of the peak of `bt`
EPOCHS = 2
QUICK = {"pairs": 16, "repeats": 1, "max_length": 64}


def measure(
    pairs: int = 32, repeats: int = 3, max_length: int = 512, model: str = "packaged"
) -> Figure:
    """Train each arm `repeats` times, in turn."""
    origin, known = reward_pairs(pairs)  # read here: reading PetFinder takes more than training
    with tempfile.TemporaryDirectory(prefix="textcentric-bench-") as name:
        place = Path(name) / "pairs.json"
        place.write_text(json.dumps([asdict(pair) for pair in known]), encoding="utf-8")
        task = {"pairs": str(place), "max_length": max_length, "model": model}
        rounds = [{arm: _child(arm, task) for arm in ARMS} for _ in range(repeats)]
    value, interval = median([one["sfc"]["peak"] / one["bt"]["peak"] for one in rounds])
    return Figure(
        name="reward_memory",
        what="peak memory of sfc with two adapters on one backbone, over bt with one",
        bar=f"<= {BAR:g}",
        value=value,
        unit="x",
        met=value <= BAR,
        interval=interval,
        raw={"mb": rounds, "pairs": len(known), "epochs": EPOCHS, "max_length": max_length},
        notes=(
            f"{len(known)} pairs, {origin}, up to {max_length} tokens, float32",
            "medians in MB: " + ", ".join(_median_of(arm, rounds) for arm in ARMS),
        ),
    )


def _median_of(arm: str, rounds: list[dict[str, dict[str, float]]]) -> str:
    peak, before = (median([one[arm][key] for one in rounds])[0] for key in ("peak", "before"))
    return f"{arm} {peak:.0f} ({before:.0f} before training)"


def _child(arm: str, task: dict[str, object]) -> dict[str, float]:
    """Train in a new process; return its peak memory in MB, and that before training."""
    command = [sys.executable, "-m", "benchmarks.reward_memory", arm, json.dumps(task)]
    root = Path(__file__).parent.parent
    done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Train once; print the peak memory.")
    parser.add_argument("arm", choices=list(ARMS))
    parser.add_argument("task", type=json.loads)
    flags = parser.parse_args()
    import textcentric.methods.reward
    import textcentric.training.loop  # noqa: F401

    told = json.loads(Path(flags.task["pairs"]).read_text(encoding="utf-8"))
    pairs = [Pair(**one) for one in told]
    before = peak_mb()
    with tempfile.TemporaryDirectory(prefix="textcentric-bench-") as name:
        train_ours(
            ARMS[flags.arm],
            pairs,
            flags.task["max_length"],
            0,
            Path(name),
            flags.task["model"],
            epochs=EPOCHS,
            strategy="group_by_length",
            use_peft=True,
        )
    print(json.dumps({"peak": peak_mb(), "before": before}))


if __name__ == "__main__":
    main()
