"""The configuration of a comparison: rows, arms, seeds, damage, and how each part is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from textcentric.config import AugmentConfig, first_problem, read_keys
from textcentric.errors import ConfigError, unknown
from textcentric.grid import LEVELS, NAMES
from textcentric.scores import find_score

OWN = frozenset(["output_dir", "seed", "resume"])  # set by the comparison for each of its parts


@dataclass(frozen=True)
class Arm:
    """A method that is compared: what it reads in training, and what it costs.

    `derived`: summary and reasoning of an LLM beside the experts' words; `variants`: perturbed
    texts of an LLM; `changes` go over the downstream configuration.
    """

    what: str
    baseline: bool = False
    derived: bool = False
    variants: bool = False
    kind: str = ""
    changes: Mapping[str, Any] | None = None

    @property
    def llm(self) -> bool:
        """Say whether an LLM writes anything for this arm."""
        return self.derived or self.variants


DROPPING = {"dropout_levels": (0.0, 0.3, 0.6), "modality_dropout": 0.1}
# The table "who is compared" of the protocol, then the ablations.
ARMS: dict[str, Arm] = {
    "constant": Arm("The most frequent class, or the mean.", baseline=True),
    "table-boost": Arm("Gradient boosting on the table and simple features of the text.", True),
    "late-fusion": Arm("Frozen embeddings of each modality under one linear head.", True),
    "plain-text": Arm("Everything in the experts' words, no LLM."),
    "dropout-train": Arm(
        "Plain text with words, columns and modalities dropped in training.", changes=DROPPING
    ),
    "aligned": Arm("Summaries (and reasoning) of an LLM, no perturbation.", derived=True),
    "perturbed": Arm("Perturbed texts of an LLM, no alignment.", variants=True),
    "text-centric": Arm("Alignment and perturbation.", derived=True, variants=True),
    "text-centric+dropout": Arm(
        "Alignment, perturbation, and dropping in training.", False, True, True, changes=DROPPING
    ),
    "text-centric-random": Arm(
        "Perturbed by the bank's random instructions only.", False, True, True, kind="random"
    ),
    "text-centric-instruction": Arm(
        "Perturbed by the bank's instructions of a kind only.",
        False,
        True,
        True,
        kind="instruction",
    ),
    "text-centric-k1": Arm("One variant a row.", False, True, True, changes={"variants": 1}),
    "text-centric-k4": Arm("Four variants a row.", False, True, True, changes={"variants": 4}),
    "text-centric-k10": Arm("Ten variants a row.", False, True, True, changes={"variants": 10}),
}
BASIC = tuple(ARMS)[:9]


class CompareConfig(BaseModel):
    """What is compared on what.

    `train_rows`, `held_out_rows` and `test_rows` are taken from the splits train, validation and
    test; held-out rows (0: none) place the cuts of ordinal classes. Arms that read an LLM's words
    see the `llm_` damage only ("all", or the first corruption where that is not tried), and what is
    missing up to `llm_missing` modalities at a time.
    `orders` is how many test rows are read in every order of their parts. `augment`, `training` and
    `downstream` hold the settings of those parts.
    With `folds` splits are not read: all rows are cut into so many folds, each tested by models
    that are trained on the others; `fold` does one of them only.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str = "petfinder"
    data_dir: str | None = None
    table_schema: dict[str, Any] | str | None = None
    arms: tuple[str, ...] = BASIC
    against: str = "plain-text"
    seeds: tuple[int, ...] = Field((0, 1, 2), min_length=1)
    train_rows: int | None = Field(None, ge=1)
    held_out_rows: int | None = Field(None, ge=0)
    test_rows: int | None = Field(None, ge=1)
    corruptions: tuple[str, ...] = ("word-dropout", "feature-dropout", "image-words", "all")
    levels: tuple[float, ...] = LEVELS
    llm_corruptions: tuple[str, ...] = ("all",)
    llm_levels: tuple[float, ...] = (0.3, 0.5, 0.7)
    most_missing: int | None = Field(None, ge=1)
    llm_missing: int | None = Field(1, ge=0)
    orders: int = Field(0, ge=0)
    folds: int | None = Field(None, ge=2)
    fold: int | None = Field(None, ge=0)
    metric: str | None = None
    augment: dict[str, Any] = {}
    training: dict[str, Any] = {}
    downstream: dict[str, Any] = {}
    output_dir: Path = Path("runs/compare")

    @field_validator("arms")
    @classmethod
    def _known_arms(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in ARMS:
                raise ConfigError(unknown("arm", name, ARMS))
        return names

    @field_validator("against")
    @classmethod
    def _known_arm(cls, name: str) -> str:
        if name not in ARMS:
            raise ConfigError(unknown("arm", name, ARMS))
        return name

    @field_validator("metric")
    @classmethod
    def _known_metric(cls, name: str | None) -> str | None:
        if name is not None:
            find_score(name)
        return name

    @field_validator("corruptions", "llm_corruptions")
    @classmethod
    def _known_corruptions(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in NAMES:
                raise ConfigError(unknown("corruption", name, NAMES))
        return names

    @model_validator(mode="before")
    @classmethod
    def _damage_for_the_llm(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Where "all" is not tried, let the arms of the LLM see the first damage that is."""
        tried = values.get("corruptions")
        if isinstance(tried, list | tuple) and tried and "all" not in tried:
            return {"llm_corruptions": tried[:1], **values}
        return values

    @model_validator(mode="after")
    def _same_damage(self) -> CompareConfig:
        """Every arm must see the damage that the verdict is about."""
        absent = set(self.llm_corruptions) - set(self.corruptions)
        if not self.llm_corruptions or absent:
            raise ValueError(
                f"expected llm_corruptions among corruptions ({', '.join(self.corruptions)}),"
                f" got {', '.join(self.llm_corruptions) or 'none'}"
            )
        return self

    @model_validator(mode="after")
    def _against_an_arm(self) -> CompareConfig:
        default = type(self).model_fields["against"].default
        if self.against not in (*self.arms, default):
            raise ValueError(
                f"against is {self.against!r}, expected one of the arms that are compared"
                f" ({', '.join(self.arms)})"
            )
        return self

    @model_validator(mode="after")
    def _folds_or_splits(self) -> CompareConfig:
        if self.fold is not None and self.fold >= (self.folds or 0):
            raise ValueError(f"fold is {self.fold}, expected one of `folds`, from 0 on")
        of_splits = ("train_rows", "held_out_rows", "test_rows")
        given = [name for name in of_splits if getattr(self, name) is not None]
        if self.folds is not None and given:
            raise ValueError(f"{given[0]} is about splits, which folds={self.folds} does not read")
        return self

    def data(self) -> dict[str, Any]:
        """Return the settings that say which rows are read, and how experts say them."""
        named = {"dataset": self.dataset, "data_dir": self.data_dir}
        return {**self.augment, **named, "table_schema": self.table_schema}

    def augment_config(self, **values: Any) -> AugmentConfig:
        """Return the configuration of a run of `augment`."""
        return AugmentConfig(**(self.data() | values))


def read_compare_config(file: Path | None, flags: Mapping[str, Any]) -> CompareConfig:
    """Merge `file` and `flags` (None means not given; "a.b" reaches into a section).

    Raises ConfigError with the nearest name for an unknown key, and with the value otherwise.
    """
    values = read_keys(file) if file else {}
    for name, value in flags.items():
        if value is not None:
            section, _, key = name.rpartition(".")
            (values.setdefault(section, {}) if section else values)[key] = value
    for name in values:
        if name not in CompareConfig.model_fields:
            raise ConfigError(unknown("key of compare", name, CompareConfig.model_fields))
    for name in values.get("augment") or ():
        if name not in AugmentConfig.model_fields or name in OWN:
            raise ConfigError(unknown("key of augment", name, AugmentConfig.model_fields))
    try:
        return CompareConfig.model_validate(values)
    except ValidationError as error:
        raise ConfigError(first_problem(error, "compare")) from error
