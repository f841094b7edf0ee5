"""`data init`: tables as strangers export them, read at once with the schema that is written."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.support.commands import textcentric
from textcentric.data.schema import read_schema


def flats(path: Path) -> Path:
    """Write semicolons, cp1252, decimal commas, amounts, an empty column at the end."""
    rows = [
        f"W-{n};Am Markt {n % 9};Helle Wohnung mit Küche und Balkon im {n}. Haus.;{n % 7},5;"
        f"1.{n:03},90 €;"
        for n in range(100, 140)
    ]
    text = "\r\n".join(["Wohnung;Straße;Beschreibung;Größe;Miete;", *rows])
    (path / "flats.csv").write_bytes(text.encode("cp1252"))
    return path / "flats.csv"


def customers(path: Path) -> Path:
    """Write an index without a name, Ja and Nein, words among numbers."""
    rows = [
        f"{n},K{n},{'k.A.' if n % 9 == 0 else 20 + n},{'Ja' if n % 3 else 'Nein'}"
        for n in range(40)
    ]
    (path / "customers.csv").write_text("\n".join([",Kunde Nr.,Alter,gekündigt", *rows]))
    return path / "customers.csv"


def products(path: Path) -> Path:
    """Write objects, lists in cells, and a column that comes late."""
    with (path / "products.jsonl").open("w") as file:
        for n in range(60):
            row = {"sku": f"P{n}", "features": [f"for {n}", "red"][: n % 3], "dims": {"w": n}}
            late = {"warranty": 12 * (n % 3)} if n > 50 else {}
            file.write(json.dumps({**row, **late, "category": ["desk", "lamp"][n % 2]}) + "\n")
    return path / "products.jsonl"


def shapes(path: Path) -> Path:
    """Write pictures by paths with backslashes, and folds called dev and test."""
    (path / "bilder" / "a").mkdir(parents=True)
    rows = ["nr\tpicture\tcolour\tfold"]
    for n in range(20):
        Image.new("RGB", (8, 8), ["red", "blue"][n % 2]).save(path / "bilder" / "a" / f"s{n}.png")
        fold = ["train", "train", "dev", "test"][n // 2 % 4]
        rows.append(f"{n + 1}\ta\\s{n}.png\t{['red', 'blue'][n % 2]}\t{fold}")
    (path / "shapes.tsv").write_text("\n".join(rows))
    return path / "shapes.tsv"


def reviews(path: Path) -> Path:
    """Write dates, a rating of 1 to 5, and the same in words, which leaks it."""
    words = ["awful", "poor", "fair", "good", "great"]
    rows = [
        f"{n:03},u{n // 4},{n % 28 + 1:02}/03/2021,It came on day {n} and is as it should be.,"
        f"{n % 5 + 1},{words[n % 5]}"
        for n in range(60)
    ]
    head = "review_id,user,date,review,rating,rating_text"
    (path / "reviews.csv").write_text("\n".join([head, *rows]))
    return path / "reviews.csv"


@pytest.mark.parametrize(
    ("write", "schema"),
    [
        (
            flats,
            {
                "id": "Wohnung",
                "target": "Miete",
                "task": "regression",
                "text": "Beschreibung",
                "encoding": "cp1252",
                "columns": {
                    "Größe": {"reads": "number", "decimal": ","},
                    "Miete": {"decimal": ","},
                },
            },
        ),
        (
            customers,
            {
                "id": "Kunde Nr.",
                "target": "gekündigt",
                "task": "classification",
                "columns": {"Alter": {"missing": ["", "k.A."]}},
            },
        ),
        (
            products,
            {
                "id": "sku",
                "target": "category",
                "task": "classification",
                "ignore": ["dims"],
                "columns": {"features": {"reads": "list"}},
            },
        ),
        (
            shapes,
            {
                "id": "nr",
                "target": "colour",
                "task": "classification",
                "image": {"column": "picture", "folder": "bilder"},
                "split": "fold",
                "splits": {"dev": "validation"},
            },
        ),
        (
            reviews,
            {
                "id": "review_id",
                "target": "rating",
                "task": "ordinal",
                "text": "review",
                "group": "user",
                "ignore": "rating_text",
            },
        ),
    ],
)
def test_a_strangers_table_is_read_with_the_schema_that_is_written(
    write: Callable[[Path], Path], schema: dict[str, object], tmp_path: Path
) -> None:
    table, written = write(tmp_path), tmp_path / "written.yaml"
    said = textcentric("data", "init", table, "-o", written, "--image-expert", "pixels")
    assert said.code == 0
    assert read_schema(written) == read_schema(schema)
    check, _, train = (line.split() for line in said.err.splitlines()[-3:])
    assert train[:3] == ["textcentric", "train", "downstream"]
    assert textcentric(*check[1:], "--no-pictures").code == 0


def test_without_a_file_the_schema_lies_where_the_command_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = customers(tmp_path)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    said = textcentric("data", "init", table)
    assert (said.code, os.listdir()) == (0, ["customers.yaml"])
    assert "written to customers.yaml; change what is not so" in said.err


def test_a_bar_for_the_file_prints_the_schema_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = customers(tmp_path)
    monkeypatch.chdir(tmp_path)
    said = textcentric("data", "init", table, "-o", "-")
    assert said.out.startswith("# customers.csv: 3 columns, told from 40 rows.\n")
    assert f"textcentric data check {table} --schema SCHEMA.yaml" in said.err
    assert os.listdir() == ["customers.csv"]
