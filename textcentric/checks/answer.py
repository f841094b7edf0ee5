"""An answer of a model: preambles, refusals, loops, echoes, and its size beside the source.

What it says of the facts is judged elsewhere; here it is whether it answers at all.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import lru_cache
from itertools import chain, pairwise

from textcentric.checks.edit import Edit
from textcentric.checks.numbers import figures
from textcentric.checks.words import order_of, written_words
from textcentric.prompts.prompt import Checks
from textcentric.writing import STOPS, WIDE_STOPS, count_words, unspaced

PREAMBLE = re.compile(
    r"^\W*((?:sure|certainly|of course)\b|here(?:'s| is| are)|okay,? here"
    r"|the (?:rewritten|revised|new|changed|shortened|edited) (?:sentence|listing|text|version)"
    r"|(?:re-?written|revised|edited|listing|sentence|output|answer|note|example|original"
    r"|new sentence|task|step|instructions?|typos|short|shorter|reordered"
    r"|opposite|message|reworded|other words|incorrect sentence|type: review)\s*+\d*+\s*+:"
    r"|dear\b|hello\b|bien sûr|this (?:is a classic example|listing (?:can be|provides|is about))"
    r"|answer with the new text|no, i (?:will|have)\b|\[(?:insert|your))",
    re.IGNORECASE,
)
REFUSAL = re.compile(
    r"\bas an? (?:ai|artificial|language model|assistant)\b"
    r"|^\W*(?:i'm|i am) (?:sorry|unable|not able)"
    r"|\bi (?:cannot|can't|can not) (?:help|assist|provide|fulfil|answer|do that|rewrite)"
    r"|\bi apologi[sz]e\b|\bmy (?:training|knowledge) (?:data|cutoff)\b",
    re.IGNORECASE,
)
# Every refusal holds one of these: a search for them is ten times as quick as the expression.
REFUSAL_HINTS = (
    *("as a a", "as an a", "as a l", "as an l", "i'm ", "i am ", "i can", "i apologi"),
    *("my training ", "my knowledge "),
)
# A run of stops is read once, from its first; Chinese and Japanese leave no blank behind theirs.
SENTENCE_END = re.compile(
    rf"[{STOPS}](?<![{STOPS}].)[{STOPS}]*+"
    rf"(?:(?<=[{WIDE_STOPS}])[\"'”’)」』）】》〉]*+|[\"'”)]*+(?=\s|$))"
)
TAG = re.compile(r"\{[{%].{0,500}?[%}]\}|\n")  # of a template, or a line's end
GRAM, ECHO = 6, 5  # words: a run that may not come three times; a run taken from the instruction


def answer_fault(edit: Edit, checks: Checks, asked: Sequence[str] = ()) -> str:
    """Return why what a model wrote freely cannot count, by its words alone; empty if it can.

    `asked` are the texts of the prompt, whose words an answer may not repeat.
    """
    text, source = edit.variant, edit.source
    words, before = written_words(text), written_words(source)
    if len(words) <= len(written_words(edit.begin)):
        return "empty"
    if PREAMBLE.match(text) and not PREAMBLE.match(source):
        return "preamble"
    if refuses(text) and not refuses(source):
        return "refusal"
    if words == before:
        return "unchanged"
    if _loops(words, lambda: _sentences(text)):
        return "loop"
    if len(words) >= ECHO and _echoes(words, edit.row, asked):
        return "instruction echoed"
    return (
        _check_size(checks, _size(text, words), _size(source, before))
        or _check_change(checks, words, before)
        or _check_numbers(checks, edit)
    )


def pick_fault(edit: Edit, checks: Checks) -> str:
    """Return why what a model picked cannot count: the row's own words and listed ones."""
    if edit.variant == edit.source:
        return "unchanged"
    if checks.words is None and checks.length is None:
        return ""
    texts = (edit.variant, edit.source)
    return _check_size(checks, *(_size(text, written_words(text)) for text in texts))


def refuses(text: str) -> bool:
    """Say whether `text` declines to answer; most texts hold none of the words that takes."""
    if text.isascii():  # beyond ASCII, letters fold into these in ways that only `re` knows
        lower = text.lower()
        if not any(hint in lower for hint in REFUSAL_HINTS):
            return False
    return REFUSAL.search(text) is not None


def similarity_fault(checks: Checks, cosine: float) -> str:
    """Return why a text is too near its source in meaning, or too far from it; "" where neither."""
    if checks.similarity is None:
        return ""
    low, high = checks.similarity
    if cosine < low:
        return "drifted from source"
    return "too near the source" if cosine > high else ""


def goes_in_circles(row_text: str) -> bool:
    """Say so of a whole row; most of its sentences were split into words for a sibling already."""
    sentences = _sentences(row_text)
    return _loops(tuple(chain.from_iterable(sentences)), lambda: sentences)


def _size(text: str, words: Sequence[str]) -> int:
    """Return how many words a text has; where it writes no blanks, by its letters."""
    return count_words(text) if unspaced(text) else len(words)


def _check_size(checks: Checks, words: int, before: int) -> str:
    if checks.words and not checks.words[0] <= words <= checks.words[1]:
        return "too short" if words < checks.words[0] else "too long"
    if checks.length and before:
        ratio = words / before
        if ratio < checks.length[0]:
            return "too short"
        if ratio > checks.length[1]:
            return "too long"
    return ""


def _check_change(checks: Checks, words: Sequence[str], before: Sequence[str]) -> str:
    """Say whether too little or too much of the wording changed, or the order not at all."""
    if checks.new_words is not None:
        known = set(before)
        share = sum(word not in known for word in words) / len(words)
        if share < checks.new_words[0]:
            return "copied"
        if share > checks.new_words[1]:
            return "foreign words"
    if checks.moved is not None and _moved(words, before) < checks.moved:
        return "order unchanged"
    return ""


def _moved(words: Sequence[str], before: Sequence[str]) -> float:
    """Return the share of neighbours among the shared words whose order is not the source's."""
    steps = list(pairwise(order_of(before, words)))
    return sum(second < first for first, second in steps) / max(1, len(steps))


def _check_numbers(checks: Checks, edit: Edit) -> str:
    if checks.new_numbers is None:
        return ""
    found = figures(edit.variant)
    if len(found) > checks.new_numbers:
        found -= figures(edit.row)
    return "numbers invented" if len(found) > checks.new_numbers else ""


def _loops(words: tuple[str, ...], split: Callable[[], list[tuple[str, ...]]]) -> bool:
    """Say whether the same sentence or the same run of six words comes three times.

    `split` returns the words of each sentence.
    """
    if len(words) - len(set(words)) < 2:
        return False  # no word comes three times
    counts = Counter(words)
    often = {word for word, count in counts.items() if count >= 3}
    if not often:
        return False
    if _run_of(often, words) and _thrice(
        list(zip(*(words[i:] for i in range(GRAM)), strict=False))
    ):
        return True
    sentences = split()
    if len(sentences) < 3:
        return len(words) > 8 and max(counts.values()) > 0.6 * len(words)
    return _thrice([sentence for sentence in sentences if sentence])


def _run_of(often: set[str], words: tuple[str, ...]) -> bool:
    """Say whether six neighbours are all among the words that come three times."""
    run = 0
    for word in words:
        run = run + 1 if word in often else 0
        if run == GRAM:
            return True
    return False


def _sentences(text: str) -> list[tuple[str, ...]]:
    """Return the words of each sentence; a line break ends one too."""
    return [written_words(end) for end in SENTENCE_END.split(text.replace("\n", ".\n"))]


def _thrice(things: Sequence[Hashable]) -> bool:
    """Say whether anything comes three times; mostly the number of repeats alone says no."""
    if len(things) - len(set(things)) < 2:
        return False
    return max(Counter(things).values()) >= 3


def _echoes(words: tuple[str, ...], row: str, asked: Sequence[str]) -> bool:
    """Say whether five words in a row come from the prompt and not from the row."""
    taken = set(_grams(words)) & _prompt_grams(*asked)
    return bool(taken) and not taken <= set(_grams(written_words(row)))


@lru_cache(maxsize=4096)
def _prompt_grams(*asked: str) -> frozenset[tuple[str, ...]]:
    lines = [line for text in asked for line in TAG.split(text)]
    return frozenset(gram for line in lines for gram in _grams(written_words(line)))


def _grams(words: Sequence[str]) -> Iterable[tuple[str, ...]]:
    return zip(*(words[i:] for i in range(ECHO)), strict=False)
