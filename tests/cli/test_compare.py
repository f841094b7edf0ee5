"""`textcentric compare` and `evaluate`, as a user sees them."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_start import started
from tests.cli.test_train import SCHEMA, write_table
from tests.support.commands import Said, textcentric
from tests.support.small_run import KINDS, PLACES
from tests.support.small_run import WORDS as MOODS
from tests.support.tiny_models import WORDS, tiny_model
from textcentric.cli.compare import compare_command
from textcentric.engines.scripted import ScriptedEngine
from textcentric.evaluation.comparison.config import read_compare_config

CONFIG = """\
dataset: pets.csv
table_schema: pets.yaml
arms: [constant, plain-text, text-centric]
seeds: [0]
corruptions: [all]
levels: [0.5]
llm_levels: [0.5]
augment: {prompts: adversarial/noise, engine: scripted, embeddings: false}
training: {max_steps: 1, use_cpu: true}
downstream: {model: bert, max_length: 32}
"""
ANSWER = "It naps behind the bakery all day long."


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table, its schema, a tiny model and a comparison's configuration."""
    folder = tmp_path_factory.mktemp("compare")
    tiny_model(folder / "bert", words=list(dict.fromkeys([*WORDS, *KINDS, *MOODS, *PLACES])))
    write_table(folder / "pets.csv")
    (folder / "pets.yaml").write_text(SCHEMA)
    (folder / "compare.yaml").write_text(CONFIG)
    return folder


@pytest.fixture(autouse=True)
def at(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in that folder, and time the model for a moment only."""
    monkeypatch.chdir(place)
    monkeypatch.setattr("textcentric.evaluation.comparison.rates.SECONDS", 0.01)


def compare(*arguments: object) -> Said:
    return textcentric("compare", "-c", "compare.yaml", *arguments)


def drive(folder: str, engine: Any, **options: Any) -> int:
    config = read_compare_config(Path("compare.yaml"), {"output_dir": folder})
    silent = {"dry_run": False, "as_json": False, "quiet": False, "verbose": False}
    return compare_command(config, **{**silent, **options}, engine=engine)


def test_a_dry_run_says_rows_trials_requests_and_hours_and_writes_nothing(place: Path) -> None:
    before = sorted(place.rglob("*"))
    said = compare("-o", "runs/dry", "--dry-run", "--json")
    assert sorted(place.rglob("*")) == before
    plan = json.loads(said.out)
    assert plan["rows"] == {"train": 24, "held_out": 8, "test": 8}
    assert plan["trials"] == {"all": 3, "left": 3}
    # clean, one corruption, table and text missing; the noise prompt rewrites four sentences
    assert plan["cells"] == {"all": 4, "llm": 4}
    assert plan["llm_runs"]["test"] == {"rows": 32, "requests": 32, "answered": 0}
    assert plan["llm_runs"]["augmented"]["rows"] == 32
    each = plan["llm_runs"]["augmented"]["requests"]
    assert each == 24 * (1 + 4) + 8
    assert plan["llm_requests"] == each + 32
    assert plan["llm_rate"]["from"].startswith("assumed")
    assert plan["seconds"]["llm"] == each + 32  # at one a second
    assert plan["texts_to_train"] == 16 + 32  # one step of plain text, one with a variant a row
    assert plan["rates"]["measured"]
    text = compare("-o", "runs/dry", "--dry-run").out
    assert f"LLM       about {each + 32} requests, 1 a second (assumed" in text


def test_more_seeds_and_arms_make_more_trials() -> None:
    plan = json.loads(compare("--dry-run", "--json", "--seeds", "0,1,2").out)
    assert plan["trials"]["all"] == 1 + 3 + 3  # the constant needs no seeds
    plan = json.loads(compare("--dry-run", "--json", "--arms", "plain-text", "--test-rows", 2).out)
    assert (plan["llm_requests"], plan["rows"]["test"]) == (0, 2)


def test_a_plan_says_nothing_of_what_is_not_done() -> None:
    whole = compare("--dry-run").out
    assert "LLM       about" in whole
    assert "damage    4 cells, levels 0.5; 4 where an LLM is asked\n" in whole
    assert "experts   " not in whole, "no row has pictures or sounds"
    plain = compare("--dry-run", "--arms", "plain-text").out
    assert "LLM" not in plain
    assert "damage    4 cells, levels 0.5\n" in plain
    cheap = compare("--dry-run", "--arms", "constant").out
    assert cheap.splitlines()[-2] == "time      about 0 s"
    more = compare("--dry-run", "--llm-levels", "0.5,0.7").out
    assert "; level 0.7 for --llm-levels, so that arms with and without an LLM share it" in more


def test_an_interrupted_comparison_goes_on_where_it_stopped(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Any] = []

    def answer(request: Any) -> str:
        asked.append(request)
        if len(asked) == 40:
            os.kill(os.getpid(), signal.SIGTERM)
        return ANSWER

    before = signal.getsignal(signal.SIGTERM)
    assert drive("runs/cut", ScriptedEngine(answer, delay=0.01, concurrency=2)) == 130
    assert signal.getsignal(signal.SIGTERM) == before
    said = capsys.readouterr()
    assert said.out == ""
    last = "textcentric: interrupted; the same command goes on in runs/cut"
    assert said.err.splitlines()[-1] == last

    assert drive("runs/cut", ScriptedEngine(answer)) == 0
    said = capsys.readouterr()
    assert "trials    3, 1 of them to be made" in said.err
    verdict, *where = said.out.splitlines()
    assert "for text-centric, the area under quadratic_kappa" in verdict
    assert where[-2:] == [
        "results  runs/cut/results.json",
        "report   runs/cut/robustness.html",
    ]
    keys = [request.key for request in asked]
    assert len(keys) - len(set(keys)) <= 4  # at most what was in flight is asked again

    assert drive("runs/cut", ScriptedEngine(RuntimeError("never asked")), as_json=True) == 0
    said = capsys.readouterr()
    assert "trials    3, 0 of them to be made" in said.err
    assert json.loads(said.out)["rows"]["test"] == 8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--arms", "plain-txt"], "unknown arm 'plain-txt'; did you mean 'plain-text'?"),
        (["--against", "plane-text"], "unknown arm 'plane-text'; did you mean 'plain-text'?"),
        (["--corruptions", "wrd-dropout"], "unknown corruption 'wrd-dropout'; did you mean"),
        (["--levels", "0.3,2"], "corruption level 2.0 is outside (0, 1]"),
        (["--levels", "x"], "levels.0='x': Input should be a valid number"),
        (["--seeds", "a"], "seeds.0='a': Input should be a valid integer"),
        (
            ["--set", "trainin.x=1"],
            "unknown section of compare 'trainin'; did you mean 'training'?",
        ),
        (["--set", "training.learnin_rate=1"], "unknown key of train 'learnin_rate'; did you"),
        (["--set", "downstream.variant=1"], "unknown key of downstream 'variant'; did you"),
        (["--set", "augment.promts=x"], "unknown key of augment 'promts'; did you mean"),
    ],
    ids=lambda value: str(value[-1]) if isinstance(value, list) else "",
)
def test_bad_settings_are_refused_before_anything_is_made(
    arguments: list[object], message: str
) -> None:
    said = compare("-o", "runs/bad", *arguments)
    assert said.code == 2
    assert message in said.err
    assert not Path("runs/bad").exists()


def test_of_several_processes_one_compares(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    assert drive("runs/none", ScriptedEngine(ANSWER)) == 0
    assert capsys.readouterr() == ("", "")
    monkeypatch.setenv("RANK", "0")
    drive("runs/none", ScriptedEngine(ANSWER), dry_run=True)
    assert "2 processes were launched; one does all of this" in capsys.readouterr().err
    assert "WORLD_SIZE" not in os.environ


@pytest.fixture(scope="module")
def trained(place: Path) -> str:
    """The folder of a model that reads the experts' words alone."""
    before = Path.cwd()
    os.chdir(place)
    try:
        rows = ("--dataset", "pets.csv", "--schema", "pets.yaml", "--model", "bert")
        steps = ("--max-length", 32, "--max-steps", 1, "--use-cpu", "-o", "models/plain")
        assert textcentric("train", "downstream", *rows, *steps).code == 0
    finally:
        os.chdir(before)
    return "models/plain"


def evaluate(model: str, *arguments: object) -> Said:
    rows = ("--dataset", "pets.csv", "--schema", "pets.yaml")
    return textcentric("evaluate", model, *rows, *arguments)


def test_a_model_is_evaluated_under_the_damage_asked_for(trained: str, place: Path) -> None:
    damage = ("--corruptions", "all,word-dropout", "--levels", "0.3,0.5")
    said = evaluate(trained, *damage, "-o", "runs/ev")
    assert said.code == 0
    sentence, few, *_, one, other = said.out.splitlines()
    assert sentence.startswith("plain scores ")
    assert (
        "clean rows, where predicting the most frequent class of the training rows scores 0."
        in sentence
    )
    assert few.startswith("8 test rows are too few for these intervals")
    assert [one, other] == ["results  runs/ev/results.json", "report   runs/ev/robustness.html"]
    cells = json.loads((place / "runs/ev/results.json").read_text())["cells"]
    found = {(cell["corruption"], cell["level"]) for cell in cells if not cell["missing"]}
    assert found == {("clean", 0.0)} | {
        (name, level) for name in ("all", "word-dropout") for level in (0.3, 0.5)
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--levels", "1.5"], "corruption level 1.5 is outside (0, 1]"),
        (["--levels", "0.5,0.5"], "would be made twice: give each corruption and each level once"),
        (["--levels", "0,0.3"], "corruption level 0.0 is outside (0, 1]; 0 is the clean row"),
        (["--corruptions", "word-droput"], "unknown corruption 'word-droput'; did you mean"),
        (["--split", "tets"], "unknown split 'tets'; did you mean 'test'?"),
        (["--metric", "kappa"], "unknown metric 'kappa'; did you mean"),
    ],
    ids=lambda value: str(value[-1]) if isinstance(value, list) else "",
)
def test_bad_damage_is_refused(trained: str, arguments: list[object], message: str) -> None:
    said = evaluate(trained, "-o", "runs/bad-ev", *arguments)
    assert said.code == 2
    assert message in said.err


def test_an_unknown_model_is_refused_with_the_nearest(trained: str) -> None:
    assert "unknown downstream model 'plane'; did you mean 'plain'?" in evaluate("plane").err
    assert textcentric("evaluate", trained).code == 2


@pytest.mark.parametrize("command", ["compare", "evaluate", "predict"])
def test_help_imports_no_heavy_library(command: str) -> None:
    out, loaded = started([command, "--help"])
    assert out.startswith(f"Usage: textcentric {command} ")
    assert set(loaded) <= {"pydantic"}
