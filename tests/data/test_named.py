"""Named data sets: the layouts, the words for the codes, and where they are looked for."""

import csv
import gzip
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from textcentric.data import check, load, names
from textcentric.data.media.photo_labels import PhotoLabels
from textcentric.data.named import how_to_get, named_set
from textcentric.data.sample import petfinder as sample
from textcentric.errors import DataError

PET = dict.fromkeys(sample.COLUMNS, "0") | {
    "Type": "1",
    "Name": "Rusty",
    "Age": "3",
    "Breed1": "2",
    "Gender": "3",
    "Color1": "1",
    "MaturitySize": "2",
    "FurLength": "0",
    "Vaccinated": "3",
    "Dewormed": "1",
    "Sterilized": "2",
    "Health": "1",
    "Quantity": "2",
    "State": "7",
    "RescuerID": "r1",
    "Description": "Quiet and kind.",
    "PetID": "p1",
    "PhotoAmt": "1.0",
    "AdoptionSpeed": "2",
}


def write_rows(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    write_rows(tmp_path / "train" / "train.csv", [PET, PET | {"PetID": "p2", "Type": "2"}])
    write_rows(tmp_path / "breed_labels.csv", [{"BreedID": "2", "Type": "1", "BreedName": "Pug"}])
    write_rows(tmp_path / "color_labels.csv", [{"ColorID": "1", "ColorName": "Black"}])
    write_rows(tmp_path / "state_labels.csv", [{"StateID": "7", "StateName": "Perak"}])
    return tmp_path


def test_every_code_of_a_pet_becomes_a_word(pets: Path) -> None:
    row = next(iter(load("petfinder", data_dir=pets)))
    assert (row.id, row.target, row.group) == ("p1", 2, "r1")
    assert row.inputs["text"] == "Quiet and kind."
    assert row.inputs["table"] == {
        "Type": "dog",
        "Name": "Rusty",
        "Age": "3 months",
        "Breed": "Pug",
        "Second breed": None,
        "Gender": "mixed (a group)",
        "Colour": "Black",
        "Second colour": None,
        "Third colour": None,
        "Size when grown": "medium",
        "Fur length": "not stated",
        "Vaccinated": "not sure",
        "Dewormed": "yes",
        "Sterilized": "no",
        "Health": "healthy",
        "Quantity": "2 animals",
        "Fee": "free",
        "State": "Perak",
        "Videos": 0,
        "Photos": 1,
    }


def test_without_its_name_tables_the_codes_stay_and_a_note_says_so(pets: Path) -> None:
    (pets / "breed_labels.csv").unlink()
    (pets / "train" / "train.csv").rename(pets / "train.csv")
    rows = load("petfinder", data_dir=pets)
    assert next(iter(rows)).inputs["table"]["Breed"] == "2"
    assert "breed_labels.csv is absent" in rows.notes[0]


def test_photo_labels_come_with_the_row_even_without_the_photo(pets: Path) -> None:
    lines = (
        "PetID,ImageNo,labels,colors,crop_confidence,n_faces,n_text\n"
        "p1,10,dog:0.9,0a0b0c:0.5,0.8,0,0\n"
        "p1,2,dog:0.97;street dog:0.6,171310:0.243 a49a86:0.123,0.8,1,0\n"
    )
    (pets / "train_image_labels.csv.gz").write_bytes(gzip.compress(lines.encode()))
    rows = load("petfinder", data_dir=pets, require=["image_labels"])
    (row,) = rows
    assert "image" not in row.inputs
    assert row.inputs["image_labels"][0] == PhotoLabels(
        "p1-2.jpg",
        (("dog", 0.97), ("street dog", 0.6)),
        (("171310", 0.243), ("a49a86", 0.123)),
        0.8,
        1,
        0,
    )


def test_photo_labels_without_their_columns_are_left_out(pets: Path) -> None:
    (pets / "train_image_labels.csv").write_text("PetID,ImageNo\np1,1\n")
    with pytest.warns(UserWarning, match="photo labels are left out: .* lacks column 'labels'"):
        rows = list(load("petfinder", data_dir=pets))
    assert not any("image_labels" in row.inputs for row in rows)


@pytest.mark.parametrize(
    "line",
    [
        "p1,inf,dog:0.9,,,,",
        "p1,1,dog:0.9,zz:0.5,,,",
        "p1,1,dog:0.9,0a0b:0.5,,,",
        "p1,1,dog,,,,",
        "p1,1,dog:nan,,,,",
        "p1,1,dog:0.9,,soon,,",
        "p1,1,dog:0.9,,,1.5,",
        "p1,1,dog:0.9",
    ],
)
def test_a_line_of_photo_labels_that_does_not_parse_is_left_out(pets: Path, line: str) -> None:
    lines = (
        f"PetID,ImageNo,labels,colors,crop_confidence,n_faces,n_text\n{line}\np1,2,cat:0.8,,,,\n"
    )
    (pets / "train_image_labels.csv").write_text(lines)
    with pytest.warns(UserWarning, match=r"left out 1 line\(s\) of photo labels, the first: "):
        row = next(iter(load("petfinder", data_dir=pets, require=["image_labels"])))
    assert row.inputs["image_labels"] == (PhotoLabels("p1-2.jpg", (("cat", 0.8),)),)


@pytest.mark.parametrize(
    "content",
    [b"BreedID,Type\n2,1\n", b"", b"\x80\x04pickle", b"PAR1 and no more", b"\x00\xff" * 40],
)
def test_a_table_of_names_that_cannot_be_read_leaves_the_codes(pets: Path, content: bytes) -> None:
    (pets / "breed_labels.csv").write_bytes(content)
    rows = load("petfinder", data_dir=pets)
    assert next(iter(rows)).inputs["table"]["Breed"] == "2"
    assert "codes stay numbers" in rows.notes[0]


def test_a_ragged_line_in_a_table_of_names_costs_its_name_alone(pets: Path) -> None:
    with (pets / "breed_labels.csv").open("a") as file:
        file.write("7\n8,1,Kelpie,dog\n9,1,Borzoi\n")
    schema = load("petfinder", data_dir=pets).schema
    assert schema.columns["Breed1"].codes["9"] == "Borzoi"
    assert "7" not in schema.columns["Breed1"].codes


SCRAPED = {
    "ID": "h1",
    "Category": "Chalets",
    "Title": "Old mill",
    "Description": "['About this space', 'Wheel, stream.', 'The space', 'The space\\nTwo rooms.']",
    "Amenities": "['What this place offers', 'Wifi', 'Unavailable: TV\\nTV']",
    "guests": "2.0",
    "Value_rate": "4.5",
    "Price_Night": "105.0",
    "url": "https://example.org/1",
}
INSIDE = {
    "id": "042",
    "listing_url": "https://example.org/42",
    "name": "Old mill",
    "description": "Wheel<br />and stream.",
    "host_id": "9",
    "host_is_superhost": "t",
    "neighbourhood_cleansed": "Riverside",
    "room_type": "Entire home/apt",
    "accommodates": "4",
    "bathrooms_text": "1.5 baths",
    "bedrooms": "2.0",
    "amenities": '["Wifi", "Kitchen"]',
    "price": "$1,200.00",
    "review_scores_rating": "4.85",
}


def test_airbnb_reads_printed_lists(tmp_path: Path) -> None:
    write_rows(tmp_path / "listings.csv", [SCRAPED])
    (row,) = load("airbnb", data_dir=tmp_path)
    assert row.target == 105.0
    assert row.inputs["text"] == "Old mill\n\nWheel, stream.\nThe space\nTwo rooms."
    assert row.inputs["table"] == {
        "Category": "Chalets",
        "Amenities": "Wifi, Unavailable: TV",
        "Guests": 2,
        "Value": "4.5 of 5",
    }


def test_airbnb_reads_the_columns_of_inside_airbnb(tmp_path: Path) -> None:
    write_rows(tmp_path / "listings.csv", [INSIDE])
    (row,) = load("airbnb", data_dir=tmp_path)
    assert (row.id, row.target, row.group) == ("042", 1200.0, "9")
    assert row.inputs["text"] == "Old mill\n\nWheel<br />and stream."
    assert row.inputs["table"] == {
        "Superhost": "yes",
        "Neighbourhood": "Riverside",
        "Room type": "Entire home/apt",
        "Guests": 4,
        "Bathrooms in words": "1.5 baths",
        "Bedrooms": 2,
        "Amenities": "Wifi, Kitchen",
        "Rating": "4.85 of 5",
    }


def test_avito_is_read_in_russian(tmp_path: Path) -> None:
    advertisement = {
        "item_id": "i1",
        "user_id": "u1",
        "region": "Омская область",
        "param_1": "None",
        "title": "Комод",
        "description": "Почти новый.",
        "price": "400.0",
        "image": "",
        "deal_probability": "0.12789",
        "user_type": "Private",
    }
    write_rows(tmp_path / "train.csv", [advertisement])
    (row,) = load("avito", data_dir=tmp_path)
    assert (row.target, row.group) == (0.12789, "u1")
    assert row.inputs["text"] == "Комод\n\nПочти новый."
    assert row.inputs["table"] == {
        "Регион": "Омская область",
        "Параметр 1": None,
        "Цена": "400 руб.",
        "Продавец": "частное лицо",
    }


def test_a_named_set_is_looked_for_in_the_data_folder_before_the_sample(
    pets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTCENTRIC_DATA", str(pets.parent))
    pets.rename(pets.parent / "petfinder")
    rows = load("petfinder")
    assert (rows.name, rows.origin, rows.count()) == ("petfinder", "folder", 2)


def test_an_explicit_folder_that_is_wrong_is_an_error_not_the_sample(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is no folder; download `petfinder"):
        load("petfinder", data_dir=tmp_path / "none")
    with pytest.raises(DataError, match="holds no Airbnb"):
        load("airbnb", data_dir=tmp_path)


def test_each_named_set_says_what_it_is_and_how_to_get_it() -> None:
    assert names() == ["airbnb", "avito", "petfinder"]
    for name in names():
        assert "target" in named_set(name).ABOUT
        assert how_to_get(name).endswith(" and give the folder with data_dir=")


def real(name: str) -> Path:
    folder = Path(
        os.environ.get("TEXTCENTRIC_TEST_DATA", Path(__file__).parents[3] / "shared/data")
    )
    if not (folder / name).is_dir():
        pytest.skip(f"real {name} absent")
    return folder / name


@pytest.mark.parametrize(
    ("name", "rows", "pictures"),
    [
        pytest.param("petfinder", 11_373, 154, marks=pytest.mark.slow),
        ("airbnb", 770, 733),
        ("avito", 69, 0),
    ],
)
def test_the_real_rows_are_all_usable(name: str, rows: int, pictures: int) -> None:
    found = load(name, data_dir=real(name))
    assert (found.rows, found.faulty) == (rows, 0)
    assert [note.partition(":")[0] for note in found.notes] == [
        f"{rows - pictures:,} of {rows:,} rows lack image files"
    ]
    assert sum("image" in row.inputs for row in found) == pictures


def test_the_real_airbnb_passes_the_check() -> None:
    report = check("airbnb", data_dir=real("airbnb"), pictures=False)
    assert report.usable
    absent = "37 of 770 rows lack image files: 37 whose id has none ('images/"
    assert any(warning.startswith(absent) for warning in report.warnings)
    assert all("image" in line or line.startswith("split test") for line in report.warnings)
