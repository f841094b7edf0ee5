"""The columns of a run: types come out as they went in, and an older run keeps its own."""

from __future__ import annotations

import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import textcentric as tc
from tests.support.small_run import run, written
from textcentric.checks.edit import Edit
from textcentric.checks.entailment import Entailed
from textcentric.checks.parts import parts_of
from textcentric.checks.verdict import GROUPS
from textcentric.data.memory import in_hand
from textcentric.engines.protocol import Sampling
from textcentric.errors import DataError, RunError
from textcentric.runs.columns import (
    NESTED,
    OUTPUT_COLUMNS,
    SCORES,
    Failure,
    Output,
    begun,
    read_rows,
    schemas,
)
from textcentric.runs.journal import Journal
from textcentric.runs.shards import ShardWriter

BEFORE = Path(__file__).parents[1] / "fixtures" / "json_columns"
EXPERTS: dict[str, Any] = {
    "text": {"name": "text", "version": "1", "confidence": None},
    "table": {"name": "table", "version": "2", "confidence": 0.5},
}
SAMPLING = {"temperature": 0.5, "top_p": 0.9, "max_tokens": 60, "stop": ["\n"]}


def variant(source: str, **values: Any) -> Output:
    known: dict[str, Any] = dict.fromkeys(OUTPUT_COLUMNS) | {
        "id": f"{source}/noise/0",
        "source_id": source,
        "prompt": "noise",
        "sample": 0,
        "parts": {"text": "A calm dog.", "table": "Age: 2."},
        "experts": EXPERTS,
        "scores": {"written": 1.0},
        "notes": "",
        "reason": "",
    }
    return Output(**known | values)


def kept(journal: Journal, *outputs: Output | Failure) -> list[dict[str, Any]]:
    """Write outputs as one shard of a run and return its accepted rows, as the file has them."""
    writer = ShardWriter(journal.path.parent, journal, "string")
    writer.add_row(outputs[0].source_id, outputs)
    writer.write()
    newest = max((journal.path.parent / "data").iterdir())
    return list(pq.read_table(newest).to_pylist())


def test_what_has_an_inside_is_structs_and_parts_keep_their_order(journal: Journal) -> None:
    (row,) = kept(journal, variant("a", sampling=SAMPLING, scores={"written": 1.0, "judge": 0.0}))
    assert row["parts"] == [
        {"name": "text", "text": "A calm dog."},
        {"name": "table", "text": "Age: 2."},
    ]
    assert row["experts"] == [{"modality": m, **spoke} for m, spoke in EXPERTS.items()]
    assert {n: v for n, v in row["sampling"].items() if v is not None} == SAMPLING
    scores = {name: value for name, value in row["scores"].items() if value is not None}
    assert scores == {"written": 1.0, "judge": 0.0}


def test_what_is_absent_is_null(journal: Journal) -> None:
    (row,) = kept(journal, variant("a", scores={}))
    absent = {name for name, value in row.items() if value is None}
    assert absent >= {"model", "request_key", "sampling", "seed", "scores", "target"}


def test_rows_are_read_as_they_were_written(journal: Journal) -> None:
    kept(journal, variant("a", sampling=SAMPLING), variant("b", parts={"text": "Ok."}, experts={}))
    table = pq.read_table(journal.path.parent / "data")
    assert [row["parts"] for row in read_rows(table)] == [
        {"text": "A calm dog.", "table": "Age: 2."},
        {"text": "Ok."},
    ]
    assert list(next(read_rows(table))["parts"]) == ["text", "table"]
    first, second = read_rows(table)
    assert (first["experts"], second["experts"]) == (EXPERTS, {})
    assert (first["sampling"], second["sampling"]) == (SAMPLING, {})
    assert first["scores"] == {"written": 1.0}
    (sliced,) = read_rows(table.slice(1))
    assert (sliced["id"], sliced["parts"]) == ("b/noise/0", {"text": "Ok."})


def test_every_score_of_the_checks_has_its_field() -> None:
    edit = Edit("A calm dog.", "A clam dog.", logprob=-1.0, back=-1.0)
    own = {"written", "similarity", "sibling", "facts", "judge", "true"}
    weighed = {part for parts in GROUPS.values() for part in parts}
    assert {*parts_of(edit), *weighed, *Entailed._fields, *own} == set(SCORES)


def test_every_sampling_value_has_its_field() -> None:
    names = [field.name for field in schemas("string")["data"].field("sampling").type]
    assert names == [field.name for field in fields(Sampling) if field.name != "seed"]


@pytest.mark.parametrize(
    ("values", "schema", "kept"),
    [
        (["01", "1", "1.0"], {"task": "classification"}, ["01", "1", "1.0"]),
        (["NA", "yes", "NA"], {"task": "classification"}, ["NA", "yes", "NA"]),
        ([0, 2, 4], {"task": "classification"}, [0, 2, 4]),
        ([0, 1, 0], {"choices": ["slow", "fast"]}, None),
        ([2, 3.5, 4], {"task": "regression"}, [2.0, 3.5, 4.0]),
    ],
)
def test_a_run_has_the_targets_of_the_data(
    tmp_path: Path, values: list[Any], schema: dict[str, Any], kept: list[Any] | None
) -> None:
    rows = [
        {"id": f"r{n}", "story": f"A calm dog of {n + 2} years.", "speed": value}
        for n, value in enumerate(values)
    ]
    roles = {"text": "story", "target": "speed", **schema}
    given: dict[str, Any] = {"table_schema": roles, "prompts": "rule/typing", "embeddings": False}
    if kept is None:
        with pytest.raises(DataError, match="expected one of slow, fast"):
            tc.augment(rows, output_dir=tmp_path / "run", **given)
        return
    done = tc.augment(rows, output_dir=tmp_path / "run", **given)
    found = {row["source_id"]: row["target"] for row in written(done.path)}
    assert [repr(found[f"r{n}"]) for n in range(3)] == list(map(repr, kept))


def test_a_run_loads_as_a_data_set_and_as_a_frame(tmp_path: Path) -> None:
    from datasets import load_dataset

    done = run(tmp_path / "run", 4)
    rows = load_dataset(str(done.path), split="train", cache_dir=str(tmp_path / "cache"))
    assert set(rows.features["scores"]) == set(SCORES)
    clean = next(row for row in rows if row["prompt"] == "clean")
    assert [part["name"] for part in clean["parts"]] == ["table", "text", "summary"]
    frame = done.to_pandas()
    assert list(frame["id"]) == rows["id"][:]
    swapped = frame[frame["prompt"] == "own/swap"].iloc[0]
    assert swapped["sampling"]["temperature"] == 0.9
    assert [part["name"] for part in swapped["parts"]] == ["table", "text"]


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({0: "slow", 1: "fast"}, ["slow", "fast"]),
        ({0: "slow", 1: "slow"}, None),
        ({1: "slow", 2: "fast"}, None),
        ({0: "0", 1: "1"}, None),
    ],
)
def test_words_of_numbered_classes_stay(
    tmp_path: Path, choices: dict[int, str], words: list[str] | None
) -> None:
    rows = [{"id": str(n), "story": "A calm dog.", "speed": n} for n in choices]
    schema = {"text": "story", "target": "speed", "task": "classification", "choices": choices}
    done = tc.augment(
        rows, table_schema=schema, prompts="rule/typing", output_dir=tmp_path / "run",
        embeddings=False,
    )  # fmt: skip
    features = done.dataset.features
    assert getattr(features["target"], "names", None) == words
    assert {*done.dataset["target"]} == {*choices}
    again = tc.load(done.path / "data", schema={"target": "target", "text": "text", "table": []})
    assert next(iter(again)).target in choices
    if words:
        assert again.schema.choices == choices


@pytest.mark.parametrize(
    "targets",
    [
        [2, 3, 4],
        [2.0, 3.0, 4.0],
        [2, 2.5, 3],
        ["2", "02", "3"],
        [2**70, 1, 2],
        list(range(40)),
    ],
)
def test_targets_of_records_keep_their_type(tmp_path: Path, targets: list[Any]) -> None:
    rows = [
        tc.Record(str(n), {"text": "A calm dog sleeps."}, target=target, split="test")
        for n, target in enumerate(targets)
    ]
    done = tc.augment(rows, prompts="rule/typing", output_dir=tmp_path / "run", embeddings=False)
    found = {row["source_id"]: row["target"] for row in written(done.path)}
    kind = float if any(isinstance(t, float) or t == 2**70 for t in targets) else type(targets[0])
    assert [found[row.id] for row in rows] == [kind(target) for target in targets]
    assert {type(value) for value in found.values()} == {kind}


def test_numbered_classes_are_whole() -> None:
    rows = [tc.Record("a", {"text": "A calm dog."}, target=1.5)]
    with pytest.raises(DataError, match=r"target 1\.5, expected a whole number, as its choices"):
        in_hand(rows, {"task": "classification", "choices": [0, 1]})


def test_shards_of_one_run_have_one_schema(journal: Journal) -> None:
    kept(journal, variant("a", split="train", sampling=SAMPLING))
    kept(journal, variant("b", scores={}, experts={}))
    first, second = sorted((journal.path.parent / "data").iterdir())
    assert pq.read_schema(first).equals(pq.read_schema(second))


def test_a_run_of_the_version_before_goes_on_in_its_own_columns(journal: Journal) -> None:
    folder = journal.path.parent
    shutil.copytree(BEFORE / "data", folder / "data")
    journal.finish_shard(0, ["x"], {})
    writer = ShardWriter(folder, journal, "int64")
    writer.add_row("r", [variant("r", target=2), variant("r", reason="loop", sampling=SAMPLING)])
    writer.write()
    before, after = (pq.read_table(path) for path in sorted((folder / "data").iterdir()))
    assert after.schema.equals(before.schema)
    (row,) = after.to_pylist()
    assert (row["target"], row["model"], row["sampling"]) == (2.0, "", "{}")
    assert row["parts"] == '{"text":"A calm dog.","table":"Age: 2."}'
    (rejected,) = pq.read_table(folder / "rejected").to_pylist()
    assert (rejected["reason"], rejected["scores"]) == ("loop", '{"written":1.0}')


def test_a_run_of_other_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    table = pa.table({"id": ["a"], "words": ["A calm dog."]})
    pq.write_table(table, tmp_path / "data" / "part-00000.parquet")
    with pytest.raises(
        RunError,
        match=r"by another version, with other columns \(dataset, .*; choose another .*reuse",
    ):
        begun(tmp_path)


def test_the_fixture_holds_json_in_strings() -> None:
    row = pq.read_table(BEFORE / "data").to_pylist()[0]
    assert all(isinstance(row[name], str) for name in NESTED)
    assert row["target"] == 4.0
