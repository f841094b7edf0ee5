"""Preferences are read in every layout that people have, and what is left out is counted."""

from __future__ import annotations

import base64
import gzip
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from textcentric.data.pairs import PairSet, read_pairs
from textcentric.errors import ConfigError, DataError
from textcentric.rows import Pair

USER = {"role": "user", "content": "What colour is it?"}
RED, BLUE = ({"role": "assistant", "content": text} for text in ("Red.", "Blue."))


SYSTEM = {"role": "system", "content": "You sell lamps."}
ASKED = "system: You sell lamps.\nuser: Which lamp?\nassistant: The green one.\nuser: And the foot?"
HISTORY = [["Which lamp?", "The green one."]]
EARLIER = [
    {"role": "user", "content": "Which lamp?"},
    {"role": "assistant", "content": "The green one."},
]
NOW = {"role": "user", "content": "And the foot?"}
BRASS, RUG = ({"role": "assistant", "content": text} for text in ("Brass.", "A rug."))
BOTH = {"chosen": "Brass.", "rejected": "A rug."}


def lines(path: Path, rows: Iterable[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def one(tmp_path: Path, row: dict[str, Any], layout: str) -> Pair:
    found = read_pairs(lines(tmp_path / "pairs.jsonl", [row]))
    assert (found.layout, found.left_out.total(), found.lines) == (layout, 0, 1)
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


@pytest.mark.parametrize(
    "row",
    [
        {"system": "You sell lamps.", "history": HISTORY, "instruction": "And the foot?", **BOTH},
        {
            "system": "You sell lamps.",
            "conversations": [
                {"from": "human", "value": "Which lamp?"},
                {"from": "gpt", "value": "The green one."},
                {"from": "human", "value": "And the foot?"},
            ],
            "chosen": {"from": "gpt", "value": "Brass."},
            "rejected": {"from": "gpt", "value": "A rug."},
        },
        {
            "messages": [SYSTEM, *EARLIER, NOW, BRASS],
            "rejected_messages": [SYSTEM, *EARLIER, NOW, RUG],
        },
        {
            "system": "You sell lamps.",
            "history": HISTORY,
            "query": "And the foot?",
            "response": "Brass.",
            "rejected_response": "A rug.",
        },
        {
            "system": "You sell lamps.",
            "history": HISTORY,
            "instruction": "And the foot?",
            "output": ["Brass.", "A rug."],
        },
        {"prompt": [SYSTEM, *EARLIER, NOW], "chosen": [BRASS], "rejected": [RUG]},
        {
            "prompt": "And the foot?",
            "chosen": [SYSTEM, *EARLIER, NOW, BRASS],
            "rejected": [SYSTEM, *EARLIER, NOW, RUG],
        },
        {"chosen": [SYSTEM, *EARLIER, NOW, BRASS], "rejected": "A rug."},
        {"system": "You sell lamps.", "history": EARLIER, "input": "And the foot?", **BOTH},
        {
            "system": "You sell lamps.",
            "chosen": "\n\nHuman: Which lamp?\n\nAssistant: The green one.\n\nHuman: And the foot?"
            "\n\nAssistant: Brass.",
            "rejected": "\n\nHuman: Which lamp?\n\nAssistant: The green one."
            "\n\nHuman: And the foot?\n\nAssistant: A rug.",
        },
    ],
)
@pytest.mark.parametrize("write", ["lines", "json in a csv", "printed in a csv", "numpy's print"])
def test_system_history_and_question_are_read_wherever_they_stand(
    tmp_path: Path, row: dict[str, Any], write: str
) -> None:
    path = tmp_path / "pairs.csv"
    if write == "lines":
        path = lines(tmp_path / "pairs.jsonl", [row])
    else:
        cells = {name: as_text(value, write) for name, value in row.items()}
        pd.DataFrame([cells]).to_csv(path, index=False)
    if write != "lines" and isinstance(row.get("output"), list):
        row["output"] = as_text(row["output"], write)
    (pair,) = read_pairs(path).pairs
    assert told(pair) == (ASKED, "Brass.", "A rug.")


def test_a_prompt_ends_before_the_answer(tmp_path: Path) -> None:
    asks = "\n\nHuman: What colour is it?\n\nAssistant:"
    both = {"chosen": " Red.", "rejected": " Blue."}
    pair = one(tmp_path, {"prompt": asks, **both}, "trl")
    assert told(pair) == ("What colour is it?", "Red.", "Blue.")
    whole = {"prompt": "What colour is it?", "messages": [USER, RED], "conversations": [USER, RED]}
    pair = one(
        tmp_path, {**whole, "chosen": [USER, RED], "rejected": [USER, BLUE]}, "llama-factory"
    )
    assert told(pair) == ("What colour is it?", "Red.", "Blue.")


def as_text(value: Any, write: str) -> str:
    if isinstance(value, str):
        return value
    if write == "json in a csv":
        return json.dumps(value)
    if write == "numpy's print" and isinstance(value, list) and isinstance(value[0], str | dict):
        return str(np.array(value, dtype=object))
    return str(value)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"score_chosen": 4, "score_rejected": 4.0}, "both responses are rated alike"),
        ({"chosen_rating": 2, "rejected_rating": 5}, "chosen is rated below rejected"),
        ({"chosen_rating": "good", "rejected_rating": "bad"}, "a rating cannot be read"),
        ({"tools": [{"name": "lookup"}]}, "it offers tools, which are not read"),
        ({"tools": '[{"name": "lookup"}]'}, "it offers tools, which are not read"),
        (
            {"chosen": [{"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}]},
            "a message is of a tool, which is not read",
        ),
        ({"history": "Earlier."}, "the history is no list of turns (a question and its answer"),
        ({"chosen": {"answer": "Red."}}, "an object stands where a text is expected"),
        (
            {"chosen": '[{"role": "user", "content": "What'},
            "a conversation is held as text that cannot be read; write it as JSON",
        ),
        ({"prompt": "![](data:image/png;base64,iVBO)"}, "a picture stands in the text as base64"),
        ({"image": "https://example.org/a.jpg"}, "its picture is a URL; fetch the pictures"),
        ({"image": "data:image/png;base64,?"}, "its picture is a data URI whose base64 cannot"),
    ],
)
def test_what_is_read_by_half_is_left_out_with_its_reason(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    good = {"prompt": "What?", "chosen": "Red.", "rejected": "Blue."}
    found = read_pairs(lines(tmp_path / "pairs.jsonl", [good, good | changes]))
    assert (len(found.pairs), found.lines) == (1, 2)
    ((why, count),) = found.left_out.lines.items()
    assert (why[: len(reason)], count) == (reason, 1)


def test_each_rejected_response_makes_a_pair_of_one_group(tmp_path: Path) -> None:
    rows = [{"prompt": "What?", "chosen": "Red.", "rejected": ["Blue.", "Green.", ""]}]
    found = read_pairs(lines(tmp_path / "pairs.jsonl", rows))
    assert [(p.id, p.rejected, p.group) for p in found.pairs] == [
        ("0/0-0", "Blue.", "0"),
        ("0/0-1", "Green.", "0"),
    ]
    assert found.left_out.lines == {"a response is empty": 1}


def test_a_list_that_a_csv_holds_as_text_is_no_response(tmp_path: Path) -> None:
    row = {"prompt": "What?", "chosen": "Red.", "rejected": "Blue."}
    frame = pd.DataFrame([row, row | {"rejected": "['Blue.', 'Green.']"}])
    frame.to_csv(tmp_path / "pairs.csv", index=False)
    found = read_pairs(tmp_path / "pairs.csv")
    assert found.notes()[1].startswith("pairs: 1 left out: a response is a list held as text")
    answers = [row | {"chosen": '["red"]', "rejected": '{"role": "none"}'}]
    (pair,) = read_pairs(lines(tmp_path / "json.jsonl", answers)).pairs
    assert told(pair) == ("What?", '["red"]', '{"role": "none"}')


def test_columns_that_nothing_reads_are_told(tmp_path: Path) -> None:
    row = {"prompt": "What?", "question": "?", "chosen": "Red.", "rejected": "Blue.", "model": "m"}
    notes = read_pairs(lines(tmp_path / "pairs.jsonl", [row])).notes()
    assert notes[-1] == "pairs: columns that are not read: prompt, model"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"Prompt": "?", "chosen": "a", "rejected": "b"}, "rename 'Prompt' to 'prompt'"),
        ({"Chosen": "a", "rejected ": "b"}, "rename 'Chosen' to 'chosen', 'rejected ' to"),
        ({"chosen_answer": "a", "rejected": "b"}, "nearest: 'chosen_answer' for 'chosen'"),
        ({"prompt": "?", "completion": "a", "label": True}, r"\(KTO\), which is no pair; put"),
        ({"prompt": "?", "responses": ["a", "b"]}, "several responses a prompt"),
    ],
)
def test_columns_that_are_no_pairs_are_refused_with_what_to_do(
    tmp_path: Path, row: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_pairs(lines(tmp_path / "pairs.jsonl", [row]))


def picture(colour: str) -> bytes:
    png = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(png, "PNG")
    return png.getvalue()


def test_pictures_in_cells_become_files_of_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    red = picture("red")
    in_a_uri = f"data:image/png;base64,{base64.b64encode(red).decode()}"
    block = {"type": "image_url", "image_url": {"url": in_a_uri}}
    asked = {"role": "user", "content": [block, {"type": "text", "text": "What?"}]}
    row = {"prompt": "What?", "chosen": "Red.", "rejected": "Blue."}
    cells = [{"bytes": red, "path": "red.png"}, [{"bytes": red, "path": None}], red, in_a_uri]
    frames = [[row | {"image": cell}] for cell in (*cells, Image.open(io.BytesIO(red)))]
    for rows in [*frames, [row | {"prompt": [asked]}]]:
        (pair,) = read_pairs(rows).pairs
        (file,) = pair.images
        assert file.startswith(str(tmp_path / "cache"))
        assert Image.open(file).convert("RGB").getpixel((0, 0)) == (255, 0, 0)
        assert (pair.prompt, pair.group) == ("What?", file)


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
    assert dict(found.left_out.lines) == {
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
    assert (len(found.pairs), dict(found.left_out.lines)) == (1, {reason: 1})
    assert found.notes() == [
        "pairs: 2 lines, 1 pairs (trl)",
        f"pairs: 1 left out: {reason} ('pair 1')",
    ]
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
    assert dict(found.left_out.lines) == {"the column messages holds no conversation": 1}


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
    assert dict(found.left_out.lines) == {"item(s) that are not one JSON object": 1}


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
