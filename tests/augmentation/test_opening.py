"""Rows that a configuration names: a table without a target says so, once."""

from pathlib import Path

import pytest

from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.opening import load_rows
from textcentric.errors import in_flags


def notes(path: Path, **schema: str) -> tuple[str, ...]:
    return load_rows(AugmentConfig(dataset=str(path), table_schema=schema)).notes


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "barns.csv"
    path.write_text("id,title,size,kind\n1,Old mill,3,mill\n2,Barn,4,barn\n", encoding="utf-8")
    return path


def test_a_table_without_a_target_names_the_columns_that_stand_in_the_text(table: Path) -> None:
    with in_flags():
        (note,) = notes(table, text="title", ignore="size")
    assert note == (
        "no target is named, so these columns stand in the text: title, kind; name the one to"
        " predict (--target COLUMN), or say that there is none (--target none)"
    )


def test_a_table_that_has_no_target_is_silent_where_that_is_said(table: Path) -> None:
    assert notes(table, target="none") == ()
    assert notes(table, target="kind") == (
        "task taken as classification, going by kind; `task:` decides",
    )
    table.write_text(table.read_text().replace("kind", "none"))
    assert load_rows(
        AugmentConfig(dataset=str(table), table_schema={"target": "none"})
    ).schema.choices == {"barn": "barn", "mill": "mill"}
