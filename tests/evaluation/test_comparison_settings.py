"""The settings of a comparison, and what of it needs no rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from textcentric.errors import ConfigError
from textcentric.evaluation.comparison.config import read_compare_config
from textcentric.evaluation.comparison.folds import fold_of
from textcentric.evaluation.comparison.running import _pairs
from textcentric.evaluation.results_file import llm_costs, llm_total
from textcentric.rows import Record


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"arms": ["plain-txt"]}, "did you mean 'plain-text'"),
        ({"corruptions": ["word-droput"]}, "did you mean 'word-dropout'"),
        ({"metric": "quadratic_kapa"}, "did you mean 'quadratic_kappa'"),
        ({"sedes": [1]}, "did you mean 'seeds'"),
        ({"augment.promts": "x"}, "did you mean 'prompts'"),
        ({"train_rows": 0}, "train_rows=0"),
    ],
)
def test_a_wrong_setting_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_compare_config(None, values)


def test_the_llm_sees_the_first_damage_where_everything_at_once_is_not_tried() -> None:
    config = read_compare_config(None, {"corruptions": ["word-dropout", "feature-dropout"]})
    assert config.llm_corruptions == ("word-dropout",)
    assert read_compare_config(None, {"corruptions": ["image-words", "all"]}).llm_corruptions == (
        "all",
    )
    with pytest.raises(ConfigError, match="among corruptions"):
        read_compare_config(None, {"corruptions": ["all"], "llm_corruptions": ["word-dropout"]})


def test_what_the_llm_is_asked_and_orders_are_settings() -> None:
    values = {"llm_corruptions": ["all", "image-words"], "llm_levels": ["0.2", "0.4"]}
    config = read_compare_config(None, {**values, "orders": "5"})
    assert (config.llm_corruptions, config.llm_levels) == (("all", "image-words"), (0.2, 0.4))
    assert config.orders == 5
    with pytest.raises(ConfigError, match=r"llm_levels.0='many': Input should be a valid number"):
        read_compare_config(None, {"llm_levels": ["many"]})


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"folds": 5, "train_rows": 10}, "train_rows is about splits"), ({"fold": 0}, "fold is 0")],
)
def test_folds_that_make_no_sense_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_compare_config(None, changes)


def test_a_difference_is_taken_once_whichever_arm_is_named_first() -> None:
    pairs = list(_pairs(["constant", "plain-text", "dropout-train"], "plain-text"))
    assert pairs == [
        ("constant", "plain-text"),
        ("dropout-train", "plain-text"),
        ("constant", "dropout-train"),
    ]
    assert list(_pairs(["constant"], "plain-text")) == []


def test_what_arms_share_of_an_llm_is_counted_once(tmp_path: Path) -> None:
    for name, requests in (("augmented", 40), ("test", 7), ("other", 5)):
        (tmp_path / name).mkdir()
        manifest = {"requests": {"sent": requests}, "tokens": {"prompt": 2, "output": 1}}
        (tmp_path / name / "manifest.json").write_text(json.dumps({**manifest, "seconds": 1.0}))
    augmented, test, other = (tmp_path / name for name in ("augmented", "test", "other"))
    runs = {"plain": [], "a": [augmented], "b": [augmented, test], "c": [other]}
    costs = llm_costs(runs)
    assert [costs[name]["llm_requests"] for name in runs] == [0, 40, 47, 5]
    assert [costs[name]["llm_shared_with"] for name in runs] == [[], ["b"], ["a"], []]
    assert llm_total(runs) == {"llm_requests": 52, "llm_tokens": 9, "llm_seconds": 3.0}


def test_rows_of_one_group_are_in_one_fold() -> None:
    records = [Record(f"r{n}", {"text": "a"}, 1, group=f"g{n % 7}") for n in range(70)]
    folds: dict[str | None, set[int]] = {record.group: set() for record in records}
    for record in records:
        folds[record.group].add(fold_of(record, 4))
    assert all(len(found) == 1 for found in folds.values())
