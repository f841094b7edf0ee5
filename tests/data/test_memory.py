"""Rows that a program holds in memory, and the schema that it gives with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from textcentric.data.memory import in_hand
from textcentric.data.schema import Schema, numeric_target
from textcentric.errors import ConfigError
from textcentric.rows import Record

ROWS = [Record("a", {"text": "Calm."}, 1.0)]


def test_the_schema_of_records_may_lie_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "schema.yaml"
    path.write_text("task: regression\nname: pets\n", encoding="utf-8")
    assert in_hand(ROWS, path).schema == Schema(task="regression", name="pets")


def test_an_unknown_key_in_the_schema_of_records_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'target'"):
        in_hand(ROWS, {"taget": "price"})


def test_without_a_schema_records_say_their_modalities_and_their_task() -> None:
    tasks: dict[str, float | str] = {"ordinal": 1.0, "regression": 0.5, "classification": "slow"}
    for task, target in tasks.items():
        schema = in_hand([replace(row, target=target) for row in ROWS]).schema
        assert schema == Schema(task=task)  # type: ignore[arg-type]
        assert numeric_target(schema) == (task != "classification")
