"""A modality whose files are absent in most rows is refused; in some, counted."""

from pathlib import Path

import pytest
from PIL import Image

from textcentric.data import check, load
from textcentric.errors import DataError, in_flags

PHOTO = {"text": "title", "image": "photo"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shots").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "shots" / "barn.jpg")
    return tmp_path


def table(folder: Path, *names: str) -> Path:
    lines = [f"{number},A barn,{name}\n" for number, name in enumerate(names)]
    path = folder / "barns.csv"
    path.write_text("id,title,photo\n" + "".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("shots/mill.jpg", r"looked for '/.*/shots/mill\.jpg'; correct the names"),
        ("shots/BARN.PNG", r"looked for '/.*BARN\.PNG'; '/.*/shots/barn\.jpg' is there"),
        ("shots/barn", r"looked for '/.*barn'; '/.*/shots/barn\.jpg' is there"),
        ("barn.jpg", r"looked for '/.*/barn\.jpg'; '/.*/shots/barn\.jpg' is there"),
        ("far/barn.jpg", r"looked for '/.*/far/barn\.jpg'; '/.*/far' is no folder"),
        ("https://example.org/barn.jpg", "which is an address: fetch the files"),
        ("../barn.jpg", r"2 that name files outside the data folder \('\.\./barn\.jpg' of row '0'"),
        ("", r"2 that name none \(row '0'; row '1'\)"),
    ],
)
def test_files_that_are_absent_in_most_rows_are_refused_with_an_example(
    folder: Path, name: str, said: str
) -> None:
    path = table(folder, name, name, "shots/barn.jpg")
    path.write_text(path.read_text() + "3,A barn,\n" if name else path.read_text())
    with pytest.raises(DataError, match=rf"of \d rows lack image files: .*{said}"):
        load(path, schema=PHOTO)
    assert not check(path, schema=PHOTO).usable
    assert load(path, schema=PHOTO, require=["image"]).count() == 1
    rows = load(path, schema=PHOTO | {"allow_missing": "image"})
    assert rows.count() == rows.rows
    assert any("rows lack image files" in note for note in rows.notes)


def test_the_refusal_names_the_flag_that_goes_on_without(folder: Path) -> None:
    path = table(folder, "gone.jpg")
    with in_flags(), pytest.raises(DataError, match="go on without: --allow-missing image, in a"):
        load(path, schema=PHOTO)


def test_rows_of_nothing_but_absent_pictures_say_where_these_were_looked_for(folder: Path) -> None:
    path = table(folder, "gone.jpg")
    with pytest.raises(DataError, match=r"no readable row among 1: .*looked for '/.*/gone\.jpg'"):
        load(path, schema={"image": "photo", "ignore": "title"})


def test_files_that_are_absent_in_some_rows_are_counted(folder: Path) -> None:
    path = table(folder, "shots/barn.jpg", "gone.jpg", "shots/barn.jpg", "", "shots/barn.jpg")
    (note,) = load(path, schema=PHOTO).notes
    assert note.startswith(
        "2 of 5 rows lack image files: 1 that name files that do not exist ('gone.jpg' of row '1'),"
        " 1 that name none (row '3'); looked for"
    )


def test_a_row_that_lacks_one_of_its_files_is_counted_too(folder: Path) -> None:
    path = folder / "barns.jsonl"
    path.write_text('{"id": "7", "title": "x", "photo": ["shots/barn.jpg", "gone.jpg"]}\n')
    (note,) = load(path, schema=PHOTO).notes
    assert note.startswith(
        "1 of 1 rows lack image files: 1 that name some files that do not exist"
        """ ("['shots/barn.jpg', 'gone.jpg']" of row '7')"""
    )


def test_files_that_follow_from_ids_are_looked_for_too(folder: Path) -> None:
    schema = {"text": "title", "image": {"folder": "shots", "pattern": "{id}-*.jpg"}}
    with pytest.raises(DataError, match=r"1 whose id has none \('shots/0-\*\.jpg' of row '0'\)"):
        load(table(folder, ""), schema=schema)


def test_a_named_set_without_its_photos_says_so_and_goes_on(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("PetID,RescuerID,AdoptionSpeed,Description\n7,r,2,Calm.\n")
    rows = load("petfinder", data_dir=tmp_path)
    assert rows.count() == 1
    assert rows.notes[-1].startswith("1 of 1 rows lack image files: 1 whose id has none")


def test_a_file_is_read_under_a_name_in_another_case_where_it_is_the_only_one(folder: Path) -> None:
    path = table(folder, "shots/BARN.JPG", "shots/barn.jpg")
    rows = load(path, schema=PHOTO)
    assert [row.inputs["image"] for row in rows] == [(folder / "shots" / "barn.jpg",)] * 2
    assert rows.notes == (
        "1 file(s) are read whose names differ by case: 'shots/BARN.JPG' of row '0' is 'barn.jpg'",
    )
    (folder / "shots" / "Barn.jpg").touch()
    (note,) = load(path, schema=PHOTO).notes
    assert note.startswith("1 of 2 rows lack image files: 1 that name files that do not exist")
