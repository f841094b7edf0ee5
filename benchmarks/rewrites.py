"""Scripted answers that look like a small model's rewrites, good and bad, so that all checks run.

The answer goes on where the prompt's opening words end, as a model's would. Which rewrites fail,
and how, is drawn from the request's seed: about a third are dropped by one check or another.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable

from textcentric.engines.protocol import Request
from textcentric.values import Json, JsonSchema

SYNONYMS = {"my": "our", "the": "that", "is": "seems", "looks": "appears", "and": "plus"}
DEGREES = ("very", "really", "quite", "so", "too", "old", "little", "always", "still", "every")
FAULTS = ("copied", "invented", "preamble")
TOPICS = "The concert in the old church was far too loud for everybody who sat in front."


def answer(request: Request) -> str:
    """Return what the scripted model says to `request`."""
    rng = random.Random(request.sampling.seed)
    if request.schema:
        return json.dumps(_chosen(request.schema, rng))
    lines = request.messages[-1].content.rsplit("\n", 2)
    if request.messages[-1].role != "assistant":
        return _retold(request.messages[-1].content, "", rng)
    if len(lines) < 2 or ": " not in lines[-2]:  # the answer to a whole row
        return _retold(request.messages[-2].content, lines[-1], rng)
    label, _, begin = lines[-1].partition(":")
    if not lines[-2].startswith(("Sentence: ", "Statement: ")):
        return TOPICS
    source = lines[-2].partition(": ")[2]
    if rng.random() < 0.3:
        return _fault(rng.choice(FAULTS), source, begin.strip())
    rest = source.split()[len(begin.split()) :]
    return " ".join(REWRITES.get(label, _reworded)(rest, source.split(), rng))


def _chosen(schema: JsonSchema, rng: random.Random) -> Json:
    """Return one of the choices that a schema offers; of an object one for each of its keys."""
    if "enum" in schema:
        chosen: Json = rng.choice(schema["enum"])
        return chosen
    return {key: _chosen(of, rng) for key, of in schema["properties"].items()}


def _misspelled(rest: list[str], words: list[str], rng: random.Random) -> list[str]:
    return [w[1] + w[0] + w[2:] if len(w) > 3 and rng.random() < 0.5 else w for w in rest]


def _shortened(rest: list[str], words: list[str], rng: random.Random) -> list[str]:
    """Leave out the words of degree and a part behind a comma, which says less and nothing else."""
    kept = " ".join(rest).partition(",")[0].rstrip(".") + "."
    return [word for word in kept.split() if word not in DEGREES]


def _reworded(rest: list[str], words: list[str], rng: random.Random) -> list[str]:
    return [SYNONYMS.get(w, w if rng.random() < 0.8 else "rather") for w in rest]


def _loud(rest: list[str], words: list[str], rng: random.Random) -> list[str]:
    return ["WOW", "so", "great,", *(w.upper() if rng.random() < 0.4 else w for w in rest)]


def _opposite(rest: list[str], words: list[str], rng: random.Random) -> list[str]:
    return [rng.choice(("violet", "golden", "broken", "far")), *rest[1:], "side"]


REWRITES: dict[str, Callable[[list[str], list[str], random.Random], list[str]]] = {
    "Typos": _misspelled,
    "Short": _shortened,
    "Other words": _reworded,
    "Loud": _loud,
    "Opposite": _opposite,
}


def _fault(kind: str, source: str, begin: str) -> str:
    if kind == "copied":
        return source.removeprefix(begin)
    if kind == "invented":
        return f"it has 4711 parts and costs 12345 euros, {source}"
    return f"Sure, here is the new sentence: {source}" if not begin else "As an AI, I cannot help."


def _retold(row: str, begin: str, rng: random.Random) -> str:
    """Tell the first half of the row again in slightly other words."""
    words = row.rpartition("\n\n")[0].split()
    start = len(begin.split())
    return " ".join(_reworded(words[start : start + 45], words, rng)).rstrip(".") + "."
