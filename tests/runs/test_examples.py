"""What training reads: accepted rows of a run, or raw rows through the experts."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from tests.support.small_run import KEEPING, record, records, run, true_model, written
from textcentric.augmentation.words import describe_examples
from textcentric.data.balance import balance_of, in_words, unread_of, with_unread
from textcentric.errors import DataError, RunError
from textcentric.experts import open_experts
from textcentric.rows import Example, Record
from textcentric.runs.examples import label_effects, labelled, of_split, read_examples


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("runs") / "run", 20, true_model, own=KEEPING).path


def test_each_row_comes_with_its_clean_parts_and_its_variants(finished: Path) -> None:
    rows = written(finished)
    clean = {row["source_id"] for row in rows if row["prompt"] == "clean"}
    examples = read_examples(finished)
    assert [example.id for example in examples] == sorted(clean)
    kept = [r for r in rows if r["prompt"] in ("own/swap", "own/whole") and r["source_id"] in clean]
    assert sum(len(example.variants) for example in examples) == len(kept)
    one = next(example for example in examples if example.id == "r3")
    assert one.parts["table"] == "Kind: parrot. Age: 5 months."
    assert (one.target, one.split, one.group) == (3.0, "train", "g3")


def test_variants_whose_label_is_unsure_are_left_out_unless_asked_for(finished: Path) -> None:
    def count(*labels: str) -> int:
        return sum(len(one.variants) for one in read_examples(finished, labels=labels))

    assert count("unsure") > 0
    assert count("keep", "unsure") == count("keep") + count("unsure")
    assert count() == 0


def test_the_order_of_rows_and_variants_does_not_follow_the_order_of_finishing(
    finished: Path, tmp_path: Path
) -> None:
    again = run(tmp_path / "run", list(reversed(records(20))), true_model, own=KEEPING).path
    assert read_examples(again) == read_examples(finished)


def test_instructions_of_the_bank_have_their_own_effect_on_the_label(tmp_path: Path) -> None:
    done = run(tmp_path / "run", 2, prompts="adversarial/bank")
    effects = label_effects(done.path)
    assert effects["adversarial/bank"] == "keep"
    assert {effect for name, effect in effects.items() if name.startswith("bank/")} >= {"keep"}


def test_a_run_without_accepted_rows_is_an_error(tmp_path: Path) -> None:
    done = run(tmp_path / "run", 2, {"nothing fits": "x"})
    with pytest.raises(DataError, match="no accepted clean row"):
        read_examples(done.path)


def test_a_folder_that_is_no_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="holds no run"):
        read_examples(tmp_path)


def test_a_shard_that_is_cut_short_is_an_error_that_names_it(tmp_path: Path) -> None:
    done = run(tmp_path / "run", 3)
    shard = next((done.path / "data").glob("*.parquet"))
    shard.write_bytes(shard.read_bytes()[:100])
    said = r"part-00000\.parquet has 100 bytes where .* `textcentric runs resume"
    with pytest.raises(RunError, match=said):
        read_examples(done.path)


def test_a_prompt_of_unknown_effect_is_an_error(tmp_path: Path) -> None:
    done = run(tmp_path / "run", 3)
    manifest = done.path / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"own/swap"', '"own/other"'))
    with pytest.raises(RunError, match="does not say what 'own/swap' does to the label"):
        read_examples(done.path)


def test_raw_rows_are_described_by_the_experts_alone() -> None:
    rows = describe_examples(records(3), open_experts(["table", "text"]))
    assert [row.id for row in rows] == ["r0", "r1", "r2"]
    assert list(rows[1].parts) == ["table", "text"]
    assert rows[1].parts["table"] == "Kind: cat. Age: 3 months."
    assert rows[1].variants == ()


def test_a_row_of_which_nothing_can_be_said_keeps_its_place() -> None:
    rows = describe_examples([record(0), Record("empty", {}, 1.0)], open_experts(["table"]))
    assert [(row.id, bool(row.parts)) for row in rows] == [("r0", True), ("empty", False)]


def test_what_experts_say_of_files_is_remembered(tmp_path: Path) -> None:
    class Counting:
        modality = name = "image"
        version = "1"
        calls = 0

        def describe(self, values: Any) -> Any:
            from textcentric.experts.protocol import Description

            self.calls += 1
            return [Description("A red dog.") for _ in values]

        def digest(self, value: Any) -> str:
            return str(value)

    expert, journal = Counting(), tmp_path / "journal.sqlite"
    rows = [Record("a", {"image": ("a.jpg",)})]
    first = describe_examples(rows, {"image": expert}, journal=journal)
    assert describe_examples(rows, {"image": expert}, journal=journal) == first
    assert (expert.calls, first[0].parts) == (1, {"image": "A red dog."})


def test_a_split_is_picked_by_name_and_a_wrong_one_is_told_the_nearest() -> None:
    rows = [Example("a", {}, split="train"), Example("b", {}, split="test")]
    assert [row.id for row in of_split(rows, "test")] == ["b"]
    with pytest.raises(DataError, match="did you mean 'train'"):
        of_split(rows, "trian")


def test_rows_without_a_target_are_left_out() -> None:
    rows = [Example("a", {}, 1.0), Example("b", {}, None)]
    assert [row.id for row in labelled(rows)] == ["a"]
    with pytest.raises(DataError, match="none of the 1 rows has a target"):
        labelled(rows[1:])


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_target_that_is_no_finite_number_is_an_error_that_names_the_row(value: float) -> None:
    with pytest.raises(DataError, match=r"row 'b' has target .* \(1 of 2 rows are so\)"):
        labelled([Example("a", {}, 1.0), Example("b", {}, value)])


def test_files_that_cannot_be_read_are_told_with_the_row(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_text("<html>404</html>")
    inputs = {"table": {"Kind": "cat"}}
    rows = [Record(n, {**inputs, "image": (str(tmp_path / f"{n}.png"),)}) for n in ("a", "b")]
    journal = tmp_path / "journal.sqlite"
    found = describe_examples(
        [*rows, Record("c", inputs)], open_experts(["table", "image"]), journal=journal
    )
    assert [len(one.faults) for one in found] == [1, 1, 0]
    assert "a.png' is an HTML page, not an image" in found[0].faults[0]
    assert "b.png" in found[1].faults[0]  # though its bytes are those of a.png
    balance = with_unread(balance_of(3, {}), unread_of(found))
    assert in_words(balance).startswith(
        "3 rows in the source = 3 given + 0 left out; 2 row(s) with files that cannot be read,"
        " used without them ('a': picture"
    )
