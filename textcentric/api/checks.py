"""Pairs of a source and a variant for Python: whether variants say what their sources say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from textcentric.api.given import by_name, in_store, refuse_twice, settings_of, source
from textcentric.api.progress import Progress, watched
from textcentric.api.results import Checked
from textcentric.checks.config import CheckConfig
from textcentric.data.rows import RowsLike
from textcentric.data.tables.frames import table_in_hand
from textcentric.data.tables.table import Table
from textcentric.errors import ConfigError, DataError
from textcentric.folders import write_text
from textcentric.security.outputs import check_ours

Texts = str | Sequence[str]


def check(
    pairs: Texts | RowsLike,
    variants: Texts | None = None,
    *,
    progress: Progress = None,
    **settings: Any,
) -> Checked:
    """Say which variants say what their source says; `output` keeps a file of the verdicts.

    `pairs` are sources, beside their `variants`, or rows of both in hand or by name. `settings` are
    the keys of `check`. Raises ConfigError for sources and variants of different number.

    >>> check(["He is calm."], ["He is not calm."], likelihoods="off")["false"]  # doctest: +SKIP
    1
    """
    from textcentric.checks.opening import opened_checking
    from textcentric.checks.verdicts_file import VERDICTS, is_verdicts

    table = _table(pairs, variants)
    refuse_twice(settings, ["pairs"] if variants is None else ["pairs", "source", "variant"])
    with watched(progress) as (_, say):
        name = str(pairs) if table is None else source(table)
        config = settings_of(CheckConfig, {**settings, "pairs": name}, say)
        if config.output is not None:
            check_ours(config.output, VERDICTS, is_verdicts)
        with opened_checking(config, say, table) as checking:
            lines = list(checking)
    if config.output is not None:
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        write_text(config.output, text)
    counts = {"true": checking.true, "false": checking.false, "unjudged": checking.unjudged}
    counts["broken"] = checking.broken
    values = {**counts, "true_share": checking.true_share, "reasons": dict(checking.reasons)}
    return Checked(config.output, values, lines)


def _table(pairs: Texts | RowsLike, variants: Texts | None) -> Table | None:
    """Return what is checked as a table; None where it is a file's name."""
    if variants is None:
        if by_name(pairs):
            return None
        table = table_in_hand(in_store(pairs))
        if table is None:
            raise DataError(
                f"pairs are {type(pairs).__name__}; expected sources with variants=..., or rows"
                " of source and variant"
            )
        return table
    sources = [pairs] if isinstance(pairs, str) else list(pairs)  # type: ignore[arg-type]
    said = [variants] if isinstance(variants, str) else list(variants)
    if len(sources) != len(said):
        raise ConfigError(f"{len(sources)} sources and {len(said)} variants; give as many of both")
    rows = [{"source": one, "variant": other} for one, other in zip(sources, said, strict=True)]
    table = table_in_hand(rows)
    if table is None:
        raise ConfigError("no sources and no variants; give one of each or more")
    return table
