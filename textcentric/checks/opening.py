"""What a check of pairs needs, opened and closed again: the table, the encoder, the engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from textcentric.checks.config import CheckConfig
from textcentric.checks.edit import Embed
from textcentric.checks.pairs import Checking, check_pairs, judge_by
from textcentric.data.tables import Table, open_table
from textcentric.models.packaged import packaged_encoder
from textcentric.models.sentence_encoder import SentenceEncoder


@contextmanager
def opened_checking(config: CheckConfig, table: Table | None = None) -> Iterator[Checking]:
    """Yield the check of what the settings name, or of a `table` in hand; close what it used.

    Raises DataError where there are no pairs, ConfigError where a package is not installed.
    """
    table = table or open_table(Path(config.pairs))
    with ExitStack() as opened:
        encoder = opened.enter_context(_encoder()) if config.embeddings else None
        yield check_pairs(table, config, judge_by(config, encoder))


@contextmanager
def _encoder() -> Iterator[Embed]:
    encoder = SentenceEncoder(str(packaged_encoder()))
    try:
        yield encoder.vectors
    finally:
        encoder.close()
