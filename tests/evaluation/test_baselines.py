"""The cheap arms on small made-up rows whose rule is known, with a fake sentence encoder."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from textcentric.errors import ConfigError, DataError
from textcentric.evaluation.comparison.baselines import (
    BASELINES,
    Baseline,
    Columns,
    Groups,
    Head,
    LateFusion,
    Topics,
    open_baseline,
    sentence_embedding,
)
from textcentric.metrics.scores import score
from textcentric.rows import Record
from textcentric.values import Cells

WORDS = ("slow", "calm", "quick")
COLOURS = ("red", "green", "blue")
TASKS = ("ordinal", "classification", "regression")


def make_rows(number: int, seed: int = 0) -> tuple[list[Record], list[dict[str, str]], list[int]]:
    """Return rows whose target 0..4 is the table's amount (0..2) plus the text's word (0..2)."""
    rng = np.random.default_rng(seed)
    records, parts, targets = [], [], []
    for n in range(number):
        amount, word = int(rng.integers(3)), int(rng.integers(3))
        cells = {"Age": f"{amount} months", "Colour": COLOURS[rng.integers(3)]}
        text = f"A {WORDS[word]} animal."
        records.append(Record(f"r{n}", {"table": cells, "text": text}, amount + word, f"g{n % 30}"))
        parts.append({"table": f"Age: {amount} months.", "text": text})
        targets.append(amount + word)
    return records, parts, targets


def bag_of_words(texts: Sequence[str]) -> np.ndarray:
    """Stand in for a sentence encoder: one place a word that matters (N, 6)."""
    known = [*WORDS, "0", "1", "2"]
    return np.array([[float(word in text.split()) for word in known] for text in texts])


def fit(
    name: str, task: str, targets: list | None = None, groups: Groups = None, seed: int = 0
) -> Baseline:
    records, parts, true = make_rows(200)
    arm = open_baseline(name, task, seed=seed, embed=bag_of_words)
    return arm.fit(records, parts, true if targets is None else targets, groups)


@cache
def fitted(name: str, task: str) -> Baseline:
    """Return a baseline that several tests ask."""
    return fit(name, task)


@pytest.mark.parametrize("name", ["table-boost", "late-fusion"])
@pytest.mark.parametrize(
    ("task", "metric", "least"),
    [
        ("ordinal", "quadratic_kappa", 0.9),
        ("classification", "accuracy", 0.6),
        ("regression", "r2", 0.9),
    ],
)
def test_an_arm_learns_a_rule_over_table_and_text(
    name: str, task: str, metric: str, least: float
) -> None:
    records, parts, targets = make_rows(200, seed=1)
    groups = [record.group for record in make_rows(200)[0]]
    assert score(metric, targets, fit(name, task, groups=groups).predict(records, parts)) > least


@pytest.mark.parametrize("name", ["table-boost", "late-fusion"])
@pytest.mark.parametrize("task", ["ordinal", "classification"])
def test_classes_come_back_as_the_targets_had_them(name: str, task: str) -> None:
    named = [2 * target for target in make_rows(200)[2]]
    predicted = fit(name, task, named).predict(*make_rows(50, seed=1)[:2])
    assert set(predicted) <= {0, 2, 4, 6, 8}
    assert {type(value) for value in predicted} == {int}


@pytest.mark.parametrize("name", ["table-boost", "late-fusion"])
def test_classes_may_be_words(name: str) -> None:
    named = ["low" if target < 2 else "high" for target in make_rows(200)[2]]
    assert set(fit(name, "classification", named).predict(*make_rows(50)[:2])) == {"low", "high"}


@pytest.mark.parametrize("task", TASKS)
def test_the_constant_says_the_same_of_every_row(task: str) -> None:
    targets = [0, 0, 3]
    records, parts, _ = make_rows(3)
    arm = open_baseline("constant", task).fit(records, parts, targets)
    assert arm.predict(records[:2], parts[:2]) == [1.0 if task == "regression" else 0] * 2


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("task", TASKS)
def test_the_same_seed_gives_the_same_predictions(name: str, task: str) -> None:
    records, parts, _ = make_rows(60, seed=1)
    first, again = (arm.predict(records, parts) for arm in (fitted(name, task), fit(name, task)))
    assert first == again


def test_another_seed_grows_other_trees() -> None:
    records, parts, _ = make_rows(60, seed=1)
    other = fit("table-boost", "regression", seed=1)
    assert fitted("table-boost", "regression").predict(records, parts) != other.predict(
        records, parts
    )


@pytest.mark.parametrize("name", ["table-boost", "late-fusion"])
@pytest.mark.parametrize("gone", [("table",), ("text",), ("table", "text")])
def test_rows_that_lack_a_modality_are_predicted(name: str, gone: tuple[str, ...]) -> None:
    records, parts, _ = make_rows(40, seed=1)
    damaged = [
        replace(r, inputs={m: v for m, v in r.inputs.items() if m not in gone}) for r in records
    ]
    left = [{m: text for m, text in part.items() if m not in gone} for part in parts]
    predicted = fitted(name, "ordinal").predict(damaged, left)
    assert len(predicted) == 40
    assert set(predicted) <= set(range(5))


def test_a_prediction_depends_on_its_own_row_alone() -> None:
    records, parts, _ = make_rows(40, seed=1)
    arm = fitted("table-boost", "ordinal")
    one_by_one = [arm.predict([r], [p])[0] for r, p in zip(records, parts, strict=True)]
    assert arm.predict(records, parts) == one_by_one


def test_a_column_may_hold_words_and_amounts() -> None:
    fees: list[dict[str, str | None]] = [{"Fee": "20 ringgit"}, {"Fee": None}, {}]
    tables = [{"Fee": "free"} for _ in range(5)] + fees
    features = Columns(tables).features(tables)
    assert features[0, 0] == 0.0
    assert features[5, 1] == 20.0
    assert np.isnan([features[0, 1], features[5, 0], *features[6], *features[7]]).all()


def test_rare_and_unseen_words_share_one_code() -> None:
    tables = [{"Name": "Tom"}] * 5 + [{"Name": "Mimi"}]
    columns = Columns(tables)
    assert columns.features([{"Name": "Tom"}, {"Name": "Mimi"}, {"Name": "New"}]).tolist() == [
        [0.0],
        [1.0],
        [1.0],
    ]


def test_a_column_that_training_did_not_have_is_left_out() -> None:
    assert Columns([{"a": 1}]).features([{"a": 2, "b": 3}]).tolist() == [[2.0]]
    assert Columns([{}]).features([{"b": 3}]).shape == (1, 0)


def test_cells_of_every_kind_are_read() -> None:
    cells: Cells = {"a": 1.5, "b": "4.6 of 5", "c": "95%", "d": ["x", "y"], "e": "$1,200"}
    assert Columns([cells]).features([cells]).tolist() == [[1.5, 4.6, 95.0, 2.0, 1200.0]]
    assert Columns([{"f": True}] * 5).features([{"f": True}]).tolist() == [[0.0]]


def test_the_words_of_a_part_become_lengths_and_directions() -> None:
    topics = Topics(["a red cat", "a blue dog", "red dog", ""])
    features = topics.features(["a red cat", " "])
    assert features[0, :2].tolist() == [9.0, 3.0]
    assert features.shape == (2, 4)
    assert np.isnan(features[1]).all()
    assert Topics(["same", "same"]).features(["other word"]).tolist() == [[10.0, 2.0]]
    assert Topics(["a dog!", "a dog?"]).width == 0
    assert Topics(["", ""]).features([""]).shape == (1, 2)


def test_a_missing_part_is_a_zero_vector_and_a_mark() -> None:
    arm = LateFusion("ordinal", embed=bag_of_words)
    arm.names = ["text"]
    assert arm._features([{"text": "A calm animal."}, {}]).tolist() == [
        [0, 1, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 1],
    ]


def test_held_out_rows_are_scored_without_their_group() -> None:
    from sklearn.neighbors import KNeighborsRegressor

    groups = [f"g{n // 10}" for n in range(100)]
    features = np.array([[float(n // 10)] for n in range(100)])  # a group is told by its feature
    told = Head("regression")._held_out(KNeighborsRegressor(1), features, features[:, 0], groups)
    assert (told != features[:, 0]).all()


def test_the_best_candidate_is_taken() -> None:
    from sklearn.linear_model import Ridge

    features = np.arange(50.0)[:, None]
    head = Head("regression")
    head.fit([Ridge(alpha=1e9), Ridge(alpha=1e-3)], features, list(range(50)), None)
    assert head.model.alpha == 1e-3


@pytest.mark.parametrize(
    ("task", "targets", "groups", "message"),
    [
        ("ordinal", [1] * 200, None, "every training row has the target 1"),
        ("ordinal", [0.5, 1.0] * 150, None, "compares classes"),
        ("ordinal", ["a", "b"] * 150, None, "expected numbers|: numbers"),
        ("regression", [1.0, math.nan] * 150, None, "is nan at 1"),
        ("classification", [None, 1] * 150, None, "is None at 0"),
        ("ordinal", [0, 1], None, "200 rows, 2 targets, 2 groups"),
        ("ordinal", [0, 1] * 100, ["a"] * 200, "has the group 'group a'"),
        ("ordinal", [0, 1] * 100, ["a", "b"], "200 rows, 200 targets, 2 groups"),
    ],
)
def test_targets_and_groups_that_cannot_be_learned_are_refused(
    task: str, targets: list, groups: Groups, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        fit("table-boost", task, targets, groups)


def test_unknown_names_are_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'table-boost'"):
        open_baseline("tableboost", "ordinal")
    with pytest.raises(ConfigError, match="unknown task 'ranking'"):
        open_baseline("table-boost", "ranking")


@pytest.mark.slow
@pytest.mark.parametrize("text", ["a calm dog"])
def test_the_packaged_encoder_embeds_inside_an_event_loop_too(text: str) -> None:
    import asyncio

    embed = sentence_embedding()

    async def inside() -> np.ndarray:
        return embed([text, "a", text])

    vectors = asyncio.run(inside())
    assert vectors.shape == (3, 384)
    assert (vectors[0] == vectors[2]).all()
    assert (embed([text])[0] == vectors[0]).all()
