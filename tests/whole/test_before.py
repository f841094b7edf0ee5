"""What the version before wrote is read, resumed, reported on and predicted with as it was then.

`fixtures/before` is its work: runs, a journal half answered, models, latents, an evaluation. How
it was made is in `before.py` and `fixtures/make_before.py`; it is never made again.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.support.before import (
    EVALUATION,
    LATENTS,
    QUESTIONS,
    SCORES,
    TRAININGS,
    augment,
    working_copy,
)
from tests.support.commands import Said, textcentric
from textcentric.metrics.intervals import wilson
from textcentric.runs.columns import MAY_BE_ABSENT, read_rows
from textcentric.runs.listing import diff_runs
from textcentric.settings import with_current_names

FINISHED, INTERRUPTED = Path("augmented/finished"), Path("augmented/interrupted")
FATES = ("data", "rejected", "errors")
pytestmark = pytest.mark.filterwarnings("ignore:.*bitsandbytes")


place = pytest.fixture(autouse=True, name="place")(working_copy)


def asked(line: str) -> Said:
    return textcentric(*shlex.split(line))


def values(printed: str) -> list[Any]:
    """Return the JSON that a command printed, a line each."""
    return [json.loads(line) for line in printed.splitlines()]


def manifest(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "manifest.json").read_text()))


def outputs(folder: Path) -> dict[str, dict[str, Any]]:
    """Return {id: columns} of every output of a run, and which folder of the run it lies in.

    An empty text of the version before is an absent one now.
    """
    files = [(fate, path) for fate in FATES for path in sorted((folder / fate).glob("*.parquet"))]
    rows = [row | {"fate": fate} for fate, path in files for row in read_rows(pq.read_table(path))]
    assert len({row["id"] for row in rows}) == len(rows), "an output was written twice"
    for row in rows:
        row |= {name: row[name] or None for name in MAY_BE_ABSENT if name in row}
    return {row["id"]: row for row in rows}


def answers(folder: Path) -> dict[str, str]:
    """Return {request key: text} of a run's journal."""
    with sqlite3.connect(folder / "journal.sqlite") as journal:
        rows = journal.execute("SELECT key, body FROM answers").fetchall()
    return {key: json.loads(body)["text"] for key, body in rows}


def requests(folder: Path) -> set[str]:
    """Return the keys of the requests whose answers a run's journal holds."""
    return {key for key in answers(folder) if not key.startswith("expert:")}


def close(told: Any, before: Any) -> bool:
    """Say whether values agree, numbers to 1e-5; what is new in a mapping is passed over."""
    if isinstance(before, Mapping):
        return all(name in told and close(told[name], value) for name, value in before.items())
    if isinstance(before, list):
        pairs = zip(told, before, strict=True)
        return len(told) == len(before) and all(close(*pair) for pair in pairs)
    if isinstance(before, float):
        return bool(told == pytest.approx(before, abs=1e-5))
    return bool(told == before)


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_is_answered_as_it_was(name: str) -> None:
    before = values(json.loads(Path("answers.json").read_text())[name])
    if name == "attacks":
        _mend(before[0]["fusion"])
    if name == "preferences":  # it drew pairs, and now draws whole prompts
        del before[0]["sets"]["preferred"]["length"]["interval"]
    told = values(asked(QUESTIONS[name]).out)
    for one, other in zip(told, before, strict=True):
        assert close(one, other), f"{one} is not {other}"


def _mend(attacks: dict[str, Any]) -> None:
    """Put right what was told wrongly: no row certifies less than 0, and 4 of 4 are not certain."""
    attacks["certified"]["image"]["median"] = 0.0
    attacks["missing"]["table"]["zero"]["interval"] = list(wilson(4, 4))


def test_the_same_augmentation_has_the_same_texts_keys_and_seeds() -> None:
    begun = Path("again")
    begun.mkdir()
    shutil.copy(FINISHED / "run.yaml", begun)
    shutil.copytree(FINISHED / "prompts", begun / "prompts")
    engine = augment(begun)
    before, again = outputs(FINISHED), outputs(Path("again"))
    assert {row["fate"] for row in before.values()} == set(FATES)
    assert again == before
    assert answers(Path("again")) == answers(FINISHED)
    assert Path("again/run.yaml").read_bytes() == (FINISHED / "run.yaml").read_bytes()
    assert manifest(Path("again"))["fingerprint"] == manifest(FINISHED)["fingerprint"]
    assert {request.key for request in engine.requests} >= requests(FINISHED)


def test_a_finished_run_asks_nothing_and_stays_as_it_is() -> None:
    before = outputs(FINISHED)
    assert augment(FINISHED).requests == []
    assert outputs(FINISHED) == before


def test_answers_are_reused_by_a_run_of_todays_columns() -> None:
    sent = {request.key for request in augment("anew", reuse=[str(FINISHED)]).requests}
    assert sent.isdisjoint(requests(FINISHED))
    assert len(sent) < len(requests(FINISHED))
    kinds = [
        str(pq.read_schema(run / "data/part-00000.parquet").field("parts").type)
        for run in (Path("anew"), FINISHED)
    ]
    assert kinds == ["list<element: struct<name: string, text: string>>", "string"]
    changed = {name for name, *_ in diff_runs(FINISHED, Path("anew"))}
    assert {"totals.requested", "counts.clean.requested"}.isdisjoint(changed)


def test_an_interrupted_run_asks_what_is_left_and_ends_like_the_other() -> None:
    kept, whole = requests(INTERRUPTED), requests(FINISHED)
    assert 0 < len(kept) < len(whole)
    sent = {request.key for request in augment(INTERRUPTED).requests}
    assert sent.isdisjoint(kept)
    assert sent >= whole - kept
    assert answers(INTERRUPTED) == answers(FINISHED)
    assert outputs(INTERRUPTED) == outputs(FINISHED)


def test_an_interrupted_run_resumes_from_its_own_files() -> None:
    before, kept = outputs(INTERRUPTED), answers(INTERRUPTED)
    shutil.rmtree("prompts")
    refused = asked(f"runs resume {INTERRUPTED} --json")
    assert refused.code == 4
    assert f"--trust {INTERRUPTED}" in refused.err
    said = asked(f"runs resume {INTERRUPTED} --json --trust {INTERRUPTED}")
    assert said.code == 0, said.err
    after = outputs(INTERRUPTED)
    assert {row_id: after[row_id] for row_id in before} == before
    assert after.keys() == outputs(FINISHED).keys()
    assert answers(INTERRUPTED).items() >= kept.items()


def test_a_run_is_reported_on_and_compared() -> None:
    said = asked(f"report {FINISHED}")
    assert (said.code, said.out) == (0, f"{FINISHED}/report.html\n")
    page = (FINISHED / "report.html").read_text()
    assert "own/whole" in page
    assert "the server answered 500 three times" in page
    differences = asked(f"runs diff {FINISHED} {INTERRUPTED}").out.splitlines()
    assert ["totals.pending", "0", "20"] in [line.split() for line in differences]


@pytest.mark.parametrize("name", "downstream adapters reward fusion aligned".split())
def test_the_same_training_is_no_other_one(name: str) -> None:
    before = json.loads(Path(f"models/{name}/train.json").read_text())
    said = asked(TRAININGS[name])
    assert said.code == 0, said.err
    again = json.loads(Path(f"models/{name}/train.json").read_text())
    assert again["identity"] == with_current_names(before["identity"])
    assert close(again["metrics"], before["metrics"])
    goes_on = "going on from step 2 of 2, in models/downstream-checkpoints"
    assert (goes_on in said.err) == (name == "downstream")


def test_latents_are_not_made_again() -> None:
    shards = sorted(Path("latents/pairs").glob("*/*.npy"))
    before = [(path.stat().st_mtime_ns, path.read_bytes()) for path in shards]
    assert asked(LATENTS).code == 0
    assert [(path.stat().st_mtime_ns, path.read_bytes()) for path in shards] == before


def test_scores_go_on_behind_those_of_before() -> None:
    lines = Path("scores.jsonl").read_text().splitlines(keepends=True)
    Path("scores.jsonl").write_text("".join(lines[:2]))
    assert "1 responses scored, 2 before" in asked(f"{SCORES} -o scores.jsonl").err
    assert values(Path("scores.jsonl").read_text())[:2] == values("".join(lines[:2]))


def test_an_evaluation_is_repeated_without_asking_anything() -> None:
    (words,) = Path("evaluated").glob("words-*")
    before, kept = json.loads(Path("evaluated/results.json").read_text()), answers(words)
    said = asked(EVALUATION)
    assert said.code == 0, said.err
    told = json.loads(said.out)
    for name in ("metric", "cells", "areas", "differences", "removed"):
        assert close(told[name], before[name])
    clean, _, _ = before["verdict"]["sentence"].partition(", 0.500 at worst")
    assert told["verdict"]["sentence"].startswith(clean)
    assert [answers(one) for one in Path("evaluated").glob("words-*")] == [kept]
