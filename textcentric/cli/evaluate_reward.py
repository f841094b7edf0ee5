"""`textcentric evaluate reward`: how often reward models are right, and beside which baselines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Unpack

import typer

from textcentric.cli.options import Shown, configured
from textcentric.cli.progress import LOADING, Progress
from textcentric.cli.terminal import columns, show, show_json, telling
from textcentric.evaluation.config import EvaluateRewardConfig
from textcentric.folders import write_text
from textcentric.machine import require
from textcentric.training.processes import alone

BASELINES = {
    "length": "(the longer one)",
    "shorter": "(the shorter one)",
    "overlap": "(word overlap)",
}


@configured("evaluation.config")
def reward(
    config: EvaluateRewardConfig,
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="Folders of reward models.")
    ],
    **shown: Unpack[Shown],
) -> None:
    """Say how often reward models prefer the chosen response, beside rules that see no picture.

    Every model is tried on every set. RewardBench, VL-RewardBench and Multimodal RewardBench are
    read as they are; RewardBench 2 and other prompts with many responses by --candidates.

    Example: textcentric evaluate reward models/reward --dataset held-out.jsonl
    """
    require("evaluate reward")
    raise typer.Exit(reward_command(models, config, **shown))


def reward_command(
    models: Sequence[str],
    config: EvaluateRewardConfig,
    *,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Evaluate `models` on pairs and candidates and say what came of it; return the exit code."""
    from textcentric.evaluation.rewards.evaluation import evaluate_reward

    if not alone():  # one process does it, whoever launched more
        return 0
    with (
        telling(quiet=quiet, verbose=verbose) as tell,
        Progress(start=LOADING, quiet=quiet) as progress,
    ):
        results = evaluate_reward(models, config, say=tell, steps=progress.advance)
    if config.output is not None:
        write_text(config.output, json.dumps(results, indent=2) + "\n")
    parts = [as_text(results)] if "cells" in results else []
    parts += [best_of_text(name, one) for name, one in results.get("best_of", {}).items()]
    if as_json:
        show_json(results)
    else:
        show("\n\n".join(parts))
    return 0


def best_of_text(name: str, told: Mapping[str, Any]) -> str:
    """Return the table of one file of candidates as people read it."""
    rows = [
        [who, *(f"{of[str(n)]['value']:.3f}" for n in told["sizes"]), _interval_at_end(of)]
        for who, of in told["of"].items()
    ]
    heads = [f"best of N, {name}", *map(str, told["sizes"]), "95 % at the last"]
    lines = [columns(rows, heads), f"prompts    {told['prompts']:,}, {told['left_out']:,} left out"]
    lines += [f"note       {told['note']}"] if told["note"] else []
    lines += [
        f"subsets    {who}: " + ", ".join(f"{subset} {value:.3f}" for subset, value in of.items())
        for who, of in told["reward_bench_2"].items()
        if of
    ]
    return "\n".join(lines)


def _interval_at_end(of: Mapping[str, Any]) -> str:
    low, high = list(of.values())[-1]["interval"]
    return f"[{low:.3f}, {high:.3f}]"


def as_text(results: Mapping[str, Any]) -> str:
    """Return the matrix as people read it: models on sets, and the baselines of each set."""
    heads = ["model", "set", "pairs", "accuracy", "text only", "swapped", "failure"]
    cells = [
        [
            cell["model"],
            cell["set"],
            f"{cell['pairs']:,}",
            _with_interval(cell),
            _share(cell["text_only"]),
            _share(cell["swapped"]),
            _share(cell["failure"]["degradation"]),
        ]
        for cell in results["cells"]
    ]
    baselines = [
        [BASELINES[baseline], name, "", _with_interval(of), "", "", ""]
        for name, found in results["sets"].items()
        for baseline, of in found.items()
    ]
    lines = [
        columns([*cells, *baselines], heads),
        f"text only  {results['text_only']}",
        f"failure    {results['definition_of_failure']}",
    ]
    lines += [
        f"note       {cell['model']} on {cell['set']}: {cell['note']}"
        for cell in results["cells"]
        if cell["note"]
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
    return "-" if value is None else f"{value:.3f}"
