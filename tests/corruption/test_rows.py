"""Damage to rows: how much goes, what stays, and that it is repeatable."""

import copy
import json
import math
import subprocess
import sys
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
import pytest

from textcentric import fields
from textcentric.corruption.grid import NAMES
from textcentric.corruption.rows import (
    CORRUPTIONS,
    check_absent,
    corrupt_parts,
    counts,
    missing_subsets,
    rng_of,
    say_counts,
    without,
)
from textcentric.data.media.photo_labels import PhotoLabels
from textcentric.errors import ConfigError, DataError
from textcentric.experts.table import TableExpert
from textcentric.rows import Record

LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
DROPPING = {  # corruptions that take pieces away, and the inputs that they take them from
    "word-dropout": {"text"},
    "feature-dropout": {"table"},
    "image-words": {"image_labels"},
    "all": {"text", "table", "image_labels"},
    "dropping": {"text", "table"},
}
PHOTOS = (
    PhotoLabels("1.jpg", (("cat", 0.99), ("eye", 0.8)), (("808080", 0.6), ("d01818", 0.2))),
    PhotoLabels("2.jpg", (("cat", 0.97), ("paw", 0.7)), (("606060", 0.5),)),
)
ROW = Record(
    "r1",
    {
        "table": {"Type": "cat", "Age": "3 months", "Fee": None, "Fur": "short"},
        "text": "She is calm.\nCall\tme soon!\n\nThank you",
        "image": ("1.jpg", "2.jpg"),
        "audio": ("1.wav",),
        "image_labels": PHOTOS,
    },
    target=2,
    group="g",
    split="train",
)


def only(**inputs: Any) -> Record:
    return Record("r1", inputs)


def words_left(record: Record) -> list[str]:
    text: str = record.inputs.get("text", "")
    return text.split()


def some_words(n: int, row_id: str = "r1") -> Record:
    """Return a row whose table outlives every word dropout of its text."""
    return Record(row_id, {"table": {"Age": 1}, "text": " ".join(f"w{i}" for i in range(n))})


# ---- levels


def test_the_help_of_a_command_names_every_kind_of_damage() -> None:
    assert sorted(fields.DAMAGE) == sorted(NAMES)


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("level", [-0.1, 1.1, 70, math.nan, math.inf, "0.5", None])
def test_a_level_outside_0_to_1_is_refused_by_its_value(name: str, level: Any) -> None:
    with pytest.raises(ConfigError, match=f"level is {level!r}, expected a share from 0"):
        CORRUPTIONS[name](ROW, level, 0)
    with pytest.raises(ConfigError, match="expected a share"):
        corrupt_parts({"text": "a"}, level, Random(0))


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("level", [0, 0.0, np.float64(0)])
def test_level_0_returns_the_row_itself(name: str, level: float) -> None:
    assert CORRUPTIONS[name](ROW, level, 0) is ROW


@pytest.mark.parametrize("name", DROPPING)
def test_level_1_takes_everything_of_its_modality_and_its_key(name: str) -> None:
    assert set(ROW.inputs) - set(CORRUPTIONS[name](ROW, 1, 0).inputs) == DROPPING[name]


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_rest_of_the_row_stays_and_the_input_is_not_changed(name: str) -> None:
    original = copy.deepcopy(ROW)
    damaged = CORRUPTIONS[name](ROW, 0.5, 0)
    assert original == ROW
    assert (damaged.id, damaged.target, damaged.group, damaged.split) == ("r1", 2, "g", "train")
    for key in set(ROW.inputs) - DROPPING.get(name, {"text"}):
        assert damaged.inputs[key] == ROW.inputs[key]


# ---- words


@pytest.mark.parametrize(
    "text", ["Größe über alles", "شكرا جزيلا لك", "👩‍👩‍👧 🐕 🐈", "a\u00a0b\u2028c"]
)
def test_words_of_any_script_are_kept_whole(text: str) -> None:
    rows = [Record(str(i), {"table": {"A": 1}, "text": text}) for i in range(50)]
    left = {word for row in rows for word in words_left(CORRUPTIONS["word-dropout"](row, 0.4, 0))}
    assert left == set(text.split())


def test_half_a_surrogate_pair_is_a_word_and_an_id_like_any_other() -> None:
    row = Record("r\ud800", {"table": {"A": 1}, "text": "a \ud800 b"})
    assert set(words_left(CORRUPTIONS["word-dropout"](row, 0.3, 0))) <= {"a", "\ud800", "b"}


def test_a_text_that_loses_no_word_is_not_touched_at_all() -> None:
    row = only(table={"A": 1}, text=" two   words ")
    found = [CORRUPTIONS["word-dropout"](row, 0.1, seed).inputs.get("text") for seed in range(9)]
    assert " two   words " in found


@pytest.mark.parametrize("level", LEVELS)
def test_the_share_of_words_dropped_is_the_level(level: float) -> None:
    n = 20_000
    left = len(words_left(CORRUPTIONS["word-dropout"](some_words(n), level, 0)))
    assert abs(1 - left / n - level) <= 4 * math.sqrt(level * (1 - level) / n)
    if level == 1:
        assert left == 0


def test_words_are_dropped_as_their_draws_say() -> None:
    draws = Random(7)
    expected = [word for word in "a b c d e f".split() if draws.random() >= 0.5]
    assert corrupt_parts({"text": "a b c d e f"}, 0.5, Random(7)) == {"text": " ".join(expected)}
    assert corrupt_parts({"text": "a  b"}, 0, Random(7)) == {"text": "a  b"}


# ---- columns


def test_a_dropped_column_is_missing_as_others_are() -> None:
    row = only(text="calm", table={"Type": "cat", "Fee": None, "Age": math.nan, "Fur": "short"})
    left = CORRUPTIONS["feature-dropout"](row, 0.5, 2).inputs["table"]
    assert list(left) == ["Type", "Fee", "Age", "Fur"]
    assert left["Fee"] is None
    assert math.isnan(left["Age"])
    assert [left["Type"], left["Fur"]].count(None) == 1
    assert TableExpert("name").describe([left])[0].text.count("not stated") == 3


def test_missing_columns_take_no_draw() -> None:
    full = only(text="a", table={f"c{i}": i for i in range(40)})
    holes = {name: value for i in range(40) for name, value in ((f"x{i}", None), (f"c{i}", i))}
    damage = CORRUPTIONS["feature-dropout"]
    left = damage(only(text="a", table=holes), 0.5, 0).inputs["table"]
    assert {k: v for k, v in left.items() if k[0] == "c"} == damage(full, 0.5, 0).inputs["table"]


@pytest.mark.parametrize("level", LEVELS)
def test_the_share_of_columns_dropped_is_the_level(level: float) -> None:
    rows = [
        Record(str(i), {"text": "a", "table": {str(j): j for j in range(20)}}) for i in range(500)
    ]
    pairs = [(row, CORRUPTIONS["feature-dropout"](row, level, 0)) for row in rows]
    gone, total = counts(pairs)["columns"]
    assert total == 10_000
    assert abs(gone / total - level) <= 4 * math.sqrt(level * (1 - level) / total)


# ---- image words


@pytest.mark.parametrize("level", LEVELS)
def test_the_share_of_image_words_dropped_is_the_level(level: float) -> None:
    photo = PhotoLabels("1.jpg", tuple((f"l{i}", 0.9) for i in range(20)))
    rows = [Record(str(i), {"text": "a", "image_labels": (photo,)}) for i in range(500)]
    gone, total = counts((r, CORRUPTIONS["image-words"](r, level, 0)) for r in rows)["image words"]
    assert total == 10_000
    assert abs(gone / total - level) <= 4 * math.sqrt(level * (1 - level) / total)


# ---- draws


def kept(name: str, level: float, row: Record = ROW, seed: int = 0) -> set[tuple[str, str | float]]:
    inputs = CORRUPTIONS[name](row, level, seed).inputs
    table = {("column", k) for k, v in inputs.get("table", {}).items() if v is not None}
    labels = {pair for photo in inputs.get("image_labels", ()) for pair in photo.labels}
    return table | {("word", word) for word in inputs.get("text", "").split()} | labels


@pytest.mark.parametrize("name", DROPPING)
@pytest.mark.parametrize("modalities", [(), ("table",), ("text", "image"), ("image_labels",)])
def test_what_is_dropped_at_a_level_is_dropped_at_every_higher_one(
    name: str, modalities: tuple[str, ...]
) -> None:
    for i in range(40):
        inputs = {k: v for k, v in ROW.inputs.items() if k not in ("audio", *modalities)}
        row = Record(str(i), inputs)
        left = [kept(name, level, row) for level in (0, *LEVELS)]
        assert all(high <= low for low, high in pairwise(left))


def test_all_takes_just_what_the_three_take() -> None:
    for level in LEVELS[:-1]:
        together = CORRUPTIONS["all"](ROW, level, 3).inputs
        for name, key in [
            ("word-dropout", "text"),
            ("feature-dropout", "table"),
            ("image-words", "image_labels"),
        ]:
            assert together.get(key) == CORRUPTIONS[name](ROW, level, 3).inputs.get(key)


def test_draws_follow_from_seed_row_and_corruption_and_nothing_else() -> None:
    damage = CORRUPTIONS["word-dropout"]
    row = some_words(60)
    left = damage(row, 0.5, 1).inputs["text"]
    CORRUPTIONS["all"](ROW, 0.5, 1)
    assert damage(row, 0.5, 1).inputs["text"] == left
    seed: Any = np.int64(1)
    assert damage(row, 0.5, seed).inputs["text"] == left
    assert damage(row, 0.5, 2).inputs["text"] != left
    assert damage(some_words(60, "r2"), 0.5, 1).inputs["text"] != left
    assert rng_of(1, "r", "a").random() != rng_of(1, "r", "b").random()


def test_another_process_drops_the_same() -> None:
    code = """
import json
from textcentric.corruption.rows import CORRUPTIONS
from textcentric.rows import Record
row = Record("r1", {"table": {"Age": 1}, "text": " ".join(f"w{i}" for i in range(60))})
print(json.dumps(CORRUPTIONS["word-dropout"](row, 0.5, 1).inputs["text"]))
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    expected = CORRUPTIONS["word-dropout"](some_words(60), 0.5, 1).inputs["text"]
    assert json.loads(told.stdout) == expected


# ---- rows that would lose everything


@pytest.mark.parametrize("name", DROPPING)
@pytest.mark.parametrize(
    "inputs",
    [
        {"text": "one two three"},
        {"table": {"A": 1, "B": 2, "C": None}},
        {"image_labels": PHOTOS},
        {"image_labels": PHOTOS, "image": ("1.jpg",)},
    ],
)
def test_the_last_modality_keeps_one_piece_and_the_same_at_every_level(
    name: str, inputs: dict[str, Any]
) -> None:
    row = Record("r1", inputs)
    damaged = CORRUPTIONS[name](row, 1, 0)
    assert all(kept(name, 1, row) <= kept(name, level, row) for level in LEVELS)
    if damaged != row:  # it has a piece of this modality
        (gone, total), *_ = counts([(row, damaged)]).values()
        assert total - gone == 1


def test_the_last_piece_of_all_is_the_one_that_is_last_to_go() -> None:
    row = Record("r1", {"text": "a b", "table": {"A": 1}, "image_labels": PHOTOS})
    damaged = CORRUPTIONS["all"](row, 1, 0)
    counted = counts([(row, damaged)])
    assert sum(total - gone for gone, total in counted.values()) == 1
    assert len(damaged.inputs) == 1


def test_the_last_piece_is_one_that_an_expert_has_words_for() -> None:
    # A label below the expert's bound says nothing, nor does a word that cleaning removes.
    photo = PhotoLabels("1.jpg", (("dim", 0.1), ("sure", 0.9), ("faint", 0.2)))
    for seed in range(8):
        row = only(text="\u200b dog <br> \u200b", image_labels=(photo,))
        left = CORRUPTIONS["all"](row, 1, seed).inputs
        assert left in (
            {"text": "dog"},
            {"image_labels": (PhotoLabels("1.jpg", (("sure", 0.9),)),)},
        )


def test_pictures_without_labels_and_sounds_are_something_left() -> None:
    assert CORRUPTIONS["all"](only(text="a", image=("1.jpg",)), 1, 0).inputs == {
        "image": ("1.jpg",)
    }
    assert CORRUPTIONS["all"](only(text="a", audio=("1.wav",)), 1, 0).inputs == {
        "audio": ("1.wav",)
    }


def test_a_row_that_says_nothing_may_lose_it_all() -> None:
    assert CORRUPTIONS["all"](only(text="\u200b \u200b"), 1, 0).inputs == {}
    assert CORRUPTIONS["all"](Record("r1", {}), 0.5, 0).inputs == {}


@pytest.mark.parametrize(
    ("name", "absent"),
    [("word-dropout", "text"), ("feature-dropout", "table"), ("image-words", "image_labels")],
)
def test_a_row_without_the_modality_is_left_alone(name: str, absent: str) -> None:
    row = Record("r1", {key: value for key, value in ROW.inputs.items() if key != absent})
    assert CORRUPTIONS[name](row, 1, 0) == row


# ---- missing modalities


def test_without_takes_a_modality_and_the_labels_with_the_pictures() -> None:
    assert list(without(ROW, ["image"]).inputs) == ["table", "text", "audio"]
    assert list(without(ROW, ["image", "text"]).inputs) == ["table", "audio"]
    assert without(ROW, []) == ROW
    assert list(ROW.inputs) == ["table", "text", "image", "audio", "image_labels"]


def test_a_modality_that_the_row_lacks_can_be_taken() -> None:
    assert without(only(text="a"), ["audio", "image"]) == only(text="a")


def test_taking_all_is_an_error_that_names_the_row() -> None:
    with pytest.raises(DataError, match="'r1' has nothing but text, image_labels: without") as told:
        without(only(text="a", image_labels=PHOTOS), ["image", "text"])
    assert told.value.row_id == "r1"


def test_an_unknown_modality_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"unknown modality 'images'; did you mean 'image'\?"):
        without(ROW, ["images"])


def test_removed_content_that_is_still_there_is_an_error() -> None:
    check_absent({"table": "a", "text": ""}, ["text", "image"], "r1")
    with pytest.raises(DataError, match="row 'r1' still holds image_labels where image must be"):
        check_absent({"table": {}, "image_labels": PHOTOS}, ["image"], "r1")
    with pytest.raises(DataError, match="still holds text"):
        check_absent({"table": "Age: 3.", "text": "calm"}, ["text"], "r1")


def test_every_proper_subset_is_listed_once() -> None:
    assert missing_subsets(["table", "text", "image"]) == [
        ("table",),
        ("text",),
        ("image",),
        ("table", "text"),
        ("table", "image"),
        ("text", "image"),
    ]
    assert missing_subsets(["text"]) == missing_subsets([]) == []
    with pytest.raises(ConfigError, match="name text twice"):
        missing_subsets(["text", "text"])


# ---- counts


def test_counts_say_what_was_removed_of_what() -> None:
    damaged = Record(
        "r1",
        {
            "table": {"Type": "cat", "Age": None, "Fee": None, "Fur": None},
            "text": "She is",
            "image": ("copy.png", "2.jpg"),
            "image_labels": PHOTOS,
        },
    )
    counted = counts([(ROW, damaged), (ROW, ROW)])
    assert counted == {
        "columns": (2, 6),
        "words": (6, 16),
        "image words": (0, 10),
        "pictures": (1, 4),
        "recordings": (1, 2),
    }
    assert say_counts(counted).startswith("columns 2 of 6, words 6 of 16, image words 0 of 10")
    assert counts([]) == {}
    assert say_counts({}) == ""
