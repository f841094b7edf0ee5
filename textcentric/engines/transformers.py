"""Hugging Face transformers' `generate`: slower than vLLM, and works wherever torch does.

Requests that arrive together are gathered, sorted by length and answered in small batches by one
worker thread. Only the request decides how tokens are drawn: what a model's folder suggests for it
(`generation_config.json`) is left out, but for the tokens that end an answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from textcentric.engines.candidates import candidates, mean_logprob, one_by_one
from textcentric.engines.chat import ChatTokenizer, check_length
from textcentric.engines.drawing import Draw, Row
from textcentric.engines.event_loop import off_loop
from textcentric.engines.grammar import Grammars
from textcentric.engines.protocol import Limits, Message, Request, Response, named
from textcentric.errors import ConfigError, EngineError, RequestError, Say, option
from textcentric.machine import IMPORTS, cpu_dtype
from textcentric.models.hub import lacking, reached
from textcentric.models.names import find_model
from textcentric.values import JsonSchema

if TYPE_CHECKING:
    from llguidance import LLMatcher
    from torch import Tensor

GATHER_SECONDS = 0.01


@dataclass(slots=True)
class _Job:
    """One request on its way: its token ids, and the future that its caller awaits."""

    request: Request
    ids: list[int]
    matcher: LLMatcher | None
    answer: asyncio.Future[Response]


class TransformersEngine:
    """Generate with transformers, at most `batch` requests at a time, on CUDA where there is one.

    Raises:
        ConfigError: a batch of no request.
        EngineError: the model cannot be found, or not be loaded (with the first request).

    >>> engine = TransformersEngine("smollm2", batch=16)
    """

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        batch: int = 32,
        dtype: Literal["float32", "bfloat16", "float16"] | None = None,
        device: str | None = None,
    ) -> None:
        if batch < 1:
            raise ConfigError(f"engine.batch={batch}: expected 1 or more requests at a time")
        self.model = find_model(model)
        self.batch, self.dtype, self.device = batch, dtype, device
        self._limits = Limits(concurrency=4 * batch, context=self.model.context)
        self.say: Say = lambda line: None
        self._chat = ChatTokenizer(self.model, lambda line: self.say(line))
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="transformers")
        self._network: Any = None
        self._ends: frozenset[int] = frozenset()
        self._grammars: Grammars | None = None
        self._waiting: list[_Job] = []
        self._gathering: asyncio.Task[None] | None = None
        self._closed = False

    async def start(self) -> None:
        """Load the model; `generate` does it when needed."""
        self._check_open()
        if self._network is None:
            await asyncio.get_running_loop().run_in_executor(self._worker, self._prepare)

    def _prepare(self) -> None:
        """Load the model once; the only thread of the worker takes callers in turn."""
        self._check_open()
        if self._network is None:
            network = self._load()
            self._ends = _ends(network, self._chat.tokenizer)
            self._network = _without_habits(network)

    def _check_open(self) -> None:
        if self._closed:
            raise EngineError("the engine transformers is closed", model=self.model.name)

    async def _matcher(self, schema: JsonSchema | None) -> LLMatcher | None:
        """Return what keeps an answer to `schema`, None where the model writes freely."""
        if not schema:
            return None
        if self._grammars is None:
            self._check_open()
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._worker, self._prepare_grammars)
        assert self._grammars is not None
        return self._grammars.matcher(schema)

    def _prepare_grammars(self) -> None:
        if self._grammars is None:
            self._grammars = Grammars(self._chat.tokenizer, self._ends)

    def _load(self) -> Any:
        with IMPORTS:
            import torch
            from transformers import AutoModelForCausalLM
            from transformers.utils import logging

        logging.disable_progress_bar()
        self.device = self.device or ("cuda" if torch.cuda.is_available() else "cpu")
        dtype = self.dtype or (cpu_dtype() if self.device == "cpu" else "bfloat16")
        try:
            with reached(self.model.source) as place:
                network: Any = AutoModelForCausalLM.from_pretrained(
                    place, dtype=getattr(torch, dtype), trust_remote_code=False
                )
            return network.to(self.device).eval()
        except Exception as cause:  # torch asserts that there is a CUDA where a build has none
            why = lacking(self.model.source, cause) or f"{type(cause).__name__}: {str(cause)[:300]}"
            raise EngineError(
                f"transformers cannot load {self.model.name!r} on {self.device}: {why}",
                model=self.model.name,
            ) from cause

    async def generate(self, request: Request) -> Response:
        """Return the answer, kept to the request's schema token by token."""
        if any(m.images for m in request.messages):
            raise RequestError(
                f"the engine transformers reads no pictures; use {option('engine', 'vllm')} with a"
                " vision-language model",
                kind="unsupported",
            )
        ids = self._chat.encode(request.messages)  # a template that cannot be used says so first
        check_length(len(ids), request.sampling.max_tokens, self._limits.context)
        if self._network is None or self._closed:
            await self.start()
        matcher = await self._matcher(request.schema)
        self._check_open()
        job = _Job(request, ids, matcher, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        if self._gathering is None or self._gathering.done():
            self._gathering = asyncio.create_task(self._work())
        return await job.answer

    async def several(self, request: Request, k: int) -> list[Response]:
        """Return the answers to the candidates of `request`, written in one batch."""
        return await one_by_one(self.generate, candidates(request, k))

    async def likelihood(self, request: Request, text: str) -> float | None:
        """Return the mean log-probability of `text` as the answer, from one forward pass."""
        if any(m.images for m in request.messages):
            return None
        ids, begin = self._chat.continued(request.messages, text)
        check_length(len(ids), 0, self._limits.context)
        if self._network is None or self._closed:
            await self.start()
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._worker, self._read, ids, begin)
        except Exception as cause:
            raise self._error(cause, 1) from cause

    def _read(self, ids: list[int], begin: int) -> float | None:
        """Return the mean log-probability of `ids` from `begin` on, given those before."""
        import torch

        if begin >= len(ids):
            return None
        row = torch.tensor([ids]).to(self.device)  # (1, T)
        with torch.inference_mode():
            scores = self._network(input_ids=row).logits[0, begin - 1 : -1]  # (T - begin, V)
            logprobs = scores.float().log_softmax(-1).gather(1, row[0, begin:, None])
        return mean_logprob(logprobs[:, 0].tolist())

    async def _work(self) -> None:
        """Answer batch after batch until nobody waits."""
        await asyncio.sleep(GATHER_SECONDS)
        loop = asyncio.get_running_loop()
        while jobs := self._next_batch():
            try:
                answers = await loop.run_in_executor(self._worker, self._answer, jobs)
            except Exception as cause:
                _fail(jobs, self._error(cause, len(jobs)))
                continue
            for job, answer in zip(jobs, answers, strict=True):
                _tell(job, answer)

    def _next_batch(self) -> list[_Job]:
        """Take the waiting requests most alike in length: little padding, steady work."""
        self._waiting = [job for job in self._waiting if not job.answer.done()]
        self._waiting.sort(key=lambda job: len(job.ids), reverse=True)
        jobs, self._waiting = self._waiting[: self.batch], self._waiting[self.batch :]
        return jobs

    def _error(self, cause: Exception, size: int) -> RequestError:
        smaller = f" lower the batch size ({option('engine.batch', 8)})"
        hint = smaller if "memory" in str(cause) else ""
        return RequestError(
            f"transformers failed on a batch of {size}: {type(cause).__name__}:"
            f" {str(cause)[:200]};{hint}",
            kind="engine",
        )

    def _answer(self, jobs: Sequence[_Job]) -> list[Response | RequestError]:
        import torch

        started = time.perf_counter()
        tokenizer, ends = self._chat.tokenizer, self._ends
        pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
        ids, mask = _left_padded([job.ids for job in jobs], pad, self.device)  # (B, T)
        rows = [Row(job.ids, job.request.sampling, tokenizer, ends, job.matcher) for job in jobs]
        draw = Draw(rows)
        with torch.inference_mode():
            self._network.generate(
                input_ids=ids,
                attention_mask=mask,
                do_sample=False,  # greedy over scores that carry the noise already
                max_new_tokens=max(row.sampling.max_tokens for row in rows),
                logits_processor=[draw],
                stopping_criteria=[draw.finished],
                pad_token_id=pad,
            )
        seconds = time.perf_counter() - started
        drawn = zip(jobs, rows, draw.logprobs, strict=True)
        return [self._response(job, row, logprobs, seconds) for job, row, logprobs in drawn]

    def _response(
        self, job: _Job, row: Row, logprobs: Sequence[float], seconds: float
    ) -> Response | RequestError:
        if row.problem:
            return RequestError(row.problem)
        text, stopped = row.text()
        answer, reasoning = self._chat.split(job.request, text)
        return Response(
            text=answer,
            finish="stop" if stopped or row.ended else "length",
            prompt_tokens=len(job.ids),
            output_tokens=len(row.written),
            seconds=seconds,
            reasoning=reasoning,
            logprob=mean_logprob(logprobs),
        )

    def limits(self) -> Limits:
        """Return four batches' worth of requests, so that the next batch can be sorted."""
        return self._limits

    def fingerprint(self) -> Mapping[str, str]:
        """Return what names this engine and model in keys and manifests."""
        return named(
            "transformers", self.model.name, self.model.revision, self.model.template_digest
        )

    def count_tokens(self, messages: tuple[Message, ...]) -> int:
        """Return the prompt's exact length in tokens."""
        return len(self._chat.encode(messages))

    async def close(self) -> None:
        """Refuse what waits, finish the batch that runs and free the model."""
        self._closed = True
        waiting, self._waiting = self._waiting, []
        _fail(waiting, EngineError("the engine transformers was closed", model=self.model.name))
        await off_loop(self._worker.shutdown)
        self._network = None

    async def __aenter__(self) -> TransformersEngine:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()


def _left_padded(rows: Sequence[list[int]], pad: int, device: str | None) -> tuple[Tensor, Tensor]:
    """Return token ids and mask, both (B, T), each row's end at the right edge."""
    import torch

    width = max(map(len, rows))
    ids = torch.tensor([[pad] * (width - len(row)) + row for row in rows])
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
    return ids.to(device), mask.to(device)


def _ends(network: Any, tokenizer: Any) -> frozenset[int]:
    """Return the tokens that end an answer: those of the model's settings and the tokenizer's."""
    end = network.generation_config.eos_token_id
    ids = [*(end if isinstance(end, list) else [end]), tokenizer.eos_token_id]
    return frozenset(token for token in ids if token is not None)


def _without_habits(network: Any) -> Any:
    """Return `network` without what its folder suggests for sampling: `generate` would add it."""
    from transformers import GenerationConfig

    network.generation_config = GenerationConfig()
    return network


def _tell(job: _Job, answer: Response | Exception) -> None:
    if job.answer.done():  # whoever asked is gone
        return
    if isinstance(answer, Exception):
        job.answer.set_exception(answer)
    else:
        job.answer.set_result(answer)


def _fail(jobs: Sequence[_Job], error: Exception) -> None:
    for job in jobs:
        _tell(job, error)
