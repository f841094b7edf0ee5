"""Cuts of scores: the lowest at which enough are true, by how many outputs each pair stands for."""

from __future__ import annotations

import numpy as np
import pytest

from textcentric.reading.cuts import default_cut, figures, held_out_calls, thresholds

SCORES = np.array([0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
TRUE = np.array([True, False, True, False, True, True, True])
ONES = np.ones(7)


def test_the_lowest_cut_of_a_precision_is_found() -> None:
    found = thresholds(SCORES, TRUE)
    # From 0.5: 4 of 5; from 0.6: 3 of 4; from 0.7: all three.
    assert (found["0.8"], found["0.85"], found["0.99"]) == (0.5, 0.7, 0.7)
    assert set(thresholds(SCORES, ~TRUE | True).values()) == {0.4}  # none below LOWEST
    assert set(thresholds(SCORES, np.zeros(7, bool)).values()) == {0.99}


def test_the_default_takes_the_higher_precision_where_it_finds_enough() -> None:
    assert default_cut(SCORES, TRUE) == 0.7
    many = np.concatenate([TRUE, np.ones(20, bool)])
    scores = np.concatenate([SCORES, np.full(20, 0.45)])
    assert default_cut(scores, many) == 0.45  # 24 of 25 are true from there
    assert default_cut(SCORES, np.zeros(7, bool), otherwise=0.66) == 0.66


def test_a_pair_counts_for_all_the_outputs_it_stands_for() -> None:
    share = np.array([1, 1, 1, 1, 1, 1, 100.0])
    found = figures(SCORES >= 0.6, TRUE, share)
    assert found == {"n": 7, "true": 5, "said": 4, "precision": 0.99, "recall": 0.981}
    assert thresholds(SCORES, TRUE, share)["0.97"] == 0.4
    # Of few refused pairs each stands for many: what looks precise is not.
    share = np.array([1, 1, 1, 40, 1, 1, 1.0])
    assert thresholds(SCORES, TRUE)["0.8"] == 0.5
    assert thresholds(SCORES, TRUE, share)["0.8"] == 0.7


def test_a_cut_is_tried_on_folds_that_did_not_set_it() -> None:
    folds = np.array([0, 1, 0, 1, 0, 1, 0])
    called = held_out_calls(SCORES, TRUE, ONES, folds, otherwise=0.9)
    for fold in (0, 1):
        rest = folds != fold
        cut = default_cut(SCORES[rest], TRUE[rest], otherwise=0.9)
        assert (called[~rest] == (SCORES[~rest] >= cut)).all()


def test_nothing_called_true_is_of_no_precision() -> None:
    assert figures(np.zeros(7, bool), TRUE)["precision"] == 0.0
    assert figures(np.zeros(7, bool), TRUE)["recall"] == pytest.approx(0.0)
