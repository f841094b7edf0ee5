"""Tables that nobody has described: the kinds of their columns, and the schema that is guessed."""

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from textcentric.data import Dataset, load
from textcentric.data.inspection import Inspection, inspect
from textcentric.data.inspection.columns import ColumnProfile
from textcentric.data.inspection.kinds import shape_of
from textcentric.data.schema import read_schema
from textcentric.data.tables.table import open_table
from textcentric.errors import DataError
from textcentric.values import Cell

TEXTS = ("A calm dog who likes long walks.", "He was found at the old mill.")


@pytest.fixture
def tmp_path(tmp_path: Path) -> Path:
    """Return a folder of one's own in another: what lies beside a table's folder is looked at."""
    place = tmp_path / "project/data"
    place.mkdir(parents=True)
    return place


def profiled(*values: Cell, name: str = "column") -> ColumnProfile:
    profile = ColumnProfile(name)
    for value in values:
        profile.add(value)
    return profile


def written(path: Path, header: str, rows: Sequence[str], encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]) + "\n", encoding=encoding)
    return path


def rows_of(found: Inspection, schema: Path) -> Dataset:
    return load(found.path, data_dir=found.data_dir, schema=schema)


def loaded(found: Inspection, tmp_path: Path) -> None:
    """Read the rows with the file that was drafted."""
    (tmp_path / "drafted.yaml").write_text(found.text, encoding="utf-8")
    assert len(rows_of(found, tmp_path / "drafted.yaml")) == found.profile.rows


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ("1.234,50 €", "number"),
        ("2021-03-04 10:00:00", "date"),
        ("3. März 2021", "date"),
        ('["a", "b"]', "list"),
        ("[sic]", "words"),
        ('[{"role": "user", "content": "Hi"}]', "conversation"),
        ('{"a": 1}', "object"),
        ("photos\\a.JPG", "path"),
        ("https://a.example/b.png", "url"),
        ({"bytes": b"RIFF\0\0\0\0WAVE", "path": None}, "sound"),
        (b"\x89PNG", "picture"),
        ([1, 2], "list"),
        (TEXTS[0], "text"),
        ("mild", "words"),
    ],
)
def test_a_value_has_a_shape(value: Cell, shape: str) -> None:
    assert shape_of(value) == shape


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["a1", "b2", "c3"], "id"),
        (["4", "5", "6"], "counter"),
        (["1,5", "2,5", "9,25"], "number"),
        (["1", "2", "1", "2", "3", "3"], "class"),
        (["01", "02", "01", "02"], "class"),
        (["Ja", "nein", "Ja"], "boolean"),
        (["3.4.2021", "5.4.2021", ""], "date"),
        (["red|old", "new", "red|new", "old|new"], "list"),
        (["New York", "Rome", "Old Town"], "words"),
        (["x", "x", "x"], "constant"),
        (["two years", "", "", ""], "class"),
        (["p.png", "p.png"], "path"),
        (["", "NA"], "empty"),
        ([*TEXTS, "mild"], "text"),
    ],
)
def test_a_column_has_one_kind(values: list[str], kind: str) -> None:
    assert profiled(*values).kind == kind


def test_numbers_tell_of_the_values_that_are_none() -> None:
    profile = profiled(*(f"{n}.5" for n in range(40)), "old")
    assert profile.kind == "number"
    assert profile.about() == "numbers, 0.5 to 39.5; 1 other: 'old' in row 41"


def test_ids_of_which_some_look_like_numbers_are_words() -> None:
    profile = profiled("86e108", "9a4", "77", "b2")
    assert (profile.kind, profile.whole) == ("id", [])


def test_roles_are_guessed_with_reasons(tmp_path: Path) -> None:
    words = ["poor", "fair", "good", "fine", "best"]
    rows = [f"d{n},{TEXTS[n % 2]} {n},u{n // 3},{n % 5 + 1},{words[n % 5]},x" for n in range(60)]
    path = written(tmp_path / "a.csv", "dog_id,about,user_id,stars,stars_text,site", rows)
    found = inspect(path)
    assert found.schema == read_schema({
        "id": "dog_id", "target": "stars", "task": "ordinal", "text": ["about"],
        "group": "user_id", "ignore": ["site", "stars_text"],
    })  # fmt: skip
    lines = [" ".join(line.split()) for line in found.text.splitlines()]
    assert "- stars_text # leak? each of its 5 values stands with one stars" in lines
    assert "- site # 'x' in every row that has a value" in lines
    assert "group: user_id # 20 values in 60 rows; no value lies in two splits" in lines
    loaded(found, tmp_path)


def test_rows_are_counted_where_no_column_is_an_id(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "ID,kind", ["1,owl", "1,owl", "2,jay", "2,owl"])
    found = inspect(path)
    assert found.schema
    assert found.schema.id == "row-number"
    assert "#   or: ID is not unique: '1' stands in 2 rows" in found.text
    loaded(found, tmp_path)


def test_pictures_are_found_by_the_id_beside_the_folder_of_the_table(tmp_path: Path) -> None:
    path = written(
        tmp_path / "t" / "a.csv", "n,key,age,label", [f"{n},p{n},{n % 3},{n % 2}" for n in range(8)]
    )
    (tmp_path / "photos").mkdir()
    for name in ("p1-1.png", "p1-2.png", "p3-1.png", "p5-1.png"):
        Image.new("RGB", (2, 2)).save(tmp_path / "photos" / name)
    found = inspect(path)
    assert found.schema
    assert found.schema.id == "key"
    assert found.schema.image
    assert found.schema.image.model_dump() == {
        "column": None, "folder": "photos", "pattern": "{id}-*.png"
    }  # fmt: skip
    assert found.data_dir == str(tmp_path)
    assert f"# Its files are looked for from {tmp_path}: data_dir={str(tmp_path)!r}." in found.text
    assert f" --data-dir {tmp_path} " in found.commands("a.yaml")[0]
    loaded(found, tmp_path)
    (tmp_path / "a.yaml").write_text(found.text, encoding="utf-8")
    with_pictures = [row.id for row in rows_of(found, tmp_path / "a.yaml") if "image" in row.inputs]
    assert with_pictures == ["p1", "p3", "p5"]


def test_commands_name_the_folder_of_the_files(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    for n in range(4):
        Image.new("RGB", (2, 2)).save(tmp_path / "other" / f"p{n}.png")
    path = written(
        tmp_path / "t" / "a.csv", "id,photo,label", [f"{n},p{n}.png,{n % 2}" for n in range(4)]
    )
    found = inspect(path, data_dir=tmp_path / "other")
    assert found.schema
    assert found.schema.image
    assert all(f" --data-dir {tmp_path / 'other'} " in line for line in found.commands("a.yaml"))


def test_pictures_that_are_not_here_are_left_out_and_told(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv", "id,photo,label", [f"{n},p{n}.jpg,{n % 2}" for n in range(8)]
    )
    found = inspect(path)
    assert found.schema
    assert found.schema.image is None
    assert found.schema.ignore == ("photo",)
    assert "names pictures that are not here ('p0.jpg' is not in" in found.text


def test_paths_with_backslashes_are_found_in_a_folder_below(tmp_path: Path) -> None:
    (tmp_path / "photos" / "a").mkdir(parents=True)
    for n in range(4):
        Image.new("RGB", (2, 2)).save(tmp_path / "photos" / "a" / f"{n}.png")
    rows = [f"{n},a\\{n}.png,{n % 2}" for n in range(4)]
    found = inspect(written(tmp_path / "a.csv", "id,photo,label", rows))
    assert "image: {column: photo, folder: photos} # 4 of 4 rows have one" in found.text
    loaded(found, tmp_path)


def test_paths_of_another_machine_are_told_by_their_last_part(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (2, 2)).save(tmp_path / "photos" / "1.png")
    rows = [f"{n},C:\\me\\{n}.png,{n % 2}" for n in range(4)]
    found = inspect(written(tmp_path / "a.csv", "id,photo,label", rows))
    assert "'C:\\\\me\\\\0.png' is not in" in found.text


def test_a_word_among_numbers_is_taken_for_a_marker(tmp_path: Path) -> None:
    ages = ["k.A." if n % 12 == 0 else n * n for n in range(36)]
    rows = [f"{n},{age},{'oak' if n % 3 else 'elm'},{n % 2}" for n, age in enumerate(ages)]
    found = inspect(written(tmp_path / "a.csv", "id,age,kind,label", rows))
    assert 'age: {missing: ["", k.A.]}' in found.text
    assert "3 rows have 'k.A.': nothing?" in found.text
    loaded(found, tmp_path)


def test_words_for_codes_are_taken_from_a_table_beside(tmp_path: Path) -> None:
    written(tmp_path / "breeds.csv", "BreedID,BreedName", ["1,Collie", "2,Beagle", "3,Pug"])
    rows = [f"k{n},{n % 3},{1 + n % 5 % 2},{n % 2}" for n in range(24)]
    found = inspect(written(tmp_path / "dogs.csv", "key,Breed1,Age,label", rows))
    assert 'Breed1: {codes: {"0": null, "1": Collie, "2": Beagle}}' in found.text
    assert "words of breeds.csv (BreedID)" in found.text
    assert "#  Age: {codes: {1: ..., 2: ...}}" in found.text
    loaded(found, tmp_path)


def test_a_table_of_words_is_told_from_where_and_is_no_link(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    rows = [f"k{n},{n % 3},{n % 2}" for n in range(24)]
    table = written(tmp_path / "set/dogs.csv", "key,Breed1,label", rows)
    words = written(tmp_path / "breeds.csv", "BreedID,BreedName", ["1,Collie", "2,Beagle"])
    assert "words of ../breeds.csv (BreedID)" in inspect(table).text
    words.rename(tmp_path / "private")
    (tmp_path / "set/breeds.csv").symlink_to(tmp_path / "private")
    assert "Collie" not in inspect(table).text


@pytest.mark.parametrize(
    ("title", "sign"),
    [("Sales 2026\n\n", ","), ("Sales 2026,,\n,,\n", ","), ("Nord, Süd\n\n", ";")],
)
def test_lines_of_a_title_are_skipped(tmp_path: Path, title: str, sign: str) -> None:
    rows = [sign.join([f"k{n}", f"{n % 7}", "ab"[n % 2]]) for n in range(20)]
    path = written(tmp_path / "a.csv", title + sign.join(["id", "x", "label"]), rows)
    with pytest.raises(DataError, match=r"first 2 lines look like a title .* `skip: 2`"):
        load(path)
    found = inspect(path)
    assert "skip: 2                            # lines of a title" in found.text
    assert [*found.columns] == ["id", "x", "label"]
    loaded(found, tmp_path)


@pytest.mark.parametrize(
    "text", ["id,,\n1,foo,bar\n2,foo,baz\n", ",x\n0,5\n1,6\n", "x,y;z\n1,2;3\n"]
)
def test_a_header_is_no_title(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    assert open_table(tmp_path / "a.csv").columns


def test_words_that_may_stand_for_nothing_are_told(tmp_path: Path) -> None:
    rows = [f"k{n},{['NA', 'EU'][n % 3 > 0]},{['NA', 'sell', 'hold'][n % 3]},," for n in range(60)]
    found = inspect(written(tmp_path / "a.csv", "key,region,cls,,", rows))
    assert (
        "# 2 columns of a.csv (4, 5), which have no name and no value, are left out" in found.text
    )
    assert "taken as missing: region: 'NA' in 20 rows; `missing: []`" in found.text
    assert """cls: 'NA' in 20 rows is a class; `missing: ["", NA]` of the""" in found.text
    assert "task: classification               # 3 values" in found.text


def test_codes_with_leading_zeros_are_offered_as_they_stand(tmp_path: Path) -> None:
    plz = ["01067", "10115", "80331"]
    rows = [f"k{n},{['01', '1', '02'][n % 3]},{plz[n % 3]},{n % 2}" for n in range(24)]
    found = inspect(written(tmp_path / "a.csv", "key,Code,PLZ,label", rows))
    assert '  Code: {codes: {"01": ..., "1": ..., "02": ...}}' in found.text
    assert 'PLZ: {codes: {"01067": ..., "10115": ..., "80331": ...}}' in found.text
    assert "PLZ                              3 values ('01067', '10115', '80331')" in found.text
    loaded(found, tmp_path)
    named = found.text.replace("#  Code", "  Code").replace('"1": ...', '"1": one')
    (tmp_path / "a.yaml").write_text(named)
    assert read_schema(tmp_path / "a.yaml").columns["Code"].codes["1"] == "one"


def test_words_among_the_numbers_of_a_target_are_markers(tmp_path: Path) -> None:
    rows = [f"{n},{n * n},{'?' if n == 7 else n % 3}" for n in range(30)]
    found = inspect(written(tmp_path / "a.csv", "id,size,rating", rows))
    assert found.schema
    assert found.schema.task == "ordinal"
    assert found.schema.columns["rating"].missing == ("", "?")
    loaded(found, tmp_path)


def test_names_and_values_that_yaml_reads_otherwise_stay_as_they_are() -> None:
    rows = [
        {
            "no": f"k{n}",
            "a: b": [],
            "x\ny": n * n,
            "#c": float("inf"),
            "label": ["yes", "off"][n % 2],
        }
        for n in range(12)
    ]
    found = inspect(rows)
    assert found.schema
    assert (found.schema.id, found.schema.target) == ("no", "label")
    assert len(load(rows, schema=found.schema)) == 12


def test_few_speakers_are_a_doubt_and_kinds_of_things_are_no_groups(tmp_path: Path) -> None:
    rows = [f"{n},s{n % 3},c{n % 11},t{n % 2},{n % 5}" for n in range(600)]
    path = written(tmp_path / "a.csv", "id,speaker,category_id,user_type,score", rows)
    found = inspect(path)
    assert found.roles
    assert found.roles.group is None
    assert [doubt.split()[0] for doubt in found.roles.doubts] == ["speaker"]


def test_rows_that_are_sorted_by_the_target_show_one_value_of_it(tmp_path: Path) -> None:
    rows = [f"{n},{n * n},{'ab'[n > 20_500]}" for n in range(21_000)]
    found = inspect(written(tmp_path / "a.csv", "id,size,label", rows))
    assert found.schema
    assert found.schema.target == "label"
    assert "# doubt: label has one value in the first 20,000 rows: sorted by it?" in found.text


def test_splits_of_other_names_are_translated(tmp_path: Path) -> None:
    rows = [f"r{n},{n % 5},{n % 2},{'train dev test'.split()[n % 3]}" for n in range(12)]
    found = inspect(
        written(tmp_path / "a.tsv", "id\tage\tlabel\tfold", [r.replace(",", "\t") for r in rows])
    )
    assert found.schema
    assert found.schema.split == "fold"
    assert found.schema.splits == {"dev": "validation"}
    loaded(found, tmp_path)


def test_a_notation_that_reads_in_two_ways_is_chosen_and_told(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv", "id;size;price", [f'{n};{n * n};"{n},500"' for n in range(1, 9)]
    )
    found = inspect(path)
    assert 'price: {decimal: "."}' in found.text
    assert "'1,500' reads as 1500 or as 1.5" in found.text
    loaded(found, tmp_path)


def test_an_encoding_in_doubt_is_chosen_and_told(tmp_path: Path) -> None:
    rows = [f"{n};Köln Süd {n};{n},5" for n in range(30)]
    path = written(tmp_path / "a.csv", "Nr;Straße;Größe", rows, encoding="cp1252")
    found = inspect(path)
    assert found.schema
    assert found.schema.encoding == "cp1252"
    assert "encoding? a line reads 'Nr;Straße;Größe'" in found.text
    loaded(found, tmp_path)


def test_captions_are_pairs_of_one_group(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for n in range(12):
        Image.new("RGB", (2, 2)).save(tmp_path / "images" / f"{n}.png")
    rows = [f"{n // 2}.png,{TEXTS[n % 2]} {n}" for n in range(24)]
    found = inspect(written(tmp_path / "captions.csv", "image,caption", rows).parent)
    assert (found.form, found.schema and found.schema.group) == ("captions", "image")
    assert [line.split()[1] for line in found.commands("a.yaml")] == ["data", "latents", "train"]
    loaded(found, tmp_path)


def test_pairs_need_no_schema(tmp_path: Path) -> None:
    pair = {"prompt": "Is it calm?", "chosen": "Yes.", "rejected": "A car."}
    (tmp_path / "p.jsonl").write_text(json.dumps(pair) + "\n")
    found = inspect(tmp_path / "p.jsonl")
    assert (found.form, found.schema) == ("pairs", None)
    assert "in the layout trl" in found.text
    assert found.commands() == [
        f"textcentric train reward --dataset-name {tmp_path / 'p.jsonl'} -o models/p"
    ]


def test_a_folder_of_several_tables_lists_them(tmp_path: Path) -> None:
    written(tmp_path / "train.csv", "id,label", ["1,a", "2,b"])
    written(tmp_path / "test.csv", "id,label", ["3,a"])
    with pytest.raises(DataError, match=r"holds 2 tables; name one of '.*train.csv'.*; of tables"):
        inspect(tmp_path)


def test_parquet_files_of_other_columns_are_several_tables(tmp_path: Path) -> None:
    for name, column in {"a": "age", "b": "age"}.items():
        pq.write_table(pa.table({"id": [name], column: [1]}), tmp_path / f"{name}.parquet")
    assert inspect(tmp_path).profile.rows == 2
    pq.write_table(pa.table({"id": ["c"], "size": [1]}), tmp_path / "c.parquet")
    with pytest.raises(DataError, match="holds 3 tables"):
        inspect(tmp_path)


def test_a_broken_table_in_a_folder_beside_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "cut.parquet").write_bytes(b"PAR1")
    path = written(tmp_path / "own" / "rows.csv", "id,n,kind", ["1,3,owl", "2,4,newt"])
    assert inspect(path).profile.rows == 2


def test_a_folder_of_files_alone_asks_for_a_table(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    with pytest.raises(DataError, match=r"holds 1 sounds and no table; write a table beside them"):
        inspect(tmp_path)


@pytest.mark.parametrize("place", ["photos", "../photos"])
def test_small_numbers_name_files_in_the_folder_of_a_table_alone(
    tmp_path: Path, place: str
) -> None:
    (tmp_path / place).mkdir()
    for n in range(1, 5):
        Image.new("RGB", (2, 2)).save(tmp_path / place / f"{n}.png")
    rows = [f"r{n},{n % 4 + 1},a word or two of it,{n % 2}" for n in range(40)]
    found = inspect(written(tmp_path / "flats.csv", "id,rooms,words,label", rows))
    assert found.schema is not None
    assert (found.schema.image is None) is (place != "photos")


def test_numbers_that_are_too_long_to_count_with_are_told(tmp_path: Path) -> None:
    rows = [{"id": f"r{n}", "size": 10**300 + n} for n in range(3)]
    (tmp_path / "a.json").write_text(json.dumps(rows))
    about = inspect(tmp_path / "a.json").columns["size"].about()
    assert about.startswith("numbers too long to count with, such as '1000")


def test_a_first_row_may_lack_the_column_that_tells_a_layout(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": "a", "note": "x"}\n{"id": "b", "text": "chosen y"}\n')
    assert inspect(path).form == "table"
