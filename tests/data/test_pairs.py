"""Preferences are read in every layout that people have, and what is left out is counted."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from textcentric.data.pairs import PairSet, read_pairs
from textcentric.errors import ConfigError, DataError
from textcentric.rows import Pair

USER = {"role": "user", "content": "What colour is it?"}
RED, BLUE = ({"role": "assistant", "content": text} for text in ("Red.", "Blue."))


def lines(path: Path, rows: Iterable[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def one(tmp_path: Path, row: dict[str, Any], layout: str) -> Pair:
    found = read_pairs(lines(tmp_path / "pairs.jsonl", [row]))
    assert (found.layout, sum(found.dropped.values())) == (layout, 0)
    (pair,) = found.pairs
    return pair


def told(pair: Pair) -> tuple[str, str, str]:
    return pair.prompt, pair.chosen, pair.rejected


def rated(response: str, *ratings: Any) -> dict[str, Any]:
    aspects = ("Helpfulness", "Visual Faithfulness", "Ethical Considerations")
    annotations = {a: {"Rating": r} for a, r in zip(aspects, ratings, strict=False)}
    return {"annotations": annotations, "model": "m", "response": response}


@pytest.mark.parametrize(
    ("row", "layout"),
    [
        ({"prompt": "What colour is it?", "chosen": "Red.", "rejected": "Blue."}, "trl"),
        ({"prompt": [USER], "chosen": [RED], "rejected": [BLUE]}, "trl"),
        ({"chosen": [USER, RED], "rejected": [USER, BLUE]}, "trl"),
        ({"question": "What colour is it?", "chosen": "Red.", "rejected": "Blue."}, "rlaif-v"),
        ({"messages": [USER, RED], "rejected_response": "Blue."}, "ms-swift"),
        ({"messages": [USER, RED], "rejected_response": [BLUE]}, "ms-swift"),
        (
            {
                "conversations": [{"from": "human", "value": "<image>What colour is it?"}],
                "chosen": {"from": "gpt", "value": "Red."},
                "rejected": {"from": "gpt", "value": "Blue."},
            },
            "llama-factory",
        ),
        (
            {
                "instruction": "What colour",
                "input": "is it?",
                "chosen": "Red.",
                "rejected": "Blue.",
            },
            "llama-factory",
        ),
        (
            {
                "text": json.dumps(
                    {"question": "What colour is it?", "chosen": "Red.", "rejected": "Blue."}
                )
            },
            "rlhf-v",
        ),
        (
            {"query": "What colour is it?", "response": ["Blue.", "Red."], "human_ranking": [1, 0]},
            "vl-rewardbench",
        ),
        (
            {
                "Text": "What colour is it?",
                "Output1": "Blue.",
                "Output2": "Red.",
                "Better": "Output2",
            },
            "mm-rewardbench",
        ),
        (
            {
                "prompt": "What colour is it?",
                "completions": [rated("Blue.", "1", "2", "5"), rated("Red.", "4", "4", "4")],
            },
            "vl-feedback",
        ),
    ],
)
def test_every_layout_gives_the_same_pair(tmp_path: Path, row: dict[str, Any], layout: str) -> None:
    prompt, chosen, rejected = told(one(tmp_path, row, layout))
    assert (" ".join(prompt.split()), chosen, rejected) == ("What colour is it?", "Red.", "Blue.")


def test_of_several_turns_each_is_told_under_its_role(tmp_path: Path) -> None:
    row = {"chosen": [USER, RED, USER, BLUE], "rejected": [USER, RED, USER, RED]}
    pair = one(tmp_path, row, "trl")
    assert told(pair) == (
        "user: What colour is it?\nassistant: Red.\nuser: What colour is it?",
        "Blue.",
        "Red.",
    )


def test_what_stands_beside_the_responses_is_kept(tmp_path: Path) -> None:
    row = {"id": 7, "prompt": "What?", "chosen": "Red.", "rejected": "Blue.", "margin": "0.5"}
    row |= {"image": "a.jpg", "references": ["A red ball.", "A ball."], "subset": "colour"}
    pair = one(tmp_path, row | {"split": "test"}, "trl")
    assert (pair.id, pair.margin, pair.images, pair.group) == ("7", 0.5, ("a.jpg",), "a.jpg")
    assert pair.descriptions == {"image": "A red ball. A ball."}
    assert (pair.subset, pair.split) == ("colour", "test")


def test_all_responses_of_vl_feedback_are_paired_but_for_ties_and_what_is_unrated(
    tmp_path: Path,
) -> None:
    completions = [rated("a", 5, 5), rated("b", 3, 4), rated("c", 4, 3), rated("d", "N/A", 1)]
    found = read_pairs(lines(tmp_path / "p.jsonl", [{"prompt": "?", "completions": completions}]))
    assert [(pair.chosen, pair.rejected) for pair in found.pairs] == [("a", "b"), ("a", "c")]
    assert dict(found.dropped) == {
        "both responses are rated alike": 1,
        "a rating cannot be read": 3,
    }
    assert len({pair.id for pair in found.pairs}) == 2


def test_completions_may_be_a_record_of_lists(tmp_path: Path) -> None:
    both = [rated("a", 5), rated("b", 3)]
    completions = {name: [each[name] for each in both] for name in both[0]}
    pair = one(tmp_path, {"prompt": "?", "completions": completions}, "vl-feedback")
    assert told(pair) == ("?", "a", "b")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rejected": " Red. "}, "chosen and rejected are equal"),
        ({"chosen": " "}, "a response is empty"),
        ({"rejected": None}, "a response is empty"),
        ({"margin": "much"}, "the margin is not a finite number"),
        ({"margin": float("nan")}, "the margin is not a finite number"),
    ],
)
def test_a_pair_that_teaches_nothing_is_left_out_and_counted(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    good = {"prompt": "What?", "chosen": "Red.", "rejected": "Blue."}
    found = read_pairs(lines(tmp_path / "pairs.jsonl", [good, good | changes]))
    assert (len(found.pairs), dict(found.dropped)) == (1, {reason: 1})
    assert found.notes() == [f"pairs: 1 left out: {reason}"]
    with pytest.raises(DataError, match=reason):
        read_pairs(lines(tmp_path / "none.jsonl", [good | changes]))


def test_rows_of_another_shape_are_reasons_and_not_crashes(tmp_path: Path) -> None:
    rows = [
        {"messages": [USER, RED], "rejected_response": "Blue."},
        {"messages": "hello", "rejected_response": "Blue."},
        {"messages": [USER], "rejected_response": 3},
    ]
    found = read_pairs(lines(tmp_path / "pairs.jsonl", rows))
    assert len(found.pairs) == 2
    assert dict(found.dropped) == {"the column messages holds no conversation": 1}


def test_an_unknown_layout_names_the_columns_and_what_was_tried(tmp_path: Path) -> None:
    path = lines(tmp_path / "pairs.jsonl", [{"good": "a", "bad": "b"}])
    with pytest.raises(DataError, match=r"columns good, bad.*rlaif-v \(chosen, question, reject"):
        read_pairs(path)
    with pytest.raises(ConfigError, match="did you mean 'ms-swift'"):
        read_pairs(path, layout="swift")


def test_a_json_list_is_read_like_lines(tmp_path: Path) -> None:
    rows = [{"prompt": "?", "chosen": "a", "rejected": "b"}] * 2
    path = tmp_path / "pairs.json.gz"
    with gzip.open(path, "wt") as file:
        json.dump([*rows, 3], file)
    found = read_pairs(path)
    assert [pair.id for pair in found.pairs] == ["0", "1"]
    assert dict(found.dropped) == {"item(s) that are not one JSON object": 1}


def test_an_id_that_comes_twice_is_told_apart(tmp_path: Path) -> None:
    row = {"id": "x", "prompt": "?", "chosen": "a", "rejected": "b"}
    found = read_pairs(lines(tmp_path / "pairs.jsonl", [row, row]))
    assert [pair.id for pair in found.pairs] == ["x", "x#2"]


def test_a_split_is_taken_where_pairs_have_one() -> None:
    train = Pair("1", "?", "a", "b", split="train")
    test = Pair("2", "?", "a", "b", split="test")
    assert PairSet([train, test], "pairs", "trl").of_split("test") == [test]
    plain = [Pair("1", "?", "a", "b")]
    assert PairSet(plain, "pairs", "trl").of_split("test") == plain
