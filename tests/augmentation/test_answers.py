"""Asking once: from the journal, from a request under way, or anew; and answers under a schema."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from textcentric.augmentation.answers import Answers, SpentError, parse_json
from textcentric.engines.protocol import Message, Request, Response, Sampling
from textcentric.engines.scripted import ScriptedEngine
from textcentric.errors import ConfigError, EngineError, RequestError
from textcentric.runs.counters import Metrics
from textcentric.runs.journal import Journal

VERDICT = {
    "type": "object",
    "properties": {"verdict": {"enum": ["yes", "no"]}},
    "required": ["verdict"],
}


def request(text: str = "Hello", **values: Any) -> Request:
    sampling = values.pop("sampling", Sampling(seed=7))
    return Request((Message("user", text),), "m", sampling, **values)


def answers(engine: ScriptedEngine, journal: Journal) -> Answers:
    return Answers(engine, journal, Metrics(capacity=4))


async def test_an_answer_is_journalled_and_not_asked_for_again(journal: Journal) -> None:
    first = ScriptedEngine("Good day.")
    said = await answers(first, journal).ask(request())
    later = ScriptedEngine("Something else.")
    asking = answers(later, journal)
    assert (await asking.ask(request())) == said
    assert (said.text, first.count, later.count) == ("Good day.", 1, 0)
    assert (asking.metrics.sent, asking.metrics.reused) == (0, 1)


@pytest.mark.parametrize(
    "response",
    [
        Response(""),
        Response("x", "length", 9, 8, 7, 0.5, 3, "Hm.", -0.5),
        Response("0"),
        Response("x", logprob=0.0),
    ],
)
async def test_any_answer_comes_back_from_the_journal_as_it_was(
    journal: Journal, response: Response
) -> None:
    asking = answers(ScriptedEngine(lambda _: response), journal)
    assert await asking.ask(request()) == response
    assert await asking.ask(request()) == response
    assert asking.metrics.reused == 1


async def test_identical_requests_under_way_are_sent_once(journal: Journal) -> None:
    engine = ScriptedEngine("Good day.", delay=0.01)
    asking = answers(engine, journal)
    said = await asyncio.gather(*(asking.ask(request()) for _ in range(5)))
    assert {one.text for one in said} == {"Good day."}
    assert (engine.count, asking.metrics.sent, asking.metrics.reused) == (1, 1, 4)


async def test_requests_that_differ_in_the_seed_alone_are_two(journal: Journal) -> None:
    engine = ScriptedEngine("Good day.")
    asking = answers(engine, journal)
    for seed in (1, 2):
        await asking.ask(request(sampling=Sampling(seed=seed)))
    assert engine.count == 2


async def test_a_failed_request_fails_for_all_who_wait_and_is_not_kept(journal: Journal) -> None:
    engine = ScriptedEngine(RequestError("the server is busy", kind="busy"), delay=0.01)
    asking = answers(engine, journal)
    said = await asyncio.gather(*(asking.ask(request()) for _ in range(3)), return_exceptions=True)
    assert [str(one) for one in said] == ["the server is busy"] * 3
    assert (engine.count, journal.answers(), asking.metrics.in_flight) == (1, 0, 0)
    engine.answer = "Good day."
    assert (await asking.ask(request())).text == "Good day."


async def test_a_dead_engine_raises(journal: Journal) -> None:
    asking = answers(ScriptedEngine(EngineError("out of memory")), journal)
    with pytest.raises(EngineError, match="out of memory"):
        await asking.ask(request())


async def test_tokens_are_counted_once_an_answer(journal: Journal) -> None:
    response = Response("Hi", prompt_tokens=10, cached_tokens=6, output_tokens=2)
    asking = answers(ScriptedEngine(lambda _: response), journal)
    for _ in range(3):
        assert await asking.ask(request()) == response
    metrics = asking.metrics
    assert (metrics.prompt_tokens, metrics.cached_tokens, metrics.output_tokens) == (10, 6, 2)


async def test_reasoning_is_kept_apart_from_the_text(journal: Journal) -> None:
    asking = answers(ScriptedEngine("<think>A dog?</think>A calm dog."), journal)
    await asking.ask(request())
    stored = await asking.ask(request())
    assert (stored.text, stored.reasoning) == ("A calm dog.", "A dog?")


async def test_an_answer_outside_the_schema_is_asked_for_once_more(journal: Journal) -> None:
    said = iter(["no idea", '{"verdict": "no"}'])
    engine = ScriptedEngine(lambda _: next(said))
    value, asked = await answers(engine, journal).ask_json(request(schema=VERDICT))
    assert value == {"verdict": "no"}
    first, second = asked
    assert (first.sampling.seed, second.sampling.seed) == (7, 8)
    assert first.key != second.key
    assert [r.key for r in engine.requests] == [r.key for r in asked]


async def test_the_second_try_of_a_greedy_request_is_drawn_by_a_seed(journal: Journal) -> None:
    said = iter(["no idea", '{"verdict": "no"}'])
    greedy = request(schema=VERDICT, sampling=Sampling(temperature=0.0, seed=None))
    _, asked = await answers(ScriptedEngine(lambda _: next(said)), journal).ask_json(greedy)
    assert [one.sampling.temperature for one in asked] == [0.0, 0.3]
    assert [one.sampling.seed for one in asked] == [None, 1]


async def test_an_answer_outside_the_schema_twice_fails(journal: Journal) -> None:
    engine = ScriptedEngine('{"verdict": "perhaps"}')
    with pytest.raises(RequestError) as caught:
        await answers(engine, journal).ask_json(request(schema=VERDICT))
    assert str(caught.value).startswith("the answer does not fit its schema twice (verdict='perh")
    assert (caught.value.kind, caught.value.attempts, engine.count) == ("schema", 2, 2)


async def test_both_tries_are_journalled_and_not_asked_for_again(journal: Journal) -> None:
    said = iter(["no idea", '{"verdict": "no"}'])
    await answers(ScriptedEngine(lambda _: next(said)), journal).ask_json(request(schema=VERDICT))
    later = ScriptedEngine("no idea")
    value, asked = await answers(later, journal).ask_json(request(schema=VERDICT))
    assert (value, len(asked), later.count) == ({"verdict": "no"}, 2, 0)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"verdict": "yes"}', ""),
        ('Sure! {"verdict": "yes", "more": {"a": 1}} Bye.', ""),
        ('```json\n{"verdict": "no"}\n```', ""),
        ("yes", "no {} in it"),
        ("", "no {} in it"),
        ("[1, 2]", "no {} in it"),
        ('{"verdict": "yes"', "not JSON"),
        ("}{", "not JSON"),
        ('{"answer": "yes"}', "lacks 'verdict'"),
        ('{"verdict": "maybe"}', "verdict='maybe' is none of ['yes', 'no']"),
        ('{"verdict": ["yes"]}', "verdict=['yes'] is none of ['yes', 'no']"),
        ('{"a":' * 100_000 + "}" * 100_000, "not JSON"),
    ],
)
def test_json_is_found_in_an_answer_or_the_fault_is_told(text: str, problem: str) -> None:
    assert parse_json(text, VERDICT)[0].startswith(problem)
    assert (parse_json(text, VERDICT)[0] == "") == (problem == "")


def test_a_schema_that_is_a_choice_takes_one_of_it() -> None:
    schema = {"enum": [["a", "b"], ["b", "a"]]}
    assert parse_json(f"Order: {json.dumps(['b', 'a'])}.", schema) == ("", ["b", "a"])
    assert parse_json('["a"]', schema)[0] == "none of the allowed values"


def seeded(asked: Request) -> str:
    return f"{asked.sampling.seed}/{asked.sample}"


async def test_each_candidate_has_a_key_of_its_own_and_the_first_is_the_request(
    journal: Journal,
) -> None:
    asking = answers(ScriptedEngine(seeded), journal)
    said = await asking.several(request(), 3)
    assert [one.text for one in said] == ["7/0", "8/1", "9/2"]
    assert (await asking.ask(request())).text == "7/0"
    assert (asking.metrics.sent, asking.metrics.reused, journal.answers()) == (3, 1, 3)


async def test_more_candidates_ask_only_for_those_that_are_missing(journal: Journal) -> None:
    await answers(ScriptedEngine("old"), journal).several(request(), 2)
    await answers(ScriptedEngine("old"), journal).ask(request(sampling=Sampling(seed=10), sample=3))
    engine = ScriptedEngine(seeded)
    said = await answers(engine, journal).several(request(), 5)
    assert [one.text for one in said] == ["old", "old", "9/2", "old", "11/4"]
    assert engine.count == 2


async def test_one_candidate_is_asked_for_as_ever(journal: Journal) -> None:
    engine = ScriptedEngine("Good day.")
    greedy = request(sampling=Sampling(temperature=0))
    assert [one.text for one in await answers(engine, journal).several(greedy, 1)] == ["Good day."]
    with pytest.raises(ConfigError, match="2 candidates at temperature 0"):
        await answers(engine, journal).several(greedy, 2)


async def test_candidates_hold_a_place_each_and_never_wait_for_each_other(journal: Journal) -> None:
    engine = ScriptedEngine("Good day.", concurrency=3)
    asking = answers(engine, journal)
    asked = (asking.several(request(str(i)), 2 + i % 3) for i in range(9))
    alone = asyncio.ensure_future(asking.ask(request("alone")))
    assert sum([len(said) for said in await asyncio.gather(*asked)]) == 27
    assert (await alone).text == "Good day."
    assert (asking.metrics.in_flight, asking.metrics.waiting, asking.metrics.sent) == (0, 0, 28)


async def test_an_engine_without_several_answers_is_asked_one_by_one(journal: Journal) -> None:
    class Old:
        generate = ScriptedEngine(seeded).generate
        limits = ScriptedEngine().limits

    asking = Answers(Old(), journal, Metrics())  # type: ignore[arg-type]
    assert [one.text for one in await asking.several(request(), 2)] == ["7/0", "8/1"]
    assert await asking.likelihood(request(), "text") is None


async def test_a_likelihood_is_asked_for_once_and_counted_apart(journal: Journal) -> None:
    first = ScriptedEngine(likelihood=lambda asked, text: -len(text) / 10)
    asking = answers(first, journal)
    assert await asking.likelihood(request(), "abc") == -0.3
    assert (asking.metrics.sent, asking.metrics.likelihoods) == (0, 1)
    assert asking.metrics.prompt_tokens == 8  # two turns of one word
    later = ScriptedEngine(likelihood=-9.0)
    other_seed = request(sampling=Sampling(seed=1))
    assert await answers(later, journal).likelihood(other_seed, "abc") == -0.3
    assert later.read == []
    assert await answers(later, journal).likelihood(request(), "abd") == -9.0


async def test_a_likelihood_that_cannot_be_said_is_not_kept(journal: Journal) -> None:
    asking = answers(ScriptedEngine(), journal)
    assert await asking.likelihood(request(), "abc") is None
    assert (journal.answers(), asking.metrics.likelihoods, asking.metrics.prompt_tokens) == (
        0,
        0,
        0,
    )


async def test_what_is_spent_is_spent_for_likelihoods_too(journal: Journal) -> None:
    engine = ScriptedEngine(likelihood=-1.0)
    asking = Answers(engine, journal, Metrics(), lambda: "no tokens are left")
    with pytest.raises(SpentError, match="no tokens are left"):
        await asking.likelihood(request(), "abc")
    assert engine.read == []
