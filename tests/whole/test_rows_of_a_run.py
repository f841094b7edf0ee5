"""Every reader of a run's rows takes those of the version before, which held JSON in strings.

`fixtures/json_columns` is such a run, made with scripted answers of four rows of the built-in
sample. Each reader is asked about it and about the same rows in today's columns.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from textcentric.api import Run, load
from textcentric.methods.reward.from_run import pairs_of_run
from textcentric.reading.belief import believed_counts
from textcentric.reading.drawing import pairs_of
from textcentric.reading.groups import groups_of
from textcentric.reading.sheet import open_sheet
from textcentric.reading.weighed import _likelihoods
from textcentric.reading.yields import yields_of
from textcentric.report.run import write_report
from textcentric.report.run_card import write_card
from textcentric.report.run_pages import read_entries
from textcentric.report.run_rows import fetch, tally
from textcentric.runs.columns import FOLDERS, OUTPUT_COLUMNS, as_table, read_rows, schemas
from textcentric.runs.examples import read_examples, read_failures
from textcentric.runs.lineage import lineage, outputs_of
from textcentric.runs.listing import diff_runs, summary
from textcentric.runs.manifest import read_manifest
from textcentric.runs.origin import read_origin

BEFORE = Path(__file__).parents[1] / "fixtures" / "json_columns"
SOURCE = "416b7f679"
NOISE, REFUSED = f"{SOURCE}/adversarial/noise/0", "cbdb125eb/adversarial/noise/1"
ROLES = {"target": "target", "text": "text", "split": "split", "table": []}
READERS: dict[str, Callable[[Path], object]] = {
    "examples": read_examples,
    "failures": read_failures,
    "experts of the origin": lambda run: read_origin(run).experts,
    "an accepted output": lambda run: lineage(run, NOISE),
    "a rejected output": lambda run: lineage(run, REFUSED),
    "a clean row": lambda run: lineage(run, f"{SOURCE}/clean/0"),
    "outputs of a row": lambda run: outputs_of(run, SOURCE),
    "summary": lambda run: summary(run)["counts"],
    "rows of the report": lambda run: fetch(run, tally(run, 0).sources),
    "entries of the browser": lambda run: list(read_entries(run)),
    "pairs that are believed": lambda run: list(pairs_of(run)),
    "beliefs": believed_counts,
    "a sheet": lambda run: open_sheet(run).items,
    "yields": lambda run: yields_of(run, groups_of(run, read_manifest(run))),
    "likelihoods": lambda run: _likelihoods(run, {NOISE, REFUSED}),
    "preferences": lambda run: pairs_of_run(run).pairs,
    "its folder as a table": lambda run: [*load(run / "data", schema=ROLES)],
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the run of the version before, and its rows in today's columns."""
    place = tmp_path_factory.mktemp("rows")
    before, today = (place / name / "demo" for name in ("before", "today"))
    for folder in (before, today):
        shutil.copytree(BEFORE, folder)
    for name in FOLDERS[:2]:
        file = today / name / "part-00000.parquet"
        columns = [c for c in OUTPUT_COLUMNS if c != "reason" or name == "rejected"]
        rows = [[row[c] for c in columns] for row in read_rows(pq.read_table(file))]
        pq.write_table(as_table(rows, columns, schemas("int64")[name]), file)
    return before, today


@pytest.mark.parametrize("reader", READERS)
def test_a_reader_takes_both(reader: str, runs: tuple[Path, Path]) -> None:
    before, today = map(READERS[reader], runs)
    assert before
    assert before == today


def test_what_is_read_of_the_version_before_is_what_stands_in_it(runs: tuple[Path, Path]) -> None:
    row = next(row for row in pq.read_table(BEFORE / "data").to_pylist() if row["id"] == NOISE)
    found = lineage(runs[0], NOISE)
    for name in ("parts", "sampling", "experts", "scores"):
        assert found[name] == json.loads(row[name])
    examples = {example.id: example for example in read_examples(runs[0])}
    assert list(examples[SOURCE].parts) == ["table", "text", "image", "summary"]
    assert len(examples[SOURCE].variants) == 4
    assert (examples[SOURCE].target, examples[SOURCE].split) == (4.0, "train")


def test_pages_of_both_say_the_same(runs: tuple[Path, Path]) -> None:
    pages = [write_report(run).read_text(encoding="utf-8") for run in runs]
    for page in pages:  # the scores of a struct stand in its own order
        assert "cat. Name: Shadow" in page
        assert '<bdi class="mono">{&#34;temperature&#34;:1.05,&#34;top_p&#34;:0.92' in page
        assert page.count("similarity <b>") == pages[0].count("similarity <b>") > 5
    cards = [write_card(run).read_text(encoding="utf-8") for run in runs]
    assert cards[0] == cards[1]


def test_both_are_data_sets_and_frames_and_do_not_differ(runs: tuple[Path, Path]) -> None:
    before, today = map(Run, runs)
    assert before.dataset.num_rows == today.dataset.num_rows == 17
    assert [type(run.to_pandas()["target"][0].item()) for run in (before, today)] == [float, int]
    assert diff_runs(*runs) == []
