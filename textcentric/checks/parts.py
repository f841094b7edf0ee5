"""The parts of a verdict on a sentence, and the rules that no weight can outdo."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise

from textcentric.checks.change import compare
from textcentric.checks.comparatives import comparisons, kinds, opposites, persons, tenses
from textcentric.checks.edit import Edit, Facts
from textcentric.checks.form import garbled, same_sentences, unfinished
from textcentric.checks.legibility import misread, spelling
from textcentric.checks.likelihood import back_part, forward_part
from textcentric.checks.names import lost_names, lost_values, new_names
from textcentric.checks.negation import negation_changed, scope_changed
from textcentric.checks.numbers import invented, lost
from textcentric.checks.words import listed, new_words, order_of, stem, stems_of, words

LESS = 0.12  # share of the source's words that may be missing where all of it is to be said
SPELT = 0.72  # letter by letter, below which a misspelt text cannot be read any more
# Words that relate what stands beside them; another one relates it otherwise.
RELATING = frozenset(
    "in on at to from by with without into onto over under after before between behind beside"
    " through during until since off up down away back out near per via for".split()
)


def parts_of(edit: Edit) -> Mapping[str, float]:
    """Return the parts of `edit`: counts, shares in [0, 1], and likelihoods that are known."""
    parts = _parts(edit.source, edit.variant, edit.row, edit.facts)
    likely = likely_parts(edit)
    return parts | likely if likely else parts


def likely_parts(edit: Edit) -> dict[str, float]:
    """Return the likelihoods of `edit` that are known, in nats a token."""
    if edit.logprob is None and edit.back is None:
        return {}
    likely = {"forward": forward_part(edit), "back": back_part(edit)}
    return {name: value for name, value in likely.items() if value is not None}


@lru_cache(maxsize=4096)
def _parts(source: str, variant: str, row: str, facts: tuple[str, ...]) -> dict[str, float]:
    before, after = words(source), words(variant)
    change = compare(source, variant, row)
    size, held = max(1, len(after.stems)), max(1, len(before.stems))
    related = RELATING.intersection(after.tokens)
    more = [t for t in related if after.tokens.count(t) > before.tokens.count(t)]
    other = new_words(source, variant)
    grammar = listed("function").intersection(other)
    return {
        "new": round(len(change.new) / size, 3),
        "far": float(len(change.far)),
        "borrowed": float(len(change.borrowed)),
        "forms": float(len(change.forms)),
        "altered": float(len(change.altered)),
        "fillers": float(len(change.fillers)),
        "alike": float(len(change.alike)),
        "missing": round(len(change.missing) / held, 3),
        "replaced": float(min(len(change.far) + len(change.borrowed), len(change.missing))),
        "relations": float(len(more)),
        "inflected": float(sum(t not in grammar and stem(t) not in change.new for t in other)),
        "function": round(len(grammar) / max(1, len(after.tokens)), 3),
        "moved": 0.0
        if turned(before.tokens, after.tokens)
        else round(moved(before.content, after.content), 3),
        "degree": float(comparisons(source, variant)),
        "scope": float(scope_changed(source, variant)),
        "numbers_lost": float(lost(source, variant)),
        "names_lost": float(lost_names(source, variant)),
        "values_lost": float(lost_values(source, variant, facts)) if facts else 0.0,
        "spelling": spelling(source, variant),
    }


def turned(before: tuple[str, ...], after: tuple[str, ...]) -> bool:
    """Say whether the end of `before` comes first in `after`, as where clauses change places."""
    if len(before) != len(after) or before[0] not in after:
        return False
    at = after.index(before[0])
    return at > 1 and after[at:] + after[:at] == before


def moved(before: tuple[str, ...], after: tuple[str, ...]) -> float:
    """Return the share of the shared words that stand elsewhere; clauses may change places.

    >>> moved(("dog", "bite", "man"), ("man", "bite", "dog"))
    0.5
    >>> moved(("rain", "chew", "shell"), ("chew", "shell", "rain"))
    0.0
    """
    if before == after[: len(before)] or before[: len(after)] == after:
        return 0.0
    order = order_of(before, after)
    falls = sum(second < first for first, second in pairwise(order))
    if not falls:
        return 0.0
    clauses = falls == 1 and len(order) > 2 and order[-1] < order[0]
    return 0.0 if clauses else falls / max(1, len(order) - 1)


def rule_reason(edit: Edit, facts: Facts, legible: bool, parts: Mapping[str, float]) -> str:
    """Return why `edit` cannot be true whatever it weighs; empty where no rule speaks."""
    source, variant = edit.source, edit.variant
    if same_sentences(source, variant):
        return ""
    same = facts == "same"
    if not words(variant).tokens:
        return "empty"
    if not legible:
        return _illegible(source, variant, same)
    if invented(source, variant) or (same and parts["numbers_lost"]):
        return "number changed"
    if negation_changed(source, variant):
        return "negation changed"
    if opposites(source, variant):
        return "opposite"
    if kinds(source, variant, edit.row):
        return "another kind"
    if reason := _other_names(edit, same, parts):
        return reason
    if tenses(source, variant):
        return "time changed"
    if parts["scope"]:
        return "scope changed"
    if unfinished(source, variant):
        return "unfinished"
    if same and (parts["missing"] > LESS or _cut_short(source, variant)):
        return "says less"
    return "garbled" if garbled(source, variant) else ""


def _cut_short(source: str, variant: str) -> bool:
    """Say whether `variant` is nothing but the beginning of `source`."""
    before, after = words(source).tokens, words(variant).tokens
    return len(after) < len(before) and after == before[: len(after)]


def _other_names(edit: Edit, same: bool, parts: Mapping[str, float]) -> str:
    """Return why `edit` speaks of others than its source does."""
    lost = parts["names_lost"]
    if new_names(edit.source, edit.variant, edit.row) or (same and lost):
        return "name changed"
    if same and parts["values_lost"]:
        return "value changed"
    turned = persons(edit.source, edit.variant)
    return "another person" if turned > 1 or (turned and lost) else ""


def _illegible(source: str, variant: str, same: bool) -> str:
    """Judge a text whose aim is misspelling: every word a spelling of the source's, in order."""
    strange, left_out = misread(source, variant)
    if invented(source, variant) or (same and lost(source, variant)):
        return "number changed"
    if strange:
        return "no spelling of the source"
    if same and left_out:
        return "words left out"
    if unfinished(source, variant):
        return "unfinished"
    return "" if spelling(source, variant) >= SPELT else "illegible"


def added_reason(edit: Edit) -> str:
    """Return why what stands beside the row is not unrelated to it, or the row does not stand."""
    source, variant, row = edit.source, edit.variant, edit.row or edit.source
    added = _rest(words(source).tokens, words(variant).tokens)
    if added is None:  # a part of its own
        added = words(variant).tokens
        if edit.begin or len(set(words(source).tokens) & set(added)) > 0.5 * len(set(added)):
            return "the row's words changed"
    plain = words(" ".join(added)).stems - stems_of("filler")
    if not added:
        return "nothing added"
    shared = plain & words(row).known
    if shared or any(fact and f" {fact} " in f" {variant.casefold()} " for fact in edit.facts):
        return "names what the row names"
    return ""


def _rest(before: tuple[str, ...], after: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return what `after` adds around `before`, None where it does not hold it in one piece."""
    for at in range(len(after) - len(before) + 1):
        if after[at : at + len(before)] == before:
            return (*after[:at], *after[at + len(before) :])
    return None


def changed_reason(edit: Edit) -> str:
    """Return why more than one place of `edit` is another: the rest stands word for word."""
    before, after = words(edit.source).tokens, words(edit.variant).tokens
    if before == after:
        return "nothing changed"
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    if len(old) + len(new) > max(4, (len(before) + len(after)) // 2):
        return "more than it names changed"
    if garbled(edit.source, edit.variant) or unfinished(edit.source, edit.variant):
        return "garbled"
    return ""


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """Return how many words both begin with."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
                min(len(one), len(other)))  # fmt: skip
