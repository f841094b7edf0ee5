from __future__ import annotations

import pytest

from textcentric.corruption.grid import CLEAN, Cell
from textcentric.corruption.orders import ORDER
from textcentric.errors import DataError
from textcentric.evaluation.findings import Findings
from textcentric.evaluation.results_file import changed_rows, figures
from textcentric.rows import Target

ROWS = [f"r{n}" for n in range(40)]
LABELS = [n % 2 for n in range(40)]
TARGETS: dict[str, Target] = dict(zip(ROWS, LABELS, strict=True))
HALF, ALL = Cell("all", 0.5), Cell("all", 1.0)
GRID = (CLEAN, HALF, ALL, Cell("missing", None, ("text",)))
RIGHT = dict(TARGETS)
WRONG_TEN: dict[str, Target] = {
    row: 1 - label if n < 10 else label
    for n, (row, label) in enumerate(zip(ROWS, LABELS, strict=True))
}
ZEROS: dict[str, Target] = dict.fromkeys(ROWS, 0)


def findings(**arms: dict[str, dict[str, Target]]) -> Findings:
    return Findings(
        metric="accuracy",
        targets=TARGETS,
        groups={},
        cells=GRID,
        predicted={name: {0: by_cell} for name, by_cell in arms.items()},
        constants=dict.fromkeys(TARGETS, 0),
        resamples=200,
    )


def curve(clean: dict, half: dict, all_: dict) -> dict[str, dict[str, Target]]:
    return {CLEAN.name: clean, HALF.name: half, ALL.name: all_}


def test_a_cell_has_score_constant_and_the_share_that_is_lost() -> None:
    entries = findings(ours=curve(RIGHT, WRONG_TEN, ZEROS)).table()
    clean, half, all_ = entries
    assert [e["score"] for e in entries] == [1.0, 0.75, 0.5]
    assert [e["drop_ratio"] for e in entries] == [0.0, 0.25, 0.5]
    assert {e["constant"] for e in entries} == {0.5}
    assert clean["interval"] == pytest.approx([0.912, 1.0], abs=1e-3), "Wilson's: no draw errs"
    assert half["interval"][0] < 0.75 < half["interval"][1]
    assert (all_["n"], all_["seeds"], all_["undefined"]) == (40, 1, "")


def test_a_model_no_better_than_the_constant_has_no_drop_ratio() -> None:
    entry = findings(ours=curve(ZEROS, ZEROS, ZEROS)).table()[1]
    assert entry["drop_ratio"] is None
    assert "not better than the constant" in entry["undefined"]


def test_a_cell_has_its_difference_to_the_constant_on_the_same_draws() -> None:
    clean, half, all_ = findings(ours=curve(RIGHT, WRONG_TEN, ZEROS)).table()
    assert [e["over_constant"] for e in (clean, half, all_)] == [0.5, 0.25, 0.0]
    assert all_["over_constant_interval"] == [0.0, 0.0], "it is the constant prediction"
    low, high = half["over_constant_interval"]
    assert low < 0.25 < high


def test_a_drop_whose_clean_score_may_be_near_the_constants_is_undefined() -> None:
    few = {row: TARGETS[row] if n < 24 else 1 - LABELS[n] for n, row in enumerate(ROWS)}
    entry = findings(ours=curve(few, ZEROS, ZEROS)).table()[1]
    assert (entry["drop_ratio"], entry["drop_interval"]) == (None, None)
    assert f"in {entry['drop_left_out']} of 200 resamples" in entry["undefined"]


def test_the_area_runs_from_the_clean_row_to_the_last_level() -> None:
    found = findings(ours=curve(RIGHT, WRONG_TEN, ZEROS)).areas()
    assert found[0]["levels"] == [0.0, 0.5, 1.0]
    assert found[0]["area"] == pytest.approx(0.5 * (1 + 0.75) / 2 + 0.5 * (0.75 + 0.5) / 2)
    assert found[0]["mean"] == found[0]["area"]  # from 0 to 1


def test_areas_stand_beside_each_other_over_the_same_levels() -> None:
    short = {CLEAN.name: RIGHT, HALF.name: RIGHT}
    found = findings(ours=short, theirs=curve(RIGHT, WRONG_TEN, ZEROS), bare={CLEAN.name: RIGHT})
    areas = {entry["arm"]: (entry["levels"], entry["area"]) for entry in found.areas()}
    assert areas == {"ours": ([0.0, 0.5], 0.5), "theirs": ([0.0, 0.5], pytest.approx(0.4375))}


def test_arms_are_compared_at_the_levels_they_share() -> None:
    short = {CLEAN.name: RIGHT, HALF.name: RIGHT}
    found = findings(ours=short, theirs=curve(RIGHT, WRONG_TEN, ZEROS))
    difference = found.difference("ours", "theirs", "all")
    assert difference is not None
    assert difference["levels"] == [0.0, 0.5]
    assert difference["difference"] == pytest.approx(0.5 * 0.25 / 2)
    assert difference["mean"] == pytest.approx(0.25 / 2)


def test_rows_that_one_arm_lacks_count_for_none_in_that_cell() -> None:
    few = {row: RIGHT[row] for row in ROWS[:30]}
    found = findings(
        ours={**curve(RIGHT, RIGHT, RIGHT), "missing-text": few},
        theirs={**curve(RIGHT, RIGHT, RIGHT), "missing-text": RIGHT},
    )
    assert {e["n"] for e in found.table() if e["missing"]} == {30}


def test_levels_stay_paired_where_a_row_is_missing_in_one_of_them() -> None:
    """The clean score plus that of a level whose rows are right where clean rows are wrong."""
    turned: dict[str, Target] = {
        row: label if n < 10 else 1 - label
        for n, (row, label) in enumerate(zip(ROWS, LABELS, strict=True))
    }
    last = dict(list(turned.items())[:-1])
    whole = findings(ours={CLEAN.name: WRONG_TEN, HALF.name: turned}).area("ours", "all", [0.5])
    short = findings(ours={CLEAN.name: WRONG_TEN, HALF.name: last}).area("ours", "all", [0.5])
    assert whole.standard_error == pytest.approx(0, abs=1e-12)
    assert short.standard_error < 0.005, "a single row cannot undo the pairing"


def test_a_cell_without_any_row_is_an_error() -> None:
    with pytest.raises(DataError, match="no row was predicted"):
        findings(ours={CLEAN.name: {}}).table()


def test_other_orders_have_a_mean_a_worst_and_a_share_of_flips() -> None:
    by_cell = {CLEAN.name: RIGHT, f"{ORDER}0": RIGHT, f"{ORDER}1": WRONG_TEN}
    entry = figures(findings(ours=by_cell), [])["orders"][0]
    assert (entry["rows"], entry["given"]) == (40, 1.0)
    figures_of = {name: entry[name] for name in ("arm", "mean", "worst", "flips", "orders")}
    assert figures_of == {"arm": "ours", "mean": 0.875, "worst": 0.75, "flips": 0.25, "orders": 2}


def test_the_rows_that_changed_most_come_with_both_texts() -> None:
    words = {CLEAN.name: {"r0": {"text": "calm"}}, HALF.name: {"r0": {"text": "c"}}}
    found = findings(ours=curve(RIGHT, WRONG_TEN, ZEROS))
    changed = changed_rows(found, "ours", HALF, words)
    assert len(changed) == 10
    first = changed[0]
    assert (first["id"], first["clean_prediction"], first["corrupted_prediction"]) == ("r0", 0, 1)
    assert (first["clean_parts"], first["corrupted_parts"]) == ({"text": "calm"}, {"text": "c"})
