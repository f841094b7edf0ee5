"""Trained models under the grid: what is asked, on which scale it is scored, what is written."""

from __future__ import annotations

import csv
import json
import math
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.commands import textcentric
from tests.support.small_run import KINDS, PLACES, records, run
from tests.support.small_run import WORDS as MOODS
from tests.support.tiny_models import WORDS, tiny_model
from textcentric.corruption.grid import check_damaged
from textcentric.engines.scripted import ScriptedEngine
from textcentric.errors import ConfigError, DataError, RequestError
from textcentric.evaluation.config import EvaluateConfig
from textcentric.evaluation.prediction import predict
from textcentric.evaluation.robustness import command, evaluate
from textcentric.methods.downstream import Downstream, DownstreamConfig
from textcentric.methods.downstream.model import TextModel
from textcentric.metrics.scores import score
from textcentric.runs.examples import labelled, of_split, read_examples
from textcentric.runs.origin import read_origin

SCHEMA: dict[str, Any] = {
    "id": "id",
    "target": "speed",
    "task": "ordinal",
    "text": ["story"],
    "split": "split",
}
TEST_ROWS = 6


def write_rows(path: Path, targets: list[Any], splits: list[str]) -> str:
    """Write a row of table and text for each target."""
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "kind", "story", "speed", "split"])
        for n, (target, split) in enumerate(zip(targets, splits, strict=True)):
            story = records(n + 1)[n].inputs["text"]
            table.writerow([f"c{n}", KINDS[n % 5], story, target, split])
    return str(path)


def answer(request: Any) -> str:
    """Summarise in the first of what the row says, which is true of every row."""
    row = request.messages[-1].content.rpartition("\n\n")[0]
    return re.split(r"(?<=[.])\s+", row)[0]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table, a run with summaries, and two models: one reads them, one does not."""
    folder = tmp_path_factory.mktemp("evaluate")
    words = list(dict.fromkeys([*WORDS, *KINDS, *MOODS, *PLACES]))
    tiny_model(folder / "bert", words=words)
    targets = [n % 3 for n in range(12)]
    table = write_rows(folder / "rows.csv", targets, ["train"] * 6 + ["test"] * TEST_ROWS)
    (folder / "schema.yaml").write_text(json.dumps(SCHEMA))
    run(folder / "run", table, answer, table_schema=SCHEMA, prompts="summarize/pick")
    train(folder, "summarised")
    train(folder, "plain", parts=["table", "text"])
    return folder


def train(place: Path, name: str, rows: Any = None, **config: Any) -> Path:
    """Save an untrained model of the run's rows, or of `rows`."""
    rows = rows or of_split(labelled(read_examples(place / "run")), "train")
    values = {"model": str(place / "bert"), "max_length": 48, **config}
    method = Downstream(DownstreamConfig.of(values), rows, origin=read_origin(place / "run"))
    method.save(place / name)
    return place / name


def configure(place: Path, output: Path, *models: str, **values: Any) -> EvaluateConfig:
    given = {"levels": (0.5,), "most_missing": 0, "table_schema": SCHEMA, **values}
    return EvaluateConfig(
        models=tuple(place / name for name in models),
        dataset=given.pop("dataset", str(place / "rows.csv")),
        output_dir=output,
        **given,
    )


def asked(config: EvaluateConfig) -> tuple[int, dict[str, Any]]:
    """Return how many requests an evaluation made, and its results."""
    engine = ScriptedEngine(answer)
    results = evaluate(config, engine=engine)
    return engine.count, results


def test_an_evaluation_tells_of_its_steps(place: Path, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    config = configure(
        place, tmp_path / "out", "summarised", "plain", corruptions=("word-dropout",)
    )
    evaluate(config, engine=ScriptedEngine(answer), steps=lambda *step: told.append(step))
    ends = dict.fromkeys(step for step in told if step[1] == step[2])
    assert list(ends)[-1] == ("plain: texts read", 12, 12)
    assert ("summarised: texts read", 12, 12) in ends
    assert ("rows put into words", 12, 12) in ends
    read = [done for what, done, _ in told if what == "plain: texts read"]
    assert read == sorted(read)


def test_nothing_is_asked_twice_whatever_the_grid(place: Path, tmp_path: Path) -> None:
    narrow = configure(place, tmp_path, "summarised")
    wide = configure(place, tmp_path, "summarised", levels=(0.5, 0.9))
    other = configure(place, tmp_path, "summarised", corruptions=("word-dropout",), limit=2)
    first, found = asked(narrow)
    assert first == 2 * TEST_ROWS  # clean and damaged
    assert asked(narrow)[0] == 0
    more, wider = asked(wide)
    assert more == TEST_ROWS
    assert asked(wide)[0] == 0
    back, again = asked(narrow)
    assert back == 0
    assert again["cells"] == found["cells"]
    assert [cell for cell in wider["cells"] if cell["level"] != 0.9] == found["cells"]
    assert asked(other)[0] == 2  # the clean ones are known


def test_nothing_is_computed_twice_and_other_weights_are(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = 0
    forward = TextModel.forward

    def counted(self: TextModel, input_ids: Any, attention_mask: Any) -> Any:
        nonlocal texts
        texts += len(input_ids)
        return forward(self, input_ids, attention_mask)

    monkeypatch.setattr(TextModel, "forward", counted)

    def computed(*models: str, **values: Any) -> tuple[int, dict[str, Any]]:
        nonlocal texts
        texts = 0
        results = evaluate(configure(place, tmp_path, *models, **values))
        return texts, results

    first, found = computed("plain", orders=3)
    assert first == 2 * TEST_ROWS + 3  # of the two orders, one is that of the clean rows
    again, same = computed("plain", orders=3)
    assert again == 0
    assert (same["cells"], same["orders"]) == (found["cells"], found["orders"])
    assert computed("plain", levels=(0.5, 0.9))[0] == TEST_ROWS
    train(place, "reseeded", parts=["table", "text"], seed=1)  # another head, the same texts
    assert computed("reseeded")[0] == 2 * TEST_ROWS


def test_models_that_read_the_same_words_share_them_and_others_ask_nothing(
    place: Path, tmp_path: Path
) -> None:
    count, results = asked(configure(place, tmp_path, "plain", "summarised"))
    assert count == 2 * TEST_ROWS
    costs = {name: arm["llm_requests"] for name, arm in results["arms"].items()}
    assert costs == {"plain": 0, "summarised": count}
    assert results["arms"]["summarised"]["llm_tokens"] > 0
    assert results["arms"]["summarised"]["llm_seconds"] >= 0
    assert {name: arm["llm"] for name, arm in results["arms"].items()} == {
        "plain": False,
        "summarised": True,
    }


def test_rows_are_read_in_every_order_of_the_parts_that_a_model_reads(
    place: Path, tmp_path: Path
) -> None:
    results = asked(configure(place, tmp_path, "plain", "summarised", orders=3))[1]
    assert {one["arm"]: one["orders"] for one in results["orders"]} == {"plain": 2, "summarised": 6}
    assert all(0 <= one["flips"] <= 1 for one in results["orders"])
    assert asked(configure(place, tmp_path, "plain"))[1]["orders"] == []


def test_the_rows_that_changed_most_are_shown_with_their_words(place: Path, tmp_path: Path) -> None:
    rows = of_split(labelled(read_examples(place / "run")), "train")
    spread = [type(row)(row.id, row.parts, 10.0 * n + 0.5, row.split) for n, row in enumerate(rows)]
    train(place, "numbers", spread, task="regression")
    config = configure(place, tmp_path, "numbers", levels=(0.1, 0.7, 0.9))
    changed = asked(config)[1]["changed"]
    assert changed
    assert {(row["corruption"], row["level"]) for row in changed} == {("all", 0.7)}
    for row in changed:
        assert set(row["clean_parts"]) == {"table", "text", "summary"}
        assert row["corrupted_parts"] != row["clean_parts"]
        assert row["corrupted_prediction"] != row["clean_prediction"]


def priced(place: Path, transform: str, name: str) -> Path:
    """Save a model of prices, learnt on a scale of its own."""
    rows = of_split(labelled(read_examples(place / "run")), "train")
    prices = [type(row)(row.id, row.parts, 2.5**n, row.split) for n, row in enumerate(rows)]
    values = {"task": "regression", "target_transform": transform}
    return train(place, name, prices, parts=["table", "text"], **values)


def test_a_model_of_logarithms_is_scored_on_logarithms(place: Path, tmp_path: Path) -> None:
    model = priced(place, "log", "logarithms")
    targets = [2.5**n for n in range(12)]
    table = write_rows(tmp_path / "prices.csv", targets, ["train"] * 6 + ["test"] * TEST_ROWS)
    schema = {**SCHEMA, "task": "regression"}
    config = configure(
        place, tmp_path / "out", "logarithms", dataset=table, table_schema=schema, metric="rmse"
    )
    results = evaluate(config)
    told = predict(Downstream.load(model), table, schema=schema, split="test")
    true = [math.log(target) for target in targets[6:]]
    by_hand = score("rmse", true, [math.log(float(v)) for v in told.predictions.values])  # type: ignore[arg-type]
    clean = results["cells"][0]
    assert clean["score"] == pytest.approx(by_hand, rel=1e-4)
    trained = [math.log(2.5**n) for n in range(6)]
    constant = [sum(trained) / 6] * TEST_ROWS
    assert clean["constant"] == pytest.approx(score("rmse", true, constant))
    assert results["notes"] == ["targets and predictions are scored as their log"]


def test_models_of_different_transforms_are_refused_together(place: Path, tmp_path: Path) -> None:
    for transform in ("log", "none"):
        priced(place, transform, f"prices-{transform}")
    config = configure(place, tmp_path / "out", "prices-log", "prices-none")
    expected = r"target transforms log \(prices-log\), none \(prices-none\)"
    with pytest.raises(ConfigError, match=expected):
        evaluate(config)
    with pytest.raises(ConfigError, match=r"tasks ordinal \(plain\), regression \(prices-log\)"):
        evaluate(configure(place, tmp_path / "out", "plain", "prices-log"))


def test_the_constant_is_learnt_from_the_training_rows(place: Path, tmp_path: Path) -> None:
    rows = of_split(labelled(read_examples(place / "run")), "train")
    mostly_two = [type(row)(row.id, row.parts, 2 if n else 0) for n, row in enumerate(rows)]
    train(place, "twos", mostly_two, parts=["table", "text"])
    targets = [0, 0, 0, 0, 2]
    table = write_rows(tmp_path / "zeros.csv", targets, ["test"] * 5)
    config = configure(place, tmp_path / "out", "twos", dataset=table, metric="accuracy")
    assert evaluate(config)["cells"][0]["constant"] == pytest.approx(1 / 5)


def test_labels_that_the_model_never_learnt_are_told(place: Path, tmp_path: Path) -> None:
    table = write_rows(tmp_path / "more.csv", [0, 1, 7, 8, 7], ["test"] * 5)
    said: list[str] = []
    results = evaluate(configure(place, tmp_path / "out", "plain", dataset=table), say=said.append)
    note = (
        "plain: 3 of 5 rows have a class that no training row has, 7 ('c2', 'c4'), 8 ('c3'): they"
        " cannot be predicted rightly"
    )
    assert results["notes"] == [note]
    assert note in said
    assert json.loads((tmp_path / "out" / "results.json").read_text())["notes"] == [note]
    assert results["cells"][0]["n"] == 5, "the rows are scored all the same"


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("acuracy", "unknown metric 'acuracy'; did you mean 'accuracy'"),
        ("rmse", "metric 'rmse' does not fit the task ordinal, expected one of quadratic_kappa"),
    ],
)
def test_a_metric_that_cannot_be_scored_is_refused_before_anything_is_done(
    place: Path, tmp_path: Path, metric: str, message: str
) -> None:
    never = ScriptedEngine(RequestError("never asked"))
    with pytest.raises(ConfigError, match=message):
        evaluate(configure(place, tmp_path / "out", "summarised", metric=metric), engine=never)
    assert never.count == 0
    assert not (tmp_path / "out").exists()


def test_words_of_a_modality_that_must_be_missing_are_an_error() -> None:
    whole = {"table": "Kind: dog.", "text": "Calm."}
    check_damaged("r1~clean", whole)
    check_damaged("r1~missing-text", {"table": "Kind: dog."})
    with pytest.raises(DataError, match="row 'r1' still holds text where text must be missing"):
        check_damaged("r1~missing-text", whole)


@pytest.fixture
def here(place: Path) -> Iterator[Path]:
    before = Path.cwd()
    os.chdir(place)
    yield place
    os.chdir(before)


def test_the_line_that_reproduces_an_evaluation_does(here: Path) -> None:
    flags = ["--dataset", "rows.csv", "--data-dir", ".", "--schema", "schema.yaml", "--limit", "5"]
    flags += ["--corruptions", "word-dropout,all", "--levels", "0.5,0.75", "--most-missing", "1"]
    flags += ["--orders", "2", "--metric", "accuracy", "--other-model", "--seed", "3"]
    said = textcentric("evaluate", "plain", *flags, "-o", "out of order")
    assert said.code == 0, said.err
    results = json.loads(Path("out of order/results.json").read_text())
    line = shlex.split(results["reproduce"][0])
    assert sorted(line) == sorted(
        ["textcentric", "evaluate", "plain", *flags, "-o", "out of order"]
    )
    assert textcentric(*line[1:]).code == 0
    assert json.loads(Path("out of order/results.json").read_text()) == results


def test_the_line_names_nothing_that_is_the_default_and_what_only_the_caller_knows(
    place: Path, tmp_path: Path
) -> None:
    config = EvaluateConfig(models=(Path("m"),), dataset="a b.csv", output_dir=Path("o"))
    assert command(config) == "textcentric evaluate m --dataset 'a b.csv' -o o"
    told = {"engine": "openai", "llm": "a", "engine_settings": {"x": "1 2"}}
    named = command(config.model_copy(update=told))
    assert named.endswith("--engine openai --llm a -o o --set 'engine.x=1 2'")
    given = configure(place, tmp_path, "plain", limit=1)
    assert f"--schema {tmp_path}/schema.yaml" in command(given)
    evaluate(given)
    assert yaml.safe_load((tmp_path / "schema.yaml").read_text()) == SCHEMA


def rows_of(config: EvaluateConfig) -> tuple[int, list[str]]:
    results = evaluate(config)
    return results["rows"]["test"], results["notes"]


ALONE: dict[str, Any] = {"corruptions": ("word-dropout",), "table_schema": None}


def test_a_file_that_shares_no_row_with_the_training_is_all_test(
    place: Path, tmp_path: Path
) -> None:
    head, *rows = (place / "rows.csv").read_text().splitlines()
    columns = [line.rsplit(",", 1)[0] for line in (head, *rows)]  # without the split
    (tmp_path / "new.csv").write_text("\n".join([columns[0], *(f"n{row}" for row in columns[1:])]))
    (tmp_path / "old.csv").write_text("\n".join(columns))
    new = configure(place, tmp_path / "a", "plain", dataset=str(tmp_path / "new.csv"), **ALONE)
    words = "; 6 have the words of a row of the training, under other ids"
    assert rows_of(new) == (12, [f"no row of new was trained on, so all 12 are a test set{words}"])
    one = new.model_copy(update={"limit": 5, "output_dir": tmp_path / "b"})
    assert rows_of(one)[0] == 5
    old = {"dataset": str(tmp_path / "old.csv"), **ALONE}
    count, (note,) = rows_of(configure(place, tmp_path / "c", "plain", **old))
    assert 0 < count < 12
    assert note.startswith(f"{count} of 12 rows are evaluated, those of the split test; 6 were")
    count, (note,) = rows_of(configure(place, tmp_path / "d", "plain", **old, split="all"))
    assert (count, note.startswith("6 of 12 rows were trained on or held out then")) == (12, True)


def test_the_schema_of_the_training_reads_the_rows(place: Path, tmp_path: Path) -> None:
    table = tmp_path / "other.csv"
    table.write_text("Speed,note,story,kind,id\n2,x,A calm cat.,cat,a\n9,x,A bold cow.,cow,c\n")
    count, notes = rows_of(configure(place, tmp_path, "plain", dataset=str(table), **ALONE))
    assert count == 2
    assert "columns with other names than in training are read: 'Speed' as 'speed'" in notes
    assert "columns that the training did not read are left out: note" in notes
    assert any("has a class that no training row has, 9 ('c')" in note for note in notes)


def test_ordered_classes_in_words_are_scored_as_ranks(place: Path, tmp_path: Path) -> None:
    order = ["slow", "usual", "fast"]
    schema = {**SCHEMA, "choices": order}
    table = write_rows(tmp_path / "rows.csv", order * 4, ["train"] * 6 + ["test"] * TEST_ROWS)
    done = run(tmp_path / "run", table, answer, table_schema=schema, perturb="all")
    rows = of_split(labelled(read_examples(done.path)), "train")
    values = {"model": str(place / "bert"), "max_length": 48, "parts": ["table", "text"]}
    method = Downstream(DownstreamConfig.of(values), rows, origin=read_origin(done.path))
    assert (method.decision.task, method.decision.classes) == ("ordinal", tuple(order))
    method.save(tmp_path / "words")
    config = configure(tmp_path, tmp_path / "out", "words", **ALONE)
    count, notes = rows_of(config.model_copy(update={"dataset": table}))
    assert (count, notes) == (6, ["classes are scored as ranks: slow 0, usual 1, fast 2"])
