"""Replies of every shape: read value by value, and never more than an error of their own."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.fake_server import completion, models_reply
from tests.support.odd_json import ANYTHING, mutated
from textcentric.engines.protocol import Response
from textcentric.engines.replies import (
    KEPT_BACK,
    count_of,
    read_answers,
    read_models,
    read_usage,
    tail_logprob,
)
from textcentric.engines.server_faults import asked_pause, of_status, one_line, sentence

MANY = settings(
    max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)


def body_of(reply: bytes) -> Any:
    return json.loads(reply.partition(b"\r\n\r\n")[2])


GOOD = body_of(completion("Fine.", "Good.", logprobs=[-0.5, -1.5], reasoning="Hm."))
READ = {"tokens": [5, 6, 7]}
PROMPTED = body_of(completion(prompt_logprobs=[(6, -9.0), (8, -1.0)]))


@pytest.mark.parametrize(
    ("said", "count"),
    [(0, 0), (7, 7), (7.0, 7), ("7", None), ([7], None), ({}, None), (None, None), (True, None),
     (-1, None), (1.5, None), (math.nan, None), (math.inf, None), (10**400, None), (1e300, None)],
)  # fmt: skip
def test_a_count_is_a_whole_number_from_0_up(said: Any, count: int | None) -> None:
    assert count_of(said) == count


@pytest.mark.parametrize("odd", ["5", [1], {}, math.nan, math.inf, -100, True])
def test_an_odd_count_is_0_and_noted_beside_a_good_answer(odd: Any) -> None:
    reply = body_of(completion("Fine."))
    reply["usage"] = {"prompt_tokens": odd, "completion_tokens": 3}
    (answer,) = read_answers(reply, "")
    assert (answer.text, answer.prompt_tokens, answer.output_tokens) == ("Fine.", 0, 3)
    assert read_usage(reply).odd
    assert not read_usage(GOOD).odd


def test_usage_that_is_absent_is_not_odd() -> None:
    reply = {"choices": GOOD["choices"], "usage": None}
    assert [answer.output_tokens for answer in read_answers(reply, "")] == [0, 0]
    assert not read_usage(reply).odd


def test_a_content_in_parts_is_one_text() -> None:
    message: Any = {
        "content": [{"type": "text", "text": "A "}, "calm", {"type": "image"}, {"text": 3}]
    }
    (answer,) = read_answers({"choices": [{"message": message}]}, "")
    assert answer.text == "A calm"


def test_reasoning_that_a_server_keeps_back_is_known_by_its_tokens() -> None:
    reply = body_of(completion(None))
    reply["usage"]["completion_tokens_details"] = {"reasoning_tokens": 3}
    assert read_answers(reply, "")[0].reasoning == KEPT_BACK


@pytest.mark.parametrize(
    "reply",
    [None, [], 3, "x", {}, {"choices": None}, {"choices": []}, {"choices": {"0": {}}},
     {"choices": [3]}, {"choices": [{"message": None}]}, {"choices": [{"message": "x"}]},
     {"choices": [{"message": {"content": 3}}]}, {"choices": [{"message": {"content": {}}}]},
     {"error": {"message": "with status 200"}}],
)  # fmt: skip
def test_what_is_no_completion_is_called_so(reply: Any) -> None:
    with pytest.raises(ValueError, match="not a"):
        read_answers(reply, "")


def test_log_probabilities_that_can_be_none_are_left_out() -> None:
    reply = body_of(completion("Fine.", logprobs=[-1.0]))
    odd: list[Any] = ["x", None, True, math.nan, math.inf, 10**400, 4.0, []]
    reply["choices"][0]["logprobs"]["content"] += [{"logprob": one} for one in odd]
    assert read_answers(reply, "")[0].logprob == -1.0


@pytest.mark.parametrize(
    ("reply", "names"),
    [
        ({"data": [{"id": "a"}, {"id": 3}, {"id": ["b"]}, "c", None, {"id": "x" * 600}]}, ["a"]),
        ([{"id": "a"}], ["a"]),
        ({"models": [{"name": "a"}]}, ["a"]),
        ({"data": []}, []),
    ],
)
def test_models_are_read_in_the_forms_that_servers_use(reply: Any, names: list[str]) -> None:
    assert [model.name for model in read_models(reply)] == names


@pytest.mark.parametrize("said", ["4096", -1, 0, 1.5, [4096], None, True, math.nan])
def test_an_odd_length_of_a_model_is_unknown(said: Any) -> None:
    (model,) = read_models({"data": [{"id": "m", "owned_by": 3, "max_model_len": said}]})
    assert (model.owner, model.context) == ("", None)


def is_sound(answer: Response) -> bool:
    counts = (answer.prompt_tokens, answer.cached_tokens, answer.output_tokens)
    return (
        isinstance(answer.text, str)
        and isinstance(answer.reasoning, str)
        and answer.finish in ("stop", "length")
        and all(type(count) is int and count >= 0 for count in counts)
        and (answer.logprob is None or -1000 < answer.logprob <= 0)
    )


@pytest.mark.slow
@MANY
@given(mutated(GOOD))
def test_a_mutated_reply_is_read_or_refused(reply: Any) -> None:
    try:
        answers = read_answers(reply, "Fi")
    except ValueError:
        return
    assert answers
    assert all(map(is_sound, answers))


@pytest.mark.slow
@MANY
@given(st.one_of(ANYTHING, mutated(body_of(models_reply("me")))))
def test_any_list_of_models_is_read_or_refused(reply: Any) -> None:
    try:
        models = read_models(reply)
    except ValueError:
        return
    assert all(type(m.name) is str and type(m.owner) is str for m in models)
    assert all(m.context is None or m.context > 0 for m in models)


@pytest.mark.slow
@MANY
@given(mutated(READ), mutated(PROMPTED))
def test_a_mutated_reading_is_a_mean_or_refused(tokens: Any, reply: Any) -> None:
    try:
        mean = tail_logprob(tokens, reply)
    except ValueError:
        return
    assert mean is None or mean <= 0


@pytest.mark.slow
@MANY
@given(st.one_of(st.text(), st.floats().map(str), st.dates().map(str), st.integers().map(str)))
def test_any_retry_after_is_a_pause(asked: str) -> None:
    assert 0 <= asked_pause(asked) < math.inf


@pytest.mark.parametrize(
    "asked",
    ["²", "9" * 400, "-5", "1e999", "nan", "Wed, 99 Foo 2099", "Wed, 21 Oct 9999 07:28:00 +9999",
     "Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:00 -0000", "\x00"],
)  # fmt: skip
def test_an_odd_retry_after_asks_for_nothing_or_a_finite_pause(asked: str) -> None:
    assert 0 <= asked_pause(asked) < math.inf


@pytest.mark.slow
@MANY
@given(
    st.one_of(st.binary(), ANYTHING.map(lambda v: json.dumps(v).encode())), st.integers(400, 599)
)
def test_any_error_is_one_short_visible_line(body: bytes, status: int) -> None:
    said = str(of_status(status, body, "soon", "\x1b"))
    assert said.startswith(f"HTTP {status}")
    assert len(said) <= 300
    assert "\n" not in said
    assert "\x1b" not in said


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"message": "no seed"}}, "no seed"),
        ({"error": "no seed"}, "no seed"),
        ({"message": "no seed", "code": 3}, "no seed"),
        ({"detail": "no seed"}, "no seed"),
        ({"detail": [{"loc": ["body", "seed"], "msg": "no", "input": 7}]}, "seed: no"),
        ({"detail": [{"msg": "no"}, {"msg": "nor that"}]}, "no; nor that"),
        ([{"error": {"message": "no seed"}}], "no seed"),
        ({"a": 1}, '{"a": 1}'),
        ("no seed", "no seed"),
    ],
)
def test_the_servers_own_sentence_is_found(body: Any, said: str) -> None:
    assert sentence(json.dumps(body).encode()) == said


def test_a_page_instead_of_a_sentence_is_cut() -> None:
    assert sentence(b"<html>\r\n <b>Bad\x1b gateway</b>") == "<html> <b>Bad[U+001B] gateway</b>"
    assert len(sentence(b"a" * 60_000)) == 300


def test_a_secret_is_taken_out_before_a_sentence_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789abcdef")
    assert "sk-01" not in one_line("x" * 290 + "sk-0123456789abcdef")
