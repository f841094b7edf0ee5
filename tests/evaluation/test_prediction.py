"""Predictions for new rows, by the experts and prompts of the training text and no others."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import textcentric as tc
from tests.support.fake_server import Server, completion, served
from tests.support.small_run import KINDS, PLACES, SENTENCE, model, records, run
from tests.support.small_run import WORDS as MOODS
from tests.support.tiny_models import WORDS, tiny_model
from textcentric.augmentation.words import describe_examples
from textcentric.data.memory import InHand
from textcentric.data.trained import read_of
from textcentric.engines.event_loop import run_in_background
from textcentric.engines.openai import OpenAIEngine
from textcentric.engines.scripted import ScriptedEngine
from textcentric.errors import ConfigError, DataError, RequestError, RunError
from textcentric.evaluation.predicted import Predicted
from textcentric.evaluation.prediction import needs_llm, predict
from textcentric.evaluation.predictions_file import write_predictions
from textcentric.experts import open_experts
from textcentric.methods.downstream import Downstream, DownstreamConfig
from textcentric.rows import Record
from textcentric.runs.examples import labelled, read_examples
from textcentric.runs.origin import expert_origin, read_origin

SCHEMA = {"text": ["story"], "target": "speed", "ignore": ["note"], "choices": [0, 1, 2, 3]}
NEW = [replace(one, id=f"n{at}", target=None) for at, one in enumerate(records(5))]


def answer(request: Any) -> Any:
    """Answer like the small model, but never fail and never break off."""
    said = model(request)
    whole = isinstance(said, str) and len(said) > 40
    return said if whole else SENTENCE.findall(request.messages[-1].content)[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    words = [*WORDS, *KINDS, *MOODS, *PLACES]
    return tiny_model(tmp_path_factory.mktemp("models") / "bert", words=list(dict.fromkeys(words)))


@pytest.fixture(scope="module")
def summarised(folder: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a model trained on rows with summaries of an LLM."""
    place = tmp_path_factory.mktemp("trained")
    done = run(place / "run", 12, answer)
    return save(folder, done.path, place / "model")


def save(folder: str, run_dir: Path, to: Path, **config: Any) -> Path:
    rows = labelled(read_examples(run_dir))
    values = {"model": folder, "max_length": 64, **config}
    Downstream(DownstreamConfig.of(values), rows, origin=read_origin(run_dir)).save(to)
    return to


def ask(trained: Path, tmp_path: Path, rows: Any = NEW, **options: Any) -> Predicted:
    engine = options.pop("engine", None) or ScriptedEngine(answer)
    return predict(
        Downstream.load(trained), rows, engine=engine, run_dir=tmp_path / "answers", **options
    )


def test_new_rows_are_summarised_before_they_are_predicted(
    summarised: Path, tmp_path: Path
) -> None:
    engine = ScriptedEngine(answer)
    told = ask(summarised, tmp_path, engine=engine)
    assert told.ids == ["n0", "n1", "n2", "n3", "n4"]
    assert told.problems == {}
    assert set(told.predictions.values) <= {0, 1, 2, 3}
    asked = [request.messages[-1].content for request in engine.requests]
    assert len(asked) == 5
    assert all(text.endswith("Summarise.") for text in asked)
    seen = {example.id: example.parts for example in read_examples(tmp_path / "answers")}
    assert list(seen["n0"]) == ["table", "text", "summary"]
    direct = Downstream.load(summarised).predict([seen[row_id] for row_id in told.ids])
    assert direct.values == told.predictions.values


def test_asking_again_sends_no_request(summarised: Path, tmp_path: Path) -> None:
    first = ask(summarised, tmp_path)
    engine = ScriptedEngine(answer)
    assert ask(summarised, tmp_path, engine=engine).predictions.values == first.predictions.values
    assert engine.requests == []


def test_training_rows_are_read_as_they_were_in_training(summarised: Path, tmp_path: Path) -> None:
    told = ask(summarised, tmp_path, rows=records(12))
    trained = {example.id: example.parts for example in read_examples(summarised.parent / "run")}
    again = {example.id: example.parts for example in read_examples(tmp_path / "answers")}
    assert again == trained
    assert told.ids == [f"r{n}" for n in range(12)]


def test_a_target_in_the_new_rows_is_never_seen(summarised: Path, tmp_path: Path) -> None:
    without = ask(summarised, tmp_path / "a")
    with_one = ask(summarised, tmp_path / "b", rows=[replace(r, target=3.0) for r in NEW])
    assert with_one.predictions.values == without.predictions.values


def test_a_row_that_the_llm_fails_on_keeps_its_place_with_the_reason(
    summarised: Path, tmp_path: Path
) -> None:
    def failing(request: Any) -> Any:
        row = request.messages[-1].content
        return RequestError("no answer", kind="server") if "row 2 " in row else answer(request)

    told = ask(summarised, tmp_path, engine=ScriptedEngine(failing))
    assert list(told.problems) == ["n2"]
    assert told.problems["n2"].startswith("derive: no answer")
    of_row = [value in {0, 1, 2, 3} for value in told.predictions.values]
    assert of_row == [True, True, False, True, True]
    assert told.predictions.values[2] is None


def test_a_row_without_anything_to_say_keeps_its_place(summarised: Path, tmp_path: Path) -> None:
    told = ask(summarised, tmp_path, rows=[NEW[0], Record("empty", {"table": {"Kind": None}})])
    assert list(told.problems) == ["empty"]
    assert told.predictions.values[1] is None


def test_another_prompt_than_in_training_is_refused(summarised: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="'summarize/pick' installed here has digest"):
        ask(summarised, tmp_path, prompts="installed")
    own = summarised.parent / "own-prompts"
    assert ask(summarised, tmp_path, prompts="installed", prompt_dir=own).problems == {}


@pytest.fixture
def trained(folder: str, summarised: Path, tmp_path: Path) -> Path:
    """Return a model of our own, to be spoilt."""
    return save(folder, summarised.parent / "run", tmp_path / "model")


def test_a_changed_or_absent_frozen_prompt_is_refused(trained: Path, tmp_path: Path) -> None:
    path = trained / "prompts/summarize/pick.jinja"
    path.write_text(path.read_text().replace("Summarise.", "Shorten."))
    with pytest.raises(RunError, match="'summarize/pick' in the model's folder has digest"):
        ask(trained, tmp_path)
    path.unlink()
    with pytest.raises(RunError, match="in the model's folder has digest absent"):
        ask(trained, tmp_path)
    with pytest.raises(ConfigError, match="unknown choice of prompts 'frosen'"):
        ask(trained, tmp_path, prompts="frosen")


def test_another_llm_than_in_training_is_refused_unless_allowed(
    summarised: Path, tmp_path: Path
) -> None:
    other = ScriptedEngine(answer, model="other")
    with pytest.raises(RunError, match=r"the LLM's model is 'other', .* with 'scripted'"):
        ask(summarised, tmp_path, engine=other)
    assert ask(summarised, tmp_path, engine=other, other_model=True).problems == {}


SUMMARY = completion("It likes people, sleeps a lot and comes when somebody calls.")


@pytest.fixture
def by_server(folder: str, tmp_path: Path) -> Iterator[tuple[Path, Server, str]]:
    """Return a model trained on a server's run that named no model, the server and its address."""
    with served(server := Server(SUMMARY)) as url:
        done = run(tmp_path / "run", 12, engine="openai", prompts="own/gist", base_url=url)
        yield save(folder, done.path, tmp_path / "trained"), server, url


def test_address_and_model_are_those_of_the_server_that_wrote_the_training_text(
    by_server: tuple[Path, Server, str], tmp_path: Path
) -> None:
    trained, server, url = by_server
    origin = Downstream.load(trained).origin
    assert (origin.settings["base_url"], origin.settings["model"]) == (url, None)
    before = len(server.bodies)
    assert predict(Downstream.load(trained), NEW, run_dir=tmp_path / "answers").problems == {}
    assert [body["model"] for body in server.bodies[before:]] == ["m"] * len(NEW)
    again = predict(Downstream.load(trained), NEW, run_dir=tmp_path / "answers")
    assert (again.problems, len(server.bodies)) == ({}, before + len(NEW))


def test_another_address_wins_over_that_of_the_training_run(
    by_server: tuple[Path, Server, str], tmp_path: Path
) -> None:
    trained, server, _ = by_server
    before = len(server.bodies)
    with served(moved := Server(SUMMARY)) as url:
        told = predict(Downstream.load(trained), NEW, run_dir=tmp_path / "answers", base_url=url)
    assert (told.problems, len(server.bodies), len(moved.bodies)) == ({}, before, len(NEW))


def test_a_server_whose_model_nobody_named_is_asked_for_it(
    by_server: tuple[Path, Server, str], tmp_path: Path
) -> None:
    trained, _, url = by_server
    engine = OpenAIEngine(base_url=url)
    assert (
        predict(Downstream.load(trained), NEW, engine=engine, run_dir=tmp_path / "answers").problems
        == {}
    )
    run_in_background(engine.close)


def test_a_run_without_a_server_gives_its_model_no_address(summarised: Path) -> None:
    assert "base_url" not in Downstream.load(summarised).origin.settings


def test_another_expert_than_in_training_is_refused(trained: Path, tmp_path: Path) -> None:
    metadata = trained / "downstream.json"
    metadata.write_text(metadata.read_text().replace('"1-skip-300"', '"0-skip-300"'))
    with pytest.raises(RunError, match="was table 0-skip-300, here it is table 1-skip-300"):
        ask(trained, tmp_path)


def test_a_model_that_reads_no_summary_asks_no_llm(
    folder: str, summarised: Path, tmp_path: Path
) -> None:
    trained = save(folder, summarised.parent / "run", tmp_path / "model", parts=["text", "table"])
    assert needs_llm(Downstream.load(summarised))
    assert not needs_llm(Downstream.load(trained))
    told = ask(trained, tmp_path, engine=ScriptedEngine(RequestError("never asked")))
    assert told.problems == {}
    assert not (tmp_path / "answers" / "journal.sqlite").exists(), "no run of an LLM was opened"


def test_rows_described_without_a_run_directory_can_be_trained_on_and_predicted(
    folder: str, tmp_path: Path
) -> None:
    experts = open_experts(["table", "text"])
    rows = InHand(records(8), tc.data.Schema(task="classification"))
    config = DownstreamConfig.of({"model": folder, "max_length": 64})
    origin = expert_origin(rows, experts, read_of(rows))
    Downstream(config, describe_examples(rows, experts), origin=origin).save(tmp_path / "model")
    told = predict(Downstream.load(tmp_path / "model"), NEW)
    assert told.problems == {}
    assert len(told.predictions.values) == 5


def write_table(path: Path, count: int, columns: list[str]) -> Path:
    """Write a table of invented listings, with the columns asked for."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for n in range(count):
            text = records(n + 1)[n].inputs["text"]
            row = {"id": f"c{n}", "kind": KINDS[n % 5], "story": text, "speed": n % 4, "note": "x"}
            writer.writerow([row[name] for name in columns])
    return path


def test_a_table_may_lack_the_target_and_is_read_by_the_schema_of_training(
    folder: str, tmp_path: Path
) -> None:
    whole = ["id", "kind", "story", "speed", "note"]
    table = write_table(tmp_path / "train.csv", 8, whole)
    done = run(tmp_path / "run", table, answer, table_schema=SCHEMA, perturb="all")
    trained = save(folder, done.path, tmp_path / "model")
    without = write_table(tmp_path / "new.csv", 4, ["id", "kind", "story"])
    told = ask(trained, tmp_path / "a", rows=without)
    assert (told.ids, told.problems) == (["c0", "c1", "c2", "c3"], {})
    seen = read_examples(tmp_path / "a" / "answers")[1].parts
    assert seen["table"] == "Kind: cat."
    with_target = write_table(tmp_path / "more.csv", 4, whole)
    again = ask(trained, tmp_path / "b", rows=str(with_target))
    assert again.predictions.values == told.predictions.values
    assert read_examples(tmp_path / "b" / "answers")[1].parts == seen


def test_no_rows_are_an_error(summarised: Path, tmp_path: Path) -> None:
    with pytest.raises((ConfigError, DataError), match="no row"):
        ask(summarised, tmp_path, rows=[])


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_predictions_are_written_with_their_probabilities(
    summarised: Path, tmp_path: Path, ending: str
) -> None:
    told = ask(summarised, tmp_path, rows=[*NEW[:2], Record("empty", {"table": {"Kind": None}})])
    path = write_predictions(told.rows(), tmp_path / "out" / f"told.{ending}")
    rows = read(path)
    chances_of = [f"probability_{n}" for n in range(4)]
    names = ["id", "prediction", "decided_by", "score", *chances_of, "problem"]
    assert [list(row) for row in rows] == [names] * 3
    assert [str(row["prediction"]) for row in rows[:2]] == [
        str(value) for value in told.predictions.values[:2]
    ]
    chances = [sum(float(row[f"probability_{n}"]) for n in range(4)) for row in rows[:2]]
    assert chances == pytest.approx([1, 1])
    assert [row["decided_by"] or "" for row in rows] == ["cuts of the score"] * 2 + [""]
    assert rows[2]["prediction"] in (None, "")
    assert rows[2]["problem"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == [f"told.{ending}"]


def test_a_class_that_is_not_the_most_probable_one_is_told_with_what_decides(
    summarised: Path, tmp_path: Path
) -> None:
    told = ask(summarised, tmp_path, texts=True)
    assert told.predictions.probabilities is not None
    likely = told.predictions.probabilities.argmax(axis=1).tolist()
    other = sum(a != b for a, b in zip(told.predictions.values, likely, strict=True))
    notes = [note for note in told.warnings() if "most probable" in note]
    assert len(notes) == (other > 0)
    same = replace(told.predictions, values=list(likely))
    assert not any("most probable" in n for n in replace(told, predictions=same).warnings())
    one_off = replace(told.predictions, values=[(likely[0] + 1) % 4, *likely[1:]])
    (note,) = (n for n in replace(told, predictions=one_off).warnings() if "most probable" in n)
    assert note.startswith("1 of 5 rows are of another class than their most probable one: ordered")
    assert "decided by cuts of the score" in note


def test_the_text_that_the_model_read_is_a_column_where_it_is_asked_for(
    summarised: Path, tmp_path: Path
) -> None:
    told = ask(summarised, tmp_path, rows=[*NEW[:2], Record("empty", {"table": {"Kind": None}})])
    assert "text" not in next(told.rows())
    empty = Record("empty", {"table": {"Kind": None}})
    told = ask(summarised, tmp_path, rows=[*NEW[:2], empty], texts=True)
    rows = list(told.rows())
    assert rows[2]["text"] is None
    method = Downstream.load(summarised)
    for text, parts in zip([str(row["text"]) for row in rows[:2]], told.parts, strict=False):
        blocks = "".join(f"{name}: {text.strip()}\n" for name, text in parts.items())
        assert [line.split(":")[0] for line in text.splitlines()] == list(parts)
        assert all(line in blocks for line in text.splitlines())
        (ids,) = method.reader.read([parts])
        assert method.reader.tokenizer(text)["input_ids"] == ids.tolist()


def test_another_ending_is_refused(summarised: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"unknown ending '\.jsnl'; did you mean '\.jsonl'"):
        write_predictions([], "told.jsnl")


def read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return rows
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
