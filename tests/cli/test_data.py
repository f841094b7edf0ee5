"""`textcentric data`: what is here, what a row is, what is wrong with a folder."""

import json
from pathlib import Path

import pytest

from tests.support.commands import textcentric

ROWS = """id,price,title,age,photo
a,1,A calm dog.,3,good.png
b,2,Two cats.,,gone.png
c,3,A pony.,old,
"""
SCHEMA = """
target: price
task: regression
text: title
image: photo
columns: {age: {unit: months, min: 0}}
allow_missing: image
"""
Table = tuple[Path, str, Path]  # the rows, and the flag of their schema


@pytest.fixture
def table(tmp_path: Path) -> Table:
    from PIL import Image

    Image.new("RGB", (20, 10)).save(tmp_path / "good.png")
    (tmp_path / "rows.csv").write_text(ROWS)
    (tmp_path / "rows.yaml").write_text(SCHEMA)
    return tmp_path / "rows.csv", "--schema", tmp_path / "rows.yaml"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("TEXTCENTRIC_DATA", raising=False)
    return tmp_path / "cache" / "textcentric" / "data"


def test_list_says_where_each_set_was_looked_for(cache: Path) -> None:
    (cache / "avito").mkdir(parents=True)
    said = textcentric("data", "list", "--json")
    sets = {one["name"]: one for one in json.loads(said.out)}
    assert (said.code, sorted(sets)) == (0, ["airbnb", "avito", "petfinder"])
    assert (sets["avito"]["taken"], sets["avito"]["path"]) == ("folder", str(cache / "avito"))
    assert (sets["petfinder"]["taken"], sets["petfinder"]["path"]) == ("sample", None)
    assert sets["petfinder"]["looked_in"] == [str(cache / "petfinder")]


def test_list_for_people_names_the_sample(cache: Path) -> None:
    said = textcentric("data", "list")
    assert "petfinder: not here, so its built-in sample is used\n" in said.out
    assert f"    looked in: {cache / 'petfinder'}\n" in said.out


def test_fetch_says_how_to_get_what_cannot_be_downloaded(cache: Path) -> None:
    said = textcentric("data", "fetch", "petfinder")
    assert (said.code, said.out) == (2, "")
    assert "petfinder cannot be downloaded from here: download" in said.err
    assert "textcentric data fetch petfinder --sample -o DIR" in said.err


def test_fetch_prints_the_folder_of_what_is_here(cache: Path) -> None:
    (cache / "petfinder").mkdir(parents=True)
    said = textcentric("data", "fetch", "petfinder")
    assert (said.code, said.out) == (0, f"{cache / 'petfinder'}\n")


def test_fetch_suggests_the_nearest_name() -> None:
    said = textcentric("data", "fetch", "petfinda")
    assert said.code == 2
    assert "unknown data set 'petfinda'; did you mean 'petfinder'?" in said.err


def test_fetch_writes_a_sample_of_any_size(tmp_path: Path) -> None:
    folder = tmp_path / "sample"
    said = textcentric("data", "fetch", "petfinder", "--sample", "--rows", 7, "-o", folder)
    assert (said.code, said.out) == (0, f"{folder}\n")
    assert "a sample of 7 rows made for this project, not petfinder itself" in said.err
    checked = textcentric("data", "check", "petfinder", "--data-dir", folder)
    assert checked.out.splitlines()[1] == "7 rows, 7 usable"


def test_a_sample_needs_a_folder() -> None:
    said = textcentric("data", "fetch", "petfinder", "--sample")
    assert said.code == 2
    assert "--sample needs a new folder: -o DIR" in said.err


def test_show_gives_the_inputs_and_the_text_that_the_model_reads(table: Table) -> None:
    said = textcentric("data", "show", *table, "--limit", 1, "--image-expert", "none")
    assert said.code == 0
    lines = [line.rstrip() for line in said.out.splitlines()]
    assert lines[1].startswith("== a  split ")
    assert lines[1].endswith("group None, target 1.0")
    assert lines[2:5] == ["[table]", "  age  3 months", "[text] A calm dog."]
    at = lines.index("--- as the model reads it")
    assert lines[at + 1 : at + 4] == ["Age: 3 months.", "", "A calm dog."]


def test_show_as_json_is_one_line_a_row(table: Table) -> None:
    said = textcentric("data", "show", *table, "--image-expert", "none", "--json")
    rows = [json.loads(line) for line in said.out.splitlines()]
    assert [row["id"] for row in rows] == ["a", "b", "c"]
    assert "3 rows in the source = 3 shown + 0 left out" in said.err
    assert rows[1]["inputs"] == {"text": "Two cats."}
    assert rows[1]["text"] == "Two cats."


def test_show_takes_roles_as_flags(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("key,words,size\nk1,Hello there.,3\n")
    said = textcentric(
        "data", "show", tmp_path / "own.csv", "--id", "key", "--text", "words", "--json"
    )
    assert json.loads(said.out)["text"] == "Size: 3.\n\nHello there."


def test_check_counts_per_column_and_warns_of_absent_pictures(table: Table) -> None:
    said = textcentric("data", "check", *table)
    assert said.code == 0
    lines = [line.split() for line in said.out.splitlines()]
    assert ["age", "table", "2", "1", "1", "0", "c:", "'old'"] in lines
    assert ["image", "1", "2", "1", "1", "0", "0"] in lines
    warning = next(line for line in said.out.splitlines() if "lack image files" in line)
    assert warning.startswith("warning: 2 of 3 rows lack image files: 1 that name files that do")
    assert said.out.endswith("\nusable\n")


def test_check_ends_2_where_ids_are_doubled(table: Table, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(ROWS + "a,4,Again.,1,\n")
    said = textcentric("data", "check", *table)
    assert said.code == 2
    assert said.out.endswith("\nnot usable\n")
    assert said.err.startswith("textcentric: ")
    assert "'a'" in said.err


def test_check_as_json_holds_the_whole_report(table: Table) -> None:
    report = json.loads(textcentric("data", "check", *table, "--json").out)
    assert (report["usable"], report["rows"], report["problems"]) == (True, 3, [])
    ages = next(one for one in report["columns"] if one["column"] == "age")
    assert (ages["values"], ages["missing"], ages["unreadable"]) == (2, 1, 1)


def test_check_of_an_unknown_set_suggests_the_nearest() -> None:
    said = textcentric("data", "check", "petfindr")
    assert said.code == 2
    assert "did you mean 'petfinder'?" in said.err


def test_init_writes_a_schema_that_reads_the_table_at_once(tmp_path: Path) -> None:
    rows = [
        f"{n},A calm dog of the {n}th street.,{n % 3},{['old', 'new'][n % 2]}" for n in range(30)
    ]
    (tmp_path / "own.csv").write_text("\n".join(["key,about,age,label", *rows]) + "\n")
    said = textcentric("data", "init", tmp_path / "own.csv", "-o", tmp_path / "own.yaml")
    assert said.code == 0
    assert (tmp_path / "own.yaml").read_text() == said.out
    assert "\n== 0  split train, target old\nAge: 0.\n\nA calm dog of the 0th street.\n" in said.err
    check = f"textcentric data check {tmp_path / 'own.csv'} --schema {tmp_path / 'own.yaml'}"
    assert f"to go on:\n  {check}\n" in said.err
    assert textcentric(*check.split()[1:]).code == 0


def test_init_writes_over_no_file(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("id,label\na,1\nb,2\n")
    (tmp_path / "own.yaml").write_text("id: id\n")
    said = textcentric("data", "init", tmp_path / "own.csv", "-o", tmp_path / "own.yaml")
    assert (said.code, (tmp_path / "own.yaml").read_text()) == (2, "id: id\n")
    assert f"{tmp_path / 'own.yaml'} exists and stays as it is; give another file" in said.err


def test_check_without_a_schema_says_what_init_would(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("id,label\na,1\nb,2\nc,1\nd,2\n")
    said = textcentric("data", "check", tmp_path / "own.csv")
    assert said.err.splitlines()[:2] == [
        "no schema says what the columns are; they look like id: id; target: label;"
        " task: classification",
        f"to write one: textcentric data init {tmp_path / 'own.csv'}",
    ]


def test_check_names_the_nearest_model(tmp_path: Path) -> None:
    (tmp_path / "models" / "pets").mkdir(parents=True)
    (tmp_path / "models" / "pets" / "downstream.json").write_text("{}")
    said = textcentric("data", "check", tmp_path / "a.csv", "--model", tmp_path / "models" / "pet")
    assert said.code == 2
    assert "unknown downstream model 'pet'; did you mean 'pets'?" in said.err
