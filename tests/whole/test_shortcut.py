"""The shortcut benchmark at a tiny size: its trials are kept, its table and verdict are right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.scenes import CUES, Environment
from benchmarks.shortcut import Bench, Trial, full, quick, table, verdict

pytestmark = pytest.mark.filterwarnings("ignore:.*bitsandbytes")


def test_a_trial_is_made_once_and_tells_everything(tmp_path: Path) -> None:
    bench = Bench(tmp_path, pairs=32, test=20, epochs=1, width=16)
    trial = Trial("sfc", Environment("polite"))
    found = bench.result(trial)
    assert found["accuracy"].keys() == found["proxy_accuracy"].keys() == CUES.keys()
    assert set(found["by_subset"]) == {"aligned", "conflict"}
    assert found["best_of"]["1"] == pytest.approx(0.2)  # one value in five is true
    assert found["best_of"].keys() == {"1", "2", "4", "8", "16", "20"}
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    assert bench.result(trial) == found
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")} == kept
    assert trial.name in table([found]) or "cue 0.9" in table([found])
    bare = bench.result(Trial("bt", Environment("polite"), scratch=True))
    assert bare["proxy_accuracy"] == {}
    assert "from scratch" in table([bare])


def result(method: str, own: float, others: float, strength: float = 0.9) -> dict[str, Any]:
    return {
        "trial": {
            "method": method,
            "scratch": False,
            "seed": 0,
            "environment": {"cue": "polite", "strength": strength, "elsewhere": 0.5}
            | {"noise": 0.1, "error": 0.0},
        },
        "accuracy": {"polite": own, "long": others, "list": others},
    }


@pytest.mark.parametrize(
    ("sfc", "placebo", "own", "without", "holds"),
    [
        (0.70, 0.61, 0.88, 0.81, True),
        (0.67, 0.61, 0.88, 0.81, False),
        (0.70, 0.64, 0.88, 0.81, False),
        (0.70, 0.61, 0.86, 0.81, False),
        (0.70, 0.61, 0.88, 0.82, False),
        (0.70, 0.61, 0.88, 0.78, False),
    ],
)
def test_the_verdict_asks_for_the_gain_the_placebo_and_what_it_costs(
    sfc: float, placebo: float, own: float, without: float, holds: bool
) -> None:
    found = [result("bt", 0.9, 0.6), result("sfc", own, sfc), result("placebo", 0.9, placebo)]
    found += [result(m, 0.8, without if m == "sfc" else 0.8, 0.5) for m in ("bt", "sfc", "placebo")]
    assert verdict(found)[0] is holds
    assert f"{100 * (sfc - 0.6):+.1f} points (bar 8)" in verdict(found)[1]
    assert f"the own environment costs {100 * (0.9 - own):.1f} (bar 3)" in verdict(found)[1]


def test_the_long_run_holds_the_short_one_once() -> None:
    trials = full()
    assert len(set(trials)) == len(trials)
    assert set(quick()) <= set(trials)
    assert len({trial.name for trial in trials}) == len(trials)
