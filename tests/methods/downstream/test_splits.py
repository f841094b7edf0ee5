"""The rows of a training by split, and why others are left."""

from __future__ import annotations

from textcentric.data.balance import balance_of
from textcentric.methods.downstream.splits import parted
from textcentric.rows import Example

SPLITS = ["train", "train", "train", "validation", "test", None]
ROWS = [Example(f"r{at}", {}, at % 2, split) for at, split in enumerate(SPLITS)]


def test_rows_that_are_neither_learnt_from_nor_evaluated_are_counted_with_the_reason() -> None:
    rows = parted([*ROWS, Example("blind", {}, None, "train")], 2, None)
    said = rows.in_words({"r0": {"text": "A jar."}, "r1": {}, "r3": {"text": "A lid."}})
    assert [[row.id for row in part] for part in (said.train, said.held_out, said.others)] == [
        ["r0"], ["r3"], ["r4"],
    ]  # fmt: skip
    empty = {"row(s) with nothing": {"rows": 1, "examples": ["'x'"]}}
    balance = said.balance(balance_of(7, empty))  # type: ignore[arg-type]
    assert (balance["source"], balance["given"]) == (8, 2)
    assert {reason: of["examples"] for reason, of in balance["left_out"].items()} == {
        "row(s) with nothing": ["'x'"],
        "row(s) without a target": ["'blind'"],
        "row(s) of the split test": ["'r4'"],
        "row(s) without a split": ["'r5'"],
        "row(s) of the split train beyond the first 2": ["'r2'"],
        "row(s) without words in any part": ["'r1'"],
    }
    assert said.told()[0].startswith("neither trained on nor held out: 1 row(s) without a target")


def test_rows_of_no_split_are_all_trained_on() -> None:
    rows = parted([Example(f"r{at}", {}, at) for at in range(3)], None, None)
    assert (len(rows.train), rows.held_out, rows.left) == (3, [], {})
    assert rows.told() == ["no row says its split, so all 3 are trained on"]
