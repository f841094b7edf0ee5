"""The configuration of a comparison: rows, arms, seeds, damage, and how each part is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import field_validator, model_validator

from textcentric import fields
from textcentric.augmentation.config import AugmentConfig
from textcentric.errors import ConfigError, check_known, option
from textcentric.methods.downstream.config import DownstreamConfig
from textcentric.settings import Given, Settings, Values, read, setting
from textcentric.training.config import TrainConfig

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
    changes: Given | None = None

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
# Which of the arms that an LLM writes for stands for augmentation, the first of them that is there.
METHOD = ("text-centric", "text-centric+dropout", "perturbed", "aligned")
LLM_LEVELS = (0.3, 0.5, 0.7)


def main_arm(names: Sequence[str], against: str) -> str | None:
    """Return the arm that the verdict is about, None where an LLM writes for none but `against`."""
    others = [name for name in names if ARMS[name].llm and name != against]
    return next((name for name in (*METHOD, *others) if name in others), None)


class CompareConfig(Settings):
    """What is compared on what.

    Held-out rows place the cuts of ordinal classes. Arms that read an LLM's words see the `llm_`
    damage only. With `folds` splits are not read: all rows are cut into so many folds, each tested
    by models that are trained on the others.
    """

    called = "compare"
    flat = False
    panel = "Method"
    sections: ClassVar = {
        "augment": AugmentConfig,
        "training": TrainConfig,
        "downstream": DownstreamConfig,
    }

    dataset: str = fields.dataset("petfinder")
    data_dir: str | None = fields.data_dir()
    table_schema: Values | str | None = fields.table_schema()
    arms: tuple[str, ...] = setting(
        BASIC, f"What is compared: {', '.join(ARMS)}.", shown="the first nine", metavar="NAME,NAME"
    )
    only: Literal["read-true", "believed"] | None = fields.only()
    against: str = setting("plain-text", "Arm to compare with.")
    seeds: tuple[int, ...] = setting((0, 1, 2), "A training of each arm by each.", min_length=1)
    train_rows: int | None = fields.at_most("rows of split train")
    held_out_rows: int | None = fields.at_most("rows of split validation; 0: none", least=0)
    test_rows: int | None = fields.at_most("rows of split test")
    corruptions: tuple[str, ...] = fields.corruptions(
        ("word-dropout", "feature-dropout", "image-words", "all")
    )
    levels: tuple[float, ...] = fields.levels()
    llm_corruptions: tuple[str, ...] = setting(
        ("all",),
        "Those among them that an LLM's words are made for anew.",
        panel="Damage",
        shown="all, or the first of --corruptions",
    )
    llm_levels: tuple[float, ...] = setting(
        LLM_LEVELS,
        "Levels that an LLM's words are made for anew.",
        panel="Damage",
        shown="0.3,0.5,0.7 as far as among --levels, else these",
    )
    most_missing: int | None = fields.most_missing(least=1)
    llm_missing: int | None = setting(
        1, "The same where an LLM's words are made anew.", panel="Damage", ge=0
    )
    orders: int = fields.orders()
    folds: int | None = setting(
        None, "Cut all rows into so many folds, and read no splits.", panel="Data", ge=2
    )
    fold: int | None = setting(
        None, "Test this fold only, counted from 0.", panel="Data", shown="all", ge=0
    )
    metric: str | None = fields.metric()
    augment: Values = setting({}, "Settings of the runs of augment.", flags=())
    training: Values = setting({}, "Settings of the training loop.", flags=())
    downstream: Values = setting({}, "Settings of the trained models.", flags=())
    output_dir: Path = fields.output_dir("Where results and report go.", Path("runs/compare"))

    @field_validator("arms")
    @classmethod
    def _known_arms(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            check_known("arm", name, ARMS)
        return names

    @field_validator("against")
    @classmethod
    def _known_arm(cls, name: str) -> str:
        check_known("arm", name, ARMS)
        return name

    @field_validator("metric")
    @classmethod
    def _known_metric(cls, name: str | None) -> str | None:
        from textcentric.metrics.scores import find_score

        if name is not None:
            find_score(name)
        return name

    @field_validator("corruptions", "llm_corruptions")
    @classmethod
    def _known_corruptions(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        from textcentric.corruption.grid import NAMES

        for name in names:
            check_known("corruption", name, NAMES)
        return names

    @model_validator(mode="before")
    @classmethod
    def _damage_for_the_llm(cls, values: Values) -> Values:
        """Where "all" is not tried, let the arms of the LLM see the first damage that is."""
        tried = values.get("corruptions")
        if isinstance(tried, list | tuple) and tried and "all" not in tried:
            return {"llm_corruptions": tried[:1], **values}
        return values

    @model_validator(mode="before")
    @classmethod
    def _levels_for_the_llm(cls, values: Values) -> Values:
        """Let the arms of the LLM see levels that are tried, and none beside them."""
        tried = values.get("levels")
        if isinstance(tried, list | tuple) and tried:
            among = [level for level in tried if str(level) in map(str, LLM_LEVELS)]
            return {"llm_levels": among or tried, **values}
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

    def check(self) -> None:
        """Raise ConfigError for a setting of a part that cannot be, before any part is begun."""
        from textcentric.corruption.grid import make_grid

        make_grid(self.corruptions, self.levels)
        make_grid(self.llm_corruptions, self.llm_levels)
        for name in self.augment.keys() & OWN:
            raise ConfigError(f"augment.{name} is chosen for each run; leave it out")
        AugmentConfig.of(self.augment)
        TrainConfig.of({**self.training, "output_dir": self.output_dir})
        if self.only is not None and not any(ARMS[name].llm for name in self.arms):
            raise ConfigError(
                f"{option('only', self.only)} is of variants that an LLM wrote, and none of the"
                f" arms {', '.join(self.arms)} learns from any; leave it out"
            )
        for name in self.arms:
            DownstreamConfig.of({**self.downstream, **(ARMS[name].changes or {})})

    def data(self) -> Values:
        """Return the settings that say which rows are read, and how experts say them."""
        named = {"dataset": self.dataset, "data_dir": self.data_dir}
        return {**self.augment, **named, "table_schema": self.table_schema}

    def augment_config(self, **values: object) -> AugmentConfig:
        """Return the configuration of a run of `augment`."""
        return AugmentConfig(**(self.data() | values))


def read_compare_config(file: Path | None, flags: Given) -> CompareConfig:
    """Merge `file` and `flags` (None means not given; "a.b" reaches into a section).

    Raises ConfigError with the nearest name for an unknown key, and with the value otherwise.
    """
    config = read(CompareConfig, file, flags)
    config.check()
    return config
