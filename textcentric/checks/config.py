"""What can be chosen about checking pairs of a source and a variant."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import field_validator

from textcentric import fields
from textcentric.errors import ConfigError, unknown
from textcentric.settings import Settings, setting

FACTS = ("same", "fewer", "beside", "changed")


class CheckConfig(Settings):
    """What variants may do with the facts of their source, and what is asked to judge them."""

    called = "check"

    pairs: str = setting(
        ..., "Table or JSON lines of source and variant.", flags=(), metavar="PAIRS"
    )
    facts: str = setting(
        "same",
        "What a variant may do with facts: same (says all of it, nothing else), fewer (leaves some"
        " out), beside (adds something unrelated), changed. A column facts wins.",
        panel="Checks",
        metavar="|".join(FACTS),
    )
    source: str = setting("source", "Column of the sources.", panel="Data")
    variant: str = setting("variant", "Column of the variants.", panel="Data")
    legible: bool = setting(
        True, "No where misspelling is the aim of the variants.", panel="Checks"
    )
    strict: float | None = fields.strict(
        "The precision that is asked for, 0.8 to 0.99.", "Checks", "that of the weights"
    )
    embeddings: bool = setting(True, "Compare by meaning too.", panel="Checks")
    likelihoods: Literal["auto", "off"] = setting(
        "auto",
        "Ask a language model how likely a source is, given its variant, where the other checks are"
        " undecided.",
        panel="Checks",
    )
    model: str | None = setting(
        None, "Language model of the likelihoods.", panel="Engine", shown="the packaged one"
    )
    engine: str = fields.engine("transformers")
    base_url: str | None = fields.base_url()
    min_true: float | None = setting(
        None,
        "Share of true variants, 0 to 1, below which it ends with 3.",
        panel="Limits",
        ge=0,
        le=1,
    )
    batch_size: int = fields.batch_size(256, "Pairs")
    output: Path | None = fields.output("File of JSON lines.", "none")

    @field_validator("facts")
    @classmethod
    def _known(cls, word: str) -> str:
        check_facts(word)
        return word


def check_facts(word: object) -> None:
    """Raise ConfigError, the nearest word named, for what variants cannot do with facts."""
    if word not in FACTS:
        raise ConfigError(unknown("facts", str(word), FACTS))
