"""Shards: one schema whatever is in them, moved into place before they are recorded."""

from __future__ import annotations

import math
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textcentric.errors import RunError, StoppedError
from textcentric.rows import TargetType
from textcentric.runs import shards
from textcentric.runs.columns import (
    FAILURE_COLUMNS,
    OUTPUT_COLUMNS,
    Failure,
    Output,
    dump,
    output_id,
)
from textcentric.runs.journal import Journal
from textcentric.runs.shards import ShardWriter


def output(source: str = "r1", prompt: str = "noise", **values: Any) -> Output:
    known: dict[str, Any] = dict.fromkeys(OUTPUT_COLUMNS, "") | {
        "parts": {"text": "A calm dog."},
        "sampling": None,
        "experts": {},
        "scores": {},
        "id": output_id(source, prompt, 0),
        "source_id": source,
        "prompt": prompt,
        "sample": 0,
        "split": None,
        "group": None,
        "target": 1.5,
        "seed": 7,
    }
    return Output(**(known | values))


def failure(source: str = "r1", prompt: str = "noise") -> Failure:
    return Failure(output_id(source, prompt, 0), source, prompt, 0, "perturb", "slow", "?", 3)


def writer(journal: Journal, target: TargetType = "double") -> ShardWriter:
    return ShardWriter(journal.path.parent, journal, target)


def read(journal: Journal, name: str) -> pa.Table:
    return pq.read_table(journal.path.parent / name / "part-00000.parquet")


def test_an_outputs_id_is_row_prompt_and_sample() -> None:
    assert output_id("r1", "adversarial/noise", 2) == "r1/adversarial/noise/2"


def test_each_fate_has_a_folder_and_a_schema(journal: Journal) -> None:
    writing = writer(journal)
    writing.add_row("r1", [output(), output(prompt="b", reason="loop"), failure(prompt="c")])
    writing.close()
    assert read(journal, "data").column_names == OUTPUT_COLUMNS[:-1]
    assert read(journal, "rejected").column_names == OUTPUT_COLUMNS
    assert read(journal, "errors").column_names == FAILURE_COLUMNS
    assert read(journal, "rejected")["reason"].to_pylist() == ["loop"]
    assert journal.counts() == {
        ("noise", "accepted", ""): 1,
        ("b", "rejected", "loop"): 1,
        ("c", "failed", "slow"): 1,
    }


@pytest.mark.parametrize(
    ("targets", "kind", "stored"),
    [
        ([1, 2.5, None], "double", [1.0, 2.5, None]),
        ([None, None, None], "double", [None, None, None]),
        ([0, 4, None], "int64", [0, 4, None]),
        (["a", None, 3], "string", ["a", None, "3"]),
        (["01", "1", "1.0", "NA"], "string", ["01", "1", "1.0", "NA"]),
    ],
)
def test_targets_are_of_the_type_of_the_data_and_may_be_absent(
    journal: Journal, targets: list[Any], kind: TargetType, stored: list[Any]
) -> None:
    writing = writer(journal, kind)
    writing.add_row("r1", [output(prompt=str(n), target=t) for n, t in enumerate(targets)])
    writing.close()
    column = read(journal, "data")["target"]
    assert str(column.type) == kind
    assert list(map(repr, column.to_pylist())) == list(map(repr, stored))


def test_a_target_that_is_nan_stays_nan(journal: Journal) -> None:
    writing = writer(journal)
    writing.add_row("r1", [output(target=math.nan)])
    writing.close()
    assert math.isnan(read(journal, "data")["target"].to_pylist()[0])


def test_columns_of_nothing_but_null_keep_their_type(journal: Journal) -> None:
    writing = writer(journal)
    writing.add_row("r1", [output(split=None, group=None, seed=None)])
    writing.close()
    schema = read(journal, "data").schema
    assert (schema.field("split").type, schema.field("seed").type) == (pa.string(), pa.int64())
    assert not any(pa.types.is_null(field.type) for field in schema)


def test_a_first_shard_without_an_accepted_row_writes_an_empty_one(journal: Journal) -> None:
    writing = writer(journal)
    writing.add_row("r1", [failure()])
    writing.close()
    assert read(journal, "data").num_rows == 0
    assert read(journal, "data").column_names == OUTPUT_COLUMNS[:-1]


def test_a_run_without_any_output_is_read_as_an_empty_data_set(journal: Journal) -> None:
    from datasets import load_dataset

    writer(journal).close()
    files = str(journal.path.parent / "data" / "*.parquet")
    rows = load_dataset("parquet", data_files=files, streaming=True)["train"]
    assert list(rows) == []
    assert rows.column_names == OUTPUT_COLUMNS[:-1]


def test_an_empty_shard_does_not_keep_the_others_from_being_loaded(journal: Journal) -> None:
    from datasets import load_dataset

    writing = writer(journal)
    for number in range(2):
        writing.add_row(f"r{number}", [output(f"r{number}") if number else failure(f"r{number}")])
        writing.write()
    files = str(journal.path.parent / "data" / "*.parquet")
    rows = load_dataset("parquet", data_files=files)["train"]
    assert rows["source_id"][:] == ["r1"]


def test_shards_with_and_without_groups_load_as_one_data_set(journal: Journal) -> None:
    from datasets import load_dataset

    writing = writer(journal)
    for number, group in enumerate(["g1", None]):
        writing.add_row(f"r{number}", [output(f"r{number}", group=group)])
        writing.write()
    rows = load_dataset("parquet", data_files=str(journal.path.parent / "data" / "*.parquet"))
    assert rows["train"]["group"][:] == ["g1", None]


def test_a_full_shard_is_written_at_once(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SHARD_OUTPUTS", 3)
    writing = writer(journal)
    writing.add_row("r1", [output("r1", str(n)) for n in range(2)])
    assert journal.shards() == set()
    writing.add_row("r2", [output("r2", str(n)) for n in range(2)])
    assert journal.shards() == {0}
    writing.add_row("r3", [output("r3", str(n)) for n in range(3)])
    assert journal.shards() == {0, 1}
    assert [journal.finished(name) for name in ("r1", "r2", "r3")] == [True] * 3


def test_the_next_process_goes_on_with_the_next_number(journal: Journal) -> None:
    first = writer(journal)
    first.add_row("r1", [output("r1")])
    first.close()
    second = writer(journal)
    second.add_row("r2", [output("r2")])
    second.close()
    names = sorted(path.name for path in (journal.path.parent / "data").iterdir())
    assert names == ["part-00000.parquet", "part-00001.parquet"]


def test_leftovers_of_a_killed_run_are_removed_and_finished_shards_are_not(
    journal: Journal,
) -> None:
    first = writer(journal)
    first.add_row("r1", [output("r1")])
    first.close()
    data = journal.path.parent / "data"
    (data / ".part-00001.tmp").write_bytes(b"half a shard")
    (data / "part-00001.parquet").write_bytes(b"moved, but not recorded")
    (journal.path.parent / "errors").mkdir()
    (journal.path.parent / "errors" / "part-00001.parquet").write_bytes(b"the same")
    writer(journal)
    assert [path.name for path in data.iterdir()] == ["part-00000.parquet"]
    assert list((journal.path.parent / "errors").iterdir()) == []


def test_what_does_not_bear_the_name_of_a_shard_or_of_its_draft_stays(journal: Journal) -> None:
    data = journal.path.parent / "data"
    data.mkdir()
    names = ["thesis.txt", "part-one.txt", ".part-00000.parquet.swp"]
    for name in names:
        (data / name).write_bytes(b"somebody's own")
    (data / ".part-00000.parquet.0123456789abcdef.tmp").write_bytes(b"half a shard")
    writer(journal)
    assert sorted(path.name for path in data.iterdir()) == sorted(names)


def test_a_link_that_bears_the_name_of_a_shard_is_not_removed(journal: Journal) -> None:
    data = journal.path.parent / "data"
    data.mkdir()
    (data / "part-00003.parquet").symlink_to("elsewhere")
    with pytest.raises(RunError, match="is a link"):
        writer(journal)
    assert (data / "part-00003.parquet").is_symlink()


def test_a_shard_is_recorded_only_after_all_its_files_are_in_place(journal: Journal) -> None:
    seen: list[list[str]] = []
    folder = journal.path.parent

    class Watching(Journal):
        def finish_shard(self, *args: Any) -> None:
            seen.append(sorted(str(p.relative_to(folder)) for p in folder.rglob("*part*")))
            super().finish_shard(*args)

    watching = Watching(folder / "watching.sqlite")
    writing = ShardWriter(folder, watching, "double")
    writing.add_row("r1", [output(), output(prompt="b", reason="loop"), failure(prompt="c")])
    writing.close()
    watching.close()
    assert seen == [[f"{name}/part-00000.parquet" for name in ("data", "errors", "rejected")]]


def test_a_shard_that_cannot_be_written_is_a_clear_error_and_is_not_recorded(
    journal: Journal,
) -> None:
    folder = journal.path.parent
    writing = writer(journal)
    (folder / "data").write_text("a file where the folder should be")
    writing.add_row("r1", [output()])
    with pytest.raises(StoppedError, match=r"cannot write to .*; free space on the disk or check"):
        writing.write()
    assert (journal.shards(), journal.finished("r1")) == (set(), False)
    (folder / "data").unlink()
    writing.close()
    assert (journal.shards(), journal.finished("r1")) == ({0}, True)


def test_json_columns_are_one_line_with_letters_as_they_are() -> None:
    assert dump({"text": "кошка\n🐈", "n": 1}) == '{"text":"кошка\\n🐈","n":1}'


def test_a_shard_of_long_texts_is_written_before_it_holds_many_outputs(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "SHARD_CHARACTERS", 1_000)
    writing = writer(journal)
    writing.add_row("r1", [output("r1", parts={"text": "x" * 400}, text="x" * 400)])
    assert journal.shards() == set()
    writing.add_row("r2", [output("r2", parts={"text": "x" * 400}, text="x" * 400)])
    assert journal.shards() == {0}
