"""Rows that a program holds in memory, and the schema that it gives with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from textcentric.data import open_picture
from textcentric.data.memory import in_hand
from textcentric.data.schema import Schema, numeric_target
from textcentric.errors import ConfigError, DataError
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


SQUARE = np.zeros((4, 6), np.uint8)


@pytest.mark.parametrize(
    ("image", "files"),
    [
        ("a.jpg", ("a.jpg",)),
        (Path("a.jpg"), (Path("a.jpg"),)),
        (["a.jpg", Path("b.jpg")], ("a.jpg", Path("b.jpg"))),
        ([], ()),
    ],
)
def test_one_picture_is_a_list_of_one(image: object, files: tuple[object, ...]) -> None:
    assert Record("a", {"image": image}).inputs == {"image": files}


@pytest.mark.parametrize("image", [SQUARE, [Image.fromarray(SQUARE)], SQUARE.astype(bool)])
def test_pictures_of_a_record_become_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image: object
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (row,) = in_hand([Record("a", {"image": image})])
    assert open_picture(row.inputs["image"][0]).size == (6, 4)


@pytest.mark.parametrize(
    ("inputs", "target", "message"),
    [
        ({"txt": "Calm."}, None, "unknown modality 'txt'; did you mean 'text'?"),
        ({"text": None}, None, "its text is None, expected a text; leave it out"),
        ({"text": 5}, None, "its text is a int, expected a text"),
        ({"table": [1]}, None, "its table is a list, expected a mapping"),
        ({"image": None}, None, "its image is None, expected paths or pictures; leave it out"),
        ({"image": [["a.jpg"]]}, None, "its image is a list, expected paths or pictures"),
        ({"audio": np.zeros((9, 2))}, None, "its audio is a ndarray, expected paths"),
        ({"text": "Calm."}, ["a", "b"], "its target is a list, .*: one label a row"),
        ("Calm.", None, "its inputs are a str, expected a mapping"),
    ],
)
def test_what_cannot_be_a_row_is_refused_when_it_is_made(
    inputs: Any, target: Any, message: str
) -> None:
    with pytest.raises(DataError, match=f"row 'r1': {message}"):
        Record("r1", inputs, target)


def test_targets_of_numpy_are_numbers_and_nan_is_none() -> None:
    targets = [Record("a", {"text": "Calm."}, one).target for one in (np.int64(3), np.nan)]  # type: ignore[arg-type]
    assert targets == [3, None]
    assert type(targets[0]) is int


def test_a_picture_of_another_shape_is_refused_with_its_row() -> None:
    with pytest.raises(DataError, match=r"row 'r1': an array of shape \(3, 8, 8\) is no picture"):
        in_hand([Record("r1", {"image": np.zeros((3, 8, 8))})])
