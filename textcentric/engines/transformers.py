"""Hugging Face transformers' `generate`: slower than vLLM, and works wherever torch does.

Requests that arrive together are gathered, sorted by length and answered in small batches by one
worker thread. Each row of a batch draws from its own generator (Gumbel-max: adding the noise and
taking the largest draws from the softmax), so a seed gives its text whatever the batch holds, as
far as the batched matrix products round alike.
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
from textcentric.engines.event_loop import off_loop
from textcentric.engines.protocol import Limits, Message, Request, Response, Sampling, named
from textcentric.engines.reasoning import split_reasoning
from textcentric.errors import EngineError, RequestError, option
from textcentric.machine import cpu_dtype
from textcentric.models.names import find_model

if TYPE_CHECKING:
    from torch import Generator, Tensor
    from transformers import PreTrainedTokenizerBase

GATHER_SECONDS = 0.01


@dataclass(slots=True)
class _Job:
    """One request on its way: its token ids, and the future that its caller awaits."""

    request: Request
    ids: list[int]
    answer: asyncio.Future[Response]


class TransformersEngine:
    """Generate with transformers, at most `batch` requests at a time, on CUDA where there is one.

    Raises:
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
        self.model = find_model(model)
        self.batch, self.dtype, self.device = batch, dtype, device
        self._limits = Limits(concurrency=4 * batch, context=self.model.context)
        self._chat = ChatTokenizer(self.model)
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="transformers")
        self._start = asyncio.Lock()
        self._network: Any = None
        self._waiting: list[_Job] = []
        self._gathering: asyncio.Task[None] | None = None
        self._closed = False

    async def start(self) -> None:
        """Load the model; `generate` does it when needed."""
        async with self._start:
            if self._closed:
                raise EngineError("the engine transformers is closed", model=self.model.name)
            if self._network is None:
                loop = asyncio.get_running_loop()
                self._network = await loop.run_in_executor(self._worker, self._load)

    def _load(self) -> Any:
        import torch
        from transformers import AutoModelForCausalLM
        from transformers.utils import logging

        logging.disable_progress_bar()
        self.device = self.device or ("cuda" if torch.cuda.is_available() else "cpu")
        dtype = self.dtype or (cpu_dtype() if self.device == "cpu" else "bfloat16")
        try:
            network: Any = AutoModelForCausalLM.from_pretrained(
                self.model.source, dtype=getattr(torch, dtype)
            )
            return network.to(self.device).eval()
        except (OSError, ValueError, RuntimeError) as cause:
            raise EngineError(
                f"transformers cannot load {self.model.name!r}: {str(cause)[:300]}",
                model=self.model.name,
            ) from cause

    async def generate(self, request: Request) -> Response:
        """Return the answer; a schema is not enforced, the caller parses and asks again."""
        if any(m.images for m in request.messages):
            raise RequestError(
                f"the engine transformers reads no pictures; use {option('engine', 'vllm')} with a"
                " vision-language model",
                kind="unsupported",
            )
        if self._network is None or self._closed:
            await self.start()
        ids = self._chat.encode(request.messages)
        check_length(len(ids), request.sampling.max_tokens, self._limits.context)
        job = _Job(request, ids, asyncio.get_running_loop().create_future())
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
        if self._network is None or self._closed:
            await self.start()
        ids, begin = self._chat.continued(request.messages, text)
        check_length(len(ids), 0, self._limits.context)
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
                if not job.answer.done():
                    job.answer.set_result(answer)

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

    def _answer(self, jobs: Sequence[_Job]) -> list[Response]:
        import torch

        started = time.perf_counter()
        tokenizer, samplings = self._chat.tokenizer, [job.request.sampling for job in jobs]
        pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
        ids, mask = _left_padded([job.ids for job in jobs], pad, self.device)  # (B, T)
        drawn = _Draw([job.ids for job in jobs], samplings, tokenizer, ids.shape[1])
        with torch.inference_mode():
            output = self._network.generate(
                input_ids=ids,
                attention_mask=mask,
                do_sample=False,  # greedy over scores that carry the noise already
                max_new_tokens=max(s.max_tokens for s in samplings),
                logits_processor=[drawn],
                stopping_criteria=[drawn.finished],
                pad_token_id=pad,
            )
        written = output[:, ids.shape[1] :].tolist()
        seconds = time.perf_counter() - started
        ends = _end_ids(self._network)
        rows = zip(jobs, written, drawn.logprobs(), strict=True)
        return [self._response(job, w, logprobs, ends, seconds) for job, w, logprobs in rows]

    def _response(
        self,
        job: _Job,
        written: list[int],
        logprobs: list[float],
        ends: set[int],
        seconds: float,
    ) -> Response:
        sampling = job.request.sampling
        written = written[: sampling.max_tokens]
        end = next((i for i, token in enumerate(written) if token in ends), None)
        kept = written if end is None else written[:end]
        text, stopped = _cut(self._chat.tokenizer.decode(kept, skip_special_tokens=True), sampling)
        opened = self._chat.opens_reasoning(job.request.messages)
        answer, reasoning = split_reasoning(text, opened=opened)
        drawn = len(kept) + (end is not None)
        return Response(
            text=answer,
            finish="stop" if stopped or end is not None else "length",
            prompt_tokens=len(job.ids),
            output_tokens=drawn,
            seconds=seconds,
            reasoning=reasoning,
            logprob=mean_logprob(logprobs[:drawn]),
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


class _Draw:
    """A logits processor that leaves one token per row: drawn by the row's own seed and values."""

    def __init__(
        self,
        prompts: Sequence[list[int]],
        samplings: Sequence[Sampling],
        tokenizer: PreTrainedTokenizerBase,
        width: int,
    ) -> None:
        import torch

        self.samplings, self.tokenizer, self.width = samplings, tokenizer, width
        self.seen = [torch.tensor(sorted(set(ids))) for ids in prompts]
        self.generators = [_generator(sampling) for sampling in samplings]
        self._steps: list[Tensor] = []  # of each token (B,), the model's own log-probabilities

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return scores (B, V) in which each row's chosen token is the largest."""
        import torch

        scores = scores.float()
        own = scores.log_softmax(-1)
        for row, sampling in enumerate(self.samplings):
            written = input_ids[row, self.width :].cpu()
            seen = torch.cat([self.seen[row], written]).to(scores.device)
            scores[row] = _noisy(scores[row], seen, sampling, self.generators[row])
        self._steps.append(own.gather(1, scores.argmax(-1, keepdim=True))[:, 0])
        return scores

    def logprobs(self) -> list[list[float]]:
        """Return each row's log-probabilities of the tokens drawn, before any cut or noise."""
        import torch

        rows: list[list[float]] = torch.stack(self._steps, dim=1).tolist()  # (B, T)
        return rows

    def finished(self, input_ids: Tensor, scores: Tensor, **kwargs: object) -> Tensor:
        """Say which rows (B,) have their tokens or one of their stop strings."""
        import torch

        written = input_ids[:, self.width :]
        rows = [self._is_finished(w, s) for w, s in zip(written, self.samplings, strict=True)]
        return torch.tensor(rows, device=input_ids.device)

    def _is_finished(self, written: Tensor, sampling: Sampling) -> bool:
        if len(written) >= sampling.max_tokens:
            return True
        if not sampling.stop:
            return False
        text = self.tokenizer.decode(written, skip_special_tokens=True)
        return any(stop in text for stop in sampling.stop)


def _generator(sampling: Sampling) -> Generator:
    """Return the row's generator, on the CPU so that a seed means the same on every device."""
    import torch

    generator = torch.Generator()
    if sampling.seed is None:
        generator.seed()
    else:
        generator.manual_seed(sampling.seed)
    return generator


def _noisy(scores: Tensor, seen: Tensor, sampling: Sampling, generator: Generator | None) -> Tensor:
    """Return one row's scores (V,) after penalty, temperature, the cuts and Gumbel noise."""
    import torch

    if sampling.repetition_penalty != 1.0:
        old = scores[seen]
        penalty = sampling.repetition_penalty
        scores = scores.index_copy(0, seen, torch.where(old > 0, old / penalty, old * penalty))
    if sampling.temperature == 0:
        return scores
    scores = _cut_tail(scores / sampling.temperature, sampling)
    noise = torch.empty(scores.shape[-1]).exponential_(generator=generator)
    return scores - noise.to(scores.device).log()


def _cut_tail(scores: Tensor, sampling: Sampling) -> Tensor:
    """Set to minus infinity what top-k, top-p or min-p leave out of one row (V,)."""
    import torch

    cut = torch.zeros_like(scores, dtype=torch.bool)
    if 0 < sampling.top_k < len(scores):
        cut |= scores < scores.topk(sampling.top_k).values[-1]
    if sampling.top_p < 1:
        ordered, order = scores.masked_fill(cut, float("-inf")).sort(descending=True)
        before = ordered.softmax(-1).cumsum(-1) - ordered.softmax(-1)
        cut[order[before >= sampling.top_p]] = True
    if sampling.min_p > 0:
        probabilities = scores.softmax(-1)
        cut |= probabilities < sampling.min_p * probabilities.max()
    return scores.masked_fill(cut, float("-inf"))


def _left_padded(rows: Sequence[list[int]], pad: int, device: str | None) -> tuple[Tensor, Tensor]:
    """Return token ids and mask, both (B, T), each row's end at the right edge."""
    import torch

    width = max(map(len, rows))
    ids = torch.tensor([[pad] * (width - len(row)) + row for row in rows])
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
    return ids.to(device), mask.to(device)


def _end_ids(network: Any) -> set[int]:
    end = network.generation_config.eos_token_id
    return set(end) if isinstance(end, list) else {end}


def _cut(text: str, sampling: Sampling) -> tuple[str, bool]:
    """Cut `text` before its first stop string, and say whether there was one."""
    ends = [text.index(stop) for stop in sampling.stop if stop in text]
    return (text[: min(ends)], True) if ends else (text, False)


def _fail(jobs: Sequence[_Job], error: Exception) -> None:
    for job in jobs:
        if not job.answer.done():
            job.answer.set_exception(error)
