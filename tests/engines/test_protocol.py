"""Keys, sampling values, reasoning and the scripted engine: what every engine shares."""

import asyncio
import subprocess
import sys
from collections import deque
from dataclasses import replace
from typing import Any

import pytest

from textcentric.engines import ScriptedEngine, open_engine, protocol
from textcentric.engines.protocol import Message, Request, Response, Sampling
from textcentric.engines.reasoning import split_reasoning
from textcentric.errors import ConfigError, EngineError, RequestError

ASK = (Message("system", "Be brief."), Message("user", "A calm dog."))
REQUEST = Request(ASK, "m", Sampling(temperature=0.8, seed=7), "r1", "t1")


def test_equal_requests_have_equal_keys() -> None:
    assert REQUEST.key == replace(REQUEST).key
    assert len(REQUEST.key) == 32


def test_the_key_stays_the_same_from_version_to_version() -> None:
    assert REQUEST.key == "184a53c2a9c8e5ccab5ccde7bc076013"


@pytest.mark.parametrize("text", ['"a" \\ /', "\x00\x1f\t\n", "\x7f", "café “x” 😀", "", "a" * 9])
def test_the_quick_writer_of_keys_makes_what_the_other_makes(text: str) -> None:
    turns = [("system", text, ()), ("user", "A calm dog.", ()), ("assistant", text, ("d1",))]
    assert protocol._turns(turns) == protocol._canonical(turns)
    assert protocol._turns(turns[:2]) == protocol._canonical(turns[:2])


OTHER_SAMPLING: dict[str, Any] = {
    "temperature": 0.7, "top_p": 0.9, "top_k": 5, "min_p": 0.1, "max_tokens": 9,
    "repetition_penalty": 1.1, "stop": ("END",), "seed": 8,
}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"messages": ASK[1:]},
        {"messages": (ASK[0], Message("user", "A calm cat."))},
        {"messages": (ASK[0], Message("assistant", "A calm dog."))},
        {"messages": (ASK[0], Message("user", "A calm dog.", ("p.jpg",), ("d1",)))},
        {"model": "n"},
        {"model_revision": "r2"},
        {"template_digest": "t2"},
        {"schema": {"type": "object"}},
        {"sample": 1},
        *(
            {"sampling": replace(REQUEST.sampling, **{name: value})}
            for name, value in OTHER_SAMPLING.items()
        ),
    ],
    ids=str,
)  # fmt: skip
def test_whatever_decides_the_answer_changes_the_key(change: dict[str, Any]) -> None:
    assert replace(REQUEST, **change).key != REQUEST.key


def test_a_picture_counts_by_its_content_and_not_by_its_path() -> None:
    def key(path: str) -> str:
        return Request((Message("user", "What?", (path,), ("digest",)),), "m", Sampling()).key

    assert key("a/1.jpg") == key("b/2.jpg")


def test_a_picture_without_a_digest_has_no_key() -> None:
    with pytest.raises(ConfigError, match="1 pictures and 0 digests"):
        Request((Message("user", "What?", ("p.jpg",)),), "m", Sampling()).key  # noqa: B018


def test_the_order_of_a_schemas_keys_does_not_matter() -> None:
    one, other = {"type": "object", "title": "a"}, {"title": "a", "type": "object"}
    assert replace(REQUEST, schema=one).key == replace(REQUEST, schema=other).key


def test_whole_numbers_and_fractions_are_one_value() -> None:
    whole = replace(REQUEST, sampling=Sampling(temperature=1, top_p=1, seed=7))
    assert whole.key == replace(REQUEST, sampling=Sampling(temperature=1.0, seed=7)).key


def test_a_seed_means_nothing_without_temperature() -> None:
    keys = {replace(REQUEST, sampling=Sampling(temperature=0, seed=s)).key for s in (1, 2, None)}
    assert len(keys) == 1


def test_a_lone_surrogate_in_a_row_still_has_a_key() -> None:
    assert len(Request((Message("user", "\ud800"),), "m", Sampling()).key) == 32


@pytest.mark.parametrize(
    ("text", "split"),
    [
        ("A calm dog.", ("A calm dog.", "")),
        (" leading space stays", (" leading space stays", "")),
        ("<think>Hm.</think>\n\nA dog.", ("A dog.", "Hm.")),
        ("Well. <think>Hm.</think> A dog.", ("Well.  A dog.", "Hm.")),
        ("<think>One.</think>A<think>Two.</think>B", ("AB", "One.\n\nTwo.")),
        ("<think>It never ends", ("", "It never ends")),
        ("Hm.</think>A dog.", ("A dog.", "Hm.")),
        ("<think></think>A dog.", ("A dog.", "")),
        ("", ("", "")),
    ],
)
def test_reasoning_is_split_off(text: str, split: tuple[str, str]) -> None:
    assert split_reasoning(text) == split


def test_a_block_that_the_prompt_opened_may_never_end() -> None:
    assert split_reasoning("Hm, a dog", opened=True) == ("", "Hm, a dog")
    assert split_reasoning("Hm.</think>A dog.", opened=True) == ("A dog.", "Hm.")


def said(engine: ScriptedEngine, request: Request = REQUEST) -> Response:
    return asyncio.run(engine.generate(request))


def test_the_scripted_engine_says_a_string() -> None:
    response = said(ScriptedEngine("A clam dog."))
    assert (response.text, response.finish) == ("A clam dog.", "stop")
    assert (response.prompt_tokens, response.output_tokens) == (11, 3)


def test_the_scripted_engine_looks_up_the_user_turn() -> None:
    engine = ScriptedEngine({"cat": "Meow.", "dog": "Woof."})
    assert said(engine).text == "Woof."


def test_the_scripted_engine_calls_a_function_and_awaits_a_coroutine() -> None:
    async def shout(request: Request) -> str:
        return request.messages[-1].content.upper()

    assert said(ScriptedEngine(lambda request: request.model)).text == "m"
    assert said(ScriptedEngine(shout)).text == "A CALM DOG."


@pytest.mark.parametrize("error", [RequestError("no", kind="refused"), EngineError("dead")])
def test_the_scripted_engine_raises_a_scripted_error(error: Exception) -> None:
    with pytest.raises(type(error), match=str(error)):
        said(ScriptedEngine({"dog": error}))


def test_a_request_without_a_scripted_answer_says_so() -> None:
    with pytest.raises(RequestError, match=r"no scripted answer fits 'A calm dog\.'.*are cat"):
        said(ScriptedEngine({"cat": "Meow."}))


def test_the_scripted_engine_refuses_what_is_too_long() -> None:
    with pytest.raises(RequestError, match="11 tokens and the answer may take 256") as caught:
        said(ScriptedEngine(context=100))
    assert caught.value.kind == "too_long"


class LoopOfIdleTime(asyncio.SelectorEventLoop):
    """A loop whose clock goes on only when nothing is left to do, and then at once."""

    now = 0.0
    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:
            self.now = self._scheduled[0].when()
        super()._run_once()  # type: ignore[misc]


def test_the_scripted_engine_serves_so_many_at_once() -> None:
    async def run() -> float:
        await asyncio.gather(*(engine.generate(REQUEST) for _ in range(10)))
        return asyncio.get_running_loop().time()

    engine = ScriptedEngine(delay=1, concurrency=5)
    with asyncio.Runner(loop_factory=LoopOfIdleTime) as runner:
        assert runner.run(run()) == 2  # two waves of five, a second each
    assert engine.count == len(engine.requests) == 10


def test_engines_are_opened_by_name() -> None:
    engine = open_engine("scripted", answer="Woof.", model="mine")
    assert engine.fingerprint()["model"] == "mine"


def test_an_unknown_engine_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'vllm'"):
        open_engine("vlm")


def test_importing_the_engines_imports_nothing_heavy() -> None:
    heavy = "{'torch', 'transformers', 'vllm', 'httpx', 'PIL', 'numpy', 'huggingface_hub'}"
    names = "chat scripted vllm transformers openai reasoning watchdog".split()
    modules = ", ".join(f"textcentric.engines.{name}" for name in names)
    modules += ", textcentric.models.packaged, textcentric.models.names"
    code = f"import sys, {modules}; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
