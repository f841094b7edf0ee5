"""What every expert promises: one modality in, words out, with its own name and confidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

GUESSED, MEASURED = "words1", "words3"  # in an expert's version: says all guesses, or the sure ones
SILENT = "kept silent: nothing at a confidence that was measured to be right"


@dataclass(frozen=True, slots=True)
class Description:
    """What an expert says of one value; `confidence` in [0, 1], None where it has none."""

    text: str
    confidence: float | None = None
    notes: tuple[str, ...] = ()


def silence(modality: str) -> str:
    """Return the note of an expert that recognised nothing it may say."""
    return f"{modality} expert {SILENT}"


class Expert(Protocol):
    """Turn the values of one modality into words.

    `describe` answers with one `Description` a value, in order; an unreadable value (a broken
    picture, say) gives a Description with empty text and a note that says why.
    """

    modality: str
    name: str
    version: str

    def describe(self, values: Sequence[Any]) -> list[Description]: ...

    def digest(self, value: Any) -> str:
        """Return a digest of the content that decides the description (file bytes, not names)."""
        ...


class AskingExpert(Protocol):
    """Put a value into words by asking a model behind an engine, which takes many at once."""

    modality: str
    name: str
    version: str

    async def caption(self, value: Any, /) -> Description: ...

    def digest(self, value: Any) -> str: ...


AnyExpert = Expert | AskingExpert
