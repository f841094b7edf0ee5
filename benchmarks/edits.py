"""Edits of known truth: a sentence changed by code, so that what the change did to it is known.

Untrue for the question `same`: negated, another number, name, colour, size, role or time, a clause
dropped (which is true for `fewer`). True: contraction, clause order, synonym, one typing mistake.
The words lie in `words_of_edits.json`; by a hash of each word, half of them are "unlisted": they
may stand in no list of `textcentric/checks` (of synonyms: not beside the word that they replace),
so that a list cannot be fitted to this benchmark. The thesaurus is excepted: it is taken whole from
WordNet. Words that any list holds as a whole (not, two, May) count to neither half.

    python -m benchmarks.show_edits --show 40
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from benchmarks.slips import slipped

WORDS = json.loads(Path(__file__).with_name("words_of_edits.json").read_text(encoding="utf-8"))
UNTRUE = ("negated", "number", "name", "colour", "size", "role", "time", "clause dropped")
TRUE = ("contraction", "clause order", "synonym", "typing mistake")
ALIKE = 4  # edits of one kind whose sentences begin alike: the sample writes by templates
Half: TypeAlias = Literal["listed", "unlisted", ""]  # "": the edit takes no word that has a half
CLOSED = ("times",)  # groups that a list holds as a whole
WORD = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*")
VOWEL = re.compile(r"(?:[aeio]|u(?!ni|s[eu]))|hour", re.IGNORECASE)
AUXILIARY = re.compile(
    r"(?<=\w )(is|are|was|were|can|will|should|must|could|would)"
    r"(?= [a-z])(?! (?:not|never|no|hardly|also|only|just|still|so)\b)"
)
BEING = re.compile(
    r"(?<=\w )(?:is|are|was|were)(?= (?:very|so|really|quite)? ?"
    r"(?:[a-z]+(?:y|ful|ous|ive|able|ible|al)|calm|shy|fit|good|clean|quiet|safe|cute|kind)\b)"
)
PERFECT = re.compile(r"(?<=\w )(has|have|had)(?= (?:been|become|got|gone|\w{2,}ed)\b)")
SUBJECT = re.compile(
    r"(?:(?<=^)|(?<=, )|(?<=and )|(?<=but )|(?<=because ))"
    r"([Hh]e|[Ss]he|[Ii]t) (?=(?!is|was|has|does|as|always)[a-z]+s\b)"
)
NO_LONGER = re.compile(r"\b(is|are|was|were|can|could|will|would|should) ?(?:not|n't)\b(?! only)")
NEITHER = re.compile(r"\b(?:neither|Neither) (.+?) nor\b")
DIGITS = re.compile(r"(?<![\w/.,:+-])\d{1,4}(?![\w/:+-]|[.,]\d)")
PLACE = re.compile(r"\b(in|at|from|near) ((?:[A-Z][a-z]+ ?){1,3})(?=[ ,.!?])")
TAIL = re.compile(r",? (?:and|but|because|so|which) ")
VERB = re.compile(
    r"\b(?:is|are|was|were|has|have|had|can|will|do|does|did|likes?|loves?|eats?|needs?|lives?|goes"
    r"|sleeps?|looks?|found|came|knows?|gives?|offers?|provides?|comes?|[a-z]+ed)\b"
)
VERBS_ONLY = frozenset("need require help assist start begin buy purchase supply".split())
BEFORE_VERB = frozenset(
    "i we they you will to who may would please can could must should not never which that".split()
)
NO_INFINITIVE = frozenset(
    "need needs needed require requires required loves likes enjoys adores told perfect".split()
)
BEFORE_NOUN = frozenset("the a an his her my our your their this these its".split())
PREPOSITIONS = frozenset("under beneath above over beside behind near".split())
NOT_BEFORE = {
    "rather": frozenset({"would"}),
    "many": frozenset("so too how as very not".split()),
    "because": frozenset({"just", "only"}),
    "long": frozenset({"as", "so", "how"}),
    "light": frozenset({"the", "natural", "of", "a"}),
    "short": frozenset({"in"}),
    "cream": frozenset({"ice", "the"}),
}
NOT_AFTER = {
    "very": frozenset("much own few little".split()),
    "because": frozenset({"of"}),
    "really": frozenset({"want", "do"}),
    "small": frozenset({"talk"}),
    "long": frozenset({"as"}),
    "light": frozenset({"switch", "brown", "on"}),
}
OPENING = frozenset("between both either if when not unless".split())
REPORTS = frozenset(
    "ask asks know see sure tell even just only not and ever as than check wonder or what is was"
    " look looks looking".split()
)


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence, the text it stands in, what the table says, and where it is from."""

    text: str
    row: str
    facts: tuple[str, ...] = ()
    origin: str = "sample"


@dataclass(frozen=True, slots=True)
class KnownEdit:
    """A sentence beside what code made of it; `true` says whether it still says the same."""

    kind: str
    true: bool
    passage: Passage
    variant: str
    half: Half = ""


class Change(NamedTuple):
    """A changed sentence, and the word of the file that it took."""

    text: str
    word: str = ""


def make_edits(passages: Iterable[Passage], count: int, seed: int = 0) -> list[KnownEdit]:
    """Return `count` edits, as even over the kinds as the sentences allow, half of each origin.

    A sentence is edited once. What comes depends on passages, count and seed alone.
    """
    rng = random.Random(seed)
    pool = list(dict.fromkeys(passages))
    rng.shuffle(pool)
    known = frozenset(word.lower() for passage in pool for word in WORD.findall(passage.row))
    origins = len({passage.origin for passage in pool})
    most = -(-count // (len(KINDS) * max(1, origins)))
    made: Counter[tuple[str, ...]] = Counter()
    edits: dict[Passage, KnownEdit] = {}
    for limit in (most, 2 * most):  # what a rare kind leaves open, the others fill
        for passage in pool:
            if len(edits) < count and passage not in edits:
                edit = _rarest(passage, made, limit, rng, known)
                if edit:
                    edits[passage] = edit
                    made[edit.kind, passage.origin] += 1
                    made[edit.kind, passage.origin, _beginning(passage)] += 1
    return rng.sample(list(edits.values()), len(edits))


def _rarest(
    passage: Passage,
    made: Counter[tuple[str, ...]],
    limit: int,
    rng: random.Random,
    known: Collection[str],
) -> KnownEdit | None:
    """Return the edit of the kind that was made least often among those that can be made here."""
    for kind in sorted(KINDS, key=lambda kind: made[kind, passage.origin]):
        alike = made[kind, passage.origin, _beginning(passage)]
        if made[kind, passage.origin] < limit and alike < ALIKE:
            change = KINDS[kind](passage, rng, known)
            if change and change.text != passage.text:
                return _edit(kind, passage, change)
    return None


def _beginning(passage: Passage) -> str:
    return " ".join(passage.text.split()[:4])


def _edit(kind: str, passage: Passage, change: Change) -> KnownEdit:
    half = half_of(change.word) if change.word else ""
    return KnownEdit(kind, kind in TRUE, passage, change.text, half)


def half_of(word: str) -> Half:
    """Return the half of a word of the file: "unlisted" words stand in no list of the checks."""
    number = blake2b(word.lower().encode(), digest_size=4).digest()[0]
    return "listed" if number % 2 else "unlisted"


def unlisted_words() -> set[str]:
    """Return the content words of the file that no list of the checks may hold."""
    groups = [*WORDS["colours"], *WORDS["sizes"], *WORDS["roles"]]
    words = {word for group in groups for family in group for word in family}
    words |= {word for names in WORDS["names"].values() for word in names}
    return {word for word in words if half_of(word) == "unlisted"}


def unlisted_synonyms() -> list[set[str]]:
    """Return the pairs of synonyms of which no list may say that they are some."""
    return [{old, new} for old, new in WORDS["synonyms"] if half_of(new) == "unlisted"]


def _negated(passage: Passage, rng: random.Random, known: Collection[str]) -> Change | None:
    text = passage.text
    if NEITHER.search(text):
        return Change(NEITHER.sub(lambda found: f"both {found[1]} and", text, count=1))
    if (found := NO_LONGER.search(text)) and rng.random() < 0.7:
        return Change(f"{text[: found.start()]}{found[1]}{text[found.end() :]}")
    if (found := BEING.search(text)) and rng.random() < 0.8:
        negator = rng.choice(WORDS["open negators"])
        return Change(f"{text[: found.end()]} {negator}{text[found.end() :]}", negator)
    negator = rng.choice(WORDS["negators"])
    if places := [*AUXILIARY.finditer(text), *PERFECT.finditer(text)]:
        verb = rng.choice(places)
        gap = "" if verb[1] == "can" and negator.split()[0] == "not" else " "
        return Change(f"{text[: verb.end()]}{gap}{negator}{text[verb.end() :]}")
    if found := SUBJECT.search(text):
        negator = rng.choice(WORDS["adverbs of negation"])
        return Change(f"{text[: found.end()]}{negator} {text[found.end() :]}")
    return None


def _number(passage: Passage, rng: random.Random, known: Collection[str]) -> Change | None:
    text = passage.text
    if digits := list(DIGITS.finditer(text)):
        found = rng.choice(digits)
        value = int(found[0])
        low, high = (value - 9, value + 9) if value > 1900 else (2, max(9, 2 * value))
        other = rng.choice([n for n in range(low, high + 1) if n != value and n > 1])
        return Change(f"{text[: found.start()]}{other}{text[found.end() :]}")
    swapped = _swapped(text, [[[word] for word in WORDS["numbers"]]], rng)
    return Change(swapped.text) if swapped else None


def _name(passage: Passage, rng: random.Random, known: Collection[str]) -> Change | None:
    text = passage.text
    for name in passage.facts[:1]:
        if name in WORD.findall(text) and name[:1].isupper():
            new = rng.choice([word for word in WORDS["names"]["people"] if word != name])
            return Change(re.sub(rf"\b{re.escape(name)}\b", new, text), new)
    if found := PLACE.search(text):
        if found[2].split()[0] in DATES:
            return None
        new = rng.choice([word for word in WORDS["names"]["places"] if word not in found[2]])
        return Change(
            f"{text[: found.start(2)]}{new}{text[found.start(2) :][len(found[2].rstrip()) :]}", new
        )
    return None


def _of_group(name: str) -> Callable[..., Change | None]:
    """Return the edit that puts a word of another family of the same group in a word's place."""

    def edit(passage: Passage, rng: random.Random, known: Collection[str]) -> Change | None:
        swapped = _swapped(passage.text, WORDS[name], rng)
        return Change(swapped.text) if swapped and name in CLOSED else swapped

    return edit


def _swapped(
    text: str, groups: Sequence[Sequence[Sequence[str]]], rng: random.Random
) -> Change | None:
    """Return `text` with one word of a group replaced by one of another family of it."""
    places = [
        (found, group, family)
        for found in WORD.finditer(text)
        for group in groups
        for family in group
        if found[0] in family and _stands(text, found)
    ]
    if not places:
        return None
    found, group, family = rng.choice(places)
    new = rng.choice([word for other in group if other is not family for word in other])
    return Change(_put(text, found.start(), found.end(), new), new)


def _stands(text: str, found: re.Match[str]) -> bool:
    """Say whether a word means here what it stands for, as far as its neighbours tell."""
    before, after = _neighbours(text, found.start(), found.end())
    word = found[0].lower()
    return before not in NOT_BEFORE.get(word, ()) and after not in NOT_AFTER.get(word, ())


def _neighbours(text: str, start: int, end: int) -> tuple[str, str]:
    before = WORD.findall(text[:start])
    after = re.match(r" ([A-Za-z']+)", text[end:])
    return (before[-1].lower() if before else ""), (after[1].lower() if after else "")


def _put(text: str, start: int, end: int, new: str) -> str:
    """Replace a stretch of `text`, with its capital, and the article before it."""
    if text[start].isupper() and new[0].islower():
        new = new[0].upper() + new[1:]
    head = text[:start]
    if article := re.search(r"\b([Aa])n? $", head):
        right = article[1] + ("n " if VOWEL.match(new) else " ")
        head = head[: article.start()] + right
    return f"{head}{new}{text[end:]}"


def _clause_dropped(passage: Passage, rng: random.Random, known: Collection[str]) -> Change | None:
    text = passage.text
    end = text[-1] if text[-1] in ".!?" else ""
    heads = [
        text[: found.start()]
        for found in TAIL.finditer(text)
        if _clausal(text[found.end() :]) and _whole(text[: found.start()])
    ]
    return Change(rng.choice(heads).rstrip(",;: ") + end) if heads else None


def _clausal(tail: str) -> bool:
    """Say whether what is cut off says something: a verb stands near its beginning."""
    words = tail.split()
    said = VERB.search(" ".join(words[:4])) is not None
    return len(words) >= 3 and said and not tail.startswith("what can you do")


def _whole(clause: str) -> bool:
    """Say whether a clause can stand alone."""
    words = clause.lower().split()
    open_end = OPENING & set(words) or "," in " ".join(words[-2:])
    return len(words) >= 4 and not open_end and VERB.search(clause) is not None and words[0] != "as"


def _contraction(passage: Passage, rng: random.Random, known: Collection[str]) -> Change | None:
    text, places = passage.text, []
    for long, short in WORDS["contractions"]:
        for old, new in ((long, short), (short, long)):
            for found in re.finditer(rf"\b{old}\b(?=\s+[a-z])", text, re.IGNORECASE):
                if not re.match(r" (?:been|got|had)\b", text[found.end() :]) or new != "is":
                    places.append((found, new, short))
    if not places:
        return None
    found, new, short = rng.choice(places)
    if found[0].isupper() and len(found[0]) > 1:
        new = new.upper()
    if short.endswith("'s") and re.match(r" (?:been|got|\w+ed)\b", text[found.end() :]):
        return None  # "he's been" is "he has been"
    return Change(_put(text, found.start(), found.end(), new))


def _clause_order(passage: Passage, rng: random.Random, known: Collection[str]) -> Change | None:
    text = passage.text
    body, end = text.rstrip(".!?"), text[len(text.rstrip(".!?")) :]
    if re.search(r"\b(?:and|but|or|so|that|which)\b|[;:()\"]", body) or "?" in end:
        return None
    for word in sorted(WORDS["subordinators"], key=len, reverse=True):
        first = re.match(rf"{word.capitalize()} ([^,]+), ([^,]+)$", body)
        if first and _clauses(first[1], first[2]):
            return Change(f"{_capital(first[2])} {word} {first[1]}{end}")
        bare = re.match(rf"{word.capitalize()} (\w+ \w+) ((?:he|she|it|they|we|I) [^,]+)$", body)
        if bare:
            return Change(f"{_capital(bare[2])} {word} {bare[1]}{end}")
        later = re.match(rf"([^,]+),? {word} ([^,]+)$", body)
        if later and _clauses(later[1], later[2]) and not _bound(later[1]):
            rest = _lowered(later[1], passage)
            return Change(f"{word.capitalize()} {later[2]}, {rest}{end}")
    return None


def _clauses(*parts: str) -> bool:
    return all(len(part.split()) >= 3 and VERB.search(part) for part in parts)


def _bound(clause: str) -> bool:
    """Say whether what follows a clause is its object or its moment, so that it cannot go first."""
    return (
        clause.split()[-1] in REPORTS or re.search(r"\b(?:was|were) \w+ing\b", clause) is not None
    )


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _lowered(text: str, passage: Passage) -> str:
    """Return a clause that no longer stands first; names and "I" keep their capital."""
    first = WORD.findall(text)[0]
    names = {word for fact in passage.facts for word in fact.split()}
    keeps = (
        first == "I"
        or first.startswith("I'")
        or first in names
        or (first.isupper() and len(first) > 1)
    )
    return text if keeps else text[0].lower() + text[1:]


def _synonym(passage: Passage, rng: random.Random, known: Collection[str]) -> Change | None:
    text = passage.text
    places = [
        (found, new)
        for old, new in WORDS["synonyms"]
        for found in re.finditer(rf"\b{old}\b(?!['’-])", text, re.IGNORECASE)
        if not found[0].isupper() and _stands(text, found) and _fits(text, found)
    ]
    if not places:
        return None
    found, new = rng.choice(places)
    return Change(_put(text, found.start(), found.end(), new), new)


def _fits(text: str, found: re.Match[str]) -> bool:
    """Say whether the word is used here in the way in which its synonym can be."""
    before, after = _neighbours(text, found.start(), found.end())
    word = found[0].lower()
    if word in VERBS_ONLY and (before not in BEFORE_VERB or not after):
        return False
    if word in PREPOSITIONS and after not in BEFORE_NOUN:
        return False
    if word == "but" and not text[: found.start()].endswith(", "):
        return False
    return not (word in NO_INFINITIVE and after in {"to", "by"})


def _typing_mistake(passage: Passage, rng: random.Random, known: Collection[str]) -> Change | None:
    text = passage.text
    words = [found for found in WORD.finditer(text) if re.fullmatch("[a-z]{5,}", found[0])]
    rng.shuffle(words)
    for found in words:
        word = found[0]
        slip = slipped(word, rng)
        if slip not in known and slip != word:
            return Change(f"{text[: found.start()]}{slip}{text[found.end() :]}")
    return None


@cache
def _dates() -> frozenset[str]:
    months, weekdays = WORDS["times"][:2]
    return frozenset(word for family in (*months, *weekdays) for word in family)


DATES = _dates()
Edit: TypeAlias = Callable[[Passage, random.Random, Collection[str]], Change | None]
KINDS: dict[str, Edit] = {
    "negated": _negated,
    "number": _number,
    "name": _name,
    "colour": _of_group("colours"),
    "size": _of_group("sizes"),
    "role": _of_group("roles"),
    "time": _of_group("times"),
    "clause dropped": _clause_dropped,
    "contraction": _contraction,
    "clause order": _clause_order,
    "synonym": _synonym,
    "typing mistake": _typing_mistake,
}
