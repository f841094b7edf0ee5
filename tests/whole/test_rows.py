"""Rows: parts in order, copies that change one thing, and never a row without words."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from textcentric.errors import DataError, unknown
from textcentric.rows import Record, TextRow

ROW = TextRow("r1", {"table": "Age: 3 months.", "text": "A calm dog."}, target=2)


def test_the_text_of_a_row_is_one_paragraph_a_part() -> None:
    assert ROW.text() == "Age: 3 months.\n\nA calm dog."


def test_the_parts_can_come_in_another_order() -> None:
    assert ROW.text(order=["text", "table"]) == "A calm dog.\n\nAge: 3 months."


def test_an_order_that_forgets_a_part_is_refused() -> None:
    with pytest.raises(DataError, match="not a permutation of the parts"):
        ROW.text(order=["text"])


def test_a_blank_part_leaves_no_gap() -> None:
    assert TextRow("r", {"table": " ", "text": "A dog."}).text() == "A dog."


def test_a_new_part_goes_last_and_an_old_one_keeps_its_place() -> None:
    assert list(ROW.with_part("image", "Brown.").parts) == ["table", "text", "image"]
    assert ROW.with_part("table", "x").parts == {"table": "x", "text": "A calm dog."}


def test_a_copy_keeps_id_and_target_and_leaves_the_row_alone() -> None:
    copy = ROW.with_part("table", "Age: 4 months.")
    assert (copy.id, copy.target, len(copy.parts)) == ("r1", 2, 2)
    assert ROW.parts["table"] != "Age: 4 months."
    assert list(ROW.parts) == ["table", "text"]


def test_a_row_without_any_part_raises() -> None:
    with pytest.raises(DataError, match="row 'r1' has no text left in any part") as caught:
        TextRow("r1", {})
    assert caught.value.row_id == "r1"


def test_a_row_of_white_space_raises() -> None:
    with pytest.raises(DataError, match="has no text left"):
        TextRow("r2", {"text": " \n\t"})


def test_rows_cannot_be_changed_in_place() -> None:
    with pytest.raises(FrozenInstanceError):
        Record("r1", {}).target = 3  # type: ignore[misc]


def test_a_wrong_name_is_answered_with_the_nearest_one() -> None:
    assert unknown("engine", "vlm", ["openai", "vllm"]) == (
        "unknown engine 'vlm'; did you mean 'vllm'? Known: openai, vllm"
    )
    assert unknown("set", "zzz", []) == "unknown set 'zzz'; Known: none"
