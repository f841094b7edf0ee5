"""What every engine promises: a request decides its answer, nothing else does.

A `Request` holds exactly what the answer depends on, so its `key` can stand for the answer in
the journal. Batch, order and retries are the engine's own business.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pydantic_core import to_json

from textcentric.errors import ConfigError
from textcentric.values import JsonSchema

# One encoder for all keys: building one per call would cost more than the encoding.
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode
Turn = tuple[str, str, tuple[str, ...]]


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Message:
    """One chat turn; `images` are file paths, their content digests in `image_digests`.

    A last turn with the role `assistant` is the beginning of the answer: the model goes on
    from there, and the response holds only what it added.
    """

    role: str
    content: str
    images: tuple[str, ...] = ()
    image_digests: tuple[str, ...] = ()

    def identity(self) -> Turn:
        """Return what the model sees of this turn: role, text and the pictures' digests."""
        if len(self.images) != len(self.image_digests):
            raise ConfigError(
                f"a {self.role} turn has {len(self.images)} pictures and"
                f" {len(self.image_digests)} digests; give each picture's content digest"
            )
        return self.role, self.content, self.image_digests


def named(engine: str, model: str, revision: str, template: str = "") -> dict[str, str]:
    """Return what names an engine and its model in keys and manifests; `template` is a digest."""
    return {
        "engine": engine,
        "model": model,
        "model_revision": revision,
        "template_digest": template,
    }


@dataclass(frozen=True, slots=True)
class Sampling:
    """Sampling values in vLLM's terms; `seed` is None where `temperature` is 0.

    Prompt files and flags state them, and are where their ranges are checked.
    """

    temperature: float = 0.7
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    max_tokens: int = 256
    stop: tuple[str, ...] = ()
    seed: int | None = None


def _turns(turns: Sequence[Turn]) -> str:
    """Return the canonical JSON of turns; where nothing is escaped a quicker writer makes it."""
    if all(text.isascii() and "\x7f" not in text and not digests for _, text, digests in turns):
        return to_json(turns).decode()
    return _canonical(turns)


READING = Sampling(temperature=0.0, max_tokens=1)  # of a request whose answer is known


@dataclass(frozen=True, slots=True)
class Request:
    """One question to the model: everything that decides the answer."""

    messages: tuple[Message, ...]
    model: str
    sampling: Sampling
    model_revision: str = ""
    template_digest: str = ""
    schema: JsonSchema | None = None
    sample: int = 0
    _key: str = field(default="", init=False, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        turns: Iterable[tuple[str, str]],
        fingerprint: Mapping[str, str],
        sampling: Sampling,
        schema: JsonSchema | None = None,
    ) -> Request:
        """Return a request of (role, text) `turns` to the engine that `fingerprint` names."""
        return cls(
            messages=tuple(Message(role, text) for role, text in turns),
            model=fingerprint.get("model", ""),
            sampling=sampling,
            model_revision=fingerprint.get("model_revision", ""),
            template_digest=fingerprint.get("template_digest", ""),
            schema=schema,
        )

    @property
    def key(self) -> str:
        """Return a digest (32 hex digits) of what decides the answer."""
        if not self._key:
            object.__setattr__(self, "_key", _digest(self._identity()))
        return self._key

    def likelihood_key(self, text: str) -> str:
        """Return a digest of what decides how likely `text` is as the answer: no sampling value."""
        turns = [m.identity() for m in self.messages]
        model = (self.model, self.model_revision, self.template_digest)
        return _digest(_canonical(("likelihood", turns, model, text)))

    def _identity(self) -> str:
        """Return canonical JSON of what decides the answer: pictures by content, not by path."""
        s = self.sampling
        seed = s.seed if s.temperature else None  # greedy decoding draws nothing
        numbers = (s.temperature, s.top_p, s.min_p, s.repetition_penalty)
        rest = _canonical(
            (
                (self.model, self.model_revision, self.template_digest),
                (*map(float, numbers), max(s.top_k, 0), s.max_tokens, s.stop, seed),
                self.schema,
                self.sample,
            )
        )
        return f"[{_turns([m.identity() for m in self.messages])},{rest[1:]}"


@dataclass(frozen=True, slots=True)
class Response:
    """The model's answer: what it wrote, why it stopped and what it cost (tokens, seconds).

    `logprob` is the mean natural log-probability of the sampled tokens under the model's own
    distribution (before temperature, penalties and cuts), None where the engine does not say.
    """

    text: str
    finish: str = "stop"  # "stop", or "length" where max_tokens cut it
    prompt_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    attempts: int = 1
    reasoning: str = ""
    logprob: float | None = None

    @property
    def only_reasoned(self) -> bool:
        """Say whether reasoning took all tokens, so that no answer came."""
        return self.finish == "length" and not self.text and bool(self.reasoning)


@dataclass(frozen=True, slots=True)
class Limits:
    """What an engine can take: requests at once, and tokens in one request (prompt + answer).

    `ahead` is how many requests it wants beyond those it runs, so that no place is ever empty.
    """

    concurrency: int
    context: int | None = None
    ahead: int = 0


class Engine(Protocol):
    """A language model that answers, and says how likely an answer is.

    Its methods raise `RequestError` where one request fails for good and `EngineError` where
    the engine is dead, so that the run stops and can be resumed.
    """

    async def generate(self, request: Request) -> Response: ...

    async def several(self, request: Request, k: int) -> list[Response]:
        """Return the answers to the `candidates` of `request`, in their order.

        What the prompt cost stands in the first of them, where it was read once.
        """
        ...

    async def likelihood(self, request: Request, text: str) -> float | None:
        """Return the mean log-probability of `text` as the answer to `request`.

        None where the engine cannot say.
        """
        ...

    def limits(self) -> Limits: ...

    def fingerprint(self) -> Mapping[str, str]:
        """Return `model`, `model_revision`, `template_digest` and `engine` for keys."""
        ...

    def count_tokens(self, messages: tuple[Message, ...]) -> int | None:
        """Return the prompt's length in tokens, or None where the engine cannot tell."""
        ...

    async def close(self) -> None: ...
