"""Best-of-N against every draw, RewardBench 2's scores by hand, and how candidates are read."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest

from textcentric.data.pairs.candidates import Candidates, read_candidates
from textcentric.errors import DataError
from textcentric.evaluation.rewards.best_of import (
    best_of,
    best_of_table,
    reward_bench_2,
    ties_score,
)


def by_every_draw(scores: np.ndarray, truths: list[float], n: int) -> float:
    """Return the mean truth of the best-scored of n, by looking at every draw; ties are shared."""
    found = []
    for draw in combinations(range(len(scores)), n):
        top = max(scores[at] for at in draw)
        found.append(fmean(truths[at] for at in draw if scores[at] == top))
    return fmean(found)


@pytest.mark.parametrize("n", range(1, 8))
def test_it_is_the_mean_over_every_draw(n: int) -> None:
    rng = np.random.default_rng(n)
    scores, truths = rng.normal(size=7), rng.uniform(size=7).tolist()
    assert best_of(scores, truths, n) == pytest.approx(by_every_draw(scores, truths, n))


@pytest.mark.parametrize("n", range(1, 6))
def test_of_equal_scores_each_is_as_likely(n: int) -> None:
    scores, truths = np.array([2.0, 1.0, 1.0, 1.0, 0.0]), [0.0, 1.0, 0.0, 1.0, 1.0]
    assert best_of(scores, truths, n) == pytest.approx(by_every_draw(scores, truths, n))


class Longest:
    """A stand-in for a model: the longer response is the better one."""

    def fault(self, item: Any) -> str:
        return "too long" if len(item.response) > 50 else ""

    def score(self, items: Any, batch_size: int) -> np.ndarray:
        return np.array([len(item.response) for item in items], float)


def prompts() -> list[Candidates]:
    return [
        Candidates("1", "?", ("a", "bb", "ccc"), (0, 0, 1), subset="Math"),
        Candidates("2", "?", ("aaa", "b", "c", "d"), (1, 0, 0, 0), subset="Math"),
        Candidates("3", "?", ("aa", "bb", "c"), (1, 0, 0), {"image": "a c"}, subset="Focus"),
        Candidates("4", "?", ("a" * 60, "b"), (1, 0)),
    ]


def test_models_stand_beside_baselines_and_the_best_possible() -> None:
    told = best_of_table({"m": Longest()}, prompts(), sizes=(1, 2, 8))  # type: ignore[dict-item]
    assert (told["prompts"], told["left_out"]) == (3, 1)
    assert told["sizes"] == [1, 2, 3]
    assert told["of"].keys() == {"m", "length", "shortest", "overlap", "best possible"}
    assert told["of"]["m"]["3"]["value"] == pytest.approx((1 + 3 / 4 + 1 / 2) / 3)
    assert told["of"]["best possible"]["3"]["value"] == pytest.approx((1 + 3 / 4 + 1) / 3)
    assert told["note"].startswith("an interval over 3 prompts is too narrow")
    low, high = told["of"]["m"]["1"]["interval"]
    assert low <= told["of"]["m"]["1"]["value"] <= high
    assert told["reward_bench_2"]["m"] == pytest.approx({"Math": 1, "Focus": 0.5, "mean": 0.75})


def test_of_many_prompts_without_descriptions_nothing_is_noted_and_no_overlap_told() -> None:
    asked = [Candidates(str(n), "?", ("a", "bb"), (0, 1)) for n in range(30)]
    told = best_of_table({"m": Longest()}, asked)  # type: ignore[dict-item]
    assert told["note"] == ""
    assert told["of"].keys() == {"m", "length", "shortest", "best possible"}
    assert told["of"]["shortest"]["2"]["value"] == 0


def test_without_subsets_there_is_no_score_of_them() -> None:
    one = Candidates("1", "?", ("a", "b"), (1, 0))
    assert reward_bench_2([np.array([1.0, 0.0])], [one]) == {}


def test_ties_are_scored_by_their_formula() -> None:
    asked = [
        Candidates("ref:0", "?", ("r", "w"), (1, 0), subset="Ties"),
        Candidates("tied:0", "?", ("r", "s", "w"), (1, 1, 0), subset="Ties"),
    ]
    scores = [np.array([3.0, 1.0]), np.array([2.0, 1.5, 0.0])]
    # gaps 2 and 1.5, spread 0.5: both right, tied gap and least gap above the spread
    margin = np.tanh(1.5 / 0.5 - 1)
    assert ties_score(scores, asked) == pytest.approx(0.3 + 0.3 + 0.2 + 0.2 + 0.01 * margin)
    scores = [np.array([3.0, 1.0]), np.array([2.0, -1.0, 0.0])]  # one right answer below the wrong
    assert ties_score(scores, asked) == pytest.approx(0.3 + 0.01 * np.tanh(-1 / 3 - 1))
    assert ties_score(scores[:1], asked[:1]) == pytest.approx(0.3)
    assert reward_bench_2(scores, asked)["Ties"] == ties_score(scores, asked)


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_both_layouts_are_read(tmp_path: Path) -> None:
    ours = {"id": "a", "prompt": "?", "responses": ["x", "y"], "correct": [True, False]}
    found, left_out = read_candidates(write(tmp_path / "a.jsonl", ours))
    assert found == [Candidates("a", "?", ("x", "y"), (1.0, 0.0))]
    bench = {"id": "7", "prompt": "?", "chosen": ["x"], "rejected": ["y", "z"], "subset": "Math"}
    found, left_out = read_candidates(write(tmp_path / "b.jsonl", bench))
    assert found == [Candidates("7", "?", ("x", "y", "z"), (1.0, 0.0, 0.0), subset="Math")]
    assert not left_out.total()


def test_what_cannot_be_used_is_counted(tmp_path: Path) -> None:
    good = {"prompt": "?", "responses": ["x", "y"], "scores": [0.5, 2]}
    bad = [
        {"prompt": "?", "responses": ["x"], "scores": [1]},
        {"prompt": "?", "responses": ["x", "y"], "scores": [1]},
        {"prompt": "?", "responses": ["x", " "], "scores": [1, 0]},
        {"prompt": "?", "responses": ["x", "y"], "scores": [1, "high"]},
    ]
    found, left_out = read_candidates(write(tmp_path / "a.jsonl", good, *bad))
    assert len(found) == 1
    assert left_out.lines == {
        "there are fewer than two responses": 1,
        "there is not one value a response": 1,
        "a response is empty": 1,
        "a value is not a finite number": 1,
    }
    with pytest.raises(DataError, match="no prompt that can be used: 1 left out: there are fewer"):
        read_candidates(write(tmp_path / "b.jsonl", bad[0]))


def test_unknown_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="columns prompt, answers; expected prompt, responses and"):
        read_candidates(write(tmp_path / "a.jsonl", {"prompt": "?", "answers": ["x", "y"]}))
