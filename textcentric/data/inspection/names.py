"""What the names of columns say: words that people give to ids, texts, targets, groups, splits."""

from __future__ import annotations

import re

from textcentric.data.schema import Split

IDS = set("id ids uuid guid key nr no code number index pid sku".split())
TEXTS = set(
    "text title titel description caption comment review summary body content headline question"
    " message abstract about beschreibung kommentar bewertung".split()
)
TARGETS = {  # and how much they say
    **dict.fromkeys("target label labels y outcome gold truth ziel".split(), 8),
    **dict.fromkeys("class klasse churn survived sentiment diagnosis".split(), 6),
    **dict.fromkeys("price preis rating score stars grade probability".split(), 5),
    **dict.fromkeys("speed salary quality emotion result category species".split(), 4),
    **dict.fromkeys("subcategory topic intent cost income kategorie note".split(), 3),
}
CLASSES = set("label labels class klasse category kategorie topic type".split())
GROUPS = set(
    "user host author speaker patient rescuer owner seller customer session document video group"
    " household".split()
)
AMOUNTS = set("amt amount count num total votes".split())  # of what, no names
PARTS = set("split fold set subset partition part phase".split())
SPLITS: dict[Split, set[str]] = {
    "train": set("train training trn tr learn".split()),
    "validation": set("validation valid val dev eval development".split()),
    "test": set("test testing tst holdout heldout".split()),
}
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-zÀ-ÿ]+|[^\W\d_A-Za-z]+|\d+")


def words_of(name: str) -> list[str]:
    """Return the words of a column's name.

    >>> words_of("RescuerID"), words_of("Price_Night")
    (['rescuer', 'id'], ['price', 'night'])
    """
    return [word.lower() for word in _WORDS.findall(name)]


def split_named(value: str) -> Split | None:
    """Return the split that a value of a column means, None where it means none.

    >>> split_named("Dev"), split_named("0")
    ('validation', None)
    """
    return next((split for split, words in SPLITS.items() if value.lower() in words), None)
