"""Evaluations for Python: models under damage, on pairs, under attack; arms and ablations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from textcentric.api.given import (
    by_name,
    engine_in_hand,
    engine_name,
    in_store,
    places,
    refuse_twice,
    settings_of,
    source,
)
from textcentric.api.progress import Progress, watched
from textcentric.api.results import (
    Ablation,
    Evaluation,
    FusionEvaluation,
    Result,
    RewardEvaluation,
)
from textcentric.augmentation.driver import Progress as Counted
from textcentric.data.pairs import PairsLike
from textcentric.data.rows import RowsLike
from textcentric.engines.protocol import Engine
from textcentric.errors import ConfigError, unknown
from textcentric.evaluation.ablation.config import AlignAblation, CrmtAblation
from textcentric.evaluation.comparison.config import CompareConfig
from textcentric.evaluation.config import (
    EvaluateConfig,
    EvaluateFusionConfig,
    EvaluateRewardConfig,
)
from textcentric.machine import require
from textcentric.runs.counters import Steps
from textcentric.settings import read_keys

Models = str | Path | Result | Sequence[str | Path | Result]
ABLATED: Mapping[str, type[CrmtAblation] | type[AlignAblation]] = {
    "crmt": CrmtAblation,
    "align-vl": AlignAblation,
}


def evaluate(
    models: Models,
    rows: RowsLike,
    *,
    engine: str | Engine | None = None,
    progress: Progress = None,
    **settings: Any,
) -> Evaluation:
    """Damage rows, put them into words again, predict, and return what each model loses.

    `settings` are the keys of `evaluate`: `corruptions`, `levels`, `split`, `output_dir`, ... What
    experts and LLM answer is kept in the folder: a second time is nearly free.
    """
    from textcentric.evaluation.robustness import evaluate as evaluated
    from textcentric.evaluation.robustness import located

    require("evaluate downstream")
    rows = in_store(rows)  # type: ignore[assignment]
    folders = places(models)
    refuse_twice(settings, ["dataset"], engine_in_hand(engine))
    with watched(progress) as (steps, say):
        named = {"models": folders, "dataset": source(rows), "engine": engine_name(engine)}
        config = located(folders, settings_of(EvaluateConfig, {**settings, **named}, say))
        config.check()
        given = None if by_name(rows) else rows
        values = evaluated(config, given, engine=engine_in_hand(engine), say=say, steps=steps)
    return Evaluation(config.output_dir, values, values["cells"])


def evaluate_reward(
    models: Models,
    pairs: PairsLike | None = None,
    *,
    progress: Progress = None,
    **settings: Any,
) -> RewardEvaluation:
    """Return how often reward models prefer the chosen response, beside rules that see no picture.

    `settings` are the keys of `evaluate reward`: `candidates`, `image_dir`, `text_only`, ...
    """
    from textcentric.evaluation.rewards.evaluation import evaluate_reward as evaluated

    require("evaluate reward")
    pairs = in_store(pairs)  # type: ignore[assignment]
    with watched(progress) as (steps, say):
        named = {"dataset": str(pairs)} if by_name(pairs) else {}
        config = settings_of(EvaluateRewardConfig, {**settings, **named}, say)
        given = None if by_name(pairs) else pairs
        values = evaluated(places(models), config, given, say=say, steps=steps)
    table = [_flat(cell) for cell in values.get("cells", ())]
    return RewardEvaluation(None, values, table or list(_picks(values)))


def evaluate_fusion(
    models: Models,
    rows: RowsLike,
    *,
    progress: Progress = None,
    **settings: Any,
) -> FusionEvaluation:
    """Attack fusion models as hard as is known, and return what is left.

    `settings` are the keys of `evaluate fusion`: `radii`, `threats`, `output_dir`, ...
    """
    from textcentric.evaluation.fusion import nine_metrics
    from textcentric.evaluation.fusion_models import evaluate_fusion as evaluated

    require("evaluate fusion")
    rows = in_store(rows)  # type: ignore[assignment]
    with watched(progress) as (steps, say):
        refuse_twice(settings, ["dataset"])
        given = {**settings, "dataset": source(rows)}
        config = settings_of(EvaluateFusionConfig, given, say)
        in_hand = None if by_name(rows) else rows
        values = evaluated(places(models), config, in_hand, say=say, steps=steps)
    table = [{"model": name, **nine_metrics(of)} for name, of in values.items()]
    return FusionEvaluation(config.output_dir, values, table)


def compare(
    rows: RowsLike | None = None,
    *,
    config: str | Path | None = None,
    engine: str | Engine | None = None,
    progress: Progress = None,
    **settings: Any,
) -> Evaluation:
    """Train arms on the same rows, damage the test rows, and say whether augmenting helped.

    `settings` are the keys of `compare`, over those of the file `config`; `engine` is one
    that is open, or its name. What is finished is kept: the same call goes on.
    """
    from textcentric.evaluation.comparison.comparison import Comparison
    from textcentric.evaluation.comparison.running import compare as compared

    require("compare")
    rows = in_store(rows)  # type: ignore[assignment]
    with watched(progress) as (steps, say):
        named = {"augment.engine": engine_name(engine)}
        named |= {} if rows is None else {"dataset": source(rows)}
        refuse_twice(settings, [] if rows is None else ["dataset"])
        written = read_keys(Path(config)) if config else {}
        chosen = settings_of(CompareConfig, {**written, **settings, **named}, say)
        chosen.check()
        given = None if by_name(rows) else rows
        watch = partial(_rows_watched, steps)
        values = compared(Comparison(chosen, engine_in_hand(engine), say, watch, rows=given))
    return Evaluation(chosen.output_dir, values, values["cells"])


def ablate(
    method: str,
    rows: RowsLike | Result | None = None,
    *,
    progress: Progress = None,
    **settings: Any,
) -> Ablation:
    """Take a method apart ("crmt", "align-vl"): what is lost where one piece is taken away.

    `rows` are those of CRMT, or the latents of Align-VL; `settings` are the keys of
    `ablate METHOD`, its `output_dir` among them.
    """
    if method not in ABLATED:
        raise ConfigError(unknown("method to ablate", method, ABLATED))
    require(f"ablate {method}")
    from textcentric.api.models import learnt_from
    from textcentric.evaluation.ablation.ablation import ABLATIONS

    rows = in_store(rows)  # type: ignore[assignment]
    in_hand = not (rows is None or by_name(rows) or isinstance(rows, Result))
    with watched(progress) as (_, say):
        learnt = learnt_from(ABLATED[method], rows)
        refuse_twice(settings, learnt)
        given = {**settings, **learnt}
        config = settings_of(ABLATED[method], given, say)
        config.check()
        ablated = ABLATIONS[method](config, rows if in_hand else None, say=say)
    arms: Mapping[str, Mapping[str, Any]] = ablated.summary["arms"]
    table = [
        {"arm": arm, "metric": metric, "value": of["value"], "interval": of["interval"]}
        for arm, metrics in arms.items()
        for metric, of in metrics.items()
    ]
    return Ablation(ablated.folder, ablated.summary, table, ablated.pictures)


@contextmanager
def _rows_watched(steps: Steps | None, total: int) -> Iterator[Counted]:
    """Yield what tells `steps` of the rows of an LLM's run."""
    tell: Callable[..., None] = steps or (lambda what, done, total: None)
    yield lambda metrics: tell("rows", metrics.rows, total)


def _flat(cell: Mapping[str, Any]) -> dict[str, Any]:
    """Return a cell of the matrix without its nested figures."""
    return {name: value for name, value in cell.items() if not isinstance(value, Mapping)}


def _picks(values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, table in values.get("best_of", {}).items():
        for model, of in table["of"].items():
            yield {"candidates": name, "model": model} | {n: of[n]["value"] for n in of}
