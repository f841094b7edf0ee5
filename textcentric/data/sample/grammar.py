"""Sentences from a file of templates: `[a|b]` is a choice, `{slot}` a word, `@name` a section."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from random import Random

Sections = Mapping[str, tuple[str, ...]]
_CHOICE = re.compile(r"\[([^\[\]]*)\]")


@lru_cache(maxsize=8)
def read_sections(name: str) -> Sections:
    """Read `words/NAME.txt` as {section: its lines}."""
    path = Path(__file__).with_name("words") / f"{name}.txt"
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("@"):
            current = sections.setdefault(line[1:].strip(), [])
        elif line.strip() and not line.startswith("#"):
            current.append(line.strip())
    return {section: tuple(lines) for section, lines in sections.items()}


def sentence(sections: Sections, section: str, slots: Mapping[str, str], rng: Random) -> str:
    """Return one sentence of `section` with its choices made and its slots filled."""
    return _filled(rng.choice(sections[section]), slots, rng)


def sentences(
    sections: Sections, section: str, count: int, slots: Mapping[str, str], rng: Random
) -> list[str]:
    """Return `count` sentences of `section`, each from a template of its own."""
    lines = rng.sample(sections[section], min(count, len(sections[section])))
    return [_filled(line, slots, rng) for line in lines]


def untold(write: Callable[[], str], told: set[bytes]) -> str:
    """Return what `write` gives, called again until it is a text that is not in `told` yet."""
    while True:
        text = write()
        mark = hashlib.blake2b(text.encode(), digest_size=8).digest()
        if mark not in told:
            told.add(mark)
            return text


def _filled(line: str, slots: Mapping[str, str], rng: Random) -> str:
    while _CHOICE.search(line):
        line = _CHOICE.sub(lambda match: rng.choice(match[1].split("|")), line)
    return line.format_map(slots)


def capital(text: str) -> str:
    """Return `text` with its first letter in upper case and the rest as it is."""
    return text[:1].upper() + text[1:]
