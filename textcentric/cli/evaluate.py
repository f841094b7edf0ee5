"""`textcentric evaluate`: models under damage, reward models on pairs, fusion models attacked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from textcentric.cli.options import AsJson, Quiet, Verbose, configured
from textcentric.cli.predict import find_model, lent_engine
from textcentric.cli.progress import LOADING, Progress
from textcentric.cli.terminal import plain_warnings, say, silence, terminable
from textcentric.folders import fingerprint
from textcentric.machine import require
from textcentric.training.processes import alone

if TYPE_CHECKING:
    from textcentric.evaluation.config import (
        EvaluateConfig,
        EvaluateFusionConfig,
        EvaluateRewardConfig,
    )

NOT_NAMED = {"engine", "llm", "engine_settings"}  # they do not name the folder


@configured("evaluation.config")
def downstream(
    config: EvaluateConfig,
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="Folders of trained models.")
    ],
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Damage rows, put them into words again, predict, and report what each model loses.

    What experts and LLM answer is kept in the output directory: a second time is nearly free.

    Reward models are evaluated on pairs, fusion models under attack: textcentric evaluate reward
    --help, textcentric evaluate fusion --help

    Example: textcentric evaluate models/first --dataset petfinder --levels 0.3,0.5
    """
    require("evaluate downstream")
    raise typer.Exit(
        evaluate_command(models, config, as_json=as_json, quiet=quiet, verbose=verbose)
    )


@configured("evaluation.config")
def reward(
    config: EvaluateRewardConfig,
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="Folders of reward models.")
    ],
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Say how often reward models prefer the chosen response, beside rules that see no picture.

    Every model is tried on every set. RewardBench, VL-RewardBench and Multimodal RewardBench are
    read as they are; RewardBench 2 and other prompts with many responses by --candidates.

    Example: textcentric evaluate reward models/reward --dataset held-out.jsonl
    """
    require("evaluate reward")
    from textcentric.cli.evaluate_reward import evaluate_reward

    raise typer.Exit(evaluate_reward(models, config, as_json=as_json, quiet=quiet, verbose=verbose))


@configured("evaluation.config")
def fusion(
    config: EvaluateFusionConfig,
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="Folders of fusion models.")
    ],
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Attack fusion models as hard as is known, and take modalities away.

    Robust accuracy is what no attack of the suite flips; the paper's attacks are printed beside it,
    and the certified radius, which is heuristic.

    Example: textcentric evaluate fusion models/clips --dataset clips.csv --target class
    """
    require("evaluate fusion")
    from textcentric.cli.evaluate_fusion import evaluate_fusion

    raise typer.Exit(evaluate_fusion(models, config, as_json=as_json, quiet=quiet, verbose=verbose))


def evaluate_command(
    models: Sequence[str], config: EvaluateConfig, *, as_json: bool, quiet: bool, verbose: bool
) -> int:
    """Evaluate `models` and say what came of it; return the exit code."""
    from textcentric.evaluation.robustness import evaluate

    if not alone():  # one process does it, whoever launched more
        return 0
    config = located(models, config)
    config.check()
    silence(verbose)
    tell = (lambda line: None) if quiet else say
    try:
        with (
            lent_engine(config) as engine,
            plain_warnings(tell),
            terminable(),
            Progress(start=LOADING, quiet=quiet) as progress,
        ):
            results = evaluate(config, engine=engine, say=tell, steps=progress.advance)
    except KeyboardInterrupt:
        say(f"textcentric: interrupted; the same command goes on in {config.output_dir}")
        return 130
    tell_results(results, config.output_dir, as_json=as_json)
    return 0


def located(models: Sequence[str], config: EvaluateConfig) -> EvaluateConfig:
    """Return `config` with the folders of the models, and one of its own where none is named."""
    folders = [str(find_model(name)) for name in models]
    changes: dict[str, Any] = {"models": tuple(map(Path, folders))}
    if "output_dir" not in config.model_fields_set:
        given = config.model_fields_set - NOT_NAMED | {"split", "other_model"}
        values = {name: _as_given(getattr(config, name)) for name in given}
        named = fingerprint({**values, "models": str(folders)})
        changes["output_dir"] = Path("runs") / f"evaluate-{named}"
    return config.model_copy(update=changes)


def _as_given(value: Any) -> str:
    return str(list(value) if isinstance(value, tuple) else value)


def tell_results(results: Mapping[str, Any], folder: Path, *, as_json: bool) -> None:
    """Print the verdict, and where everything lies; or all of it as JSON."""
    if as_json:
        print(json.dumps(results, ensure_ascii=False))
        return
    print(results["verdict"]["sentence"])
    if results["verdict"].get("cheap_wins"):
        print(results["verdict"]["cheap_wins"])
    print(f"results  {folder / 'results.json'}")
    print(f"report   {results['report']}")
