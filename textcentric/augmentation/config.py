"""The configuration of `augment`: flags win over environment, over the file, over defaults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import ValidationError, model_validator

from textcentric import fields
from textcentric.errors import ConfigError, option, unknown
from textcentric.runs.identity import ADDED, CALL, LATER, RUNTIME
from textcentric.settings import Given, Settings, Values, first_problem, read, setting

# The keys that say which rows are read, and those that say how experts put them into words.
ROWS = ("dataset", "data_dir", "table_schema", "split", "limit", "require")
EXPERTS = ("image_expert", "audio_expert", "expert_words", "missing_values")


class AugmentConfig(Settings):
    """Everything that `textcentric augment` can be told, under the names of its flags."""

    called = "augment"
    mappings: ClassVar = {"engine": "engine_settings"}
    ignored = ADDED
    environment = True

    dataset: str = fields.dataset("petfinder")
    data_dir: str | None = fields.data_dir()
    table_schema: Values | str | None = fields.table_schema()
    split: str | None = fields.split()
    limit: int | None = fields.limit()
    require: tuple[str, ...] = setting(
        (), "Only rows that have it, such as image; may be repeated.", panel="Data", repeat=True
    )
    prompts: str = setting(
        "adversarial", "Sets, ids and globs of prompts, comma-separated.", panel="Prompts"
    )
    prompt_dir: str | None = fields.prompt_dir()
    all_prompts: bool = setting(
        False,
        "Take prompts too that sets leave out because little of them was true when it was read.",
        panel="Prompts",
    )
    samples: int = setting(1, "Variants of a row by each prompt.", panel="Prompts", ge=1)
    per_class: int | None = fields.of_each_row(
        "Variants of each class by each prompt, which its rows share; over --samples."
    )
    balance: bool = setting(
        False,
        "More variants of rare classes: of each as many as of the most frequent one.",
        panel="Prompts",
    )
    sentences: int | None = fields.of_each_row(
        "Sentences of a row that a prompt rewrites at most, where it goes one by one.",
        "as the prompt says",
    )
    candidates: int | None = fields.of_each_row(
        "Answers to one request, of which the truest is taken; over the prompts' own value.",
        "as the prompt says, 1",
    )
    summarize: bool = setting(
        True,
        "Add a summary to each row, by summarize/pick or your own; rules alone add none.",
        panel="Prompts",
    )
    perturb: Literal["train", "all"] = setting(
        "train", "Rows that get variants: those of split train, or all.", panel="Prompts"
    )
    engine: str = fields.engine()
    model: str | None = setting(
        None,
        "smollm2 (packaged), a folder or OWNER/NAME.",
        panel="Engine",
        flags=("--model", "--llm"),
        shown="smollm2; of a server, the one it serves",
    )
    base_url: fields.Address = fields.base_url()
    engine_settings: fields.EngineSettings = fields.engine_settings()
    judge_model: str | None = setting(
        None,
        "A second model, asked whether each variant still says what its row says.",
        panel="Engine",
        shown="none",
    )
    judge_engine: str | None = setting(
        None, "Engine of the judge: vllm, transformers or openai.", panel="Engine", shown="--engine"
    )
    judge_base_url: fields.Address = fields.base_url("Address of the judge's server.", "--base-url")
    image_expert: str = fields.image_expert()
    audio_expert: str = fields.audio_expert()
    expert_words: Literal["sure", "all"] = fields.expert_words()
    missing_values: Literal["skip", "name"] = fields.missing_values()
    languages: Literal["any", "listed"] = setting(
        "any",
        "Rows of which the model is asked: in any language, with a warning, or in those it lists.",
        panel="Engine",
    )
    temperature: float | None = setting(
        None, "Over the prompts' own values, 0 to 2.", panel="Sampling", ge=0, le=2
    )
    max_tokens: int | None = setting(
        None, "Tokens of one answer, over the prompts' own values.", panel="Sampling", ge=1
    )
    on_too_long: Literal["fail", "truncate"] = setting(
        "fail", "A row too long for the model: fail it, or cut its own text.", panel="Sampling"
    )
    embeddings: bool = setting(
        True, "Compare variants with their source by meaning too.", panel="Sampling"
    )
    strict: float | None = fields.strict(
        "Share of what is accepted that is to be true (0.8 to 0.99): fewer pass.",
        "Sampling",
        "the verdict's own threshold",
    )
    likelihoods: Literal["auto", "off", "all"] = setting(
        "auto",
        "Ask the model how likely a source is, given its variant: where in doubt, never, always.",
        panel="Sampling",
    )
    entailment_model: str | None = setting(
        None,
        "Inference cross-encoder that must agree: OWNER/NAME or a folder.",
        panel="Sampling",
    )
    seed: int = fields.seed("Sampling")
    output_dir: str | None = fields.output_dir(
        "The run directory itself.", shown="runs/DATASET-FINGERPRINT"
    )
    resume: Literal["auto", "never", "always"] = setting(
        "auto",
        "Go on in a directory that holds a run: if it is this one, never, or whatever it is.",
        panel="Output",
    )
    reuse: tuple[str, ...] = fields.reuse()
    max_failed: float = fields.max_failed()
    accept: int | None = setting(None, "Stop at so many accepted variants.", panel="Limits", ge=1)
    max_tokens_total: int | None = fields.stop("after so many tokens", ge=1)
    max_minutes: float | None = fields.stop("after so many minutes", gt=0)
    price_input: float = setting(
        0.0, "Price of a million tokens that the model reads.", panel="Limits", ge=0
    )
    price_output: float = setting(
        0.0, "Price of a million tokens that it writes.", panel="Limits", ge=0
    )
    max_cost: float | None = fields.stop("once it has cost so much by these prices", gt=0)
    format: Literal["parquet", "jsonl"] = setting(
        "parquet", "jsonl writes JSON lines beside the parquet.", panel="Output"
    )

    def __init__(self, **values: Any) -> None:
        """Raise ConfigError, with the nearest name for an unknown one."""
        for name in values.keys() - type(self).model_fields.keys():
            raise ConfigError(unknown("key of augment", name, type(self).model_fields))
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigError(first_problem(error, self.called)) from error

    @model_validator(mode="after")
    def _fits_together(self) -> AugmentConfig:
        if problem := self._misfit():
            raise ConfigError(problem)
        return self

    def _misfit(self) -> str:
        """Say which settings do not go together, "" where all do."""
        if self.judge_model is None and (self.judge_engine or self.judge_base_url):
            return (
                "judge_engine and judge_base_url say where a judge runs, but no judge is named:"
                f" give {option('judge_model')}"
            )
        if self.max_cost is not None and not (self.price_input or self.price_output):
            return (
                f"max_cost is {self.max_cost:g}, but nothing has a price: give"
                f" {option('price_input')} and {option('price_output')}, of a million tokens each"
            )
        if self.per_class is not None and self.balance:
            return (
                f"{option('per_class')} and {option('balance', True)} both say how many variants"
                " a class gets; give one of them"
            )
        return ""

    def identity(self) -> Values:
        """Return what makes this run this run, as plain JSON values."""
        values = self.model_dump(mode="json", exclude=set(RUNTIME))
        identity: Values = json.loads(json.dumps(self._chosen(values)))
        return identity

    def runtime(self) -> Values:
        """Return what else was resolved and holds for going on, as plain JSON values."""
        return self._chosen(self.model_dump(mode="json", include=set(RUNTIME - CALL)))

    def _chosen(self, values: Values) -> Values:
        """Return `values` without the later ones that nobody chose."""
        fields = type(self).model_fields
        return {k: v for k, v in values.items() if k not in LATER or v != fields[k].default}


def resolve(file: Path | None = None, flags: Given | None = None) -> AugmentConfig:
    """Merge defaults, `file`, the environment and `flags` (None means not given).

    Raises ConfigError with the nearest name for an unknown key, and with the value otherwise.
    """
    return read(AugmentConfig, file, flags)
