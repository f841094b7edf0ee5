"""Rows, engine and experts as a configuration names them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.plan import CAPTION, Plan
from textcentric.augmentation.requests import RequestBuilder
from textcentric.checks.entailment import CrossEncoder, Entail
from textcentric.data.dataset import Dataset
from textcentric.data.loading import SchemaSource
from textcentric.data.memory import in_hand
from textcentric.data.rows import Rows, RowsLike
from textcentric.engines import chosen_engine, open_engine, telling
from textcentric.engines.arguments import check_settings
from textcentric.engines.grammar import PICK
from textcentric.engines.protocol import Engine, Request
from textcentric.errors import Say, option
from textcentric.experts import open_experts
from textcentric.experts.protocol import AnyExpert
from textcentric.experts.vlm import CaptionExpert
from textcentric.machine import require
from textcentric.prompts.library import PromptLibrary
from textcentric.rows import FILES, MODALITIES

SHOWN = 12  # columns that a message lists


def engine_name(config: AugmentConfig) -> str:
    """Return the engine that `auto` stands for on this machine."""
    return chosen_engine(config.engine)


def make_engine(config: AugmentConfig, plan: Plan | None = None) -> Engine:
    """Open the engine; a model is loaded with the first request, not here.

    Raises ConfigError where it lacks what a prompt of `plan` needs.
    """
    if plan is not None and plan.picks:
        _check_picks(chosen_engine(config.engine))
    check_settings(config.engine_settings)
    settings = dict(config.engine_settings)
    if config.base_url is not None:
        settings["base_url"] = config.base_url
    return open_engine(config.engine, config.model, **settings)


def _check_picks(engine: str) -> None:
    """Raise ConfigError where `engine` cannot keep an answer to a JSON schema."""
    if engine == "transformers":
        require(PICK)


def make_entailment(config: AugmentConfig) -> Entail | None:
    """Open the inference model, None where the configuration names none."""
    return CrossEncoder(config.entailment_model) if config.entailment_model else None


def make_judge(config: AugmentConfig, say: Say) -> Engine | None:
    """Open the engine of the judge, None where a run has none.

    The settings of the engine that writes are its own; of them only the address is shared, and with
    it the headers that the server there wants.
    """
    if config.judge_model is None:
        return None
    name = chosen_engine(config.judge_engine or config.engine)
    _check_picks(name)
    address = config.judge_base_url or config.base_url or config.engine_settings.get("base_url")
    settings = {"base_url": address} if address and name == "openai" else {}
    if settings and not config.judge_base_url and "headers" in config.engine_settings:
        settings["headers"] = config.engine_settings["headers"]
    return telling(open_engine(name, config.judge_model, **settings), say)


def needs_engine(config: AugmentConfig, plan: Plan) -> bool:
    """Say whether a run asks a model: to write, to judge or to describe pictures."""
    return plan.asks or config.image_expert == "vlm"


def load_rows(
    config: AugmentConfig, rows: RowsLike | None = None, schema: SchemaSource = None
) -> Rows:
    """Load the data set that the configuration names, as it filters it.

    `rows` stand in for that data set, and `schema` for the one that says what columns are.
    """
    schema = schema or config.table_schema
    found = in_hand(
        config.dataset if rows is None else rows,
        schema,
        data_dir=config.data_dir,
        split=config.split,
        limit=config.limit,
        require=config.require,
    )
    if not isinstance(found, Dataset) or found.schema.says_target():
        return found
    if schema is None and not isinstance(rows, str | Path | Dataset | None):
        return found  # of rows in hand without a schema it is told that nothing is known
    return replace(found, notes=(*found.notes, _without_target(found.columns)))


def _without_target(columns: Sequence[str]) -> str:
    """Say that no column is the target, and which ones a model will read."""
    shown = ", ".join(columns[:SHOWN]) + (", ..." if len(columns) > SHOWN else "")
    return (
        f"no target is named, so these columns stand in the text: {shown or 'none'}; name the one"
        f" to predict ({option('target', 'COLUMN')}), or say that there is none"
        f" ({option('target', 'none')})"
    )


def make_experts(
    config: AugmentConfig,
    dataset: Rows,
    engine: Engine | None = None,
    library: PromptLibrary | None = None,
) -> dict[str, AnyExpert]:
    """Open the experts that the data set's modalities need.

    The rows name only files that the loader found inside the data folder. A vision-language
    model behind `engine` describes the pictures where it is asked for, or where it is one.
    """
    held = [*dataset.schema.files(), *(["image"] if config.image_expert == "labels" else [])]
    modalities = [name for name in MODALITIES if name in held or name not in FILES]
    vlm = None
    if engine is not None and library is not None and "image" in modalities:
        asked = config.image_expert == "vlm"
        vlm = _captioner(engine, library) if asked or _sees(engine) else None
    return dict(
        open_experts(
            modalities,
            missing=config.missing_values,
            image=config.image_expert,
            audio=config.audio_expert,
            vlm=vlm,
            words=config.expert_words,
        )
    )


def _sees(engine: Engine) -> bool:
    """Say whether the engine's model is known to read pictures."""
    return "vision_config" in getattr(getattr(engine, "model", None), "config", {})


def _captioner(engine: Engine, library: PromptLibrary) -> CaptionExpert:
    prompt = library[CAPTION]
    builder = RequestBuilder(engine.fingerprint())

    def build(path: str, digest: str) -> Request:
        request, _ = builder.build(prompt, {}, seed=0)
        *before, user = request.messages
        seen = replace(user, images=(path,), image_digests=(digest,))
        return replace(request, messages=(*before, seen))

    return CaptionExpert(engine, build, version=prompt.digest)
