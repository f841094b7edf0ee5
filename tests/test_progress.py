"""The progress line says what a person waiting wants to know."""

from __future__ import annotations

import time

from textcentric.cli.progress import Progress
from textcentric.metrics import Metrics


def line(total: int, seconds: float, metrics: Metrics) -> str:
    metrics.first_answer, metrics._started = 0.0, time.monotonic() - seconds
    return Progress(total).line(metrics)


def test_nothing_is_said_of_the_remaining_time_before_a_row_is_done() -> None:
    said = line(24, 60.0, Metrics(admitted=24, output_tokens=600))
    assert said.endswith("10 tokens/s, remaining time not known yet")


def test_rows_on_the_way_count_for_half_in_the_remaining_time() -> None:
    counted = Metrics(rows=2, admitted=24, accepted=9, rejected=7, output_tokens=3000)
    said = line(24, 300.0, counted)
    assert said == "2/24 rows, 9 accepted, 7 rejected, 10 tokens/s, about 4 min 14 s left"


def test_the_remaining_time_follows_the_rows_where_all_are_done_or_not_begun() -> None:
    said = line(100, 60.0, Metrics(rows=25, admitted=25, output_tokens=600))
    assert said.endswith("about 3 min 0 s left")
