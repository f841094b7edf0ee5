"""What is sent to a server for a chat completion."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import mimetypes
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from textcentric.engines.protocol import Message, Request, Sampling
from textcentric.engines.turns import folded
from textcentric.errors import ConfigError, listed, option
from textcentric.settings import Given
from textcentric.values import Json, JsonSchema

Body = dict[str, Json]
OWN_KEYS = frozenset(  # what requests, prompts and flags decide
    "model messages stream n temperature top_p max_tokens max_completion_tokens stop seed"
    " response_format logprobs".split()
)
OPEN_TURN: Body = {"continue_final_message": True, "add_generation_prompt": False}


async def chat_body(
    request: Request, model: str, *, vllm: bool, without: Collection[str] = ()
) -> Body:
    """Return the body of the call; vLLM's own fields only for `vllm` servers.

    `without` names what the server lacks: seed, response_format, system, max_tokens.
    """
    sampling = request.sampling
    messages = folded(request.messages) if "system" in without else request.messages
    if request.schema and "response_format" in without:
        messages = with_form(messages, request.schema)
    body: Body = {
        "model": model,
        "messages": await turns(messages),
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_completion_tokens" if "max_tokens" in without else "max_tokens": sampling.max_tokens,
        "stream": False,
    }
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if sampling.seed is not None and "seed" not in without:
        body["seed"] = sampling.seed
    if request.schema and "response_format" not in without:
        body["response_format"] = _json_schema(request.schema)
    if vllm:
        body |= _vllm_extras(sampling)
        body |= OPEN_TURN if request.messages[-1].role == "assistant" else {}
    return body


def with_form(messages: Sequence[Message], schema: JsonSchema) -> tuple[Message, ...]:
    """Return turns whose last text of the user asks for JSON of a schema in words."""
    asked = f"Answer with JSON alone, of this schema: {json.dumps(schema, ensure_ascii=False)}"
    turns = list(messages)
    last = max(i for i, one in enumerate(turns) if one.role != "assistant")
    turns[last] = replace(turns[last], content=f"{turns[last].content}\n\n{asked}")
    return tuple(turns)


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


async def reading_bodies(
    request: Request, text: str, model: str, *, without: Collection[str] = ()
) -> tuple[Body, Body]:
    """Return what vLLM's server is sent to cut a prompt into tokens, and to read `text` after it.

    The call writes one token, which is thrown away.
    """
    messages = folded(request.messages) if "system" in without else request.messages
    before = await turns(messages)
    opened = messages[-1].role == "assistant"
    begun = messages[-1].content if opened else ""
    whole = [*(before[:-1] if opened else before), {"role": "assistant", "content": begun + text}]
    closed: Body = {"continue_final_message": False, "add_generation_prompt": True}
    return (
        {"model": model, "messages": before, **(OPEN_TURN if opened else closed)},
        {
            "model": model,
            "messages": whole,
            "temperature": 0.0,
            "max_tokens": 1,
            "prompt_logprobs": 0,
            **OPEN_TURN,
        },
    )


def digest_of(extra_body: Given) -> str:
    """Return a digest of what is added to each body, empty for nothing; raises ConfigError."""
    if not extra_body:
        return ""
    if own := sorted(OWN_KEYS & extra_body.keys()):
        raise ConfigError(
            f"engine.extra_body holds {listed(own)}, which prompts and flags decide (such as"
            f" {option('temperature')}, {option('max_tokens')}); leave it out there"
        )
    try:
        text = json.dumps(extra_body, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"engine.extra_body is no JSON ({error})") from error
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
