"""Decoys: pairs that code wrote from a run's own rows, so that what a reader should say is known.

They measure the reader, not the run: a reader who calls them wrong reads too fast.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping

from textcentric.experts.sentences import sentence_spans

NUMBER = re.compile(r"(?<![\w.,])\d{1,4}(?![\w.,]*\d)")
IS = re.compile(r"\b(is|are|was|were|can|will|must|should)\b(?! not|n't)")
CONTRACTED = (
    (r"\b([Dd])oes not\b", r"\1oesn't"),
    (r"\b([Dd])o not\b", r"\1on't"),
    (r"\b([Ii])s not\b", r"\1sn't"),
    (r"\b([Hh])e is\b", r"\1e's"),
    (r"\b([Ss])he is\b", r"\1he's"),
    (r"\b([Ii])t is\b", r"\1t's"),
)
Decoy = tuple[dict[str, str], str]  # the parts of the variant, the word that is right


def decoy(source: Mapping[str, str], number: int, rng: random.Random) -> Decoy | None:
    """Return a variant of `source` and what it is; kinds take turns by `number`.

    None where the row gives nothing to work with.
    """
    part = "text" if source.get("text") else max(source, key=lambda name: len(source[name]))
    for turn in range(len(KINDS)):
        word, make = KINDS[(number + turn) % len(KINDS)]
        text = make(source[part], rng)
        if text and text != source[part]:
            return {**source, part: text}, word
    return None


def _negated(text: str, rng: random.Random) -> str:
    place = _one_of(IS, text, rng)
    return f"{text[: place.end()]} not{text[place.end() :]}" if place else ""


def _renumbered(text: str, rng: random.Random) -> str:
    place = _one_of(NUMBER, text, rng)
    if place is None:
        return ""
    return f"{text[: place.start()]}{int(place[0]) + rng.randint(2, 7)}{text[place.end() :]}"


def _one_of(pattern: re.Pattern[str], text: str, rng: random.Random) -> re.Match[str] | None:
    """Return one place of `text` where `pattern` stands, None where it stands nowhere."""
    places = list(pattern.finditer(text))
    return rng.choice(places) if places else None


def _shortened(text: str, rng: random.Random) -> str:
    spans = sentence_spans(text)
    if len(spans) < 2:
        return ""
    start, end = rng.choice(spans)
    return " ".join(f"{text[:start]} {text[end:]}".split())


def _garbled(text: str, rng: random.Random) -> str:
    spans = [span for span in sentence_spans(text) if len(text[slice(*span)].split()) >= 5]
    if not spans:
        return ""
    start, end = rng.choice(spans)
    words = text[start:end].split()
    mixed = ["".join(rng.sample(word, len(word))) for word in words]
    rng.shuffle(mixed)
    return text[:start] + " ".join(mixed) + "." + text[end:]


def _contracted(text: str, rng: random.Random) -> str:
    for pattern, short in CONTRACTED:
        changed = re.sub(pattern, short, text, count=1)
        if changed != text:
            return changed
    stops = [match.start() for match in re.finditer(r"\.(?=\s|$)", text)]
    at = rng.choice(stops) if stops else None
    return "" if at is None else f"{text[:at]}!{text[at + 1 :]}"


KINDS: tuple[tuple[str, Callable[[str, random.Random], str]], ...] = (
    ("changed", _negated),
    ("less", _shortened),
    ("garbled", _garbled),
    ("same", _contracted),
    ("changed", _renumbered),
)
