"""The form that a manifest must have to be read: types of what is read, numbers one can count with.

A manifest may be somebody else's, or damaged: JSON that parses is not yet the JSON that was
written. Keys that no reader knows are left as they are.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from textcentric.errors import cut

MOST_DEEP = 32  # mappings and lists within each other
MOST = 10**18  # no run counts further
Counts = dict[str, dict[str, int]]


class _Form(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow", protected_namespaces=())


class _Left(_Form):
    rows: int
    examples: list[str]


class _Balance(_Form):
    source: int
    given: int
    left_out: dict[str, _Left]
    unread: _Left | None = None


class _Read(_Form):
    of_rows: dict[str, Any] = Field(alias="schema")
    columns: list[str]


class _SourceData(_Form):
    name: str = ""
    path: str = ""
    digest: str = ""
    origin: str = ""
    rows: int = 0
    balance: _Balance | None = None
    read: _Read | None = None
    notes: list[str] = []


class _Prompt(_Form):
    version: int
    digest: str
    label: str
    stage: str


class _Parts(_Form):
    written: int
    absent: dict[str, int]


class _Manifest(_Form):
    fingerprint: str = ""
    status: str = ""
    stopped: str = ""
    started: str = ""
    seconds: float = 0
    versions: dict[str, str | None] = {}
    git: str | None = None
    dataset: _SourceData = _SourceData()
    engine: dict[str, str | int | float | None] = {}
    judge: dict[str, str | int | float | None] = {}
    prompts: dict[str, _Prompt] = {}
    checks: str = ""
    weights: str = ""
    read: dict[str, str] = {}
    counts: Counts = {}
    totals: dict[str, int] = {}
    reasons: Counts = {}
    derived: dict[str, _Parts] = {}
    pieces: Counts = {}
    errors: dict[str, int] = {}
    tokens: dict[str, float] = {}
    requests: dict[str, float] = {}
    cost: float = 0
    prices: dict[str, float] = {}
    answers: int = 0
    shards: dict[str, Annotated[tuple[int, str], Field(strict=False)]] = {}
    bottleneck: str = ""


def parsed(text: str) -> dict[str, Any]:
    """Return the manifest that `text` is; raises ValueError with what is wrong with it."""
    try:
        manifest = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if why := _fault(manifest):
        raise ValueError(why)
    try:
        _Manifest.model_validate(manifest)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "it"
        message = f"{cut(place)} is {cut(repr(first['input']))}: {first['msg']}"
        raise ValueError(message) from None
    return dict(manifest)


def _fault(manifest: object) -> str:
    """Return what no manifest of ours holds: much depth, numbers that nobody counts to."""
    waiting = [(manifest, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > MOST_DEEP:
            return "it is nested too deeply"
        if isinstance(value, dict):
            waiting += [(inner, depth + 1) for inner in value.values()]
        elif isinstance(value, list):
            waiting += [(inner, depth + 1) for inner in value]
        elif isinstance(value, int | float) and not (abs(value) < MOST and isfinite(value)):
            return "it holds a number that no run counts to"
    return ""
