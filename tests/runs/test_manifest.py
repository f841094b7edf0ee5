"""What a manifest counts within outputs: parts of clean rows, and pieces that were refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import textcentric
from tests.support.small_run import KEEPING, model, run, written
from textcentric.engines.protocol import Request
from textcentric.report.run import write_report
from textcentric.report.run_card import write_card
from textcentric.runs.journal import Detail
from textcentric.runs.manifest import (
    Manifest,
    PromptUsed,
    WrittenParts,
    count_details,
    derived_words,
    read_manifest,
)

DETAILS: dict[Detail, int] = {
    ("summarize/pick", "written", ""): 21,
    ("summarize/pick", "absent", "new word"): 1,
    ("summarize/pick", "absent", "number"): 2,
    ("adversarial/swap", "piece", "loop"): 3,
}


def test_parts_and_pieces_are_counted_by_prompt() -> None:
    derived, pieces = count_details(DETAILS, clean_rows=24)
    absent = {"new word": 1, "number": 2}
    assert derived == {"summarize/pick": {"written": 21, "absent": absent}}
    assert pieces == {"adversarial/swap": {"loop": 3}}
    manifest: Manifest = {"derived": derived, "prompts": {"summarize/pick": used("summarize")}}
    assert derived_words(manifest) == {
        "summarize/pick": "summaries: 21 of 24; 3 absent: number 2, new word 1"
    }


def used(stage: str) -> PromptUsed:
    return {"version": 1, "digest": "0", "label": "keep", "stage": stage}


def test_two_prompts_that_summarise_are_told_apart() -> None:
    parts: WrittenParts = {"written": 3, "absent": {}}
    both: dict[str, WrittenParts] = {
        "a/one": parts,
        "a/two": parts,
        "a/why": {"written": 2, "absent": {"negation": 1}},
    }
    stages = {"a/one": "summarize", "a/two": "summarize", "a/why": "reason"}
    prompts = {name: used(stage) for name, stage in stages.items()}
    assert list(derived_words({"derived": both, "prompts": prompts}).values()) == [
        "summaries by a/one: 3 of 3",
        "summaries by a/two: 3 of 3",
        "explanations: 2 of 3; 1 absent: negation 1",
    ]


def test_a_run_that_a_version_began_which_counted_nothing_claims_nothing() -> None:
    assert count_details(DETAILS, clean_rows=30)[0] == {}


def half_true(request: Request) -> str:
    """Summarise every other row in its own words; rewrite no sentence truly."""
    row, _, task = request.messages[-1].content.rpartition("\n\n")
    if task.startswith("Rewrite"):
        return "Nobody ever saw 77 purple elephants there."
    first = row.split("\n\n")[-1].split(". ")[0] + "."
    return first if "dog" in first or "cat" in first else "There are 99 purple elephants here."


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("counted") / "run"
    return run(folder, 10, half_true, prompts="own/swap,summarize/pick", own=KEEPING).path


def test_absent_summaries_are_counted_in_manifest_show_report_and_card(finished: Path) -> None:
    manifest = read_manifest(finished)
    parts = manifest["derived"]["summarize/pick"]
    assert (parts["written"], sum(parts["absent"].values())) == (4, 6)
    with_summary = [row for row in written(finished) if "summary" in row["parts"]]
    assert len(with_summary) == 4
    said = derived_words(manifest)["summarize/pick"]
    assert said.startswith("summaries: 4 of 10; 6 absent: ")
    assert said in textcentric("runs", "show", finished).out.splitlines()
    assert said in write_report(finished).read_text(encoding="utf-8")
    assert "summaries: 4 of 10; 6 absent: " in write_card(finished).read_text(encoding="utf-8")


def test_the_reasons_of_pieces_stand_behind_nothing_changed(finished: Path) -> None:
    rejected = written(finished, "rejected")
    assert len(rejected) == 10
    reasons = {row["reason"] for row in rejected}
    assert all(reason.startswith("nothing changed: ") for reason in reasons), reasons
    manifest = read_manifest(finished)
    assert manifest["reasons"] == {"own/swap": {"nothing changed": 10}}
    pieces = manifest["pieces"]["own/swap"]
    assert sum(pieces.values()) == 20  # two sentences of each
    row = rejected[0]
    said = textcentric("lineage", row["source_id"], "--run", finished).out
    assert row["reason"] in said
    assert row["reason"] in textcentric("lineage", row["id"], "--run", finished).out
    most = max(pieces, key=lambda name: pieces[name])
    shown = textcentric("runs", "show", finished).out
    assert f"  of those in which nothing changed, pieces: {most} {pieces[most]}" in shown
    page = write_report(finished).read_text(encoding="utf-8")
    assert f"refused pieces: {most} {pieces[most]}" in page
    assert f'"{row["reason"]}"' in page  # the browser of all rows


def test_an_interrupted_run_counts_on_where_it_stopped(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    asked: dict[str, Any] = {"prompts": "summarize/pick,own/swap", "own": KEEPING}
    assert run(folder, 12, model, max_tokens_total=200, **asked).status == "stopped"
    before = read_manifest(folder)["counts"]["clean"]["accepted"]
    assert 0 < before < 12
    run(folder, 12, model, **asked)
    manifest = read_manifest(folder)
    parts = manifest["derived"]["summarize/pick"]
    accepted = manifest["counts"]["clean"]["accepted"]
    assert parts["written"] + sum(parts["absent"].values()) == accepted > before
