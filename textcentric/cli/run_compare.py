"""What `textcentric compare` does: say the plan, compare, say the verdict."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from textcentric.cli.compare_plan import as_text, planned
from textcentric.cli.launched import alone
from textcentric.cli.progress import Progress
from textcentric.cli.run_evaluate import read_levels, tell_results
from textcentric.cli.sections import read_set, split_commas
from textcentric.cli.terminal import plain_warnings, say, silence, terminable
from textcentric.compare import Comparison, compare
from textcentric.comparison.config import ARMS, CompareConfig, read_compare_config
from textcentric.engines.protocol import Engine
from textcentric.grid import make_grid
from textcentric.methods.downstream.config import downstream_config
from textcentric.training.config import train_config

SECTIONS = ("augment", "training", "downstream")


def compare_command(
    config: CompareConfig,
    *,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    engine: Engine | None = None,
) -> int:
    """Compare, or only show the plan; return the exit code. `engine` stands in for the LLM's."""
    if not alone():  # one process does it, whoever launched more
        return 0
    silence(verbose)
    tell = (lambda line: None) if quiet else say
    try:
        with plain_warnings(tell), terminable():
            plan = planned(config)
            if dry_run:
                print(json.dumps(plan, ensure_ascii=False) if as_json else as_text(plan))
                return 0
            tell(as_text(plan))
            results = compare(Comparison(config, engine, tell, partial(Progress, quiet=quiet)))
    except KeyboardInterrupt:
        say(f"textcentric: interrupted; the same command goes on in {config.output_dir}")
        return 130
    tell_results(results, config.output_dir, as_json=as_json)
    return 0


def compare_config(
    file: Path | None,
    given: Mapping[str, Any],
    lists: Mapping[str, str | None],
    pairs: Sequence[str],
) -> CompareConfig:
    """Return the configuration that file and flags give, every section looked through.

    Raises ConfigError with the nearest name for an unknown key, arm or corruption, and with the
    value otherwise.
    """
    flags = {**read_set(pairs, SECTIONS), **given}
    for name, text in lists.items():
        if text and name.endswith("levels"):
            flags[name] = read_levels(text, name.replace("_", "-"))
        else:
            flags[name] = split_commas(text)
    config = read_compare_config(file, flags)
    make_grid(config.corruptions, config.levels)
    make_grid(config.llm_corruptions, config.llm_levels)
    train_config({**config.training, "output_dir": config.output_dir})
    for name in config.arms:
        downstream_config({**config.downstream, **(ARMS[name].changes or {})})
    return config
