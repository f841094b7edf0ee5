"""The first stage of a row: experts say each modality in words, and the journal remembers."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypedDict

from textcentric.errors import DataError, option
from textcentric.experts.protocol import AnyExpert, Description, silence
from textcentric.experts.table import statements
from textcentric.rows import MODALITIES, Record, TextRow
from textcentric.runs.journal import Journal
from textcentric.values import Cells

INSTANT = ("table", "text")  # described faster than a thread is woken


class Spoke(TypedDict):
    """The expert that put one modality of a row into words, and how sure it was, in [0, 1]."""

    name: str
    version: str
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Described:
    """A row in words, who said so, and what there is to note."""

    row: TextRow
    experts: Mapping[str, Spoke]
    notes: tuple[str, ...]
    facts: tuple[str, ...]  # table values, in lower case
    cells: Cells = field(default_factory=dict)

    def statements(self) -> dict[str, str]:
        """Return what the table says of each column."""
        return statements(self.cells)


class LanguageWatch:
    """Warn, once a language, of rows in a language that the model does not list."""

    def __init__(self, listed: frozenset[str] | None, warn: Callable[[str], None]):
        self.listed = listed
        self.warn = warn
        self._warned: set[str] = set()

    def look(self, row_id: str, notes: Sequence[str]) -> None:
        """Look for a `language=xx` note that the model does not list."""
        for note in notes:
            language = note.removeprefix("language=")
            if self.listed is None or language == note or language in self.listed | self._warned:
                continue
            self._warned.add(language)
            self.warn(
                f"row {row_id!r} is in {language!r}, which the model does not list"
                f" ({', '.join(sorted(self.listed))}); expect weak text, or give another"
                f" {option('model')}"
            )


class Silences:
    """Count the rows of which an expert recognised nothing that it may say."""

    def __init__(self) -> None:
        self.rows = 0
        self.silent: Counter[str] = Counter()

    def look(self, described: Described) -> None:
        """Count one row by its notes."""
        self.rows += 1
        self.silent.update(
            modality for modality in MODALITIES if silence(modality) in described.notes
        )

    def lines(self) -> list[str]:
        """Return a line for each expert that kept silent."""
        return [
            f"the {modality} expert kept silent on {rows} of {self.rows} rows: it recognised"
            f" nothing sure enough; {option('expert_words', 'all')} gives its guesses"
            for modality, rows in self.silent.items()
        ]


class Describer:
    """Run the experts of a row; an expert's answer is journalled by content, name and version."""

    def __init__(
        self,
        experts: Mapping[str, AnyExpert],
        journal: Journal,
        languages: LanguageWatch | None = None,
    ):
        self.experts = experts
        self.journal = journal
        self.languages = languages
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="expert")

    async def describe(self, record: Record, *, warn: bool = True) -> Described:
        """Return the row in words; raises DataError where no modality says anything.

        Without `warn` nobody is told of its language: damaged words pass for another.
        """
        parts: dict[str, str] = {}
        experts: dict[str, Spoke] = {}
        notes: list[str] = []
        for modality in MODALITIES:
            expert = self.experts.get(modality)
            value = None if expert is None else record.inputs.get(expert_input(expert))
            if expert is None or not value:
                continue
            told = await self._ask(modality, expert, value)
            notes += told.notes
            if warn and self.languages is not None:
                self.languages.look(record.id, told.notes)
            if told.text:
                parts[modality] = told.text
                experts[modality] = {
                    "name": expert.name,
                    "version": expert.version,
                    "confidence": told.confidence,
                }
        if not parts:
            why = "; ".join(notes) or "every modality is missing"
            raise DataError(f"row {record.id!r} has nothing to say: {why}", row_id=record.id)
        row = TextRow(record.id, parts, record.target, record.id)
        return Described(
            row, experts, tuple(notes), _facts(record), record.inputs.get("table") or {}
        )

    async def _ask(self, modality: str, expert: AnyExpert, value: Any) -> Description:
        if modality in INSTANT and not hasattr(expert, "caption"):
            return expert.describe([value])[0]
        loop = asyncio.get_running_loop()
        digest = await loop.run_in_executor(self._thread, expert.digest, value)
        key = _key(expert.name, expert.version, digest)
        stored = self.journal.get(key)
        if stored is not None:
            return Description(stored["text"], stored["confidence"], tuple(stored["notes"]))
        if hasattr(expert, "caption"):
            told = await expert.caption(value)
        else:
            told = (await loop.run_in_executor(self._thread, expert.describe, [value]))[0]
        self.journal.put(
            key, {"text": told.text, "confidence": told.confidence, "notes": list(told.notes)}
        )
        return told

    def close(self) -> None:
        """Stop the thread; what it is doing is finished first."""
        self._thread.shutdown(wait=True, cancel_futures=True)


def expert_input(expert: AnyExpert) -> str:
    """Return the key of `Record.inputs` that an expert reads: its modality, unless it says so."""
    reads: str = getattr(expert, "reads", expert.modality)
    return reads


def _key(*pieces: str) -> str:
    return "expert:" + hashlib.blake2b("\0".join(pieces).encode(), digest_size=16).hexdigest()


def _facts(record: Record) -> tuple[str, ...]:
    """Return the table's values that are words of some length, in lower case."""
    values = (record.inputs.get("table") or {}).values()
    words = (str(value).casefold() for value in values if value is not None)
    return tuple(word for word in words if 3 <= len(word) <= 40)
