"""Variants of classes: as many of each, shared among its rows, planned and written."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.support.small_run import records
from textcentric import augment
from textcentric.augmentation.classes import shares
from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.forecast import count_work
from textcentric.augmentation.plan import Plan, make_plan, with_shares
from textcentric.data.memory import InHand
from textcentric.data.schema import Schema
from textcentric.errors import ConfigError
from textcentric.prompts.library import PromptLibrary
from textcentric.rows import Record, Target

CLASSES = ["dog"] * 6 + ["cat"] * 2 + [None]
LIBRARY = PromptLibrary.load()


def rows(task: str = "classification", targets: list[str | None] = CLASSES) -> InHand:
    of = [replace(one, target=t) for one, t in zip(records(len(targets)), targets, strict=True)]
    return InHand(of, Schema.model_validate({"task": task}))


def plan(data: InHand, **settings: object) -> Plan:
    config = AugmentConfig(prompts="rule/typing,rule/order", **settings)
    return with_shares(make_plan(config, LIBRARY), config, data)


def by_class(made: Plan, data: InHand) -> dict[Target, int]:
    counted = Counter[Target]()
    for record in data:
        counted[record.target] += len(made.wanted(record))
    return dict(counted)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {"dog": 12, "cat": 4, None: 2}),
        ({"balance": True}, {"dog": 12, "cat": 12, None: 2}),
        ({"balance": True, "samples": 2}, {"dog": 24, "cat": 24, None: 4}),
        ({"per_class": 7}, {"dog": 14, "cat": 14, None: 2}),
        ({"per_class": 1}, {"dog": 2, "cat": 2, None: 2}),
    ],
)
def test_each_class_has_as_many_variants(
    settings: dict[str, object], expected: dict[Target, int]
) -> None:
    data = rows()
    made = plan(data, **settings)
    assert by_class(made, data) == expected
    work = count_work(AugmentConfig(), made, data)
    assert sum(work.outputs.values()) - work.outputs["clean"] == sum(expected.values())


def test_rows_of_a_class_share_evenly_and_the_first_samples_are_as_before() -> None:
    data = rows()
    made, before = plan(data, per_class=7), plan(data)
    counts = sorted(len(made.wanted(record)) // 2 for record in data if record.target == "dog")
    assert counts == [1, 1, 1, 1, 1, 2]
    assert made.shares is not None
    assert made.shares.words() == "class dog 7 (rows 6), class cat 7 (rows 2)"
    first = data.records[0]
    assert before.wanted(first)[0] in made.wanted(first)


def test_only_rows_that_are_perturbed_count() -> None:
    data = rows()
    data = replace(data, records=[replace(data.records[0], split="test"), *data.records[1:]])
    assert by_class(plan(data, balance=True), data) == {"dog": 10, "cat": 10, None: 2}


def test_numbers_have_no_classes_and_rows_without_targets_none() -> None:
    with pytest.raises(ConfigError, match="need classes, and the target is a number"):
        plan(rows("regression"), balance=True)
    with pytest.raises(ConfigError, match="no row that is perturbed has one"):
        plan(rows(targets=[None, None]), per_class=3)
    with pytest.raises(ConfigError, match="both say how many variants a class gets"):
        AugmentConfig(per_class=3, balance=True)


def test_one_more_is_drawn_by_number() -> None:
    drawn = [(n, Record(f"r{n}", {"text": "A."}, target=1.0)) for n in (5, 3, 9)]
    assert shares(drawn, samples=1, per_class=4).more == {"r3"}


def test_a_run_writes_what_was_planned_and_keeps_the_choice(tmp_path: Path) -> None:
    data = rows()
    run = augment(data, prompts="rule/order", balance=True, embeddings=False,
                  output_dir=str(tmp_path / "run"))  # fmt: skip
    saved = yaml.safe_load((tmp_path / "run" / "run.yaml").read_text())
    assert saved["balance"] is True
    assert "per_class" not in saved
    assert run.manifest["totals"]["requested"] == 9 + 13
