"""What servers may lack: found out by their refusals, told once, and done without from then on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from textcentric.engines.completions import Body
from textcentric.engines.protocol import Request, Response
from textcentric.engines.server_faults import REFUSALS, Fault

LACKS = {
    "n": "gives one answer a request: further candidates are asked for one by one",
    "logprobs": "gives no log-probabilities with its answers: checks do without them",
    "seed": "takes no seed: the same request may bring another answer",
    "response_format": "keeps to no JSON schema: the form is asked for in words, and checked",
    "system": "knows no turns of the system: their text stands before the user's",
    "max_tokens": "takes max_completion_tokens in place of max_tokens",
    "likelihood": "cannot say how likely a given text is: checks do without it",
}
# Words of a refusal that name what is refused; only what is called like its argument needs none.
NAMES: Mapping[str, Collection[str]] = {
    "response_format": {"json_schema", "structured", "guided_json", "grammar"},
    "system": {"systems", "role", "roles", "developer"},
    "max_tokens": {"max_completion_tokens"},
}
EXTRAS = ("n", "logprobs")  # nobody misses them, so they are given up without being named
OF_EVERY_REQUEST = frozenset("temperature top_p stop max_tokens max_completion_tokens".split())
FEW, MANY = 4, 32  # refusals in the same words: of an argument of every request; of anything
_WORD = re.compile(r"\w+")


class Abilities:
    """What a server has granted, and what it is not asked for any more."""

    def __init__(self) -> None:
        self.granted: set[str] = set()
        self.lacking: set[str] = set()
        self.has_answered = False
        self._refusals = Counter[str]()

    def refused(self, fault: Fault, wished: Sequence[str]) -> str:
        """Return which of `wished` a refusal is about, empty where it is about the request."""
        doubtful = [name for name in wished if name not in self.granted]
        if fault.status not in REFUSALS or fault.kind == "too_long" or not doubtful:
            return ""
        words = set(_WORD.findall(str(fault).lower()))
        named = (name for name in doubtful if words & {name, *NAMES.get(name, ())})
        extras = (name for name in EXTRAS if name in doubtful and fault.status != 500)
        return next(named, "") or next(extras, "")

    def is_hopeless(self, fault: Fault) -> bool:
        """Count a refusal; say whether the server has only refused, too often to go on."""
        refuses = fault.status in REFUSALS or fault.kind == "malformed"
        if self.has_answered or not refuses or fault.kind == "too_long":
            return False
        words = re.sub(r"\d+", "0", str(fault))
        self._refusals[words] += 1
        named = not OF_EVERY_REQUEST.isdisjoint(_WORD.findall(words.lower()))
        return self._refusals[words] >= (FEW if named else MANY)

    def look_at(self, answers: Sequence[Response], wished: Sequence[str]) -> list[str]:
        """Note which wishes were granted; return those that were ignored."""
        self.has_answered = True
        granted = {
            "n": len(answers) > 1,
            "logprobs": any(answer.logprob is not None for answer in answers),
        }
        self.granted.update(name for name in wished if granted.get(name, True))
        answered = any(answer.text for answer in answers)
        return [name for name in EXTRAS if name in wished and answered and not self._ever(name)]

    def _ever(self, name: str) -> bool:
        return name in self.granted or name in self.lacking


def wishes(body: Body, request: Request, without: Collection[str]) -> list[str]:
    """Return what of a body, made without some of it, a server may lack."""
    arguments = ("n", "logprobs", "seed", "response_format", "max_tokens")
    named = [name for name in arguments if name in body]
    roles = {message.role for message in request.messages}
    return [*named, "system"] if {"system", "user"} <= roles and "system" not in without else named
