"""What is sent to a server for a chat completion, and what is read of its answer."""

from __future__ import annotations

import asyncio
import base64
import mimetypes
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textcentric.engines.candidates import mean_logprob
from textcentric.engines.protocol import Message, Request, Response, Sampling
from textcentric.engines.reasoning import split_reasoning
from textcentric.values import Json, JsonSchema

Body = dict[str, Json]
OPEN_TURN: Body = {"continue_final_message": True, "add_generation_prompt": False}
_FINISHES = frozenset({"stop", "length"})
_LONE = re.compile("[\ud800-\udfff]")  # half a character, which no file and no journal can hold


async def chat_body(request: Request, model: str, *, vllm: bool, newer: bool) -> Body:
    """Return the keyword arguments of the call; vLLM's own fields only for `vllm` servers.

    OpenAI's `newer` models refuse `max_tokens`; other servers know nothing else.
    """
    sampling = request.sampling
    extra: Body = _vllm_extras(sampling) if vllm else {}
    if vllm and request.messages[-1].role == "assistant":
        extra |= OPEN_TURN
    body: Body = {
        "model": model,
        "messages": await turns(request.messages),
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_completion_tokens" if newer else "max_tokens": sampling.max_tokens,
        "stream": False,
    }
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if sampling.seed is not None:
        body["seed"] = sampling.seed
    if request.schema:
        body["response_format"] = _json_schema(request.schema)
    return body | ({"extra_body": extra} if extra else {})


def _vllm_extras(sampling: Sampling) -> Body:
    return {
        "top_k": sampling.top_k,
        "min_p": sampling.min_p,
        "repetition_penalty": sampling.repetition_penalty,
    }


def _json_schema(schema: JsonSchema) -> Body:
    return {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": dict(schema), "strict": True},
    }


async def turns(messages: Sequence[Message]) -> list[Json]:
    """Return messages as a server takes them, pictures inside."""
    return [await _turn(message) for message in messages]


async def _turn(message: Message) -> Body:
    if not message.images:
        return {"role": message.role, "content": message.content}
    parts: list[Json] = []
    for path in message.images:
        url = await asyncio.to_thread(_data_url, Path(path))
        parts.append({"type": "image_url", "image_url": {"url": url}})
    return {"role": message.role, "content": [*parts, {"type": "text", "text": message.content}]}


def _data_url(path: Path) -> str:
    kind = mimetypes.guess_type(path.name)[0] or "image/jpeg"
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def read_answers(answer: Any, prefill: str) -> list[Response]:
    """Read the answers field by field: the client checks nothing of what a server sends.

    Servers that do not go on from `prefill` repeat it or begin anew; a repeated one is taken off.
    The server counts tokens for all answers together: the first carries those of the prompt.
    Raises ValueError for what is no chat completion.
    """
    try:
        usage, choices = answer.usage, list(answer.choices)
        details = getattr(usage, "prompt_tokens_details", None)
        total = getattr(usage, "completion_tokens", 0) or 0
        first, *others = _shared(total, len(choices))
        prompt = getattr(usage, "prompt_tokens", 0) or 0
        cached = getattr(details, "cached_tokens", 0) or 0
        return [
            _response(choices[0], prefill, first, prompt, cached),
            *(_response(c, prefill, n) for c, n in zip(choices[1:], others, strict=True)),
        ]
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as cause:
        raise ValueError(f"not a chat completion: {str(answer)[:200]!r}") from cause


def _shared(total: int, count: int) -> list[int]:
    """Return `total` in `count` nearly equal whole shares, the larger ones first."""
    return [total // count + (i < total % count) for i in range(count)] if count else []


def _response(
    choice: Any, prefill: str, output_tokens: int, prompt_tokens: int = 0, cached_tokens: int = 0
) -> Response:
    text, reasoning = split_reasoning(_whole(choice.message.content or ""))
    return Response(
        text=text.removeprefix(prefill),
        finish=choice.finish_reason if choice.finish_reason in _FINISHES else "stop",
        prompt_tokens=prompt_tokens,
        cached_tokens=cached_tokens,
        output_tokens=output_tokens,
        reasoning=_apart(choice.message) or reasoning,
        logprob=_logprob(getattr(choice, "logprobs", None)),
    )


def _logprob(said: Any) -> float | None:
    """Return the mean over the tokens that a server reports, None where it reports none."""
    values = (getattr(token, "logprob", None) for token in getattr(said, "content", None) or ())
    return mean_logprob([float(value) for value in values if isinstance(value, int | float)])


def _apart(message: object) -> str:
    """Return the reasoning that a server sends in a field of its own (two names are in use)."""
    fields = (getattr(message, name, None) for name in ("reasoning_content", "reasoning"))
    return next((_whole(field) for field in fields if isinstance(field, str)), "")


def _whole(text: str) -> str:
    """Return `text` with each lone surrogate, which JSON lets pass, as U+FFFD."""
    return _LONE.sub("\ufffd", text)


async def reading_bodies(request: Request, text: str, model: str) -> tuple[Body, Body]:
    """Return what vLLM's server is sent to cut a prompt into tokens, and to read `text` after it.

    The call writes one token, which is thrown away.
    """
    before = await turns(request.messages)
    opened = request.messages[-1].role == "assistant"
    begun = request.messages[-1].content if opened else ""
    whole = [*(before[:-1] if opened else before), {"role": "assistant", "content": begun + text}]
    closed: Body = {"continue_final_message": False, "add_generation_prompt": True}
    return (
        {"model": model, "messages": before, **(OPEN_TURN if opened else closed)},
        {
            "model": model,
            "messages": whole,
            "temperature": 0.0,
            "max_tokens": 1,
            "extra_body": {"prompt_logprobs": 0, **OPEN_TURN},
        },
    )


def tail_logprob(prompt: Any, answer: Any) -> float | None:
    """Return the mean log-probability of what vLLM's server read after the tokens of `prompt`.

    Raises LookupError or TypeError where one of the two answers is not vLLM's.
    """
    said = answer.model_extra["prompt_logprobs"]  # of each token but the first {id: {...}}
    read = [(int(token), float(of["logprob"])) for at in said[1:] for token, of in at.items()]
    known = list(prompt["tokens"])[1:]
    pairs = zip(known, read, strict=False)
    begin = next((i for i, (token, of) in enumerate(pairs) if token != of[0]), len(known))
    return mean_logprob([logprob for _, logprob in read[begin:]])
