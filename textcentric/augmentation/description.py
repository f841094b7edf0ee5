"""The first stage of a row: experts say each modality in words, and the journal remembers."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from textcentric.data.balance import unread, unread_notes
from textcentric.errors import DataError, option
from textcentric.experts.protocol import AnyExpert, Description, silence
from textcentric.experts.table import statements
from textcentric.rows import MODALITIES, Record, TextRow, file_faults
from textcentric.runs.columns import Spoke
from textcentric.runs.journal import Journal
from textcentric.values import Cells, Json

INSTANT = ("table", "text")  # described faster than a thread is woken


@dataclass(frozen=True)
class Described:
    """A row in words, who said so, and what there is to note."""

    row: TextRow
    experts: Mapping[str, Spoke]
    notes: tuple[str, ...]
    facts: tuple[str, ...]  # table values, in lower case
    cells: Cells = field(default_factory=dict)
    foreign: str = ""  # a language for which the model is not asked about this row

    @cached_property
    def statements(self) -> dict[str, str]:
        """What the table says of each column."""
        return statements(self.cells)


class LanguageWatch:
    """Warn, once a language, of rows in a language that the model does not list.

    With `leave_out` the model is asked nothing about such rows. Where it lists no languages, no
    row is left out, and `warn` is told.
    """

    def __init__(
        self, listed: frozenset[str] | None, warn: Callable[[str], None], *, leave_out: bool = False
    ):
        self.listed = listed
        self.warn = warn
        self.leave_out = leave_out
        self._warned: set[str] = set()
        if leave_out and listed is None:
            warn(
                f"the model lists no languages, so {option('languages', 'listed')} leaves out none"
            )

    def look(self, row_id: str, notes: Sequence[str]) -> str:
        """Look for a `language=xx` note that the model does not list; return what is left out."""
        strange = ""
        for note in notes:
            language = note.removeprefix("language=")
            if self.listed is None or language == note or language in self.listed:
                continue
            strange = language
            if language not in self._warned:
                self._warned.add(language)
                self._tell(row_id, language)
        return strange if self.leave_out else ""

    def _tell(self, row_id: str, language: str) -> None:
        said = f"row {row_id!r} is in {language!r}, which the model does not list"
        said += f" ({', '.join(sorted(self.listed or ()))}); "
        if self.leave_out:
            said += "it is asked nothing about such rows, which stay in their own words"
        else:
            said += f"expect weak text, or give another {option('model')}, or"
            said += f" {option('languages', 'listed')}"
        self.warn(said)


class Silences:
    """Count the rows of which an expert says nothing that it may say, or cannot read a file."""

    def __init__(self) -> None:
        self.rows = 0
        self.silent: Counter[str] = Counter()
        self.faults: dict[str, tuple[str, ...]] = {}

    def look(self, described: Described) -> None:
        """Count one row by its notes."""
        self.rows += 1
        self.faults[described.row.id] = file_faults(described.notes)
        self.silent.update(
            modality for modality in MODALITIES if silence(modality) in described.notes
        )

    def lines(self) -> list[str]:
        """Return a line for each expert that kept silent, and one of files that are not read."""
        lines = [
            f"the {modality} expert kept silent on {rows} of {self.rows} rows: it recognised"
            f" nothing sure enough; {option('expert_words', 'all')} gives its guesses"
            for modality, rows in self.silent.items()
        ]
        return [*lines, *unread_notes(unread(self.faults.keys(), self.faults.values()))]


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
        foreign = ""
        for modality in MODALITIES:
            expert = self.experts.get(modality)
            value = None if expert is None else record.inputs.get(expert_input(expert))
            if expert is None or not value:
                continue
            told = await self._ask(modality, expert, value)
            notes += told.notes
            if warn and self.languages is not None:
                foreign = self.languages.look(record.id, told.notes) or foreign
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
        cells = record.inputs.get("table") or {}
        return Described(row, experts, tuple(notes), _facts(record), cells, foreign)

    async def _ask(self, modality: str, expert: AnyExpert, value: Any) -> Description:
        if modality in INSTANT and not hasattr(expert, "caption"):
            return expert.describe([value])[0]
        loop = asyncio.get_running_loop()
        digest = await loop.run_in_executor(self._thread, expert.digest, value)
        key = _key(expert.name, expert.version, digest)
        stored = self.journal.get(key)
        if stored is not None:
            if known := _description(stored):
                return known
            self.journal.forget(key)  # what is none, in a journal of others
        if hasattr(expert, "caption"):
            told = await expert.caption(value)
        else:
            told = (await loop.run_in_executor(self._thread, expert.describe, [value]))[0]
        if told.text or not file_faults(told.notes):  # of broken files the notes name their own
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


def _description(stored: Json) -> Description | None:
    """Return what an expert said; None for anything else that may stand in a journal."""
    if not isinstance(stored, dict) or not isinstance(text := stored.get("text"), str):
        return None
    sure, notes = stored.get("confidence"), stored.get("notes")
    if not isinstance(sure, int | float | None) or not isinstance(notes, list):
        return None
    return Description(text, sure, tuple(map(str, notes)))


def _key(*pieces: str) -> str:
    return "expert:" + hashlib.blake2b("\0".join(pieces).encode(), digest_size=16).hexdigest()


def _facts(record: Record) -> tuple[str, ...]:
    """Return the table's values that are words of some length, in lower case."""
    values = (record.inputs.get("table") or {}).values()
    words = (str(value).casefold() for value in values if value is not None)
    return tuple(word for word in words if 3 <= len(word) <= 40)
