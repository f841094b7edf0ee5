"""Back-reading: who is asked, what comes into the verdict, what it counts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from textcentric.augmentation.answers import Answers, SpentError
from textcentric.augmentation.likelihoods import Asked, BackReader
from textcentric.checks.back_reading import Turns
from textcentric.checks.edit import Edit
from textcentric.checks.verdict import Verdict
from textcentric.engines.protocol import Request
from textcentric.engines.scripted import Likelihood, ScriptedEngine
from textcentric.errors import RequestError
from textcentric.runs.counters import Metrics
from textcentric.runs.journal import Journal

SCORES = {"sure": 0.99, "refused": 0.0, "doubtful": 0.5, "unjudged": None}
EDITS = [Edit("He naps.", variant) for variant in SCORES]


def turns(edit: Edit) -> Turns:
    return [("user", f"Variant: {edit.variant}"), ("assistant", "Source:")], f" {edit.source}"


def judge(edits: Sequence[Edit]) -> list[Verdict]:
    """Take the score of the variant's name, or by the back-reading where there is one."""
    scores = [SCORES[e.variant] if e.back is None else float(e.back > -2) for e in edits]
    return [Verdict(None if score is None else score > 0.7, score) for score in scores]


def reader(journal: Journal, likelihood: Likelihood) -> tuple[BackReader, ScriptedEngine]:
    engine = ScriptedEngine(likelihood=likelihood)
    answers = Answers(engine, journal, Metrics())
    return BackReader(answers, engine.fingerprint(), turns), engine


@pytest.mark.parametrize(
    ("asked", "variants"),
    [("auto", ["doubtful"]), ("all", ["sure", "refused", "doubtful"]), ("off", [])],
)
async def test_who_is_in_doubt_is_read_back(
    journal: Journal, asked: Asked, variants: list[str]
) -> None:
    reading, engine = reader(journal, -1.0)
    verdicts = await reading.judged(EDITS, judge, asked)
    read = [request.messages[0].content.removeprefix("Variant: ") for request, _ in engine.read]
    assert read == variants
    assert {text for _, text in engine.read} <= {" He naps."}
    expected = [1.0 if variant in variants else score for variant, score in SCORES.items()]
    assert [verdict.score for verdict in verdicts] == expected
    assert reading.answers.metrics.likelihoods == len(variants)


async def test_an_engine_that_cannot_say_leaves_the_verdict_as_it_was(journal: Journal) -> None:
    reading, _ = reader(journal, None)
    assert await reading.judged(EDITS, judge, "auto") == judge(EDITS)


async def test_a_piece_that_cannot_be_read_leaves_its_own_verdict_as_it_was(
    journal: Journal,
) -> None:
    def likelihood(request: Request, text: str) -> float:
        if "refused" in request.messages[0].content:
            raise RequestError("too long", kind="too_long")
        return -1.0

    reading, _ = reader(journal, likelihood)
    verdicts = await reading.judged(EDITS, judge, "all")
    assert [verdict.score for verdict in verdicts] == [1.0, 0.0, 1.0, None]


async def test_nothing_is_read_back_once_the_budget_is_spent(journal: Journal) -> None:
    engine = ScriptedEngine(likelihood=-1.0)
    answers = Answers(engine, journal, Metrics(), lambda: "nothing is left")
    with pytest.raises(SpentError):
        await BackReader(answers, engine.fingerprint(), turns).judged(EDITS, judge, "auto")


async def test_what_was_read_back_is_not_asked_for_again(journal: Journal) -> None:
    first, _ = reader(journal, -1.0)
    await first.judged(EDITS, judge, "auto")
    again, engine = reader(journal, -9.0)
    verdicts = await again.judged(EDITS, judge, "auto")
    assert (verdicts[2].score, engine.read) == (1.0, [])
