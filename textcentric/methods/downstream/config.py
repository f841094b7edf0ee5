"""What can be chosen about a downstream transformer; the loop has its own configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import field_validator

from textcentric import fields
from textcentric.augmentation.config import AugmentConfig, resolve
from textcentric.errors import ConfigError
from textcentric.security.owned import check_owned
from textcentric.settings import Settings, Values, setting
from textcentric.training.config import TrainConfig, TrainingSettings

DATA = ("data_dir", "table_schema", "image_expert", "audio_expert", "missing_values")


class DownstreamConfig(Settings):
    """Model, task, reading, objective and dropping in training."""

    called = "downstream"

    model: str = setting(
        "packaged",
        "Transformer to train: packaged (MiniLM), a folder or OWNER/NAME.",
        panel="Model",
    )
    revision: str | None = fields.revision()
    trust_remote_code: bool = fields.trust_remote_code()
    pooling: Literal["auto", "mean", "cls", "last"] = setting(
        "auto", "How the tokens' features become the text's.", panel="Model"
    )
    attn_implementation: str | None = fields.attn_implementation()
    dtype: Literal["float32", "bfloat16"] = fields.dtype()
    layers: int | None = fields.layers()
    encoder_dropout: float | None = setting(
        None, "In the transformer, 0 to 1.", panel="Model", shown="the model's own", ge=0, lt=1
    )
    head_dropout: float = setting(0.1, "Before the head, 0 to 1.", panel="Model", ge=0, lt=1)
    lora_r: int | None = setting(
        None, "Train a LoRA adapter of this rank.", panel="Model", shown="all weights", ge=1
    )
    lora_alpha: int | None = setting(
        None, "Scale of the adapter, over its rank.", panel="Model", shown="twice the rank", ge=1
    )
    lora_dropout: float = setting(0.0, "Before the adapter, 0 to 1.", panel="Model", ge=0, lt=1)
    lora_target_modules: str | tuple[str, ...] = fields.lora_target_modules()

    task: Literal["auto", "classification", "ordinal", "regression"] = setting(
        "auto", "auto: words are classes, up to ten whole numbers ordinal, others regression."
    )
    classes: tuple[int | str, ...] | None = setting(
        None, "All classes in their order, where training rows may lack some.", flags=()
    )
    class_weights: Literal["none", "balanced"] = setting(
        "none", "balanced gives rare classes more weight."
    )
    ordinal: Literal["rank", "cumulative"] = setting(
        "rank", "Ordered classes: squared error of the rank, or a cumulative link."
    )
    target_transform: Literal["none", "log", "log1p"] = setting(
        "none", "Of a regression's target; undone at prediction."
    )
    calibration_rows: int = setting(
        1000, "Training rows that place the cuts of ordered classes, without held-out ones.", ge=1
    )

    parts: tuple[str, ...] | None = setting(
        None, "Blocks of a row to read, in order: text,table,summary.", panel="Text", shown="all"
    )
    headers: bool = setting(True, "Begin each block with its name.", panel="Text")
    max_length: int = setting(256, "Tokens of a row at most.", panel="Text", ge=8)

    variants: int = setting(1, "Perturbed texts of a row in an epoch (K).", ge=0)
    variant_share: float = setting(
        1.0, "Share of the rows, 0 to 1, that bring variants in an epoch.", ge=0, le=1
    )
    variant_weight: float = setting(1.0, "Weight of the variants' loss (lambda).", ge=0)
    objective: Literal["mean", "worst"] = setting(
        "mean", "Over the variants: their mean loss, or the highest."
    )
    consistency: float = setting(0.0, "Weight of agreeing with the clean text.", ge=0)

    dropout_levels: tuple[float, ...] = setting(
        (0.0,), "Shares of words and columns dropped; one is drawn for a text and epoch."
    )
    modality_dropout: float = setting(0.0, "Chance, 0 to 1, that a block is left out.", ge=0, le=1)
    order_shuffle: bool = setting(False, "Permute the blocks.")
    seed: int = fields.seed()

    @field_validator("dropout_levels")
    @classmethod
    def _levels_are_shares(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        if not levels or not all(0 <= level <= 1 for level in levels):
            raise ValueError("expected at least one level, each in [0, 1], such as [0, 0.3, 0.6]")
        return levels

    @field_validator("parts", "classes")
    @classmethod
    def _named_once(cls, names: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        if names is not None and (not names or len(set(names)) < len(names)):
            raise ValueError("expected at least one name, each once")
        return names


class Training(TrainingSettings):
    """Rows of a run directory, or raw rows for the experts; and how to train on them."""

    called = "train downstream"
    part = "downstream"
    sources = ("run", "dataset")
    asked = "which rows? Give {}, or raw rows by {}"
    help: ClassVar = """\
    Fine-tune a transformer on text rows and their variants; a model folder.

    Rows of split train are trained on, those of split validation are evaluated.
    The same as: accelerate launch pipelines/train.py downstream ...

    Example: textcentric train downstream --run runs/first -o models/first
    """
    sections: ClassVar = {"train": TrainConfig, "downstream": DownstreamConfig}

    run: str | None = setting(
        None, "Run directory to train on, or its name in runs/.", panel="Data", metavar="RUN"
    )
    labels: tuple[Literal["keep", "unsure", "changes"], ...] = setting(
        ("keep",), "Effects on the label that variants may have.", panel="Data"
    )
    only: Literal["read-true", "believed"] | None = fields.only()
    dataset: str | None = fields.dataset()
    data_dir: str | None = fields.data_dir()
    table_schema: Values | str | None = fields.table_schema()
    image_expert: str | None = fields.image_expert(None, shown="auto")
    audio_expert: str | None = fields.audio_expert(None, shown="auto")
    missing_values: Literal["skip", "name"] | None = fields.missing_values(None, shown="skip")
    train_rows: int | None = fields.at_most("rows of split train")
    held_out_rows: int | None = fields.at_most("rows of split validation")
    export: Path | None = setting(
        None, "Write the model there too, a LoRA adapter merged into it.", panel="Training loop"
    )
    downstream: Values = setting({}, "Settings of the method.", flags=())

    def name(self) -> str:
        """Return the name of the rows."""
        return Path(str(self.run or self.dataset)).name.split(".")[0]

    def adapts(self) -> bool:
        """Say whether a LoRA adapter is trained."""
        return self.method().lora_r is not None

    def data(self) -> AugmentConfig:
        """Return what says which raw rows are read, and how the experts say them."""
        return resolve(None, {name: getattr(self, name) for name in ("dataset", *DATA)})

    def check(self) -> None:
        """Raise ConfigError where rows or settings are missing, or do not fit together."""
        given = [name for name in ("dataset", *DATA) if getattr(self, name) is not None]
        if self.run is not None and given:
            raise ConfigError(
                f"run={self.run!r} and {given[0]}={getattr(self, given[0])!r}: a run holds its"
                " rows in words already; leave one of the two out"
            )
        fields.check_only(self.only, self.run, "raw rows")
        super().check()
        self._check_export()

    def _check_export(self) -> None:
        if self.export is None:
            return
        if self.export.resolve() == self.loop().output_dir.resolve():
            raise ConfigError(
                f"export={str(self.export)!r} is the folder of the training itself; give another"
            )
        check_owned(self.export, self.marks, "folder of this command", ())
