"""Real vLLM on the CPU with the packaged model: the promises that a run rests on."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from textcentric.engines.candidates import candidates
from textcentric.engines.protocol import Message, Request, Sampling
from textcentric.engines.vllm import VllmEngine, _sampling
from textcentric.errors import ConfigError, EngineError, RequestError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
    # Looked up, not imported: whoever leaves the slow tests out would wait for it.
    pytest.mark.skipif(find_spec("vllm") is None, reason="vLLM is absent"),
]

WORDS = "calm young friendly dog cat loves children gentle black white garden house runs".split()
ORDERS = ("Rewrite it with spelling mistakes.", "Say it in other words.", "Cut it in half.")
SIZES = (2, 5, 9, 14, 20, 28, 35, 45)  # sentences; the longest rows fill several cache blocks


def questions(model: str) -> list[Request]:
    """Return 48 requests of mixed lengths; three share each row, as the real flow does."""
    requests = []
    for number in range(16):
        rng = random.Random(number)
        sentences = (" ".join(rng.choices(WORDS, k=9)) for _ in range(SIZES[number % 8]))
        row = ". ".join(sentences)
        for position, order in enumerate(ORDERS):
            turns = (Message("system", "You rewrite."), Message("user", f"{row}.\n\n{order}"))
            seed = 100 * number + position
            values = Sampling(0.8, 0.95, repetition_penalty=1.05, max_tokens=24, seed=seed)
            requests.append(Request(turns, model, values))
    return requests


async def texts(
    engine: VllmEngine, requests: list[Request], order: list[int], at_once: int
) -> list[str]:
    """Return the answers in the order of `requests`, asked in `order`."""
    slots, answers = asyncio.Semaphore(at_once), {}

    async def ask(index: int) -> None:
        async with slots:
            answers[index] = (await engine.generate(requests[index])).text

    await asyncio.gather(*map(ask, order))
    return [answers[index] for index in range(len(requests))]


class Running:
    """An engine and the event loop that it lives in."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.engine = VllmEngine()
        self.run(self.engine.start())
        self.first = self.run(self.all(range(48), 48))

    def run(self, work: Awaitable[Any]) -> Any:
        async def wrapped() -> Any:
            return await work

        return self.runner.run(wrapped())

    async def all(self, order: Any, at_once: int) -> list[str]:
        requests = questions(self.engine.fingerprint()["model"])
        return await texts(self.engine, requests, list(order), at_once)

    def ask(self, *turns: Message, **values: Any) -> Any:
        schema = values.pop("schema", None)
        sampling = Sampling(**{"temperature": 0.7, "seed": 1, "max_tokens": 30, **values})
        request = Request(turns, self.engine.model.name, sampling, schema=schema)
        return self.run(self.engine.generate(request))


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    running = Running()
    yield running
    running.run(running.engine.close())
    running.runner.close()


def core_pid(of: int) -> int:
    import psutil

    children = psutil.Process(of).children(recursive=True)
    pid: int = next(child.pid for child in children if "EngineCor" in child.name())
    return pid


def test_the_reverse_order_gives_the_same_texts(running: Running) -> None:
    assert running.run(running.all(reversed(range(48)), 48)) == running.first


def test_five_at_a_time_give_the_same_texts(running: Running) -> None:
    assert running.run(running.all(range(48), 5)) == running.first


def test_a_cold_prefix_cache_and_any_order_give_the_same_texts(running: Running) -> None:
    order = random.Random(3).sample(range(48), 48)
    running.run(running.engine._core.reset_prefix_cache())
    assert running.run(running.all(order, 48)) == running.first


def test_asking_for_log_probabilities_changes_no_text(running: Running) -> None:
    engine = running.engine

    async def without(request: Request) -> tuple[str, float | None]:
        parameters = _sampling(request.sampling, None, 1)
        parameters.logprobs = None
        prompt = await engine._prompt(request)
        output = (await engine._final(prompt, parameters)).outputs[0]
        return output.text, output.cumulative_logprob

    async def all_without() -> list[tuple[str, float | None]]:
        asked = questions(engine.model.name)[:16]
        return await asyncio.gather(*map(without, asked))

    assert running.run(all_without()) == [(text, None) for text in running.first[:16]]


def test_what_was_written_is_as_likely_as_it_was_when_written(running: Running) -> None:
    asked = questions(running.engine.model.name)[1]
    answer = running.run(running.engine.generate(asked))
    read = running.run(running.engine.likelihood(asked, answer.text))
    assert answer.finish == "length"
    assert read == pytest.approx(answer.logprob, abs=0.05)  # bf16, in batches of other sizes
    assert running.run(running.engine.likelihood(asked, " spoon nine of hat")) < read - 2


def test_candidates_are_the_answers_to_requests_of_their_own(running: Running) -> None:
    asked = questions(running.engine.model.name)[1]
    together = running.run(running.engine.several(asked, 4))
    alone = [running.run(running.engine.generate(one)) for one in candidates(asked, 4)]
    assert [(one.text, one.logprob) for one in together] == [
        (one.text, pytest.approx(one.logprob, abs=0.05)) for one in alone
    ]
    assert [one.prompt_tokens for one in together] == [alone[0].prompt_tokens, 0, 0, 0]
    assert len({one.text for one in together}) == 4


def test_the_texts_differ_between_seeds(running: Running) -> None:
    assert len(set(running.first)) == 48


RESTARTED = """
import asyncio, json, sys, time
sys.path.insert(0, sys.argv[1])
from tests.engines.test_vllm import VllmEngine, questions, texts

async def main():
    engine = VllmEngine()
    asked = questions(engine.fingerprint()["model"])[::-1]
    said = await texts(engine, asked, list(range(len(asked))), 16)
    print(json.dumps(said[::-1]), flush=True)
    await asyncio.sleep(600)

if __name__ == "__main__":
    asyncio.run(main())
"""


def test_another_process_gives_the_same_texts_and_killing_it_leaves_nothing_behind(
    running: Running, tmp_path: Path
) -> None:
    import psutil

    script = tmp_path / "restarted.py"
    script.write_text(RESTARTED)
    command = [sys.executable, str(script), str(Path(__file__).parents[1])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        line = next(line for line in other.stdout if line.startswith("["))
        core = core_pid(other.pid)
        other.kill()
    assert json.loads(line) == running.first
    deadline = time.monotonic() + 15
    while psutil.pid_exists(core) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not psutil.pid_exists(core)


def test_the_count_of_tokens_is_exact(running: Running) -> None:
    turns = (Message("system", "Be brief."), Message("user", "Ein Hund, собака, 狗 \U0001f415"))
    assert running.ask(*turns).prompt_tokens == running.engine.count_tokens(turns)


def test_an_open_last_turn_is_gone_on_from(running: Running) -> None:
    count = Message("user", "Count from one to ten in digits.")
    response = running.ask(count, Message("assistant", "1, 2, 3, 4,"), temperature=0)
    assert response.text.lstrip().startswith("5, 6, 7")


def test_a_shared_row_is_read_once(running: Running) -> None:
    row = "A gentle dog. " * 100
    running.ask(Message("user", row + "\n\nSay it differently."), max_tokens=2)
    again = running.ask(Message("user", row + "\n\nCut it in half."), max_tokens=2)
    assert again.cached_tokens >= 256


def test_a_prompt_that_is_too_long_fails_alone_and_says_its_length(running: Running) -> None:
    turn = Message("user", "dog " * 9000)
    length = running.engine.count_tokens((turn,))
    with pytest.raises(
        RequestError, match=rf"the prompt has {length} tokens.*takes 4096"
    ) as caught:
        running.ask(turn)
    assert caught.value.kind == "too_long"
    assert running.ask(Message("user", "Hello.")).output_tokens > 0


def test_a_schema_is_kept_to(running: Running) -> None:
    kind = {"enum": ["dog", "cat"]}
    schema = {
        "type": "object",
        "properties": {"kind": kind, "why": {"type": "string", "maxLength": 40}},
        "required": ["kind", "why"],
        "additionalProperties": False,
    }
    turn = Message("user", "Is a puppy a dog or a cat? Answer in JSON.")
    answer = json.loads(running.ask(turn, schema=schema, max_tokens=60).text)
    assert set(answer) == {"kind", "why"}
    assert answer["kind"] in ("dog", "cat")


def test_a_cancelled_request_leaves_the_engine(running: Running) -> None:
    engine = running.engine

    async def cancel() -> int:
        long = Sampling(temperature=1, seed=1, max_tokens=4000)
        request = Request((Message("user", "Tell a long story."),), "m", long)
        task = asyncio.create_task(engine.generate(request))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait([task])
        unfinished: int = engine._core.get_num_unfinished_requests()
        return unfinished

    assert running.run(cancel()) == 0


def test_ctrl_c_does_not_reach_vllms_core(running: Running) -> None:
    os.kill(core_pid(os.getpid()), signal.SIGINT)
    time.sleep(1)
    assert running.ask(Message("user", "Hello.")).output_tokens > 0


def test_an_unknown_setting_names_the_nearest() -> None:
    async def run() -> None:
        async with VllmEngine(max_num_seq=4) as engine:
            await engine.start()

    with pytest.raises(ConfigError, match="did you mean 'max_num_seqs'"):
        asyncio.run(run())


def test_a_killed_core_stops_the_run_at_once(running: Running) -> None:
    async def kill() -> list[Any]:
        long = Sampling(temperature=1, seed=1, max_tokens=4000)
        request = Request((Message("user", "Tell a long story."),), "m", long)
        tasks = [asyncio.create_task(running.engine.generate(request)) for _ in range(3)]
        await asyncio.sleep(2)
        os.kill(core_pid(os.getpid()), signal.SIGKILL)
        return await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 20)

    assert {type(error) for error in running.run(kill())} == {EngineError}
    with pytest.raises(EngineError, match="can be resumed"):
        running.ask(Message("user", "Hello."))


FORGOTTEN = """
import asyncio, sys
import textcentric as tc

if __name__ == "__main__":
    engine = tc.open_engine("vllm", enforce_eager=True)
    if sys.argv[1] == "run":
        rows = [{"id": "a", "words": "A calm dog lives behind the red house."}]
        prompts = {"prompts": "summarize/brief", "summarize": False, "embeddings": False}
        tc.augment(rows, schema={"text": "words"}, engine=engine, output_dir="run", **prompts)
    else:
        turns = (tc.Message("user", "Name a dog."),)
        asyncio.run(engine.generate(tc.Request(turns, "", tc.Sampling(max_tokens=4, seed=1))))
    print("done", flush=True)
"""


@pytest.mark.parametrize("way", ["run", "request"])
def test_a_forgotten_engine_ends_quietly(tmp_path: Path, way: str) -> None:
    script = tmp_path / "forgotten.py"
    script.write_text(FORGOTTEN)
    command = [sys.executable, str(script), way]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout) == (0, "done\n")
    assert "Traceback" not in done.stderr
    assert "Error" not in done.stderr
