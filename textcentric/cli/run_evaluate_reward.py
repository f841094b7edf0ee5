"""What `textcentric evaluate reward` does: models and pairs in, a matrix of accuracies out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from textcentric.cli.columns import columns
from textcentric.cli.launched import alone
from textcentric.cli.run_score import find_reward_model
from textcentric.cli.sections import split_commas
from textcentric.cli.terminal import Tell, plain_warnings, say, silence, terminable
from textcentric.errors import ConfigError
from textcentric.methods.reward import Reward
from textcentric.methods.reward.matrix import reward_matrix
from textcentric.preferences import PairSet, read_pairs
from textcentric.preferences.described import described, pictured
from textcentric.runs import write_text


def evaluate_reward(
    models: Sequence[str],
    datasets: str,
    reading: Mapping[str, Any],
    *,
    text_only: str | None,
    image_dir: str | None,
    image_expert: str,
    batch_size: int,
    output: Path | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Evaluate `models` on `datasets` and say what came of it; return the exit code."""
    if not alone():  # one process does it, whoever launched more
        return 0
    silence(verbose)
    tell: Tell = (lambda line: None) if quiet else say
    with plain_warnings(tell), terminable():
        folders = {_name(name): find_reward_model(name) for name in models}
        blind = None if text_only is None else _loaded(find_reward_model(text_only), image_dir)
        loaded = {name: _loaded(folder, image_dir) for name, folder in folders.items()}
        seeing = any(one.eyes for one in loaded.values())
        sets: dict[str, Any] = {}
        for source in split_commas(datasets) or ():
            found = read_pairs(source, **reading)
            if image_dir:
                found = _with_pictures(found, image_dir, image_expert, seeing)
            for note in found.notes():
                tell(note)
            sets[_set_name(found, sets)] = found.pairs
        results = reward_matrix(loaded, sets, blind, batch_size)
    if output is not None:
        write_text(output, json.dumps(results, indent=2) + "\n")
    print(json.dumps(results) if as_json else as_text(results))
    return 0


def _loaded(folder: Path, image_dir: str | None) -> Reward:
    model = Reward.load(folder, image_dir)
    if model.eyes and image_dir is None:
        raise ConfigError(f"{folder} sees pictures: give --image-dir, their folder")
    return model


def _with_pictures(found: PairSet, image_dir: str, expert: str, seeing: bool) -> PairSet:
    """Return the pairs with pictures in words; those that have one where a model sees them."""
    kept = pictured(found, image_dir) if seeing else found
    return described(kept, image_dir, expert=expert)


def as_text(results: Mapping[str, Any]) -> str:
    """Return the matrix as people read it: models on sets, and the rulers of each set."""
    heads = ["model", "set", "pairs", "accuracy", "text only", "swapped", "failure"]
    cells = [
        [
            cell["model"],
            cell["set"],
            f"{cell['pairs']:,}",
            _with_interval(cell),
            f"{cell['text_only']:.3f}",
            f"{cell['swapped']:.3f}",
            _share(cell["failure"]["degradation"]),
        ]
        for cell in results["cells"]
    ]
    rulers = [
        [
            f"({ruler} only)" if ruler == "length" else f"(word {ruler})",
            name,
            "",
            _with_interval(of),
        ]
        + [""] * 3
        for name, found in results["sets"].items()
        for ruler, of in found.items()
    ]
    lines = [
        columns([*cells, *rulers], heads),
        f"text only  {results['text_only']}",
        f"failure    {results['definition_of_failure']}",
    ]
    lines += [
        f"left out   {n:,} pairs of {name}: a response would be cut"
        for name, n in results["left_out"].items()
        if n
    ]
    return "\n".join([*lines, *_of_subsets(results)])


def _of_subsets(results: Mapping[str, Any]) -> list[str]:
    return [
        f"subsets    {cell['model']} on {cell['set']}: macro {cell['subsets']['macro']:.3f}, micro"
        f" {cell['subsets']['micro']:.3f}; "
        + ", ".join(f"{name} {value:.3f}" for name, value in cell["subsets"]["by_name"].items())
        for cell in results["cells"]
        if cell["subsets"]
    ]


def _with_interval(found: Mapping[str, Any]) -> str:
    low, high = found["interval"]
    return f"{found['accuracy']:.3f} [{low:.3f}, {high:.3f}]"


def _share(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _name(model: str) -> str:
    return Path(model).name


def _set_name(found: PairSet, taken: Mapping[str, Any]) -> str:
    return found.name if found.name not in taken else f"{found.name}-{len(taken)}"
