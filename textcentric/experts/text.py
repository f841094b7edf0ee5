"""The text expert: the row's own words, cleaned, with their language noted."""

from __future__ import annotations

from collections.abc import Sequence

from textcentric.experts.clean import clean_text
from textcentric.experts.digest import digest_value
from textcentric.experts.language import guess_language
from textcentric.experts.protocol import Description


class TextExpert:
    """Clean texts and note their language as `language=en` where it can be told.

    >>> TextExpert().describe(["<p>She is calm and very friendly.</p>"])[0].notes
    ('language=en',)
    """

    modality = "text"
    name = "text"
    version = "1"

    def describe(self, values: Sequence[str]) -> list[Description]:
        """Return one description a text."""
        return [_describe(text) for text in values]

    def digest(self, value: str) -> str:
        """Return a digest of the raw text."""
        return digest_value(value)


def _describe(text: str) -> Description:
    words = clean_text(text)
    if not words:
        return Description("", notes=("the text is empty",))
    language = guess_language(words)
    return Description(words, notes=(f"language={language}",) if language else ())
