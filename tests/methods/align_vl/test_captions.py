"""Captions in rows or in lists become pairs of one group; a row that gives none is counted."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from textcentric.data import load
from textcentric.data.balance import balance_of, left_out
from textcentric.data.rows import Rows
from textcentric.data.schema import ROW_NUMBER
from textcentric.errors import DataError
from textcentric.methods.align_vl.latents.captions import paired
from textcentric.methods.align_vl.latents.gone import Gone
from textcentric.rows import Balance, Record

COLOURS = ("red", "blue", "green", "black", "white", "grey", "pink", "gold")
SAID = {name: [f"a {name} disc", f"something {name}", f"{name} again"] for name in COLOURS}
SCHEMA = {"id": ROW_NUMBER, "image": "image", "text": "caption"}
Rowlike = dict[str, Any]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in COLOURS:
        Image.new("RGB", (4, 4), name).save(tmp_path / f"{name}.png")
    return tmp_path


def pairs(rows: Rows) -> tuple[list[Record], Balance]:
    gone = Gone()
    given = list(paired(rows, ["image", "text"], gone))
    return given, balance_of(len(given), left_out(gone))


def write(path: Path, rows: Sequence[Rowlike]) -> Path:
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif path.suffix == ".parquet":
        pd.DataFrame(rows).to_parquet(path)
    else:
        pd.DataFrame(rows).to_csv(path, index=False)
    return path


def in_rows(number: str = "") -> list[Rowlike]:
    return [
        {"image": f"{name}.png{number and f'#{at}'}", "caption": caption}
        for name, captions in SAID.items()
        for at, caption in enumerate(captions)
    ]


def in_lists(end: str = ".png") -> list[Rowlike]:
    return [{"image": f"{name}{end}", "caption": captions} for name, captions in SAID.items()]


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("rows.csv", in_rows()),
        ("numbered.csv", in_rows("#")),
        ("lists.jsonl", in_lists()),
        ("lists.parquet", in_lists()),
        ("printed.csv", in_lists()),
        ("as-json.csv", [row | {"caption": json.dumps(row["caption"])} for row in in_lists()]),
        (
            "tokens.jsonl",
            [
                row | {"caption": [{"raw": c, "tokens": c.split()} for c in row["caption"]]}
                for row in in_lists()
            ],
        ),
    ],
)
@pytest.mark.parametrize("group", [{}, {"group": "image"}])
def test_captions_in_rows_or_lists_are_pairs_of_one_group(
    folder: Path, name: str, rows: list[Rowlike], group: Rowlike
) -> None:
    given, balance = pairs(load(write(folder / name, rows), schema=SCHEMA | group))
    assert [row.inputs["text"] for row in given] == [
        text for captions in SAID.values() for text in captions
    ]
    assert (balance["source"], balance["left_out"]) == (24, {})
    assert len({row.id for row in given}) == 24
    groups = {row.group: {r.split for r in given if r.group == row.group} for row in given}
    assert list(groups) == [f"{name}.png" for name in COLOURS]
    assert all(len(splits) == 1 for splits in groups.values())


def test_pictures_in_cells_are_a_group_too(folder: Path) -> None:
    rows = in_lists()
    for row in rows:
        row["image"] = {"bytes": (folder / row["image"]).read_bytes(), "path": row["image"]}
    given, _ = pairs(load(write(folder / "embedded.parquet", rows), schema=SCHEMA))
    assert len(given) == 24
    assert len({row.group for row in given}) == 8
    assert Image.open(io.BytesIO(Path(given[0].inputs["image"][0]).read_bytes())).size == (4, 4)


def test_a_split_is_of_whole_pictures_and_a_limit_of_rows(folder: Path) -> None:
    path = write(folder / "lists.jsonl", in_lists())
    everything, _ = pairs(load(path, schema=SCHEMA))
    given, balance = pairs(load(path, schema=SCHEMA, split="train"))
    assert [row.id for row in given] == [row.id for row in everything if row.split == "train"]
    assert balance["left_out"]["row(s) of another split than train"]["rows"] > 0
    given, balance = pairs(load(path, schema=SCHEMA, limit=2))
    assert [row.id for row in given] == ["1#0", "1#1", "1#2", "2#0", "2#1", "2#2"]
    assert balance["left_out"]["row(s) beyond the limit of 2"]["rows"] == 6


def test_every_row_that_gives_no_pair_is_counted_with_what_stands_there(folder: Path) -> None:
    rows = [*in_rows(), {"image": "gone.png", "caption": "x"}, {"image": "red.png", "caption": ""}]
    rows += [{"image": None, "caption": "y"}, {"image": "../out.png", "caption": "z"}]
    given, balance = pairs(load(write(folder / "a.csv", rows), schema=SCHEMA))
    assert (len(given), balance["source"]) == (24, 28)
    assert balance["left_out"] == {
        "row(s) whose image does not exist": {"rows": 1, "examples": ["'gone.png'"]},
        "row(s) without text": {"rows": 1, "examples": ["'26'"]},
        "row(s) without image": {"rows": 1, "examples": ["'27'"]},
        "row(s) whose image lies outside the data folder": {
            "rows": 1,
            "examples": ["'../out.png'"],
        },
    }


def test_a_picture_in_two_splits_is_refused(folder: Path) -> None:
    rows = [row | {"split": "test" if at == 1 else "train"} for at, row in enumerate(in_rows())]
    with pytest.raises(DataError, match=r"red.png' is in the splits train and test \(row '2'\)"):
        pairs(load(write(folder / "a.csv", rows), schema=SCHEMA | {"split": "split"}))
