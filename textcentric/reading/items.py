"""One pair that is read: a source, a variant, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from textcentric.reading.groups import TRUE_WORDS

ACCEPTED, REFUSED, DECOY, REPEAT = "accepted", "refused", "decoy", "repeat"
READ = (ACCEPTED, REFUSED)  # kinds that enter figures


@dataclass(frozen=True, slots=True)
class Item:
    """One pair to read: `source` and `variant` are the parts of both rows, by name.

    `kind` and `expected` (of a decoy) are never shown; `of` is what a repeat repeats; `declared`
    says what the variant changes on purpose, `facts` what it may do with those of the row.
    """

    item: str
    kind: str
    group: str
    output: str
    source_id: str
    source: Mapping[str, str]
    variant: Mapping[str, str]
    facts: str = "same"
    declared: str = ""
    expected: str = ""
    of: str = ""

    @property
    def true_words(self) -> tuple[str, ...]:
        """Return the words that call this pair true."""
        return TRUE_WORDS[self.facts]
