"""Targets in, predictions out: classes, quantile cuts, probabilities, transforms, bad targets."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from textcentric.errors import ConfigError, DataError
from textcentric.methods.downstream.config import DownstreamConfig
from textcentric.methods.downstream.decision import Decision, learn_decision, scaled
from textcentric.rows import Example, Record


def rows(*targets: Any) -> list[Example]:
    return [Example(f"r{at}", {"text": "a"}, target) for at, target in enumerate(targets)]


def learn(*targets: Any, **config: Any) -> Decision:
    return learn_decision(DownstreamConfig.of(config), rows(*targets))


def test_the_task_follows_from_the_targets() -> None:
    assert learn("slow", "fast").task == "classification"
    assert learn(0.0, 1.0, 4.0).task == "ordinal"
    assert learn(0.5, 1.0).task == "regression"
    assert learn(*range(11)).task == "regression"


def test_a_quantity_by_the_schema_is_one_however_few_its_values() -> None:
    rooms = rows(1, 2, 3, 1)
    assert learn_decision(DownstreamConfig(), rooms, "regression").task == "regression"
    assert learn_decision(DownstreamConfig(task="ordinal"), rooms, "regression").task == "ordinal"


def test_what_the_schema_calls_classes_is_never_ranked() -> None:
    kinds = learn_decision(DownstreamConfig(), rows(0, 1, 4), "classification")
    assert (kinds.task, kinds.classes, kinds.width) == ("classification", (0, 1, 4), 3)


def test_classes_that_the_schema_calls_ordinal_are_ranks_in_its_order() -> None:
    many = learn_decision(DownstreamConfig(), rows(*range(11)), "ordinal")
    assert (many.task, many.classes) == ("ordinal", tuple(range(11)))
    order = ("low", "middle", "high")
    words = learn_decision(DownstreamConfig(), rows("high", "low", "high"), "ordinal", order)
    assert (words.task, words.classes, words.counts) == ("ordinal", order, (1, 0, 2))
    unordered = learn_decision(DownstreamConfig(), rows("high", "low"), "classification", order)
    assert (unordered.task, unordered.classes) == ("classification", ("high", "low"))


def test_whole_numbers_are_one_class_however_they_were_stored() -> None:
    decision = learn(2.0, 0, np.float64(1), 2)
    assert decision.classes == (0, 1, 2)
    assert decision.counts == (1, 1, 2)
    assert decision.encode(rows(2, 0.0)).tolist() == [2.0, 0.0]


def test_balanced_weights_have_mean_one_over_the_rows() -> None:
    weights = learn("a", "a", "a", "b", class_weights="balanced").weights
    assert weights == (4 / 6, 2.0)
    assert (3 * weights[0] + weights[1]) / 4 == 1.0


def test_the_most_probable_class_wins_without_an_order() -> None:
    told = learn("a", "b", "c").decide(np.array([[0.0, 2.0, 0.0], [3.0, 0.0, 0.0]]))
    assert told.values == ["b", "a"]
    assert told.probabilities is not None
    assert told.probabilities.sum(axis=1) == pytest.approx([1, 1])
    assert told.probabilities[0, 1] == pytest.approx(math.e**2 / (math.e**2 + 2))
    assert told.scores is None


def test_quantile_cuts_give_the_class_shares_of_the_training_rows() -> None:
    decision = learn(0, 0, 1, 2)
    scores = np.array([[0.1], [0.4], [0.2], [0.3]])
    told = decision.calibrated(scores, rows(0, 2, 0, 1)).decide(scores)
    assert told.values == [0, 2, 0, 1]
    assert told.scores is not None
    assert told.scores.tolist() == [0.1, 0.4, 0.2, 0.3]


def test_a_class_that_no_training_row_has_is_never_predicted() -> None:
    decision = learn(0, 0, 3, 3, task="ordinal", classes=[0, 1, 2, 3])
    assert decision.counts == (2, 0, 0, 2)
    told = decision.calibrated(np.array([[1.0], [2.0]]), rows(0, 3)).decide(
        np.array([[0.0], [9.0]])
    )
    assert told.values == [0, 3]


def test_rows_of_classes_that_no_training_row_has_are_named() -> None:
    decision = learn(0, 1, 1, task="ordinal", classes=[0, 1, 2])
    assert decision.unseen(rows(0, 2.0, 7, 1, 2)) == {2: ["r1", "r4"], 7: ["r2"]}
    assert learn(0.5, 1.0).unseen(rows(3)) == {}


def test_rows_of_unknown_classes_place_cuts_but_say_nothing_of_the_error() -> None:
    decision, scores = learn(0, 1), np.array([[-1.0], [1.0], [5.0]])
    alone = decision.calibrated(scores[:2], rows(1, 0))
    both = decision.calibrated(scores, rows(1, 0, 9))
    assert both.noise == alone.noise == 2.0
    assert both.cuts != alone.cuts
    assert decision.calibrated(scores, rows(7, 8, 9)).noise == decision.noise


def test_probabilities_of_a_rank_are_logistic_about_it() -> None:
    decision = learn(0, 1, 2)
    assert (decision.mean, decision.spread) == (1.0, pytest.approx(math.sqrt(2 / 3)))
    scores = np.array([[-1.3], [0.0], [1.3]])
    told = decision.calibrated(scores, rows(0, 1, 2)).decide(scores)
    assert told.probabilities is not None
    assert told.probabilities.sum(axis=1) == pytest.approx([1, 1, 1])
    assert told.probabilities[1, 0] == pytest.approx(told.probabilities[1, 2])
    assert told.probabilities.argmax(axis=1).tolist() == [0, 1, 2]


def test_cumulative_outputs_give_class_probabilities_and_a_latent_score() -> None:
    decision = learn(0, 1, 2, ordinal="cumulative")
    outputs = np.array([[0.0, math.log(3)], [-2.0, -1.0]])
    told = decision.calibrated(outputs, rows(0, 2)).decide(outputs)
    assert told.probabilities is not None
    assert told.probabilities[0] == pytest.approx([0.5, 0.25, 0.25])
    assert told.scores is not None
    assert told.scores == pytest.approx([-math.log(3) / 2, 1.5])


def test_regression_is_standardised_and_told_in_its_own_unit() -> None:
    decision = learn(1.5, 2.5, 3.5)
    assert decision.encode(rows(2.5, 3.5)) == pytest.approx([0, math.sqrt(1.5)])
    told = decision.decide(np.array([[0.0], [math.sqrt(1.5)]]))
    assert told.values == pytest.approx([2.5, 3.5])
    assert told.probabilities is None


@pytest.mark.parametrize(("transform", "value"), [("log", math.log(10)), ("log1p", math.log(11))])
def test_a_transform_is_undone_at_prediction(transform: str, value: float) -> None:
    decision = learn(10.0, 1000.5, target_transform=transform)
    assert decision.measured(rows(10))[0] == pytest.approx(value)
    told = decision.decide(decision.encode(rows(10, 1000.5))[:, None])
    assert told.values == pytest.approx([10, 1000.5])
    assert told.scores == pytest.approx(decision.measured(rows(10, 1000.5)))
    assert math.isfinite(decision.decide(np.array([[1e9]])).values[0])  # type: ignore[arg-type]


def test_a_target_is_put_on_the_scale_it_is_learnt_on() -> None:
    row = Record("r1", {"text": "a"}, 10)
    assert scaled("none", row) == row
    assert scaled("log", row).target == math.log(10)
    assert scaled("log1p", row).target == math.log1p(10)
    blind = Record("r2", {"text": "a"})
    assert scaled("log", blind) == blind


@pytest.mark.parametrize(("transform", "target"), [("log", 0), ("log1p", -1.0), ("log", "ten")])
def test_a_target_without_that_transform_is_refused(transform: str, target: Any) -> None:
    with pytest.raises(ConfigError, match=f"'r1' has target {target!r}, which has no {transform}"):
        scaled(transform, Record("r1", {"text": "a"}, target))


def test_the_constant_is_that_of_the_training_rows() -> None:
    assert learn("b", "a", "b").constant == "b"
    assert learn(1, 0, 1, 0).constant == 0
    assert learn(1.5, 2.5, 5.0).constant == pytest.approx(3.0)
    logarithm = learn(1, 100.5, target_transform="log", task="regression")
    assert logarithm.constant == pytest.approx(math.log(100.5) / 2)


def test_a_class_that_no_training_row_has_is_not_learnt() -> None:
    assert learn(0, 2, classes=[0, 1, 2]).learnt == (0, 2)


def test_a_decision_survives_a_file() -> None:
    decision = learn("a", "b", class_weights="balanced")
    assert Decision.from_json(json.loads(json.dumps(decision.to_json()))) == decision


@pytest.mark.parametrize(
    ("targets", "config", "message"),
    [
        ((None, None), {}, "none of the 2 rows has a target"),
        ((1.0, None), {}, "row 'r1' has no target"),
        ((1.0, math.nan), {}, "row 'r1' has target nan"),
        ((3, 3), {}, "all 2 training rows have the target 3; expected two classes or more"),
        ((2.5, 2.5), {}, "a number that never changes cannot be learnt"),
        (("a", 1), {}, "partly words, partly numbers"),
        ((1.5, "a"), {"task": "regression"}, "row 'r1' has target 'a', expected a number"),
        ((1, 0), {"target_transform": "log", "task": "regression"}, r"above 0 \(transform log\)"),
        ((1, 0.5), {"task": "classification"}, "row 'r1' has target 0.5, expected a class"),
        (("low", "hihg"), {"classes": ["low", "high"]}, "did you mean 'high'"),
    ],
)
def test_bad_targets_are_told_with_their_row(
    targets: tuple[Any, ...], config: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        learn(*targets, **config)


def test_ordinal_words_need_their_order() -> None:
    with pytest.raises(ConfigError, match="ordinal classes in words need their order"):
        learn("low", "high", task="ordinal")
    assert learn("low", "high", task="ordinal", classes=["low", "high"]).kind == "rank"


def test_class_weights_need_classes() -> None:
    with pytest.raises(ConfigError, match="class_weights=balanced needs classes"):
        learn(0.5, 1.0, class_weights="balanced")


def test_a_class_unseen_in_training_is_told_with_row_and_known_classes() -> None:
    with pytest.raises(DataError, match=r"row 'r1': unknown class '7';.* Known: 0, 1"):
        learn(0, 1).encode(rows(1, 7))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"poolin": "cls"}, "unknown key of downstream 'poolin'; did you mean 'pooling'"),
        ({"pooling": "max"}, "pooling='max'"),
        ({"dropout_levels": [0.3, 1.5]}, "each in"),
        ({"dropout_levels": []}, "at least one level"),
        ({"parts": ["text", "text"]}, "each once"),
        ({"variants": -1}, "variants=-1"),
    ],
)
def test_a_wrong_configuration_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        DownstreamConfig.of(values)


def test_a_configuration_survives_a_file() -> None:
    config = DownstreamConfig(parts=("text", "table"), classes=("a", "b"))
    assert DownstreamConfig.of(json.loads(config.model_dump_json())) == config
