"""The rows of a run for whoever learns from them: which variants count, and what is left."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.support.commands import textcentric
from tests.support.read_run import call
from textcentric.errors import DataError
from textcentric.methods.reward.from_run import pairs_of_run
from textcentric.reading.answers import Answer, append
from textcentric.reading.items import ACCEPTED, REFUSED
from textcentric.reading.selection import by_split, kept, select
from textcentric.reading.sheet import open_sheet
from textcentric.rows import Example
from textcentric.runs.examples import read_examples


def test_only_what_was_read_and_true_is_trained_on_with_the_text_that_was_mended(
    run: Path,
) -> None:
    sheet = open_sheet(run)
    swaps = [i for i in sheet.items if i.kind == ACCEPTED and i.group == "own/swap"]
    good, bad, mended = swaps[:3]
    call(run, sheet, "anna", {good.item: "same", bad.item: "changed"})
    parts = {**mended.variant, "text": "A mended text."}
    append(run, [Answer(sheet.digest, mended.item, "anna", "changed", edited=parts)])
    found = kept(run, "read-true")
    assert found.outputs == {good.output: None, mended.output: parts}
    rest = found.of - 3
    assert found.words("read-true") == (
        f"2 of {found.of} accepted variants are read and true, 1 as a reader mended them;"
        f" 1 are read and not true; {rest} are not read"
    )
    examples = {e.id: e.variants for e in read_examples(run, only=found.outputs)}
    assert sum(map(len, examples.values())) == 2
    assert parts in examples[mended.source_id]


def test_nothing_read_leaves_nothing_and_says_how_to_read(run: Path) -> None:
    with pytest.raises(DataError, match=r"only='read-true' leaves nothing of .*textcentric review"):
        kept(run, "read-true")


def test_two_readers_who_differ_leave_a_variant_out(run: Path) -> None:
    sheet = open_sheet(run)
    one = next(i for i in sheet.items if i.kind == ACCEPTED and i.group == "own/swap")
    call(run, sheet, "anna", {one.item: "same"})
    call(run, sheet, "bob", {one.item: "changed"})
    with pytest.raises(DataError):
        kept(run, "read-true")


def test_a_refused_variant_that_a_reader_mended_is_no_accepted_one(run: Path) -> None:
    sheet = open_sheet(run)
    good = next(i for i in sheet.items if i.kind == ACCEPTED and i.group == "own/swap")
    refused = next(i for i in sheet.items if i.kind == REFUSED)
    call(run, sheet, "anna", {good.item: "same"})
    append(run, [Answer(sheet.digest, refused.item, "anna", "changed", edited={"text": "A."})])
    assert kept(run, "read-true").outputs == {good.output: None}


def test_all_variants_count_where_nothing_else_is_asked_for(run: Path) -> None:
    selection = select(run)
    assert selection.words == ""
    assert selection.examples == read_examples(run)


def test_what_is_left_is_said_by_split_and_class(run: Path) -> None:
    sheet = open_sheet(run)
    items = [i for i in sheet.items if i.kind == ACCEPTED and i.group == "own/swap"][:3]
    call(run, sheet, "anna", {item.item: "same" for item in items})
    selection = select(run, "read-true")
    assert selection.words.endswith(f"; left to learn from: {by_split(selection.examples)}")
    assert by_split(selection.examples).startswith("3 of train (0: ")


def test_many_targets_are_no_classes_and_a_class_that_is_lost_is_seen() -> None:
    few = [Example(str(n), {}, n % 2, "train", variants=({},) * (n % 2)) for n in range(4)]
    few.append(Example("v", {}, 1, None))
    assert by_split(few) == "2 of train (0: 0, 1: 2), 0 of no split (1: 0)"
    many = [Example(str(n), {}, n + 0.5, "train", variants=({},)) for n in range(20)]
    assert by_split([*many, Example("last", {}, 99.5, "train")]) == (
        "20 of train (20 of 21 rows have one)"
    )


def test_pairs_for_a_reward_model_are_of_the_variants_that_count(run: Path) -> None:
    sheet = open_sheet(run)
    items = [i for i in sheet.items if i.kind == ACCEPTED and i.group == "own/swap"][:3]
    call(run, sheet, "anna", {item.item: "same" for item in items})
    said: list[str] = []
    pairs = pairs_of_run(run, "read-true", said.append).pairs
    rejected = [item.variant["text"] for item in items]
    assert sorted(pair.rejected for pair in pairs) == sorted(rejected)
    assert len(pairs_of_run(run).pairs) > 3
    assert said == [select(run, "read-true").words]


@pytest.mark.parametrize(
    "command",
    [
        ("train", "reward", "--dataset-name", "pairs.jsonl", "-o", "m"),
        ("train", "downstream", "--dataset", "rows.csv", "-o", "m"),
    ],
)
def test_rows_of_no_run_are_refused_with_the_reason(command: tuple[str, ...]) -> None:
    said = textcentric(*command, "--only", "believed")
    assert said.code == 2
    assert "--only believed is of a run's variants" in said.err
    assert "hold none of that: give --run" in said.err


def test_a_comparison_of_arms_that_read_no_llm_is_refused(tmp_path: Path) -> None:
    arms = ("--arms", "plain-text", "-o", tmp_path / "c")
    said = textcentric("compare", "--dataset", "petfinder", "--only", "believed", *arms)
    assert said.code == 2
    assert "none of the arms plain-text learns from any" in said.err


def test_one_place_decides_which_variants_are_learnt_from() -> None:
    """What else reads a run reads one that it made itself a moment ago, for its clean texts."""
    package = Path(__file__).parents[2] / "textcentric"
    readers = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "textcentric.runs.examples"
        if any(name.name == "read_examples" for name in node.names)
    }
    assert readers == {
        "reading/selection.py",
        "augmentation/words.py",
        "evaluation/prediction.py",
    }
