"""Variants that are believed: read and true, mended by a reader, or passed by today's checks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.read_run import call, read_run
from tests.support.small_run import run as run_small
from textcentric.errors import DataError
from textcentric.reading.answers import Answer, append
from textcentric.reading.belief import believed_counts, edits_of, kept
from textcentric.reading.items import ACCEPTED
from textcentric.reading.sheet import open_sheet
from textcentric.runs.examples import read_examples


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return read_run(tmp_path_factory.mktemp("read") / "run", 12)


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


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
    assert found.words("read-true").endswith(
        "accepted variants are read and true, 1 as a reader mended them"
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


@pytest.mark.parametrize("prompts", ["rule/order", "rule/recognition"])
def test_what_only_code_changed_is_believed(tmp_path: Path, prompts: str) -> None:
    folder = run_small(tmp_path / "run", 12, prompts=prompts, summarize=False).path
    counts = believed_counts(folder)[prompts]
    assert counts["believed"] == counts["accepted"] > 0
    assert kept(folder, "believed").of == counts["accepted"]


def test_edits_are_the_sentences_that_differ_or_whole_parts() -> None:
    source = {"table": "Age: 3.", "text": "A calm dog. It sleeps."}
    told = [
        (e.source, e.variant)
        for e in edits_of(source, {**source, "text": "A clam dog. It sleeps."})
    ]
    assert told == [("A calm dog.", "A clam dog.")]
    shorter = [(e.source, e.variant) for e in edits_of(source, {**source, "text": "A dog."})]
    assert shorter == [("A calm dog. It sleeps.", "A dog.")]
    moved = [
        (e.source, e.variant)
        for e in edits_of(source, {**source, "text": "It sleeps. A calm dog."})
    ]
    assert moved == [("A calm dog. It sleeps.", "It sleeps. A calm dog.")]
    spaced = [
        (e.source, e.variant)
        for e in edits_of(source, {**source, "text": "A calm dog.  It sleeps."})
    ]
    assert spaced == [("A calm dog. It sleeps.", "A calm dog.  It sleeps.")]
    row = "Age: 3.\n\nA calm dog. It sleeps."
    added = [(e.source, e.variant) for e in edits_of(source, {"summary": "A dog."})]
    assert added == [(row, "A dog.")]
