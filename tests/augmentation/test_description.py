"""Rows in a language that the model does not list: warned of, or asked nothing about."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.one_row import run_row
from tests.support.small_run import model, record
from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.description import LanguageWatch
from textcentric.augmentation.plan import make_plan
from textcentric.engines.scripted import ScriptedEngine
from textcentric.prompts.library import PromptLibrary
from textcentric.rows import Record
from textcentric.runs.columns import Output
from textcentric.runs.journal import Journal

ENGLISH = frozenset(["en"])
RUSSIAN = "Этот спокойный пёс любит людей и много спит. Позвоните нам после шести вечера."


def run(
    journal: Journal, library: PromptLibrary, watch: LanguageWatch, row: Record
) -> tuple[list[Output], int]:
    """Return the outputs of a row and how many requests there were."""
    shipped = PromptLibrary.load()
    prompts = {**library.prompts, "rule/order": shipped["rule/order"]}
    engine = ScriptedEngine(model)
    config = AugmentConfig(prompts="own/whole,own/swap,rule/order")
    plan = make_plan(config, PromptLibrary(prompts))
    outputs = run_row(plan, journal, engine, row, watch=watch)
    return [one for one in outputs if isinstance(one, Output)], len(engine.requests)


@pytest.fixture
def russian() -> Record:
    row = record(0)
    return replace(row, inputs={**row.inputs, "text": RUSSIAN})


def test_nothing_is_asked_about_a_row_whose_language_the_model_does_not_list(
    journal: Journal, library: PromptLibrary, russian: Record
) -> None:
    said: list[str] = []
    watch = LanguageWatch(ENGLISH, said.append, leave_out=True)
    outputs, asked = run(journal, library, watch, russian)
    assert asked == 0
    assert {one.prompt: one.reason for one in outputs} == {
        "clean": "", "own/whole": "language not listed", "own/swap": "language not listed",
        "rule/order": "",
    }  # fmt: skip
    assert outputs[0].text == outputs[0].source_text
    assert said == [
        "row 'r0' is in 'ru', which the model does not list (en); it is asked nothing about such"
        " rows, which stay in their own words"
    ]


def test_other_rows_are_asked_about_and_so_are_all_with_a_warning_alone(
    journal: Journal, library: PromptLibrary, russian: Record
) -> None:
    said: list[str] = []
    leaving = LanguageWatch(ENGLISH, said.append, leave_out=True)
    assert run(journal, library, leaving, record(0))[1] > 0
    assert said == []
    outputs, asked = run(journal, library, LanguageWatch(ENGLISH, said.append), russian)
    assert asked > 0
    assert "language not listed" not in {one.reason for one in outputs}
    assert said[0].endswith("expect weak text, or give another model=, or languages='listed'")


def test_a_model_that_lists_no_language_leaves_out_no_row() -> None:
    said: list[str] = []
    watch = LanguageWatch(None, said.append, leave_out=True)
    assert watch.look("r0", ["language=ru"]) == ""
    assert said == ["the model lists no languages, so languages='listed' leaves out none"]
    assert AugmentConfig(languages="listed").identity()["languages"] == "listed"
    assert "languages" not in AugmentConfig().identity()
