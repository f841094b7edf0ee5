"""Sheets as files: out without a verdict, back with words, and nothing of another run."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.support.read_run import drawn, filled
from textcentric.errors import ConfigError, DataError, RunError
from textcentric.reading.answers import Answer, append, read_answers
from textcentric.reading.exchange import COLUMNS, export_sheet, import_answers, marked, parts_of
from textcentric.reading.items import Item
from textcentric.reading.sheet import Sheet

Drawn = tuple[Path, Sheet]


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    return drawn(tmp_path_factory.mktemp("read") / "run")


@pytest.fixture
def run(once: Drawn) -> Drawn:
    (once[0] / "reading" / "answers.jsonl").unlink(missing_ok=True)
    return once


@pytest.fixture(params=["sheet.csv", "sheet.jsonl"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / str(request.param)


def pair(variant: dict[str, str]) -> Item:
    source = {"table": "Age: 3.", "text": "A calm dog."}
    return Item("001", "accepted", "p", "o", "r", source, variant)


def test_an_exported_sheet_says_nothing_of_prompts_verdicts_and_decoys(
    run: Drawn, path: Path
) -> None:
    folder, sheet = run
    assert export_sheet(folder, sheet, "anna", path) == len(sheet.items)
    text = path.read_text()
    assert not any(word in text for word in ("own/", "accepted", "refused", "decoy", "repeat"))
    if path.suffix == ".jsonl":
        assert tuple(json.loads(text.splitlines()[0])) == COLUMNS
    else:
        assert tuple(next(csv.reader(text.splitlines()))) == COLUMNS


def test_what_was_filled_in_comes_back_as_that_readers_answers(run: Drawn, path: Path) -> None:
    folder, sheet = run
    export_sheet(folder, sheet, "anna", path)
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        rows[0]["word"], rows[1]["word"], rows[1]["edited"] = "s", "Changed", "[text] Mended."
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
    else:
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        rows[0]["word"], rows[1]["word"], rows[1]["edited"] = "s", "Changed", "[text] Mended."
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert import_answers(folder, path, "anna", who="model tiny") == (2, len(sheet.items))
    assert import_answers(folder, path, "anna", who="model tiny") == (2, len(sheet.items))
    found = read_answers(folder, sheet)
    assert [(a.item, a.word, a.who) for a in found] == [
        ("001", "same", "model tiny"),
        ("002", "changed", "model tiny"),
    ]
    assert found[0].edited is None
    assert "Mended." in " ".join((found[1].edited or {}).values())
    lines = (folder / "reading" / "answers.jsonl").read_text().splitlines()
    assert len(lines) == 2  # what stands already is not written again


def test_an_export_shows_a_reader_their_own_answers_alone(run: Drawn, tmp_path: Path) -> None:
    folder, sheet = run
    append(folder, [Answer(sheet.digest, "001", "bob", "garbled")])
    for reader, word in (("anna", ""), ("bob", "garbled")):
        path = tmp_path / f"{reader}.jsonl"
        export_sheet(folder, sheet, reader, path)
        assert json.loads(path.read_text().splitlines()[0])["word"] == word


def test_answers_to_the_sheet_of_another_run_are_refused(run: Drawn, tmp_path: Path) -> None:
    folder, _ = run
    path = tmp_path / "other.jsonl"
    path.write_text(json.dumps({"sheet": "0" * 16, "item": "001", "word": "same"}) + "\n")
    with pytest.raises(RunError, match=r"answers to the sheet '0000000000000000', which is none"):
        import_answers(folder, path, "anna")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"word": "smae"}, "line 1: unknown word 'smae'; did you mean 'same'"),
        ({"item": "999"}, "the sheet has no pair '999'"),
        ({"sheet": None}, "which is none of"),
    ],
)
def test_a_file_with_a_bad_line_is_refused_whole(
    run: Drawn, tmp_path: Path, change: dict[str, str], message: str
) -> None:
    folder, sheet = run
    path = tmp_path / "sheet.jsonl"
    export_sheet(folder, sheet, "anna", path)
    filled(path, "same")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps({**json.loads(lines[0]), **change}), *lines[1:]]))
    with pytest.raises((DataError, RunError), match=message):
        import_answers(folder, path, "anna")
    assert read_answers(folder) == []


def test_a_pair_that_stands_twice_with_different_words_is_refused(
    run: Drawn, tmp_path: Path
) -> None:
    folder, sheet = run
    row = {"sheet": sheet.digest, "item": "001"}
    path = tmp_path / "sheet.jsonl"
    path.write_text("".join(json.dumps({**row, "word": w}) + "\n" for w in ("same", "less")))
    with pytest.raises(DataError, match="line 2: pair 001 stands twice"):
        import_answers(folder, path, "anna")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "line 1 is not JSON"),
        ("[1]", "line 1: expected an object with sheet, item"),
        ('{"item": "001", "word": "same"}', "line 1: no column 'sheet'"),
    ],
)
def test_a_file_that_is_no_sheet_is_refused(
    run: Drawn, tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        import_answers(run[0], path, "anna")


def test_other_formats_are_refused(run: Drawn, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected a name that ends in \.csv or \.jsonl"):
        export_sheet(run[0], run[1], "anna", tmp_path / "sheet.xlsx")


def test_differences_are_marked_part_by_part() -> None:
    changed = pair({"table": "Age: 3.", "text": "A clam dog."})
    assert marked(changed) == "[text] A [-calm -]{+clam +}dog."
    assert marked(pair({"text": "A calm dog."})) == "(nothing differs)"
    dropped = pair({"text": "A dog.", "image": "Brown."})
    assert marked(dropped) == "[text] A [-calm -]dog.\n\n[image] {+Brown.+}\n\n[table] is absent"


def test_another_order_of_the_parts_is_said() -> None:
    moved = pair({"text": "A calm dog.", "table": "Age: 3."})
    assert marked(moved) == "(the parts stand in another order: text, table)"


def test_an_edited_text_is_parts_again_or_the_part_that_changed() -> None:
    item = pair({"table": "Age: 3.", "text": "A clam dog."})
    assert parts_of("[table] Age: 4.\n\n[text] One.\n\nTwo.", item) == {
        "table": "Age: 4.",
        "text": "One.\n\nTwo.",
    }
    assert parts_of("A calm hound.", item) == {"table": "Age: 3.", "text": "A calm hound."}
