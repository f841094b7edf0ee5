"""Does the shortcut-aware objective help on real pairs? Every model on every set, with baselines.

    python -m benchmarks.judges --flickr8k DIR --scienceqa DIR --run RUN -o runs/judges

Learns from Flickr8k's human preferences, split by picture and described by the picture's
references, and from pairs made from an `augment` run, by `bt` and `sfc`; tests on what is held out
of both and on ScienceQA, whose pictures the image expert describes. The pairs, in words, are kept
in the output directory; with them there, `-o` alone goes on, also on another machine.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from textcentric.data.pairs import read_pairs
from textcentric.folders import write_text
from textcentric.methods.reward.from_run import pairs_of_run
from textcentric.methods.reward.words import described
from textcentric.rows import Pair

OBJECTIVES = ("bt", "sfc")
LEARNT, TESTED = ("flickr8k", "run"), ("flickr8k", "run", "scienceqa")
TEST_SHARE = 0.28  # of the pictures of Flickr8k
PROMPT = "Describe the picture."
SETTINGS: dict[str, Any] = {"num_train_epochs": 2, "learning_rate": 1e-4}
SETTINGS |= {"per_device_train_batch_size": 8, "eval_strategy": "no", "save_strategy": "no"}
METHOD = {"layers": 3, "max_length": 512}


def flickr8k(folder: Path, captions: int = 5) -> list[Pair]:
    """Return Flickr8k's pairs, described by so many captions of the picture, split by picture."""
    with gzip.open(folder / "preference_pairs.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [
        Pair(
            id=f"flickr8k-{number}",
            prompt=PROMPT,
            chosen=row["chosen"],
            rejected=row["rejected"],
            descriptions={"image": " ".join(row["references"][:captions])},
            group=row["image"],
            split="test" if _share(row["image"]) < TEST_SHARE else "train",
        )
        for number, row in enumerate(rows)
    ]


def scienceqa(folder: Path) -> list[Pair]:
    """Return ScienceQA's pairs, all for testing, their pictures in the image expert's words."""
    found = described(read_pairs(folder / "preference_pairs.jsonl.gz"), folder)
    return [replace(pair, images=(), split="test") for pair in found.pairs]


def of_run(folder: Path) -> list[Pair]:
    """Return the pairs of an `augment` run; a third of its rows are for testing."""
    pairs = pairs_of_run(folder).pairs
    split = {group: _share(group) < 1 / 3 for group in {str(pair.group) for pair in pairs}}
    return [replace(one, split="test" if split[str(one.group)] else "train") for one in pairs]


def _share(name: str) -> float:
    """Return a number in [0, 1) that depends on the name alone."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big") / 2**64


READERS = {"flickr8k": flickr8k, "run": of_run, "scienceqa": scienceqa}


def prepare(sources: dict[str, Path], folder: Path) -> dict[str, list[Pair]]:
    """Return the pairs of each set, read from its source the first time and then from `folder`."""
    sets = {}
    for name in TESTED:
        path = folder / "pairs" / f"{name}.json"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            pairs = READERS[name](sources[name])
            write_text(path, json.dumps([asdict(pair) for pair in pairs]))
        sets[name] = [Pair(**one) for one in json.loads(path.read_text(encoding="utf-8"))]
    return sets


def of_split(pairs: Sequence[Pair], split: str) -> list[Pair]:
    """Return the pairs of a split."""
    return [pair for pair in pairs if pair.split == split]


def trained(
    sets: dict[str, list[Pair]], folder: Path, seeds: int, model: str
) -> Iterator[tuple[str, Any]]:
    """Yield the name of each model and itself, trained now where it is not in `folder`."""
    from textcentric.methods.reward import Reward, RewardConfig
    from textcentric.training.config import TrainConfig
    from textcentric.training.loop import train

    for learnt in LEARNT:
        pairs = of_split(sets[learnt], "train")
        for objective in OBJECTIVES:
            for seed in range(seeds):
                name = f"{learnt}-{objective}-{seed}"
                place = folder / "models" / name
                if not (place / "reward.json").is_file():
                    values = {"model_name_or_path": model, "reward_objective": objective}
                    method = Reward(RewardConfig.of(METHOD | values | {"seed": seed}), pairs)
                    known = [pair for pair in pairs if not method.reader.too_long(pair)]
                    config = TrainConfig(**SETTINGS, output_dir=place, seed=seed)
                    train(method, config, known, quiet=True)
                print(name, flush=True)
                yield name, Reward.load(place)


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in TESTED:
        parser.add_argument(f"--{name}", type=Path, metavar="DIR")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--model", default="packaged")
    flags = parser.parse_args()
    from textcentric.cli.evaluate_reward import as_text
    from textcentric.evaluation.rewards.matrix import reward_matrix

    sets = prepare({name: getattr(flags, name) for name in TESTED}, flags.output)
    models = dict(trained(sets, flags.output, flags.seeds, flags.model))
    for method in models.values():
        method.model.to(_device())
    found = reward_matrix(models, {name: of_split(of, "test") for name, of in sets.items()})
    write_text(flags.output / "judges.json", json.dumps(found, indent=1) + "\n")
    print(as_text(found))
    for name, of in sets.items():
        print(f"{name}: {len(of_split(of, 'train'))} to learn from")


if __name__ == "__main__":
    main()
