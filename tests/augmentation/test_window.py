"""The window of rows: bounded by requests, by rows, and by the characters of their texts."""

from __future__ import annotations

import pytest

from textcentric.augmentation import window
from textcentric.augmentation.window import Window, characters
from textcentric.rows import Record
from textcentric.runs.counters import Metrics


def row(text: str = "A calm dog.") -> Record:
    return Record("r1", {"text": text, "table": {"age": "2", "fee": 5.0, "colour": None}})


def test_the_texts_of_a_row_are_counted_and_other_values_are_not() -> None:
    assert characters(row()) == len("A calm dog.") + len("2")


def test_long_rows_fill_the_window_long_before_there_are_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(window, "MOST_CHARACTERS", 2_000)
    open_window = Window(Metrics(capacity=1_000), requests_per_row=1)
    sizes = [open_window.enter(row("x" * 999)), open_window.enter(row("x" * 999))]
    assert open_window.crowded()
    open_window.leave(sizes.pop())
    assert not open_window.crowded()
    assert (open_window.rows, open_window.characters) == (1, 1_000)


def test_a_row_beyond_the_bound_is_admitted_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "MOST_CHARACTERS", 10)
    open_window = Window(Metrics(capacity=1_000), requests_per_row=1)
    assert not open_window.crowded()
    open_window.enter(row("x" * 999))
    assert open_window.crowded()


def test_requests_that_wait_fill_it_half_as_much_again_as_the_engine_runs() -> None:
    metrics = Metrics(capacity=10)
    open_window = Window(metrics, requests_per_row=2)
    metrics.waiting, metrics.describing = 10, 2
    assert not open_window.crowded()
    metrics.describing = 3
    assert open_window.crowded()
