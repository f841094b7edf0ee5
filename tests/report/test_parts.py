"""The pieces of the report: word differences, chart geometry, joined readings, figures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from textcentric.report.charts import level, line_chart, nice_steps, rate
from textcentric.report.curves import PAPER, heat_map
from textcentric.report.differences import compare, word_differences
from textcentric.report.formats import duration, figure, isotime, share, visible
from textcentric.report.run_files import MOST_READINGS, read_run


def test_a_swapped_word_is_struck_and_its_successor_underlined() -> None:
    assert word_differences("A calm dog.", "A wild dog.") == [
        ("same", "A "),
        ("gone", "calm "),
        ("new", "wild "),
        ("same", "dog."),
    ]


def test_a_word_that_goes_at_the_end_does_not_touch_the_one_before() -> None:
    assert word_differences("He is good", "He is") == [("same", "He is"), ("gone", " good")]


def test_dropping_every_other_word_keeps_the_words_between() -> None:
    kept = [words for kind, words in word_differences("a b c d e f", "a c e") if kind == "same"]
    assert kept == ["a ", "c ", "e"]


def test_numbers_and_times_are_one_word() -> None:
    pieces = word_differences("Weighs 3.5 kg at 10:30.", "Weighs 3.7 kg at 10:30.")
    assert pieces[1:3] == [("gone", "3.5 "), ("new", "3.7 ")]


def test_the_new_text_can_be_read_back_exactly() -> None:
    source, text = "One, two.  Three\n\nfour (five)!", " One 2.\nThree four; (six) seven"
    shown = [words for kind, words in word_differences(source, text) if kind != "gone"]
    assert "".join(shown) == text


def test_only_changed_parts_are_compared_word_by_word() -> None:
    source = {"table": "Age: 3.", "text": "A dog.", "image": "Brown."}
    change = compare(source, {"table": "Age: 3.", "text": "A cat."})
    assert [part.name for part in change.changed] == ["text"]
    assert (change.same, change.absent, change.reordered) == (("table",), ("image",), False)


def test_parts_in_another_order_are_noticed() -> None:
    assert compare({"a": "1", "b": "2"}, {"b": "2", "a": "1"}).reordered


def test_a_rewritten_part_does_not_repeat_what_went() -> None:
    source = "Biscuit sleeps by the door all day."
    (part,) = compare({"text": source}, {"text": "Nobody knows this animal."}).changed
    assert part.rewritten
    assert {kind for kind, _ in part.pieces} <= {"same", "new"}


def test_loops_are_compared_whole_though_every_word_comes_again_and_again() -> None:
    text = "the dog and the cat " * 100
    pieces = word_differences("the cat and the dog " * 100, text)
    assert "".join(words for kind, words in pieces if kind != "gone") == text
    assert sum(len(words.split()) for kind, words in pieces if kind == "same") == 250


@pytest.mark.parametrize(
    ("top", "steps"),
    [(87, [0, 25, 50, 75, 100]), (0.3, [0, 0.1, 0.2, 0.3]), (4, [0, 1, 2, 3, 4]), (0, [0])],
)
def test_axes_have_round_steps(top: float, steps: list[float]) -> None:
    assert nice_steps(top) == steps


def test_rates_are_growth_over_the_window() -> None:
    readings = [{"t": t, "tokens": 10.0 * t} for t in (0.0, 1.0, 2.0, 3.0)]
    assert rate(readings, ["tokens"], window=2) == [(1, 10), (2, 10), (3, 10)]


def test_levels_of_a_long_run_are_means_of_at_most_120_groups() -> None:
    points = level([{"t": float(t), "n": float(t % 2)} for t in range(1_200)], "n")
    assert len(points) == 120
    assert points[0] == (9.0, 0.5)


def test_a_chart_needs_two_points_and_stays_inside_its_area() -> None:
    assert line_chart("a", "b", [(1.0, 2.0)]) is None
    chart = line_chart("a", "b", [(0.0, 0.0), (60.0, 80.0)], ceiling=100, ceiling_label="most")
    assert chart is not None
    assert chart.line == "44.0,152.0 350.0,41.6"
    assert (chart.ceiling, chart.x_ticks[-1]) == (14.0, (350.0, "60"))


def test_sums_and_clock_of_a_resumed_run_go_on(tmp_path: Path) -> None:
    readings = [{"t": 0, "sent": 0}, {"t": 9, "sent": 5}, {"t": 0, "sent": 0}, {"t": 3, "sent": 2}]
    (tmp_path / "metrics.jsonl").write_text("\n".join(map(json.dumps, readings)))
    run = read_run(tmp_path)
    assert [(one["t"], one["sent"]) for one in run.readings] == [(0, 0), (9, 5), (9, 5), (12, 7)]
    assert run.resumed == (9,)


def test_the_readings_of_a_long_run_are_thinned_but_keep_the_last(tmp_path: Path) -> None:
    lines = [json.dumps({"t": t, "sent": t}) for t in range(20_001)]
    (tmp_path / "metrics.jsonl").write_text("\n".join([*lines, "not json", '{"t": 20']))
    run = read_run(tmp_path)
    assert len(run.readings) <= MOST_READINGS + 1
    assert run.readings[-1]["t"] == 20_000


def test_shares_are_never_rounded_to_all_or_nothing() -> None:
    shares = [share(a, 1000).replace("\u00a0", " ") for a in (0, 1, 500, 999, 1000)]
    assert shares == ["0 %", "< 1 %", "50 %", "> 99 %", "100 %"]


def test_values_are_written_short() -> None:
    assert [figure(v) for v in (0.83123, 1, 1234.5, "x", None)] == [
        "0.831",
        "1",
        "1,234",
        "x",
        "None",
    ]
    assert [duration(s).replace("\u00a0", " ") for s in (0.5, 192.4, 7300)] == [
        "0.5 s",
        "3 min 12 s",
        "2 h 1 min",
    ]
    assert isotime(0) == "1970-01-01 00:00 UTC"
    assert isotime("yesterday") == "yesterday"


def test_new_lines_and_tabs_stay_and_the_rest_is_shown() -> None:
    assert visible("a\n\tb\r\x7f\ufeff") == "a\n\tb[U+000D][U+007F][U+FEFF]"


def test_pictures_bring_their_colours_for_dark_screens() -> None:
    drawn = heat_map(["a"], [("text",)], {("a", ("text",)): 0.5}, (0.0, 1.0), True).decode()
    style = drawn[drawn.index("@media (prefers-color-scheme: dark)") : drawn.index("</style>")]
    assert f'[style*="fill: {PAPER}"]{{fill: #1c1f1c !important}}' in style
    assert f'style="fill: {PAPER}"' in drawn
    assert "#ffffff" not in style  # letters in dark squares stay white
