"""What can be chosen about predicting with trained models, and about evaluating them."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import field_validator

from textcentric import fields
from textcentric.errors import ConfigError
from textcentric.settings import Settings, Values, setting

LLM = "that of the training text"


class PredictConfig(Settings):
    """Which rows are predicted, and which LLM is asked where the model reads what one wrote."""

    called = "predict"
    mappings: ClassVar = {"engine": "engine_settings"}

    dataset: str | None = setting(
        None,
        "A table's path, a data set's name or OWNER/NAME.",
        panel="Data",
        flags=("--dataset", "--input"),
    )
    data_dir: str | None = fields.data_dir()
    table_schema: Values | str | None = fields.table_schema("that of the training")
    split: str | None = fields.split()
    limit: int | None = fields.limit()
    allow_missing_columns: bool = fields.allow_missing_columns()
    prompts: Literal["frozen", "installed"] = setting(
        "frozen", "Those in MODEL, or those installed, which must be the same.", panel="Prompts"
    )
    prompt_dir: str | None = fields.prompt_dir()
    engine: str | None = fields.engine(None, LLM)
    llm: str | None = fields.llm()
    base_url: fields.Address = fields.base_url()
    engine_settings: fields.EngineSettings = fields.engine_settings()
    other_model: bool = fields.other_model()
    trust_remote_code: bool = fields.trust_remote_code()
    run_dir: str | None = setting(
        None, "Run directory of what the LLM answers.", panel="Output", metavar="PATH"
    )
    reuse: tuple[str, ...] = fields.reuse()
    batch_size: int = fields.batch_size(64, "Rows")
    max_failed: float = fields.max_failed()
    output: str | None = fields.output("CSV, parquet or jsonl file.", "JSON lines on stdout")
    texts: bool = setting(
        False,
        "A column of the text that the model read, which other readers of it are given.",
        panel="Output",
    )
    safe_csv: bool = setting(
        True, "In CSV, an apostrophe before texts that spreadsheets would run.", panel="Output"
    )


class ScoreConfig(Settings):
    """Which responses a reward model scores."""

    called = "score"

    input: Path = setting(
        ..., "Table of prompt, response (or responses), image_description.", panel="Data"
    )
    image_dir: str | None = fields.image_dir()
    image_expert: str = fields.image_expert()
    trust_remote_code: bool = fields.trust_remote_code()
    batch_size: int = fields.batch_size(32, "Texts")
    output: Path | None = fields.output(
        "File of JSON lines; the same command goes on in it.", "stdout"
    )


class EvaluateConfig(Settings):
    """What is evaluated under which damage.

    `models` are trained folders, each an arm under its folder's name. Without a `metric` the
    task's own is taken.
    """

    called = "evaluate"
    mappings: ClassVar = {"engine": "engine_settings"}

    models: tuple[Path, ...] = setting(
        ..., "Folders of trained models.", flags=(), metavar="MODEL...", min_length=1
    )
    dataset: str = fields.dataset(...)
    data_dir: str | None = fields.data_dir()
    table_schema: Values | str | None = fields.table_schema("that of the training")
    split: str | None = fields.split(
        "test", "Rows to evaluate on, or all.", shown="test; all where no row was trained on"
    )
    limit: int | None = fields.limit()
    allow_missing_columns: bool = fields.allow_missing_columns()
    corruptions: tuple[str, ...] = fields.corruptions(("all",))
    levels: tuple[float, ...] = fields.levels()
    most_missing: int | None = fields.most_missing()
    orders: int = fields.orders()
    metric: str | None = fields.metric()
    engine: str | None = fields.engine(None, LLM)
    llm: str | None = fields.llm()
    base_url: fields.Address = fields.base_url()
    engine_settings: fields.EngineSettings = fields.engine_settings()
    other_model: bool = fields.other_model()
    trust_remote_code: bool = fields.trust_remote_code()
    seed: int = fields.seed()
    output_dir: Path = fields.output_dir(
        "Where results and report go.", Path("runs/evaluate"), shown="runs/evaluate-FINGERPRINT"
    )

    def check(self) -> None:
        """Raise ConfigError for an unknown corruption or metric, the nearest named, or a level."""
        from textcentric.corruption.grid import make_grid
        from textcentric.metrics.scores import find_score

        make_grid(self.corruptions, self.levels)
        if self.metric is not None:
            find_score(self.metric)


class EvaluateRewardConfig(Settings):
    """Which pairs and prompts reward models are tried on."""

    called = "evaluate reward"

    dataset: tuple[str, ...] = setting((), "Sets of pairs: FILE,FILE or OWNER/NAME.", panel="Data")
    candidates: tuple[str, ...] = setting(
        (), "Prompts with many responses, for Best-of-N: FILE,FILE.", panel="Data"
    )
    text_only: str | None = setting(
        None, "A model trained without descriptions, as a baseline.", metavar="MODEL"
    )
    layout: str | None = fields.layout()
    image_dir: str | None = fields.image_dir()
    image_expert: str = fields.image_expert()
    trust_remote_code: bool = fields.trust_remote_code()
    limit: int | None = fields.limit()
    batch_size: int = fields.batch_size(32, "Texts")
    output: Path | None = fields.output("File of all figures, as JSON.", "none")


class EvaluateFusionConfig(Settings):
    """Which rows fusion models are attacked on, and how hard."""

    called = "evaluate fusion"

    dataset: str = fields.dataset(...)
    data_dir: str | None = fields.data_dir()
    table_schema: Values | str | None = fields.table_schema()
    split: str = fields.split("test", "Rows to attack.")
    limit: int | None = fields.limit()
    radii: tuple[float, ...] = setting(
        (0.5, 1, 2, 4), "l2 lengths of attacks over the values that models read.", panel="Damage"
    )
    threats: tuple[str, ...] | None = setting(
        None, "What is attacked, such as image,joint.", panel="Damage", shown="each, joint, split"
    )
    seed: int = fields.seed("Damage")
    output_dir: Path | None = fields.output_dir("Where figures and curves go.", shown="none")

    @field_validator("radii")
    @classmethod
    def _lengths(cls, radii: tuple[float, ...]) -> tuple[float, ...]:
        if not radii or not all(0 < radius < float("inf") for radius in radii):
            raise ConfigError(f"radii={radii}: expected numbers above 0, such as 0.5,1,2")
        return tuple(sorted(set(radii)))
