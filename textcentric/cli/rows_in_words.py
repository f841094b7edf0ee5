"""Rows in the experts' words, outside a run: nothing is kept."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from textcentric.cli.terminal import say
from textcentric.config import AugmentConfig
from textcentric.describe import Described, Describer
from textcentric.errors import DataError
from textcentric.journal import Journal
from textcentric.rows import Record
from textcentric.session import make_experts


@contextmanager
def throwaway_journal() -> Iterator[Journal]:
    """Open a journal in a folder that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="textcentric-") as folder:
        journal = Journal(Path(folder) / "journal.sqlite")
        try:
            yield journal
        finally:
            journal.close()


def in_words(
    config: AugmentConfig, dataset: Any, records: Iterable[Record] | None = None
) -> Generator[tuple[Record, Described | None]]:
    """Yield each record with its words; None, and a line on stderr, where it has none."""
    with throwaway_journal() as journal, asyncio.Runner() as runner:
        describer = Describer(make_experts(config, dataset), journal)
        try:
            for record in dataset if records is None else records:
                try:
                    yield record, runner.run(describer.describe(record))
                except DataError as error:
                    say(f"textcentric: {error}")
                    yield record, None
        finally:
            describer.close()
