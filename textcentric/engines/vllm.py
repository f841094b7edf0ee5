"""vLLM in this process: the one file that knows vLLM's Python names.

Tokens go in and one final text comes out, so that lengths are exact and no time goes into
streaming. The engine's core starts with the first request: reading the fingerprint, the limits or
a prompt's length costs no start, and a finished run never starts it.

vLLM starts its core with `spawn`: a script needs `if __name__ == "__main__":` around its work.
"""

from __future__ import annotations

import ast
import asyncio
import itertools
import logging
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import fields, replace
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from textcentric.engines.candidates import check_candidates, mean_logprob
from textcentric.engines.chat import ChatTokenizer, check_length
from textcentric.engines.closing import close_first
from textcentric.engines.event_loop import in_loop, off_loop
from textcentric.engines.protocol import Limits, Message, Request, Response, Sampling, named
from textcentric.engines.watchdog import Watchdog, environment
from textcentric.errors import EngineError, RequestError, Say, check_known
from textcentric.machine import IMPORTS, steady_cpu_dtype
from textcentric.models.names import find_model
from textcentric.values import JsonSchema

# Set before vLLM is imported; what the user has set wins.
ENVIRONMENT = {
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_CPU_KVCACHE_SPACE": "2",  # GiB; plenty for a small model
    # Attention over a long text would be cut between threads, and added up in another order, by
    # how many requests there are: a seeded text would depend on its neighbours.
    "VLLM_CPU_ATTN_SPLIT_KV": "0",
}
# vLLM 0.32 compiles how it ranks log-probabilities even where all else is eager: that takes a
# compiler on the machine, and seconds of the first request.
EAGER = {"TORCH_COMPILE_DISABLE": "1"}
QUIET = {
    "VLLM_LOGGING_LEVEL": "ERROR",
    "TORCH_CPP_LOG_LEVEL": "ERROR",
    "PYTHONWARNINGS": "ignore",
}
CPU_CONCURRENCY, GPU_CONCURRENCY = 128, 256
CPU_BLOCK = 32  # tokens: a prefix is remembered in blocks, and with 128 half a row is read again
SMALL_MACHINE = 4  # cores
GIVEN_UP = ("abort", "error")  # "error": the schema could not be kept to, or vLLM failed
# Tokens. Without chunked prefill a whole prompt is one batch, and vLLM tries the longest one as it
# starts: its length costs memory and time.
CPU_CONTEXT = 4096


class VllmEngine:
    """Generate with vLLM's `AsyncLLM`; `settings` are any of its `AsyncEngineArgs`.

    Raises:
        EngineError: the model cannot be found or its folder lacks weights.
        ConfigError: a setting that vLLM does not know (when the core starts).

    >>> engine = VllmEngine("smollm2", max_num_seqs=64)
    """

    @staticmethod
    def foreign_arguments() -> frozenset[str] | None:
        """Return the names of vLLM's own arguments, read from its source without importing it.

        None where that file is not where it used to be: then vLLM itself says what it knows.
        """
        vllm = find_spec("vllm")
        source = Path(str(vllm.origin)).parent / "engine" / "arg_utils.py" if vllm else None
        if source is None or not source.is_file():
            return None
        classes = ("EngineArgs", "AsyncEngineArgs")
        names = [
            line.target.id
            for node in ast.parse(source.read_text(encoding="utf-8")).body
            if isinstance(node, ast.ClassDef) and node.name in classes
            for line in node.body
            if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
        ]
        return frozenset(names) or None

    def __init__(
        self, model: str | Path | None = None, *, verbose: bool = False, **settings: Any
    ) -> None:
        self.model = find_model(model)
        self.settings = settings
        self.verbose = verbose
        self.say: Say = lambda line: None
        self._chat = ChatTokenizer(self.model, lambda line: self.say(line))
        self._numbers = itertools.count()
        self._starting: asyncio.Task[Any] | None = None
        self._watchdog: Watchdog | None = None
        self._core: Any = None
        self._dead: EngineError | None = None
        self._limits = self._expected_limits()

    def _expected_limits(self) -> Limits:
        """Return the limits as far as they are known before vLLM has looked at the machine."""
        context, cpu = self.model.context, on_cpu()
        if cpu and context:
            context = min(context, CPU_CONTEXT)
        concurrency = CPU_CONCURRENCY if cpu else GPU_CONCURRENCY
        concurrency = self.settings.get("max_num_seqs") or concurrency
        context = self.settings.get("max_model_len") or context
        return Limits(concurrency, context, ahead=concurrency // 2)

    async def start(self) -> None:
        """Start vLLM's core (half a minute and more on a CPU); `generate` does it when needed."""
        if self._dead is not None:
            raise self._dead
        if self._starting is None:
            self._starting = asyncio.create_task(asyncio.to_thread(self._start_core))
        # Shielded: a cancelled caller must not leave a core behind that nobody can close.
        self._core = await asyncio.shield(self._starting)

    def _start_core(self) -> Any:
        set_environment(self.verbose)
        with IMPORTS:
            from vllm import AsyncEngineArgs

            engine = _core_class()
        arguments = self._arguments({f.name for f in fields(AsyncEngineArgs)})
        self._watchdog = Watchdog()
        try:
            with ExitStack() as around:
                around.enter_context(self._watchdog.marking())
                around.enter_context(_deaf_to_interrupts())
                if arguments.get("distributed_executor_backend") == "uni":
                    around.enter_context(environment(_one_process()))
                if on_cpu() and arguments.get("enforce_eager"):
                    around.enter_context(environment(EAGER))
                core = engine.from_engine_args(AsyncEngineArgs(**arguments))
        except Exception as cause:
            self._watchdog.release()
            raise EngineError(
                f"vLLM cannot start with {self.model.name!r}: {_one_line(cause)};"
                " run again with -v to see vLLM's own log",
                model=self.model.name,
            ) from cause
        close_first()
        config = core.vllm_config
        concurrency, context = (
            config.scheduler_config.max_num_seqs,
            config.model_config.max_model_len,
        )
        self._limits = Limits(concurrency, context, ahead=concurrency // 2)
        return core

    def _arguments(self, known: set[str]) -> dict[str, Any]:
        """Return vLLM's arguments: defaults that are safe here, the user's settings over them."""
        for name in self.settings:
            check_known("vLLM setting", name, known)
        arguments: dict[str, Any] = {
            "model": self.model.source,
            "tokenizer": str(self.model.folder),
            "dtype": "bfloat16",
            "seed": 0,
            "disable_log_stats": True,
            "use_tqdm_on_load": self.verbose,
            "enable_log_requests": False,
            "structured_outputs_config": {"backend": "xgrammar", "disable_any_whitespace": True},
        }
        if on_cpu():
            arguments |= self._cpu_arguments()
        return {k: v for k, v in {**arguments, **self.settings}.items() if k in known}

    def _cpu_arguments(self) -> dict[str, Any]:
        # A seeded request whose prompt is split kills the engine ("CPU Generator does not use
        # offset", vLLM 0.32), so no prompt may ever be split.
        context = self._limits.context or CPU_CONTEXT
        small = (os.cpu_count() or 1) <= SMALL_MACHINE
        return {
            "dtype": steady_cpu_dtype(),
            "distributed_executor_backend": "uni" if small else None,
            "enforce_eager": True,
            "max_model_len": context,
            "max_num_seqs": CPU_CONCURRENCY,
            "block_size": CPU_BLOCK,
            "enable_chunked_prefill": False,
            "max_num_batched_tokens": max(context, CPU_CONTEXT),
        }

    async def generate(self, request: Request) -> Response:
        """Return the answer; cancelling the call takes the request out of the engine."""
        return (await self.several(request, 1))[0]

    async def several(self, request: Request, k: int) -> list[Response]:
        """Return the answers to the candidates of `request`; vLLM gives number i seed plus i."""
        check_candidates(request, k)
        self._chat.encode(request.messages)  # a template that cannot be used says so first
        if self._core is None or self._dead is not None:
            await self.start()
        started = time.perf_counter()
        prompt = await self._prompt(request)
        output = await self._final(prompt, _sampling(request.sampling, request.schema, k))
        seconds = time.perf_counter() - started
        first, *others = [
            _answer(answer, *self._chat.split(request, answer.text), seconds)
            for answer in output.outputs
        ]
        first = replace(
            first,
            prompt_tokens=len(output.prompt_token_ids or ()),
            cached_tokens=output.num_cached_tokens or 0,
        )
        return [first, *others]

    async def likelihood(self, request: Request, text: str) -> float | None:
        """Return the mean log-probability of `text` as the answer; None beside pictures.

        vLLM reads such a prompt as a whole, past its prefix cache.
        """
        if any(m.images for m in request.messages):
            return None
        if self._core is None or self._dead is not None:
            await self.start()
        ids, begin = self._chat.continued(request.messages, text)
        check_length(len(ids), 1, self._limits.context)
        output = await self._final({"type": "token", "prompt_token_ids": ids}, _reading())
        tokens = zip(ids[begin:], output.prompt_logprobs[begin:], strict=True)
        return mean_logprob([float(found[token].logprob) for token, found in tokens])

    async def _prompt(self, request: Request) -> Any:
        """Return the prompt as vLLM takes it: token ids, and pictures beside them."""
        ids = self._chat.encode(request.messages)
        check_length(len(ids), request.sampling.max_tokens, self._limits.context)
        pictures = [path for m in request.messages for path in m.images]
        if not pictures:
            return {"type": "token", "prompt_token_ids": ids}  # as vLLM's core takes it
        images = await asyncio.to_thread(_load_pictures, pictures)
        return {"prompt_token_ids": ids, "multi_modal_data": {"image": images}}

    async def _final(self, prompt: Any, params: Any) -> Any:
        from vllm.v1.engine.exceptions import EngineDeadError

        number = f"r{next(self._numbers)}"
        try:
            async with aclosing(self._core.generate(prompt, params, number)) as outputs:
                output = [output async for output in outputs][-1]
        except EngineDeadError as cause:
            self._dead = EngineError(
                f"vLLM's core died while it served {self.model.name!r} (out of memory, or killed);"
                " the run can be resumed",
                model=self.model.name,
            )
            raise self._dead from cause
        except Exception as cause:
            reason = cause.__cause__ or cause
            raise RequestError(f"vLLM refused the request: {_one_line(reason)}") from cause
        if any(answer.finish_reason in GIVEN_UP for answer in output.outputs):
            raise RequestError("vLLM gave the request up", kind="aborted")
        return output

    def limits(self) -> Limits:
        """Return how many requests run at once and how many tokens one may have."""
        return self._limits

    def fingerprint(self) -> Mapping[str, str]:
        """Return what names this engine and model in keys and manifests."""
        return named("vllm", self.model.name, self.model.revision, self.model.template_digest)

    def count_tokens(self, messages: tuple[Message, ...]) -> int | None:
        """Return the prompt's exact length in tokens; None where it holds pictures."""
        if any(m.images for m in messages):
            return None
        return len(self._chat.encode(messages))

    async def close(self) -> None:
        """Shut vLLM down and wait for its processes; one that is starting is waited for."""
        if self._starting is None:
            await self._end()
        else:
            await in_loop(self._starting.get_loop(), self._end)

    async def _end(self) -> None:
        self._dead = self._dead or EngineError("the vLLM engine is closed", model=self.model.name)
        if self._starting is not None:
            await asyncio.wait([self._starting])
            if self._starting.exception() is None:
                await _shut_down(self._starting.result())
        self._core = self._starting = None
        watchdog, self._watchdog = self._watchdog, None
        if watchdog is not None:
            await off_loop(watchdog.release)

    async def __aenter__(self) -> VllmEngine:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()


async def _shut_down(core: Any) -> None:
    """End the core; its reader goes first, or it reports the end of the core as a crash."""
    reader = getattr(core, "output_handler", None)
    if reader is not None:
        reader.cancel()
        await asyncio.wait([reader])
    await off_loop(core.shutdown)


def set_environment(verbose: bool) -> None:
    """Set what vLLM reads as it is imported; quiet, unless its log was asked for here or there."""
    quiet = not verbose and os.environ.get("VLLM_LOGGING_LEVEL", "ERROR") == "ERROR"
    for name, value in {**ENVIRONMENT, **(QUIET if quiet else {})}.items():
        os.environ.setdefault(name, value)
    if quiet:
        logging.getLogger("vllm").setLevel(logging.ERROR)


def _core_class() -> Any:
    """Return AsyncLLM without its finaliser, which prints a traceback when Python ends."""
    from vllm.v1.engine.async_llm import AsyncLLM

    class Core(AsyncLLM):
        def __del__(self) -> None:
            pass  # `close` or the watchdog ends the processes

    return Core


def _one_process() -> dict[str, str]:
    """Return the environment in which vLLM's CPU core computes in its own process.

    Its usual worker process takes ten seconds more to start, and its scheduler spins on the core
    that the program needs. vLLM says that OpenMP cannot be set up that way; from here it can.
    """
    threads = str(os.cpu_count() or 1)
    return {
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", threads),
    }


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Let processes that start inside the block ignore Ctrl-C: the program ends them in order."""
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # it would open the mask again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def on_cpu() -> bool:
    """Say whether the installed vLLM is a build for CPUs, without importing it."""
    try:
        return "cpu" in metadata.version("vllm")
    except metadata.PackageNotFoundError:
        return True  # the CPU build is named vllm-cpu


def _answer(answer: Any, text: str, reasoning: str, seconds: float) -> Response:
    """Return one of vLLM's answers; what its prompt took stands beside all of them."""
    tokens, total = len(answer.token_ids), answer.cumulative_logprob
    return Response(
        text=text,
        finish=answer.finish_reason or "stop",
        output_tokens=tokens,
        seconds=seconds,
        reasoning=reasoning,
        logprob=mean_logprob([total / tokens]) if tokens and total is not None else None,
    )


def _reading() -> Any:
    """Return the parameters under which a prompt is read, and next to nothing written."""
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    return SamplingParams(
        temperature=0.0,
        max_tokens=1,
        prompt_logprobs=0,  # of the prompt's own tokens alone
        flat_logprobs=True,
        detokenize=False,
        output_kind=RequestOutputKind.FINAL_ONLY,
        skip_clone=True,
    )


def _sampling(sampling: Sampling, schema: JsonSchema | None, k: int) -> Any:
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

    return SamplingParams(
        n=k,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        top_k=sampling.top_k,
        min_p=sampling.min_p,
        repetition_penalty=sampling.repetition_penalty,
        max_tokens=sampling.max_tokens,
        stop=list(sampling.stop) or None,
        seed=sampling.seed,
        logprobs=0,  # of the sampled tokens alone
        flat_logprobs=True,
        output_kind=RequestOutputKind.FINAL_ONLY,
        structured_outputs=StructuredOutputsParams(json=dict(schema)) if schema else None,
        skip_clone=True,  # made for this request alone
    )


def _load_pictures(paths: list[str]) -> list[Any]:
    from PIL import Image

    return [Image.open(path).convert("RGB") for path in paths]


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
