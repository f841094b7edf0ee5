"""What `textcentric evaluate reward` does: models and pairs in, a matrix of accuracies out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textcentric.cli.progress import LOADING, Progress
from textcentric.cli.terminal import columns, telling
from textcentric.errors import ConfigError, DataError, Say
from textcentric.evaluation.config import EvaluateRewardConfig
from textcentric.folders import write_text
from textcentric.training.processes import alone

if TYPE_CHECKING:
    from textcentric.data.pairs import PairSet
    from textcentric.data.pairs.candidates import Candidates
    from textcentric.methods.reward import Reward


def evaluate_reward(
    models: Sequence[str],
    config: EvaluateRewardConfig,
    *,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Evaluate `models` on `datasets` and `candidates` and say what came of it; the exit code."""
    from textcentric.data.pairs import read_pairs
    from textcentric.evaluation.rewards.matrix import reward_matrix
    from textcentric.evaluation.rewards.scoring import find_reward_model, load_reward_model
    from textcentric.methods.reward.words import candidates_in_words, described, pictured

    if not alone():  # one process does it, whoever launched more
        return 0
    image_dir, image_expert = config.image_dir, config.image_expert
    if not config.dataset and not config.candidates:
        raise ConfigError("on what? Give --dataset PAIRS, or --candidates FILE for Best-of-N")
    with (
        telling(quiet=quiet, verbose=verbose) as tell,
        Progress(start=LOADING, quiet=quiet) as progress,
    ):
        folders = {_name(name): find_reward_model(name) for name in models}
        loaded = {name: load_reward_model(folder, image_dir) for name, folder in folders.items()}
        blind = _blind(config)
        for name, method in {**loaded, **({"text only": blind} if blind else {})}.items():
            method.on_batch = partial(progress.advance, f"{name}: responses read")
        seeing = _all_see(loaded)
        sets: dict[str, Any] = {}
        for source in config.dataset:
            found = read_pairs(source, layout=config.layout, limit=config.limit)
            if image_dir and seeing:
                found = pictured(found, image_dir)
            elif image_dir:
                found = described(found, image_dir, expert=image_expert)
            for note in found.notes():
                tell(note)
            sets[_set_name(found, sets)] = found.pairs
        results = reward_matrix(loaded, sets, blind, config.batch_size) if sets else {}
        if config.candidates:
            prompts = dict(_candidates(config, tell))
            if image_dir and not seeing:
                prompts = {
                    name: candidates_in_words(asked, image_dir, expert=image_expert)
                    for name, asked in prompts.items()
                }
            results["best_of"] = _picked(loaded, prompts, config.batch_size)
    if config.output is not None:
        write_text(config.output, json.dumps(results, indent=2) + "\n")
    parts = [as_text(results)] if sets else []
    parts += [best_of_text(name, one) for name, one in results.get("best_of", {}).items()]
    print(json.dumps(results) if as_json else "\n\n".join(parts))
    return 0


def _blind(config: EvaluateRewardConfig) -> Reward | None:
    """Return the model that was trained without descriptions, None where none is named."""
    from textcentric.evaluation.rewards.scoring import find_reward_model, load_reward_model

    if config.text_only is None:
        return None
    return load_reward_model(find_reward_model(config.text_only), config.image_dir)


def _candidates(config: EvaluateRewardConfig, tell: Say) -> Iterator[tuple[str, list[Candidates]]]:
    """Yield the name and the prompts of each file."""
    from textcentric.data.pairs.candidates import read_candidates

    for source in config.candidates:
        prompts, dropped = read_candidates(source, config.limit)
        for why, count in dropped.items():
            tell(f"{source}: {count:,} left out: {why}")
        yield Path(source).name.split(".")[0], prompts


def _picked(
    loaded: Mapping[str, Reward], prompts: Mapping[str, Sequence[Candidates]], batch_size: int
) -> dict[str, Any]:
    """Return what each model picks of each file of candidates."""
    from textcentric.evaluation.rewards.best_of import best_of_table

    found: dict[str, Any] = {}
    for name, asked in prompts.items():
        found[name] = best_of_table(loaded, asked, batch_size=batch_size)
        if not found[name]["prompts"]:
            raise DataError(f"{name}: every prompt has a response that cannot be scored")
    return found


def best_of_text(name: str, told: Mapping[str, Any]) -> str:
    """Return the table of one file of candidates as people read it."""
    rows = [
        [who, *(f"{of[str(n)]['value']:.3f}" for n in told["sizes"]), _interval_at_end(of)]
        for who, of in told["of"].items()
    ]
    heads = [f"best of N, {name}", *map(str, told["sizes"]), "95 % at the last"]
    lines = [columns(rows, heads), f"prompts    {told['prompts']:,}, {told['left_out']:,} left out"]
    lines += [
        f"subsets    {who}: " + ", ".join(f"{subset} {value:.3f}" for subset, value in of.items())
        for who, of in told["reward_bench_2"].items()
        if of
    ]
    return "\n".join(lines)


def _interval_at_end(of: Mapping[str, Any]) -> str:
    low, high = list(of.values())[-1]["interval"]
    return f"[{low:.3f}, {high:.3f}]"


def _all_see(loaded: Mapping[str, Reward]) -> bool:
    """Say whether the models see pictures; raises ConfigError where some do and some do not."""
    seeing = [name for name, one in loaded.items() if one.eyes]
    if seeing and len(seeing) < len(loaded):
        raise ConfigError(
            f"{', '.join(seeing)} see pictures and the others read of them, so they would not be"
            " given the same; evaluate them one after the other"
        )
    return bool(seeing)


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
