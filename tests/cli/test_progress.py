"""The progress line says what a person waiting wants to know."""

from __future__ import annotations

import time
from dataclasses import fields
from io import StringIO

import pytest
from rich.console import Console

from textcentric.cli.progress import LOADING, Progress, beside_source
from textcentric.runs.columns import Output
from textcentric.runs.counters import Metrics


def line(total: int, seconds: float, metrics: Metrics) -> str:
    metrics.first_answer, metrics._started = 0.0, time.monotonic() - seconds
    return Progress(total).line(metrics)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show a plain line at every step, not now and then."""
    monkeypatch.setattr("textcentric.cli.progress.PLAIN_SECONDS", 0.0)


def test_nothing_is_said_of_the_remaining_time_before_a_row_is_done() -> None:
    said = line(24, 60.0, Metrics(admitted=24, output_tokens=600))
    assert said.endswith("10 tokens/s, remaining time not known yet")


def test_requests_are_counted_before_any_row_is_done() -> None:
    said = line(24, 60.0, Metrics(admitted=24, sent=164, in_flight=64, output_tokens=600))
    assert said.startswith("0/24 rows, 100 requests answered, 0 accepted, 0 rejected")


def output(prompt: str, text: str, source: str = "A calm dog sleeps.", reason: str = "") -> Output:
    values = dict.fromkeys((f.name for f in fields(Output)), "")
    values |= {"prompt": prompt, "text": text, "source_text": source, "reason": reason}
    return Output(**values)  # type: ignore[arg-type]


def shown(progress: Progress, width: int = 60) -> list[str]:
    """Return the lines that stand on a terminal of `width`."""
    console = Console(file=StringIO(), width=width, force_terminal=True)
    console.print(progress.display())
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


def test_the_newest_accepted_variant_stands_beside_its_source() -> None:
    progress = Progress(24)
    progress.show_row([output("clean", "A calm dog sleeps.")])
    assert shown(progress) == []
    progress.show_row([output("own/one", "A calm dog naps."), output("own/two", "!", reason="no")])
    assert shown(progress) == ["source   A calm dog sleeps.", "variant  A calm dog naps."]


def test_long_texts_are_shown_from_where_they_differ() -> None:
    row = "This gentle dog was found behind the old bakery last spring."
    pair = beside_source(output("own/one", row.replace("bakery", "library"), row))
    assert pair == (
        "…found behind the old bakery last spring.",
        "…found behind the old library last spring.",
    )


def test_control_characters_do_not_reach_the_terminal() -> None:
    hostile = "A \x1b[31mred\x1b]0;title\x07\u202edog\nnaps\x00\x9b2J."
    assert beside_source(output("own/one", hostile))[1] == "A [31mred ]0;title dog naps 2J."


def test_the_display_is_cut_to_the_width_and_reads_no_markup() -> None:
    progress = Progress(24)
    progress.show_row([output("own/one", "[bold red]A dog[/bold red] " + "naps " * 40)])
    assert shown(progress, width=40) == [
        "source   A calm dog sleeps.",
        "variant  [bold red]A dog[/bold red] nap…",
    ]


def test_steps_of_other_work_are_told_with_what_remains(
    at_once: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress(start=LOADING) as progress:
        progress.advance("first: texts read", 64, 1200)
        progress._begun -= 60
        progress.advance("first: texts read", 600, 1200)
        progress.advance("second: texts read", 1200, 1200)
    assert capsys.readouterr().err.splitlines() == [
        "first: texts read: 64 of 1,200",
        "first: texts read: 600 of 1,200, about 1 min 0 s left",
        "second: texts read: 1,200 of 1,200",
    ]


def test_quiet_work_shows_no_step(at_once: None, capsys: pytest.CaptureFixture[str]) -> None:
    Progress(quiet=True).advance("first: texts read", 64, 1200)
    assert capsys.readouterr().err == ""


def test_rows_on_the_way_count_for_half_in_the_remaining_time() -> None:
    counted = Metrics(
        rows=2, admitted=24, sent=94, in_flight=64, accepted=9, rejected=7, output_tokens=3000
    )
    said = line(24, 300.0, counted)
    assert said == (
        "2/24 rows, 30 requests answered, 9 accepted, 7 rejected, 10 tokens/s, about 4 min 14 s"
        " left"
    )


def test_the_remaining_time_follows_the_rows_where_all_are_done_or_not_begun() -> None:
    said = line(100, 60.0, Metrics(rows=25, admitted=25, output_tokens=600))
    assert said.endswith("about 3 min 0 s left")
