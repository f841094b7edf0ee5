"""What is read of a server's replies: every value is looked at, for nobody else has."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeGuard

from textcentric.engines.candidates import mean_logprob
from textcentric.engines.protocol import Response
from textcentric.engines.reasoning import split_reasoning
from textcentric.values import Json

Clean = Callable[[str], str]
MOST_TOKENS = 2**40  # that a count can mean
MOST_OF_A_NAME = 512  # characters
KEPT_BACK = "(the server keeps it to itself)"
_FINISHES = frozenset({"stop", "length"})
_LONE = re.compile("[\ud800-\udfff]")  # half a character, which no file and no journal can hold


def _as_it_is(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of a call; `odd` where a server says other than whole numbers from 0 up."""

    prompt: int = 0
    cached: int = 0
    output: int = 0
    reasoning: int = 0
    odd: bool = False


def read_usage(reply: Json) -> Usage:
    """Return what a reply says of tokens; what is no number of them counts 0."""
    usage = _object(_object(reply).get("usage"))
    said = (
        usage.get("prompt_tokens"),
        _object(usage.get("prompt_tokens_details")).get("cached_tokens"),
        usage.get("completion_tokens"),
        _object(usage.get("completion_tokens_details")).get("reasoning_tokens"),
    )
    prompt, cached, output, reasoning = (count_of(value) for value in said)
    odd = any(value is not None and count_of(value) is None for value in said)
    return Usage(prompt or 0, cached or 0, output or 0, reasoning or 0, odd)


def count_of(value: Json) -> int | None:
    """Return a whole number from 0 up, None for anything else.

    >>> count_of(12), count_of(12.0), count_of("12"), count_of(-1), count_of(True)
    (12, 12, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value <= MOST_TOKENS and value == int(value) else None


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def read_answers(reply: Json, prefill: str, clean: Clean = _as_it_is) -> list[Response]:
    """Read the answers field by field, whatever a server sends; `clean` leaves out secrets.

    Servers that do not go on from `prefill` repeat it or begin anew; a repeated one is taken off.
    The server counts tokens for all answers together: the first carries those of the prompt.
    Raises ValueError for what is no chat completion.
    """
    choices = _object(reply).get("choices")
    if not isinstance(choices, list) or not choices:
        raise ValueError(f"not a chat completion: {str(reply)[:200]!r}")
    usage = read_usage(reply)
    shares = _shared(usage.output, len(choices))
    answers = [
        _response(choice, prefill, share, clean)
        for choice, share in zip(choices, shares, strict=True)
    ]
    if usage.reasoning and not answers[0].text and not answers[0].reasoning:
        answers[0] = replace(answers[0], reasoning=KEPT_BACK)
    cached = min(usage.cached, usage.prompt)
    answers[0] = replace(answers[0], prompt_tokens=usage.prompt, cached_tokens=cached)
    return answers


def _shared(total: int, count: int) -> list[int]:
    """Return `total` in `count` nearly equal whole shares, the larger ones first."""
    return [total // count + (i < total % count) for i in range(count)]


def _response(choice: Json, prefill: str, output_tokens: int, clean: Clean) -> Response:
    message = _object(choice).get("message")
    content = _object(message).get("content")
    if not isinstance(message, dict) or not isinstance(content, str | list | None):
        raise ValueError(f"not an answer of a chat completion: {str(choice)[:200]!r}")
    text, reasoning = split_reasoning(_whole(clean(_text(content))))
    finish = _object(choice).get("finish_reason")
    return Response(
        text=text.removeprefix(prefill),
        finish=finish if isinstance(finish, str) and finish in _FINISHES else "stop",
        output_tokens=output_tokens,
        reasoning=_apart(message, clean) or reasoning,
        logprob=_logprob(_object(choice).get("logprobs")),
    )


def _text(content: Json) -> str:
    """Return a content as text: some servers send it in parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = (one if isinstance(one, str) else _object(one).get("text") for one in parts)
    return "".join(text for text in texts if isinstance(text, str))


def _logprob(said: Json) -> float | None:
    """Return the mean over the tokens that a server reports, None where it reports none."""
    tokens = _object(said).get("content")
    values = [_object(token).get("logprob") for token in tokens] if isinstance(tokens, list) else []
    return mean_logprob([value for value in values if is_logprob(value)])


def is_logprob(value: object) -> TypeGuard[float]:
    """Say whether a value can be the logarithm of a probability."""
    return isinstance(value, float | int) and not isinstance(value, bool) and -1e9 < value <= 0


def _apart(message: Mapping[str, Json], clean: Clean) -> str:
    """Return the reasoning that a server sends in a field of its own (two names are in use)."""
    fields = (message.get(name) for name in ("reasoning_content", "reasoning"))
    return next((_whole(clean(field)) for field in fields if isinstance(field, str)), "")


def _whole(text: str) -> str:
    """Return `text` with each lone surrogate, which JSON lets pass, as U+FFFD."""
    return _LONE.sub("\ufffd", text)


class Served(NamedTuple):
    """A model that a server offers; `context` is its length in tokens, where the server says it."""

    name: str
    owner: str
    context: int | None


def read_models(reply: Json) -> list[Served]:
    """Return the models of a list, in the forms that servers use; what is none is left out.

    Raises ValueError for what is no list of models.
    """
    listed = _object(reply).get("data", _object(reply).get("models", reply))
    if not isinstance(listed, list):
        raise ValueError(f"/models is not a list of models: {str(reply)[:200]!r}")
    return [served for entry in listed if (served := _served(_object(entry))) is not None]


def _served(entry: Mapping[str, Json]) -> Served | None:
    name, owner = entry.get("id", entry.get("name")), entry.get("owned_by")
    if not isinstance(name, str) or not 0 < len(name) <= MOST_OF_A_NAME:
        return None
    context = count_of(entry.get("max_model_len"))
    return Served(name, owner if isinstance(owner, str) else "", context or None)


def tail_logprob(prompt: Json, answer: Json) -> float | None:
    """Return the mean log-probability of what vLLM's server read after the tokens of `prompt`.

    Raises ValueError where one of the two answers is not vLLM's.
    """
    said, known = _object(answer).get("prompt_logprobs"), _object(prompt).get("tokens")
    if not isinstance(said, list) or not isinstance(known, list):
        raise ValueError("no prompt_logprobs, or no tokens")
    read = [token for at in said[1:] for token in _object(at).items()]  # of each {id: {...}}
    pairs = zip(known[1:], read, strict=False)
    begin = next(
        (i for i, (token, (other, _)) in enumerate(pairs) if str(token) != other), len(known) - 1
    )
    values = [_object(of).get("logprob") for _, of in read[max(0, begin) :]]
    if not all(map(is_logprob, values)):
        raise ValueError("prompt_logprobs hold other than log-probabilities")
    return mean_logprob([value for value in values if is_logprob(value)])
