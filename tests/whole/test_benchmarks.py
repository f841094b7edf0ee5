"""The benchmarks run and count rightly at tiny sizes; what they measure is no business of tests."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmarks import (
    breakdown,
    driver,
    faults,
    figure,
    memory,
    reward_memory,
    reward_training,
    rewrites,
    second_grid,
    startup,
    summaries,
    training,
    training_memory,
)
from benchmarks.__main__ import main
from benchmarks.figure import Bar, Figure, median
from benchmarks.rows import SCHEMA, values, write_table
from benchmarks.scripted_run import Remembered, configure, run
from tests.support.picking import picked
from tests.support.small_run import written
from textcentric.data import load
from textcentric.engines.scripted import ScriptedEngine
from textcentric.errors import DataError
from textcentric.metrics.scores import score
from textcentric.prompts.library import PromptLibrary
from textcentric.rows import Example
from textcentric.runs.manifest import read_manifest

ROOT = Path(__file__).parents[2]
OUTPUTS = 1 + len(PromptLibrary.load().select("adversarial"))  # of one row, the clean one too


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of our own for readings and for what a benchmark builds."""
    monkeypatch.setattr(figure, "RESULTS", tmp_path / "results")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path / "results"


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a tiny model for a measurement on the sample, wherever the real rows lie."""
    from tests.support.tiny_models import tiny_model  # imports transformers

    monkeypatch.setenv("PETFINDER_DIR", str(tmp_path / "nowhere"))
    return tiny_model(tmp_path / "model", max_position_embeddings=512)


def test_the_median_of_equal_readings_has_no_width() -> None:
    assert median([2.0, 2.0, 2.0]) == (2.0, (2.0, 2.0))


def test_the_interval_lies_within_the_readings() -> None:
    value, (low, high) = median([1.0, 1.1, 1.2, 1.3, 5.0])
    assert value == 1.2
    assert 1.0 <= low <= value <= high <= 5.0


def test_a_figure_says_whether_its_bar_is_met() -> None:
    shown = Figure("x", "what", "<= 1", 0.98765, "x", True, (0.9, 1.0))
    assert (shown.measured, shown.verdict) == ("0.9877 [0.9, 1] x", "met")
    assert Figure("x", "what", "", 2, "MB", False).verdict == "missed"
    assert Figure("x", "what", "", 2, "MB", None).verdict == ""


def test_a_bar_says_what_reaches_it_and_what_it_is() -> None:
    at_most, at_least = Bar("cost", "<=", 250, "µs", " of CPU"), Bar("ratio", ">=", 1.35)
    assert (str(at_most), str(at_least)) == ("<= 250 µs of CPU", ">= 1.35")
    figure = at_most.figure("what", (250.0, (240.0, 260.0)))
    assert (figure.name, figure.unit, figure.met) == ("cost", "µs", True)
    assert (figure.value, figure.interval) == (250.0, (240.0, 260.0))
    assert at_least.figure("what", 1.3).met is False
    assert at_most.figure("what", 1.0, also=False).met is False


def test_synthetic_rows_are_the_same_each_time_and_as_long_as_promised(tmp_path: Path) -> None:
    assert values(7) == values(7)
    assert values(7) != values(8)
    rows = load(write_table(tmp_path / "rows.csv", 30), schema=SCHEMA)
    lengths = [len(record.inputs["text"].split()) for record in rows]
    assert len(lengths) == 30
    assert 90 <= min(lengths) <= max(lengths) <= 150
    assert {record.split for record in rows} == {"train"}


def test_scripted_answers_are_accepted_and_rejected_for_many_reasons(tmp_path: Path) -> None:
    table = write_table(tmp_path / "rows.csv", 40)
    manifest = run(configure(table, tmp_path / "run"))
    totals = manifest["totals"]
    assert (totals["requested"], totals["failed"], totals["pending"]) == (40 * OUTPUTS, 0, 0)
    assert totals["accepted"] > 0.5 * totals["requested"]
    assert totals["rejected"] > 0
    reasons = {reason for found in manifest["reasons"].values() for reason in found}
    assert {"names what the row names", "nothing changed"} <= reasons
    rows = [*written(tmp_path / "run"), *written(tmp_path / "run", "rejected")]
    told = re.findall(r"\(others: ([^)]*)\)", " ".join(str(row["notes"]) for row in rows))
    of_pieces = {reason for listed in told for reason in listed.split(", ")}
    assert {"refusal", "unchanged", "copied", "number changed", "says less"} <= of_pieces
    accepted = {name for name, count in manifest["counts"].items() if count["accepted"]}
    assert accepted == set(manifest["counts"])


def test_remembered_answers_are_made_up_once(tmp_path: Path) -> None:
    table, answers = write_table(tmp_path / "rows.csv", 3), Remembered()
    first = run(configure(table, tmp_path / "a"), answers)
    made = dict(answers.answers)
    again = run(configure(table, tmp_path / "b"), answers)
    assert answers.answers == made
    assert len(made) == first["requests"]["sent"] == again["requests"]["sent"]
    assert first["counts"] == again["counts"]


def test_misspelling_keeps_the_words_in_their_places() -> None:
    words = ["clean", "the", "lamp"]
    told = rewrites.REWRITES["Typos"](words, words, random.Random(1))
    assert [sorted(word) for word in told] == [sorted(word) for word in words]


def test_components_are_timed_without_those_inside_them() -> None:
    watch = breakdown.Stopwatch()
    inner = watch.timed("inner", lambda: sum(range(300_000)))
    outer = watch.timed("outer", lambda: inner())
    outer()
    assert watch.seconds["inner"] > 5 * watch.seconds["outer"]


def test_every_component_names_something_that_is_there(tmp_path: Path) -> None:
    table = write_table(tmp_path / "rows.csv", 2)
    parts = breakdown.components(lambda: run(configure(table, tmp_path / "run")))
    assert set(parts) == set(breakdown.COMPONENTS)


def test_the_driver_figure_counts_all_requests_and_adds_up() -> None:
    found = driver.measure(rows=4, repeats=2)
    assert found.raw["totals"]["requested"] == 4 * OUTPUTS
    assert len(found.raw["cpu_seconds"]) == 2
    assert sum(found.raw["parts"].values()) == pytest.approx(found.value)


def test_a_second_grid_asks_for_nothing_and_says_the_same(tmp_path: Path) -> None:
    from tests.support.tiny_models import tiny_model  # imports transformers

    model = tiny_model(tmp_path / "model")
    found = second_grid.measure(rows=2, delay=0.0, model=model, max_length=48)
    assert found.raw["requests"] == 2 * len(second_grid.GRID)
    assert set(found.raw["whole_seconds"]) == {"at once", "after another grid"}


def test_the_samples_words_are_cut_to_the_lengths_of_real_rows() -> None:
    words = " ".join(f"word{n}" for n in range(400))
    rows = training._lengthened([Example("a", {"text": words}, 1)], 200)
    lengths = sorted(len(row.parts["text"].split()) for row in rows)
    longest = training.TOKENS[-1] / training.TOKENS_A_WORD
    assert training.TOKENS[0] / training.TOKENS_A_WORD - 1 <= lengths[0]
    assert lengths[-1] <= longest
    assert lengths[100] * training.TOKENS_A_WORD == pytest.approx(219, rel=0.1)
    assert len({row.id for row in rows}) == 200


@pytest.mark.slow
def test_training_is_timed_on_the_same_tokens_for_all(model: str, tmp_path: Path) -> None:
    kept = tmp_path / "readings.json"
    found = training.measure(rows=40, repeats={64: 2, 16: 1}, model=model, kept=kept)
    assert not kept.exists()
    assert "sample" in found.raw["texts"]
    for one in (*found.raw["rounds"][64], *found.raw["rounds"][16]):
        assert {reading["steps"] for reading in one.values()} == {3}
        assert len({reading["tokens"] for reading in one.values()}) == 1
        assert all(r["tokens"] <= r["padded"] <= 40 * 64 for r in one.values())
    assert found.value > 0


@pytest.mark.slow
def test_a_stopped_measurement_of_training_goes_on(tmp_path: Path) -> None:
    from tests.support.tiny_models import tiny_model  # imports transformers

    model, kept = tiny_model(tmp_path / "model"), tmp_path / "readings.json"
    rows = [Example(f"row-{n}", {"text": "a small red dog"}, n % 2) for n in range(32)]
    first = training._keeping(kept, rows, "dogs", model)("textcentric", 16, 0)
    again = training._keeping(kept, rows, "dogs", model)
    assert again("textcentric", 16, 0) == first  # to the last digit of its seconds
    assert again("textcentric", 16, 1) != first
    assert len(json.loads(kept.read_text())) == 2


@pytest.mark.slow
def test_the_memory_of_training_is_that_of_processes_of_their_own(model: str) -> None:
    found = training_memory.measure(rows=16, repeats=1, max_length=16, model=model)
    (peaks,) = found.raw["peak_mb"]
    assert set(peaks) == {"textcentric", "random", "group_by_length"}
    assert min(peaks.values()) > 100


def test_pairs_of_the_benchmark_have_a_description_and_two_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PETFINDER_DIR", str(tmp_path / "nowhere"))
    origin, pairs = reward_training.reward_pairs(20)
    assert "sample" in origin
    assert len({pair.id for pair in pairs}) == 20
    assert all(pair.descriptions["description"] and pair.chosen != pair.rejected for pair in pairs)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of TRL's own making
def test_reward_training_is_timed_on_the_same_tokens_for_all(model: str) -> None:
    found = reward_training.measure(pairs=20, repeats=1, max_length=512, model=model)
    (readings,) = found.raw["rounds"]
    assert set(readings) == set(reward_training.ARMS)
    assert {reading["steps"] for reading in readings.values()} == {3}
    assert len({reading["tokens"] for reading in readings.values()}) == 1
    assert found.value > 0


@pytest.mark.slow
def test_the_memory_of_two_adapters_is_that_of_processes_of_their_own(model: str) -> None:
    found = reward_memory.measure(pairs=8, repeats=1, max_length=512, model=model)
    (peaks,) = found.raw["mb"]
    assert set(peaks) == {"bt", "sfc"}
    assert all(one["peak"] >= one["before"] > 100 for one in peaks.values())


def by_class(texts: Sequence[str]) -> np.ndarray:
    """Stand in for a sentence encoder: one direction for each digit that ends a text."""
    return np.eye(10)[[int(text[-1]) for text in texts]]  # (N, 10)


def test_a_model_learns_of_summaries_what_they_say_of_the_class() -> None:
    targets = [n % 5 for n in range(100)]
    groups = [f"rescuer {n // 4}" for n in range(100)]

    def kappa(said: Sequence[int]) -> float:
        parts = [{"summary": f"a dog, {one}"} for one in said]
        (told,) = summaries.predictions(parts, targets, groups, by_class, 1)
        return score("quadratic_kappa", targets, told)

    assert kappa(targets) == 1.0
    assert abs(kappa([n * 7 % 10 // 9 for n in range(100)])) < 0.3


def test_summaries_are_measured_beside_those_of_the_same_rows_without_a_model(
    tmp_path: Path,
) -> None:
    engine = ScriptedEngine(picked)
    run = summaries.sample_run(tmp_path, 40, engine=engine, embeddings=False, image_expert="none")
    assert len(engine.requests) == 40
    examples, texts = summaries.texts_of(run)
    assert set(texts) == {summaries.PICKED, *summaries.WITHOUT, summaries.WHOLE}
    for example, kinds in zip(examples, zip(*texts.values(), strict=True), strict=True):
        shown = dict(zip(texts, kinds, strict=True))
        own = " ".join(shown.pop(summaries.WHOLE).values())
        assert own == " ".join(list(example.parts.values())[:-1])
        for parts in shown.values():
            words = parts["summary"].replace(".", " ").split()
            assert 0 < len(words) <= 60
            assert set(words) <= set(own.replace(".", " ").split())
    assert texts[summaries.DRAWN] != texts[summaries.PICKED]
    again = summaries.texts_of(run)[1]
    assert again == texts
    found = summaries.measure(run, seeds=1, embed=lambda of: np.eye(64)[[len(t) % 64 for t in of]])
    assert set(found.raw) == set(texts)
    better = max(found.raw[name]["value"] for name in (summaries.FIRST, summaries.COLUMNS))
    assert found.value == pytest.approx(found.raw[summaries.PICKED]["value"] - better)


def test_a_run_without_summaries_says_how_to_make_one(tmp_path: Path) -> None:
    table = write_table(tmp_path / "rows.csv", 3)
    run(configure(table, tmp_path / "run", summarize=False))
    with pytest.raises(DataError, match=r"has no summaries; make one with `--prompts summarize`"):
        summaries.texts_of(tmp_path / "run")


@pytest.mark.slow
def test_memory_is_measured_in_processes_of_their_own() -> None:
    found = memory.measure(few=24, many=48)
    small, large = found.raw["readings"]
    assert (small["rows"], large["rows"]) == (1, 2)
    assert 0 < small["requests"] < large["requests"]
    assert found.value == pytest.approx(large["peak_mb"] - small["peak_mb"])


@pytest.mark.slow
def test_start_up_opens_a_finished_run_and_one_that_lacks_rows(results: Path) -> None:
    found = startup.measure(rows=150, repeats=1)
    assert len(found.raw["finished"]) == len(found.raw["rest"]) == 1
    assert found.raw["empty_cache"]["seconds"] > 0
    place = next(results.parent.glob("textcentric-bench-startup-*"))
    assert read_manifest(place / "run")["dataset"]["rows"] == 150


@pytest.mark.slow
def test_the_command_prints_a_table_and_keeps_the_readings(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = results.parent / "all.json"
    monkeypatch.setattr(sys, "argv", ["benchmarks", "driver", "--quick", "--json", str(file)])
    assert main() in (0, 1)  # whether a busy machine meets the bar does not matter here
    assert "driver cost a request" in capsys.readouterr().out
    kept = json.loads((results / "driver.json").read_text())
    assert json.loads(file.read_text()) == [kept]
    assert kept["machine"]["cores"] >= 1


def test_an_unknown_name_suggests_the_nearest() -> None:
    command = [sys.executable, "-m", "benchmarks", "drivr"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "driver" in done.stderr


@pytest.mark.slow
def test_faults_are_tried_and_nothing_is_lost(results: Path) -> None:
    measured = faults.measure(**faults.QUICK)
    tried = {one["kind"]: one for one in measured.raw["tried"]}
    assert {"kill -9 of a run", "SIGTERM of a run", "bytes of replies", "mutated: sounds"} <= set(
        tried
    )
    assert [(kind, one["first"]) for kind, one in tried.items() if one["lost"]] == []
    assert measured.met
