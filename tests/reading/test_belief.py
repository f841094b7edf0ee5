"""Variants that today's checks believe, do not believe, or cannot judge."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.commands import textcentric
from tests.support.small_run import model, record, true_model
from tests.support.small_run import run as run_small
from textcentric.engines.protocol import Request
from textcentric.reading.belief import believed_counts, edits_of, known_beliefs
from textcentric.reading.selection import kept

GERMAN = (
    "Dieser ruhige Hund wurde im letzten Jahr hinter der Kirche gefunden und ist sehr lieb."
    " Er mag die Kinder und schläft auch nicht viel, aber er kommt immer mit uns nach Hause."
)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of prompts that are held to nothing: some rows are of no language that is known."""
    rows = [record(n) for n in range(8)]
    rows += [replace(record(n), inputs={"text": f"{GERMAN} Nummer {n}."}) for n in range(8, 12)]
    folder = tmp_path_factory.mktemp("mixed") / "run"
    return run_small(folder, rows, half_true, prompts="own/swap", summarize=False).path


def half_true(request: Request) -> str | Exception:
    """Rewrite the text of every other row truly."""
    even = any(f"row {n} " in request.messages[-1].content for n in range(0, 8, 2))
    return true_model(request) if even else "Nobody ever saw 77 elephants there."


def test_what_is_not_judged_is_told_from_what_is_not_believed(mixed: Path) -> None:
    line = believed_counts(mixed)["own/swap"]
    others = (line["not_believed"], line["not_judged"])
    refused, unjudged = (sum(whys.values()) for whys in others)
    assert line["accepted"] == line["believed"] + refused + unjudged
    assert set(line["not_judged"]) == {"language (german)"}
    assert (unjudged, refused, line["believed"]) == (4, 4, 4)
    assert known_beliefs(mixed) == {"own/swap": line} == known_beliefs(mixed)  # kept in the run


def test_show_and_diff_give_both_with_their_reasons(mixed: Path, tmp_path: Path) -> None:
    line = believed_counts(mixed)["own/swap"]
    refused = sum(line["not_believed"].values())
    said = textcentric("runs", "show", mixed).out
    assert f"own/swap {line['accepted']} {line['believed']} {refused} 4" in " ".join(said.split())
    assert "\nnot judged: language (german) 4\n" in said
    assert "\nnot believed: " in said
    shown = json.loads(textcentric("runs", "show", mixed, "--json").out)
    assert shown["believed"]["own/swap"]["not_judged"] == {"language (german)": 4}
    other = run_small(tmp_path / "other", 4, model, prompts="own/swap", summarize=False).path
    differs = json.loads(textcentric("runs", "diff", mixed, other, "--json").out)
    assert differs["not judged.own/swap"] == [4, 0]


def test_only_believed_says_how_many_are_not_believed_and_not_judged(mixed: Path) -> None:
    taken = kept(mixed, "believed")
    line = believed_counts(mixed)["own/swap"]
    assert taken.words("believed") == (
        f"{line['believed']} of {line['accepted']} accepted variants are passed by today's checks;"
        f" {sum(line['not_believed'].values())} are not believed; 4 are not judged"
        " (language (german) 4)"
    )


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
