"""Messages name a setting as their reader says it, and cut the values that they show."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import textcentric
from tests.support.commands import textcentric as command
from textcentric.data import load
from textcentric.errors import (
    ConfigError,
    TextCentricError,
    cut,
    flag_of,
    in_flags,
    option,
    quoted,
)
from textcentric.evaluation.config import PredictConfig
from textcentric.evaluation.prediction import predict_rows

ROOT = Path(textcentric.__file__).parent
FLAG = re.compile(r"(^|[ (`'])(--(?!no-deps|nproc)([a-z]|$)|-o\b)")  # but pip's and torchrun's


@pytest.mark.parametrize(
    ("name", "value", "keyword", "flag"),
    [
        ("data_dir", None, "data_dir=", "--data-dir"),
        ("output_dir", None, "output_dir=", "-o"),
        ("resume", "always", "resume='always'", "--resume always"),
        ("embeddings", False, "embeddings=False", "--no-embeddings"),
        ("engine.batch", 8, "engine_settings={'batch': 8}", "--set engine.batch=8"),
        ("downstream.classes", None, "classes=", "--set downstream.classes=..."),
    ],
)
def test_a_setting_is_said_as_the_caller_says_it(
    name: str, value: object, keyword: str, flag: str
) -> None:
    assert option(name, value) == keyword
    with in_flags():
        assert option(name, value) == flag
    assert option(name, value) == keyword


def test_a_switch_that_is_off_has_a_flag_of_its_own() -> None:
    assert [flag_of("summarize"), flag_of("summarize", off=True)] == [
        "--summarize",
        "--no-summarize",
    ]


def test_python_and_the_command_line_each_read_their_own_words() -> None:
    with pytest.raises(ConfigError, match=r"^which rows\? Give dataset=$"):
        predict_rows("models/none", PredictConfig())
    assert "Give --run, or raw rows by --dataset" in command("train", "downstream").err


def test_no_error_outside_the_command_line_writes_a_flag_itself() -> None:
    flags = [
        f"{path.relative_to(ROOT)}:{text.lineno}: {text.value}"
        for path in sorted(ROOT.rglob("*.py"))
        if "cli" not in path.relative_to(ROOT).parts
        for raised in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(raised, ast.Raise)
        for text in ast.walk(raised)
        if isinstance(text, ast.Constant) and isinstance(text.value, str)
        if FLAG.search(text.value)
    ]
    # `--set` is read from the command line alone.
    assert [line for line in flags if not line.startswith("settings.py")] == []


LONG = "a long value " * 300


@pytest.mark.parametrize(
    ("rows", "schema"),
    [
        ([{"id": LONG, "a": 1}, {"id": LONG, "a": 2}], {}),
        ([{"id": LONG, "kind": LONG}], {"target": "kind", "choices": [LONG + "b"]}),
        ([{"id": LONG, "price": LONG}], {"target": "price", "task": "regression"}),
        ([{"id": LONG, "a": None}], {}),
        ([{LONG: 1}], {}),
        ([{LONG: 1, "id": 1}], {"target": LONG[1:]}),
        ([{LONG: 1, "id": 1}], {"ignore": ["a", LONG[1:]]}),
        ([{"id": 1, "kind": 1}], {LONG: "kind"}),
        ([{"id": 1, "kind": 1, "part": LONG}], {"split": "part"}),
        (
            [{"id": n, "kind": 1, "of": LONG, "part": p} for n, p in enumerate(("train", "test"))],
            {"group": "of", "split": "part"},
        ),
        (LONG, {}),
    ],
)
def test_no_message_holds_more_than_60_characters_of_a_value(
    rows: object, schema: dict[str, object]
) -> None:
    with pytest.raises(TextCentricError) as error:
        load(rows, schema=schema)
    assert len(str(error.value)) < 600
    assert LONG[:70] not in str(error.value)


def endless() -> list[object]:
    """Return a list that is small in memory and would have 10**12 items on paper."""
    value: list[object] = ["word"]
    for _ in range(12):
        value = [value] * 10
    return value


def test_a_value_is_cut_while_it_is_written() -> None:
    assert cut(endless(), most=20) == "[[[[[[[[[[[[['word']..."
    assert quoted({"a": endless()}, most=8) == "{'a': [["
    assert cut(10**5000) == "a number of 16,610 bits"


@pytest.mark.parametrize(
    "value", ["it's", b"a", 7, None, (1,), (), [], {}, {"a": [1, {"b"}]}, True, 2.5, ["x" * 9]]
)
def test_a_short_value_is_written_as_python_writes_it(value: object) -> None:
    assert quoted(value) == repr(value)
