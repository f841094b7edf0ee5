"""Peak memory of `sfc` with two adapters on one frozen backbone, against `bt` with one.

Each trains in a process of its own; two epochs, so that the longest batch, which grouping puts
first, also meets the optimiser's state. The longest batch is the same in both.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.figure import Bar, Figure, median, peak_mb
from benchmarks.processes import child
from benchmarks.reward_training import GROUPED, SFC, reward_pairs, train_ours
from textcentric.rows import Pair

ARMS = {"bt": GROUPED, "sfc": SFC}
BAR = Bar("reward_memory", "<=", 1.25)  # of the peak of `bt`
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
        rounds = [
            {arm: child("reward_memory", arm, json.dumps(task)) for arm in ARMS}
            for _ in range(repeats)
        ]
    return BAR.figure(
        "peak memory of sfc with two adapters on one backbone, over bt with one",
        median([one["sfc"]["peak"] / one["bt"]["peak"] for one in rounds]),
        raw={"mb": rounds, "pairs": len(known), "epochs": EPOCHS, "max_length": max_length},
        notes=(
            f"{len(known)} pairs, {origin}, up to {max_length} tokens, float32",
            "medians in MB: " + ", ".join(_median_of(arm, rounds) for arm in ARMS),
        ),
    )


def _median_of(arm: str, rounds: list[dict[str, dict[str, float]]]) -> str:
    peak, before = (median([one[arm][key] for one in rounds])[0] for key in ("peak", "before"))
    return f"{arm} {peak:.0f} ({before:.0f} before training)"


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
