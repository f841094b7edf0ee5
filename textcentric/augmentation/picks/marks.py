"""A louder sentence: the model picks an exclamation, or a word to shout; no word changes."""

from __future__ import annotations

import random
import re

from textcentric.augmentation.picks.question import Carried, Picked, Question
from textcentric.experts.sentences import Span, sentence_spans
from textcentric.rows import TextRow
from textcentric.writing import count_words

WORD = re.compile(r"[^\W\d_]{4,}")
PLAIN_WORD = re.compile(r"[A-Za-z]{4,}")  # of ASCII, twice as quick
WORDS, MOST_WORDS, SHOUTED = 3, 40, 5
QUIET = frozenset(
    "that this these those with from have been were they them their there then than when where"
    " what which while will would could should about into onto some such only also just very"
    " because after before until does must your ours yours mine upon over under".split()
)
ENDINGS = {".": ("!", "!!!"), "!": ("!!!", "!!!!"), "?": ("?!", "???"), "": ("!", "!!!")}
# Of full width, where nothing can be shouted in capitals.
ENDINGS |= {"。": ("！", "！！！"), "！": ("！！！", "！！！！"), "？": ("？！", "？？？")}
ADDRESS = re.compile(r"https?:|www\.|@")


def marks(row: TextRow, part: str, take: int, rng: random.Random) -> list[Question]:
    """Return a question for at most `take` sentences of `part`."""
    text = row.parts.get(part, "")
    found = [
        (span, ways)
        for span in sentence_spans(text, whole=True)
        if _fits(sentence := text[slice(*span)]) and (ways := louder(sentence))
    ]
    if take < len(found):
        found = sorted(rng.sample(found, take))
    return [_question(part, text[slice(*span)], span, ways) for span, ways in found]


def _fits(sentence: str) -> bool:
    sized = WORDS <= count_words(sentence) <= MOST_WORDS
    return sized and not ADDRESS.search(sentence)


def _question(part: str, sentence: str, span: Span, ways: list[str]) -> Question:
    def carry(picked: Picked) -> Carried:
        return picked["louder"], ""

    return Question(sentence, {"louder": ways}, carry, part, span)


def louder(sentence: str) -> list[str]:
    """Return ways to shout `sentence`, all of its words kept.

    >>> louder("He is calm.")
    ['He is calm!', 'He is calm!!!', 'He is CALM!', 'HE IS CALM!!!']
    """
    stem, endings = _cut(sentence)
    expression = PLAIN_WORD if stem.isascii() else WORD
    words = [found for found in expression.finditer(stem) if _loud(found.group())][-SHOUTED:]
    shouted = [
        f"{stem[: found.start()]}{found.group().upper()}{stem[found.end() :]}{endings[0]}"
        for found in words
    ]
    ways = [stem + endings[0], stem + endings[1], *shouted, stem.upper() + endings[1]]
    return [way for way in dict.fromkeys(ways) if way != sentence]


def _cut(sentence: str) -> tuple[str, tuple[str, str]]:
    """Return the sentence without its last marks, and what may stand there instead."""
    stem = sentence.rstrip(".!?。！？")
    last = sentence[-1] if stem != sentence else ""
    if not last and not sentence[-1].isalnum():  # a quotation mark, a bracket, a comma
        return sentence, ("", "")
    return stem, ENDINGS[last]


def _loud(word: str) -> bool:
    return word.lower() not in QUIET and word != word.upper()
