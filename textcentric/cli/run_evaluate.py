"""What `textcentric evaluate` does with its flags: check them, evaluate, say the result."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from textcentric.cli.launched import alone
from textcentric.cli.progress import LOADING, Progress
from textcentric.cli.run_predict import find_model, lent_engine
from textcentric.cli.terminal import plain_warnings, say, silence, terminable
from textcentric.config import fingerprint
from textcentric.evaluate import evaluate
from textcentric.evaluation.config import EvaluateConfig

NOT_NAMED = {"engine", "llm", "engine_settings"}  # they do not name the folder


def evaluate_command(
    models: Sequence[str], config: EvaluateConfig, *, as_json: bool, quiet: bool, verbose: bool
) -> int:
    """Evaluate `models` and say what came of it; return the exit code."""
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
    found: dict[str, Any] = {"models": tuple(map(Path, folders))}
    if "output_dir" not in config.model_fields_set:
        given = config.model_fields_set - NOT_NAMED | {"split", "other_model"}
        values = {name: _as_given(getattr(config, name)) for name in given}
        named = fingerprint({**values, "models": str(folders)})
        found["output_dir"] = Path("runs") / f"evaluate-{named}"
    return config.model_copy(update=found)


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
