"""Rows in the source are rows given and rows left out, whatever the table and the filters."""

from pathlib import Path

import pytest

from textcentric.data import Dataset, load
from textcentric.data.balance import balance_of, in_words
from textcentric.data.memory import in_hand
from textcentric.rows import Record

TABLE = """id,title,kind,part
a,Old mill,1,train
,No id,1,train
b,,,train
c,New mill,0,test
d,Red barn,often,test
e,,1,train
f,Blue barn,0,train
g,one field,too,many,here
h,Last,1,train
"""
ROLES = {"text": "title", "target": "kind", "split": "part", "task": "regression"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "barns.csv"
    file.write_text(TABLE, encoding="utf-8")
    return file


def test_each_reason_has_its_rows_and_examples(path: Path) -> None:
    rows = load(path, schema=ROLES, split="train")
    assert rows.balance == {
        "source": 9,
        "given": 3,
        "left_out": {
            "line(s) without exactly 4 fields": {
                "rows": 1,
                "examples": ["line 9: 'g,one field,too,many,here'"],
            },
            "row(s) without an id": {"rows": 1, "examples": []},
            "row(s) with nothing in any modality": {"rows": 2, "examples": ["'b'", "'e'"]},
            "row(s) with a target other than a finite number": {"rows": 1, "examples": ["'d'"]},
            "row(s) of another split than train": {"rows": 1, "examples": []},
        },
    }


@pytest.mark.parametrize("split", [None, "train"])
@pytest.mark.parametrize("limit", [None, 1, 2, 9])
@pytest.mark.parametrize("require", [(), ("text",)])
def test_the_balance_adds_up_whatever_the_filters(
    path: Path, split: str | None, limit: int | None, require: tuple[str, ...]
) -> None:
    parts = ["train", "test", "train", "train", "validation", "train"]
    lines = [f"{n},{'' if n % 2 else 'A barn'},{n},{part},1" for n, part in enumerate(parts)]
    path.write_text("\n".join(["id,title,kind,part,size", *lines, "cut,off"]), encoding="utf-8")
    rows = load(path, schema=ROLES, split=split, limit=limit, require=require)
    balance = rows.balance
    left = sum(of["rows"] for of in balance["left_out"].values())
    assert balance["given"] == rows.count() == len(list(rows))
    assert balance["source"] == 7 == balance["given"] + left


def test_rows_chosen_later_are_counted_anew(path: Path) -> None:
    rows = in_hand(load(path, schema=ROLES), split="test")
    assert isinstance(rows, Dataset)
    assert rows.count() == len(list(rows)) == 1
    assert rows.balance["left_out"]["row(s) of another split than test"]["rows"] == 3


def test_records_in_hand_are_counted_too() -> None:
    records = [Record(str(n), {"text": "A barn."} if n % 2 else {"table": {}}) for n in range(6)]
    rows = in_hand(records, require=["text"], limit=2)
    assert in_words(rows.balance) == (
        "6 rows in the source = 2 given + 4 left out: 3 row(s) without text ('0'; '2'; '4'),"
        " 1 row(s) beyond the limit of 2 ('5')"
    )


def test_a_source_of_which_all_is_given_says_so() -> None:
    assert in_words(balance_of(1200, {}), "trained on") == (
        "1,200 rows in the source = 1,200 trained on + 0 left out"
    )
