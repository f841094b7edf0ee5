"""When a run admits nothing more: tokens, minutes, accepted variants."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.small_run import (
    Dying,
    balance,
    model,
    run,
    texts,
    written,
)
from textcentric.augmentation.budget import Budget
from textcentric.engines.protocol import Limits, Request, Response
from textcentric.engines.scripted import ScriptedEngine
from textcentric.errors import ConfigError, StoppedError
from textcentric.runs.counters import Metrics


class Counting(ScriptedEngine):
    """Note how many tokens were answered when each request reached the engine."""

    def __init__(self, **settings: Any):
        super().__init__(model, **settings)
        self.tokens = 0
        self.tokens_before: list[int] = []

    async def generate(self, request: Request) -> Response:
        self.tokens_before.append(self.tokens)
        response = await super().generate(request)
        self.tokens += response.prompt_tokens + response.output_tokens
        return response


def test_a_budget_of_tokens_stops_and_the_same_call_goes_on(tmp_path: Path) -> None:
    def go() -> Any:
        engine = ScriptedEngine(model, delay=0.001, concurrency=2)
        return run(tmp_path / "run", 30, engine=engine, max_tokens_total=1500)

    seen = []
    for _ in range(12):
        done = go()
        totals = balance(done)
        seen.append((done.manifest["status"], totals["pending"]))
        assert totals["requested"] == 120
        if done.manifest["status"] == "finished":
            break
        assert done.manifest["stopped"] == "the budget of 1,500 tokens is spent"
    pending = [n for _, n in seen]
    assert len(seen) >= 3
    assert pending == sorted(pending, reverse=True)
    assert seen[-1] == ("finished", 0)
    assert texts(done.path) == texts(run(tmp_path / "whole", 30).path)


def test_a_limit_of_the_cost_stops_and_the_same_call_goes_on(tmp_path: Path) -> None:
    prices: Any = {"price_input": 1000.0, "price_output": 4000.0}
    engine = Counting(delay=0.001, concurrency=2)
    done = run(tmp_path / "run", 12, engine=engine, max_cost=1.5, **prices)
    assert (done.manifest["status"], done.manifest["stopped"]) == (
        "stopped",
        "it has cost 1.50, which is the limit",
    )
    tokens, cost = done.manifest["tokens"], done.manifest["cost"]
    assert cost == pytest.approx((tokens["prompt"] + 4 * tokens["output"]) / 1000)
    assert 1.5 <= cost < 2
    whole = run(tmp_path / "run", 12, engine=Counting())
    assert balance(whole)["pending"] == 0
    assert "cost" not in whole.manifest
    assert texts(whole.path) == texts(run(tmp_path / "whole", 12).path)


def test_a_limit_of_the_cost_needs_a_price(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="give price_input= and price_output="):
        run(tmp_path / "run", 12, max_cost=1.5)


def test_a_budget_of_minutes_stops_cleanly(tmp_path: Path) -> None:
    engine = ScriptedEngine(model, delay=0.05, concurrency=2)
    done = run(tmp_path / "run", 200, engine=engine, max_minutes=0.03)
    assert done.manifest["stopped"] == "the budget of 0.03 minutes is spent"
    totals = balance(done)
    assert totals["requested"] == 800
    assert 0 < totals["pending"] < 800


def test_accept_goes_on_until_so_many_variants_are_accepted(tmp_path: Path) -> None:
    engine = ScriptedEngine(model, delay=0.001, concurrency=2)
    done = run(tmp_path / "run", 60, engine=engine, accept=20)
    variants = [row for row in written(done.path) if row["prompt"] != "clean"]
    assert 20 <= len(variants) < 60
    assert done.manifest["status"] == "finished"


def test_nothing_is_sent_once_the_tokens_are_spent_though_all_rows_are_admitted(
    tmp_path: Path,
) -> None:
    engine = Counting(delay=0.001, concurrency=8)
    done = run(tmp_path / "run", 12, engine=engine, max_tokens_total=1500)
    assert max(engine.tokens_before) < 1500 <= engine.tokens
    assert done.manifest["status"] == "stopped"
    assert done.manifest["stopped"] == "the budget of 1,500 tokens is spent"
    assert balance(done)["pending"] > 0
    assert done.manifest["requests"]["sent"] == len(engine.tokens_before)
    again = Counting()
    whole = run(tmp_path / "run", 12, engine=again)
    assert balance(whole)["pending"] == 0
    assert texts(whole.path) == texts(run(tmp_path / "whole", 12).path)


def test_no_more_requests_wait_at_the_engine_than_it_asks_for(tmp_path: Path) -> None:
    most = []

    class Narrow(ScriptedEngine):
        now = 0

        async def generate(self, request: Request) -> Response:
            self.now += 1
            most.append(self.now)
            try:
                return await super().generate(request)
            finally:
                self.now -= 1

        def limits(self) -> Limits:
            return Limits(concurrency=4, ahead=2)

    run(tmp_path / "run", 12, engine=Narrow(model, delay=0.001, concurrency=4))
    assert max(most) == 6


def test_accept_admits_no_more_rows_than_it_takes(tmp_path: Path) -> None:
    def fine(request: Request) -> str:
        said = model(request)
        return said if isinstance(said, str) and len(said) > 40 else "Somebody offers an animal."

    engine = ScriptedEngine(fine, delay=0.001)
    done = run(tmp_path / "run", 24, engine=engine, accept=12)
    variants = [row for row in written(done.path) if row["prompt"] != "clean"]
    assert 12 <= len(variants) <= 14
    assert done.manifest["status"] == "finished"
    rows = len(variants) // 3 + 2
    assert engine.count <= 5 * rows


def test_what_is_under_way_is_given_up_when_the_minutes_are_over(tmp_path: Path) -> None:
    async def never(request: Request) -> str:
        await asyncio.Event().wait()
        raise AssertionError

    done = run(tmp_path / "run", 5, never, max_minutes=0.005)
    assert done.manifest["stopped"] == "the budget of 0.005 minutes is spent"
    assert (done.manifest["status"], balance(done)["pending"]) == ("stopped", 20)
    assert balance(run(tmp_path / "run", 5))["pending"] == 0


def test_accept_counts_what_an_earlier_process_accepted(tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        run(tmp_path / "run", 60, Dying(60))
    before = len([row for row in written(tmp_path / "run") if row["prompt"] != "clean"])
    assert before >= 10
    engine = ScriptedEngine(model, delay=0.001, concurrency=2)
    done = run(tmp_path / "run", 60, engine=engine, accept=before)
    variants = [row for row in written(done.path) if row["prompt"] != "clean"]
    assert len(variants) == before


@pytest.mark.parametrize(
    ("budget", "metrics", "why"),
    [
        (Budget(), Metrics(prompt_tokens=10**9, accepted=10**9), ""),
        (Budget(tokens=100), Metrics(prompt_tokens=60, output_tokens=39), ""),
        (Budget(tokens=100), Metrics(prompt_tokens=60, output_tokens=40),
         "the budget of 100 tokens is spent"),
        (Budget(accept=3), Metrics(accepted=2), ""),
        (Budget(accept=3), Metrics(accepted=4), "4 variants are accepted"),
        (Budget(rows=20), Metrics(admitted=20), "20 rows are done"),
        (Budget(minutes=60), Metrics(), ""),
    ],
)  # fmt: skip
def test_a_budget_says_when_it_is_spent(budget: Budget, metrics: Metrics, why: str) -> None:
    assert budget.spent(metrics) == why
