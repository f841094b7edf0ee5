"""Own tables: roles, splits, filters, and every way in which rows can be unusable."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from textcentric.data import load
from textcentric.data.scanning.keys import split_of
from textcentric.errors import ConfigError, DataError

ROLES = {"target": "price", "task": "regression", "text": ["title"]}
Write = Callable[..., Path]


@pytest.fixture
def table(tmp_path: Path) -> Write:
    def write(text: str, name: str = "homes.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_roles_leave_the_rest_to_the_table(table: Write) -> None:
    path = table("id,price,title,beds,host,url\n007,9.5,Old mill,2,h1,x\n")
    schema = ROLES | {"group": "host", "ignore": "url", "columns": {"beds": {"unit": "beds"}}}
    (row,) = load(path, schema=schema)
    assert row.id == "007"
    assert row.target == 9.5
    assert row.group == "h1"
    assert dict(row.inputs) == {"table": {"beds": "2 beds"}, "text": "Old mill"}


def test_a_missing_modality_is_an_absent_key(table: Write) -> None:
    rows = list(load(table("id,price,title,beds\na,1,,2\nb,1,words,\n"), schema=ROLES))
    assert [list(row.inputs) for row in rows] == [["table"], ["text"]]
    assert rows[0].inputs["table"] == {"beds": "2"}


def test_rows_can_be_read_again_and_counted(table: Write) -> None:
    rows = load(table("id,price,title\na,1,x\nb,2,y\n"), schema=ROLES)
    assert [row.id for row in rows] == [row.id for row in rows] == ["a", "b"]
    assert rows.count() == rows.rows == 2
    assert len(rows.digest) == 64


@pytest.mark.parametrize("name", ["homes.csv", "homes.jsonl"])
def test_rows_without_an_id_column_are_called_by_their_numbers(table: Write, name: str) -> None:
    csv, lines = "price,title\n1,x\n2,y\n3,x\n", '{"price": 1, "title": "x"}\n' * 3
    path = table(csv if name.endswith("csv") else lines, name)
    rows = load(path, schema=ROLES | {"id": "row-number", "missing": "1"}, limit=2)
    assert [row.id for row in rows] == ["1", "2"]
    assert "ids are row numbers, 1 for the first row read" in rows.notes[0]
    assert next(iter(rows)).inputs == {"text": "x"}


def test_a_column_called_row_number_is_the_id_where_there_is_one(table: Write) -> None:
    rows = load(table("row-number,price,title\n7,5,x\n"), schema=ROLES | {"id": "row-number"})
    assert [row.id for row in rows] == ["7"]
    assert rows.notes == ()


def test_the_limit_comes_after_the_required_modality(table: Write) -> None:
    path = table("id,price,title,beds\na,1,,2\nb,2,x,2\nc,3,,2\nd,4,y,2\n")
    assert [r.id for r in load(path, schema=ROLES, require=["text"], limit=2)] == ["b", "d"]


def test_the_task_and_the_classes_are_taken_from_the_targets(table: Write) -> None:
    kinds = load(table("id,kind,a\n1,0,x\n2,1,x\n3,1,x\n"), schema={"target": "kind"})
    assert kinds.schema.task == "ordinal"
    assert kinds.schema.choices == {0: "0", 1: "1"}
    assert [row.target for row in kinds] == [0, 1, 1]
    assert "task taken as ordinal" in kinds.notes[0]
    prices = load(table("id,kind,a\n1,0.5,x\n2,1,x\n"), schema={"target": "kind"})
    assert prices.schema.task == "regression"


@pytest.mark.parametrize(
    ("schema", "task"),
    [
        ({"choices": [0, 1]}, "ordinal"),
        ({"choices": {0: "cat", 1: "dog"}}, "classification"),
        ({"task": "classification"}, "classification"),
        ({"task": "regression"}, "regression"),
    ],
)
def test_whole_numbers_are_ranks_only_where_nothing_says_otherwise(
    table: Write, schema: dict[str, Any], task: str
) -> None:
    rows = load(table("id,kind,a\n1,0,x\n2,1,x\n"), schema={"target": "kind", **schema})
    assert rows.schema.task == task


def test_many_whole_numbers_are_a_quantity(table: Write) -> None:
    cells = "".join(f"{at},{at},x\n" for at in range(11))
    rows = load(table("id,beds,a\n" + cells), schema={"target": "beds"})
    assert (rows.schema.task, rows.schema.choices) == ("regression", None)


def test_ordered_classes_in_words_need_their_order(table: Write) -> None:
    path = table("id,grade,a\n1,low,x\n2,high,x\n")
    schema = {"target": "grade", "task": "ordinal"}
    with pytest.raises(DataError, match=r"words for ordered classes \(high, low\), whose order"):
        load(path, schema=schema)
    rows = load(path, schema=schema | {"choices": ["low", "high"]})
    assert [row.target for row in rows] == ["low", "high"]
    numbers = load(table("id,grade,a\n1,3,x\n2,12,x\n"), schema=schema)
    assert (numbers.schema.task, numbers.schema.choices) == ("ordinal", {3: "3", 12: "12"})


def test_a_group_never_straddles_the_splits_made_by_hash(table: Write) -> None:
    lines = "".join(f"{i},g{i // 4},w{i}\n" for i in range(400))
    rows = list(load(table("id,host,title\n" + lines), schema={"text": "title", "group": "host"}))
    by_group: dict[str | None, set[str | None]] = {}
    for row in rows:
        by_group.setdefault(row.group, set()).add(row.split)
    assert {len(splits) for splits in by_group.values()} == {1}
    assert {row.split for row in rows} == {"train", "validation", "test"}
    assert split_of("g0") == "train"


def test_a_split_column_is_used_as_it_stands(table: Write) -> None:
    path = table("id,part,title\na,test,x\nb,train,y\n")
    schema = {"split": "part", "text": "title"}
    assert [row.id for row in load(path, schema=schema, split="test")] == ["a"]
    with pytest.raises(ConfigError, match="unknown split 'trian'; did you mean 'train'"):
        load(path, schema=schema, split="trian")


def test_values_of_a_split_column_that_are_no_split_are_refused_until_they_are_mapped(
    table: Write,
) -> None:
    path = table("id,part,title\na,dev,x\nb,train,y\nc,0,z\nd,spare,z\n")
    schema = {"split": "part", "text": "title"}
    expected = (
        r"3 values of split column 'part' other than train, validation, test"
        r" \('0', 'dev', 'spare'\).*`splits: \{0: validation\}`"
    )
    with pytest.raises(DataError, match=expected):
        load(path, schema=schema)
    mapped = schema | {"splits": {"dev": "validation", 0: "test", "spare": None}}
    assert [row.split for row in load(path, schema=mapped)] == ["validation", "train", "test", None]
    with pytest.raises(ConfigError, match="splits says what values of a split column are"):
        load(path, schema={"text": "title", "splits": {"dev": "validation"}})
    with pytest.raises(ConfigError, match="should be 'train', 'validation' or 'test'"):
        load(path, schema=schema | {"splits": {"dev": "valid"}})


def test_rows_with_a_target_that_is_no_number_are_left_out_and_told(table: Write) -> None:
    path = table("id,price,title\na,1,x\nb,cheap,y\nc,nan,z\nd,inf,z\ne,,z\n")
    rows = load(path, schema=ROLES)
    assert [(row.id, row.target) for row in rows] == [
        ("a", 1.0), ("c", None), ("e", None),
    ]  # fmt: skip
    assert rows.faulty == 2
    assert rows.faults[0].row_id == "b"
    assert rows.faults[0].message == (
        "row 'b' has target price = 'cheap', expected a finite number; correct or remove the row"
    )
    assert rows.notes[1] == "2 rows without price"


def test_a_class_that_is_not_among_the_choices_is_a_fault(table: Write) -> None:
    schema = {"target": "kind", "task": "classification", "choices": {0: "slow", 1: "fast"}}
    rows = load(table("id,kind,a\n1,0,x\n2,7,x\n3,1.0,x\n"), schema=schema)
    assert [row.target for row in rows] == [0, 1]
    assert "target kind = '7', expected one of 0, 1" in rows.faults[0].message


def test_a_row_without_an_id_is_left_out_and_told(table: Write) -> None:
    rows = load(table("id,price,title\n,1,x\nb,2,y\n"), schema=ROLES)
    assert [row.id for row in rows] == ["b"]
    assert "a row has no value in its id column 'id'" in rows.notes[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,price,title\n", "no readable row among 0"),
        ("id,price,title\na,NaN,NaN\nb,NaN,NaN\n", "no readable row among 2"),
        ("id,price,title\na,x,w\n", "no readable row among 1: row 'a' has target price = 'x'"),
        (
            "id,price,title\na,1,x\na,2,y\nb,3,z\n",
            "1 id of column 'id' in more than one row",
        ),
        ("id,price,titel\na,1,x\n", "lacks its text[0] column: unknown column 'title'"),
        ("key,price,title\na,1,x\n", "one of key, price, title, or row-number, which counts"),
    ],
)
def test_rows_that_cannot_be_used_as_a_whole_end_the_load(
    table: Write, text: str, message: str
) -> None:
    with pytest.raises(DataError) as error:
        load(table(text), schema=ROLES)
    assert message in str(error.value)


def test_one_group_in_two_splits_is_an_error(table: Write) -> None:
    path = table("id,host,part,title\na,h,train,x\nb,h,test,y\n")
    schema = {"group": "host", "split": "part", "text": "title"}
    with pytest.raises(DataError, match=r"1 group of column 'host' in more than one split"):
        load(path, schema=schema)


def test_a_column_in_the_schema_that_is_not_in_the_table_is_named(table: Write) -> None:
    path = table("id,price,title\na,1,x\n")
    with pytest.raises(ConfigError, match="unknown column 'titel'; did you mean 'title'"):
        load(path, schema=ROLES | {"columns": {"titel": {"unit": "m"}}})


def test_all_unknown_columns_of_a_schema_are_named_at_once(table: Write) -> None:
    path = table("id,price,title\na,1,x\n")
    meant = r"'titel' \(did you mean 'title'\?\), 'colour'\. Known: id, price, title"
    with pytest.raises(ConfigError, match=f"^schema: unknown columns {meant}"):
        load(path, schema=ROLES | {"ignore": ["titel", "colour"]})
    with pytest.raises(DataError, match=rf"columns \(target, text\[0\]\): .*'prize' .*, {meant}"):
        load(path, schema={"target": "prize", "text": "titel", "ignore": "colour"})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dataset": "petfindr"}, "unknown data set 'petfindr'; did you mean 'petfinder'?"),
        ({"require": ["pictures"]}, "unknown modality 'pictures'"),
        ({"require": "image"}, "expected a list such as"),
        ({"limit": 0}, "limit is 0"),
        ({"schema": {"id": "x"}}, "brings its own schema"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_read(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        load(**{"dataset": "petfinder", **arguments})
    assert message in str(error.value)


def test_odd_characters_stay_text(table: Write) -> None:
    odd = "{{ 7 * 7 }} <script>x</script> \u202eabc\u202c \u0007 \U0001f436"
    (row,) = load(table(f'id,price,title\na,1,"{odd}"\n'), schema=ROLES)
    assert row.inputs["text"] == odd


def test_bytes_that_are_not_utf8_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes("id,price,title\na,1,caf\xe9\n".encode("latin-1"))
    rows = load(path, schema=ROLES)
    assert next(iter(rows)).inputs["text"] == "caf\ufffd"
    assert rows.notes == ("1 row with bytes that are not UTF-8, shown as \ufffd",)


@pytest.mark.slow
def test_a_million_rows_stream_in_bounded_memory(table: Write) -> None:
    import subprocess
    import sys

    lines = (f"{i:07},{i}.5,words about number {i}\n" for i in range(1_000_000))
    path = table("id,price,title\n" + "".join(lines))
    code = (
        "import re, sys; from pathlib import Path; from textcentric.data import load;"
        f"rows = load({str(path)!r}, schema={ROLES!r});"
        "assert sum(1 for _ in rows) == 1_000_000;"
        # Not ru_maxrss: a child inherits the peak of the process that started it.
        "status = Path('/proc/self/status').read_text();"
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', status)[1]) // 1024)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 500  # MiB, the interpreter and Arrow included
