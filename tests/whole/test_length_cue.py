"""The benchmark of length as a cue: what is drawn, that halves share no picture, its table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.length_cue import ARMS, SHORTER, Bench, Figures, Trial, cued, longer, table, trials
from tests.support.tiny_models import tiny_model
from textcentric.rows import Pair

pytestmark = pytest.mark.filterwarnings("ignore:.*bitsandbytes")


def pairs(count: int = 40) -> list[Pair]:
    """Return pairs, five a picture, of which the shorter response is chosen in three of five."""
    both = ("red", "a red dog")
    return [
        Pair(
            id=str(n),
            prompt="kind :",
            chosen=both[n % 5 > 2],
            rejected=both[n % 5 <= 2],
            descriptions={"image": "a red dog"},
            group=f"picture {n // 5}",
        )
        for n in range(count)
    ]


def test_the_shorter_response_is_chosen_as_often_as_asked() -> None:
    drawn = cued(pairs(500), seed=0, strength=0.9)
    assert sum(longer(pair) < 0 for pair in drawn) == 300
    assert sum(longer(pair) > 0 for pair in drawn) == 33
    assert {pair.id for pair in drawn} != {pair.id for pair in cued(pairs(500), 1, 0.9)}
    with pytest.raises(SystemExit, match="1200 pairs with the longer response chosen, and 200"):
        cued(pairs(500), seed=0, strength=0.2)


def test_no_picture_is_learnt_from_and_tested(tmp_path: Path) -> None:
    bench = Bench(pairs(), tmp_path)
    for half in (0, 1):
        drawn = bench.learnt(Trial("bt", half, 0))
        assert {pair.group for pair in drawn}.isdisjoint(p.group for p in bench.tested(half))
        assert drawn == bench.learnt(Trial("sfc", half, 0))
        assert len(bench.learnt(Trial("undrawn", half, 0))) == len(drawn)
    assert [*bench.tested(0), *bench.tested(1)] != pairs()
    assert {pair.id for half in (0, 1) for pair in bench.tested(half)} == {p.id for p in pairs()}
    assert len(set(trials(2))) == len(list(trials(2))) == 2 * 2 * len(ARMS)


def test_a_trial_is_made_once_and_tells_all_differences(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "bert")
    bench = Bench(pairs(), tmp_path / "out", model, epochs=1, method={"max_length": 32})
    found = bench.result(Trial("placebo", 0, 0))
    assert len(found["main"]) == len(found["proxy"]) == len(bench.tested(0))
    (kept,) = (tmp_path / "out" / "trials").iterdir()
    before = kept.stat().st_mtime_ns
    assert bench.result(Trial("placebo", 0, 0)) == found
    assert kept.stat().st_mtime_ns == before


def told(bench: Bench, arm: str, half: int, seed: int, by: np.ndarray) -> dict[str, Any]:
    differences = by[bench.half == half].tolist()
    trial = {"arm": arm, "half": half, "seed": seed}
    return {"trial": trial, "main": differences, "proxy": differences if ARMS[arm] else None}


def test_the_table_has_the_pairs_that_all_arms_tested_and_means_over_seeds(tmp_path: Path) -> None:
    bench = Bench(pairs(), tmp_path)
    shorter, right = -np.array([longer(pair) for pair in bench.pairs]), np.ones(40)
    results = [told(bench, "bt", 0, 0, shorter), told(bench, "bt", 0, 1, right)]
    results += [told(bench, arm, 0, 0, right) for arm in ("sfc", "placebo")]
    results += [told(bench, "bt", 1, 0, right)]
    figures = Figures(bench, results)
    sides = figures.sides()
    assert [int(where.sum()) for where in sides.values()] == [20, 8, 12]  # one half alone
    assert "undrawn" not in figures.right
    assert figures.of("bt")["reversed"].value == 0.5
    assert figures.of("bt")[SHORTER].value == 0.8  # always with seed 0, in 12 of 20 with seed 1
    assert figures.of("the shorter one")["reversed"].value == 0.0
    assert figures.of("sfc")[SHORTER].value == 0.6
    lines = table(figures).splitlines()
    assert "reversed, 8 pairs" in lines[0]
    assert [line.split()[0] for line in lines[-2:]] == ["sfc", "placebo"]
    assert "+0.500 [+0.500, +0.500]" in lines[-2]
