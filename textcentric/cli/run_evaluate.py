"""What `textcentric evaluate` does with its flags: check them, evaluate, say the result."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from textcentric.cli.launched import alone
from textcentric.cli.progress import LOADING, Progress
from textcentric.cli.run_predict import find_model
from textcentric.cli.sections import split_commas
from textcentric.cli.terminal import plain_warnings, say, silence, terminable
from textcentric.config import fingerprint, first_problem
from textcentric.engines.protocol import Engine
from textcentric.errors import ConfigError
from textcentric.evaluate import EvaluateConfig, evaluate
from textcentric.grid import make_grid
from textcentric.scores import find_score


def evaluate_command(
    models: Sequence[str],
    given: Mapping[str, Any],
    corruptions: str | None,
    levels: str | None,
    *,
    engine: Engine | None = None,
    engine_flags: Sequence[str] = (),
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Evaluate `models` and say what came of it; return the exit code."""
    if not alone():  # one process does it, whoever launched more
        return 0
    config = evaluate_config(models, given, corruptions, levels)
    silence(verbose)
    tell = (lambda line: None) if quiet else say
    try:
        with plain_warnings(tell), terminable(), Progress(start=LOADING, quiet=quiet) as progress:
            results = evaluate(
                config,
                engine=engine,
                engine_flags=engine_flags,
                say=tell,
                steps=progress.advance,
            )
    except KeyboardInterrupt:
        say(f"textcentric: interrupted; the same command goes on in {config.output_dir}")
        return 130
    tell_results(results, config.output_dir, as_json=as_json)
    return 0


def evaluate_config(
    models: Sequence[str], given: Mapping[str, Any], corruptions: str | None, levels: str | None
) -> EvaluateConfig:
    """Return the configuration that the flags give.

    Raises ConfigError for an unknown corruption, metric or model, the nearest named, or a bad
    level.
    """
    values = {name: value for name, value in given.items() if value is not None}
    values["models"] = [str(find_model(name)) for name in models]
    if corruptions is not None:
        values["corruptions"] = split_commas(corruptions)
    if levels is not None:
        values["levels"] = read_levels(levels)
    make_grid(values.get("corruptions", ()), values.get("levels", ()))  # raises what is wrong
    if "metric" in values:
        find_score(values["metric"])
    values.setdefault("output_dir", Path("runs") / f"evaluate-{_named(values)}")
    try:
        return EvaluateConfig.model_validate(values)
    except ValidationError as error:
        raise ConfigError(first_problem(error, "evaluate")) from error


def engine_flags(engine: str | None, llm: str | None, pairs: Sequence[str]) -> list[str]:
    """Return the flags that name the LLM, as they were given."""
    named = {"--engine": engine, "--llm": llm}
    flags = [word for flag, value in named.items() if value for word in (flag, value)]
    return [*flags, *(word for pair in pairs for word in ("--set", pair))]


def read_levels(text: str, flag: str = "levels") -> list[float]:
    """Return the levels of a comma-separated flag; raises ConfigError where one is no number."""
    try:
        return [float(level) for level in split_commas(text) or ()]
    except ValueError as error:
        raise ConfigError(
            f"--{flag} {text!r}: expected numbers in (0, 1], such as 0.3,0.5"
        ) from error


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


def _named(values: Mapping[str, Any]) -> str:
    return fingerprint({name: str(value) for name, value in values.items()})
