"""A data set shows itself: its length, a frame, a table."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

import textcentric as tc
from textcentric.data.memory import InHand, in_hand
from textcentric.data.shown import Shown

ROWS = [{"id": f"r{n}", "words": f"A calm dog, {n}.", "age": n, "price": 2.5} for n in range(25)]
SCHEMA = {"text": "words", "target": "price", "task": "regression"}


def test_a_data_set_is_as_long_as_what_it_yields() -> None:
    rows = tc.load(ROWS, schema=SCHEMA, limit=7)
    assert len(rows) == len(list(rows)) == 7
    assert len(tc.load(ROWS, schema=SCHEMA, require=["text"])) == 25
    held = in_hand([tc.Record("a", {"text": "Calm."})])
    assert isinstance(held, InHand)
    assert len(held) == 1


def test_a_data_set_is_a_frame_of_its_cells_and_inputs() -> None:
    frame = tc.load(ROWS, schema=SCHEMA, limit=2).to_pandas()
    assert list(frame.columns) == ["id", "age", "text", "target", "group", "split"]
    assert frame["text"].tolist() == ["A calm dog, 0.", "A calm dog, 1."]
    assert frame["target"].tolist() == [2.5, 2.5]


def test_a_data_set_is_a_table_of_its_first_rows() -> None:
    page = tc.load(ROWS, schema=SCHEMA)._repr_html_()
    assert "25 rows, 5 more rows</caption>" in page
    assert page.count("<tr>") == 21
    assert "<td>A calm dog, 19.</td>" in page


def test_loading_a_sample_warns_that_it_is_one(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = tc.load("petfinder", limit=1)
    assert [(line.levelno, line.message) for line in caplog.records] == [
        (logging.WARNING, note) for note in rows.notes
    ]
    assert "so this is the built-in sample" in caplog.text


def test_rows_that_cannot_be_counted_are_no_data_set() -> None:
    class Uncounted(Shown):
        def __iter__(self) -> Iterator[tc.Record]:
            return iter(())

    with pytest.raises(TypeError, match=r"abstract method.*count"):
        Uncounted()  # type: ignore[abstract]
