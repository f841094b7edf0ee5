"""Rows that come after others, to a model that has been finished: what they must agree in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from textcentric.errors import ConfigError, DataError, cut
from textcentric.methods.fusion.config import CrmtConfig
from textcentric.methods.fusion.encoders import DEFAULTS
from textcentric.methods.fusion.inputs import Senses
from textcentric.methods.fusion.ridge import Ridge
from textcentric.rows import Record


class Finished(Protocol):
    """A trained model with the state of its head, where it has one."""

    config: CrmtConfig
    senses: Senses
    ridge: Ridge | None

    @property
    def names(self) -> tuple[str, ...]: ...


def check_more(method: Finished, rows: Sequence[Record]) -> None:
    """Raise ConfigError for a model to which none can be added, DataError for `rows` of others."""
    if method.ridge is None:
        raise ConfigError(
            f"this model of variant {method.config.variant!r} has no state of a ridge head, so no"
            " rows can be added; name the folder of a model of variant pal"
        )
    method.ridge.refuse_again([row.id for row in rows])
    _check_modalities(method, rows)
    if "table" in method.names:
        _check_columns(method, rows)


def _check_modalities(method: Finished, rows: Sequence[Record]) -> None:
    """Raise for a modality that no row has; and for another one, unless some were chosen."""
    has = {name for row in rows for name in row.inputs if name in DEFAULTS}
    new = has - {*method.names} if method.config.modalities is None else set()
    if new or not {*method.names} <= has:
        raise DataError(
            f"these rows have {', '.join(sorted(has))}, and the model reads"
            f" {', '.join(sorted(method.names))}; give rows with the same columns as before"
        )


def _check_columns(method: Finished, rows: Sequence[Record]) -> None:
    """Raise for a column of the table that no row has."""
    known = {*method.senses.table.numbers, *method.senses.table.words}
    has = {name for row in rows for name in row.inputs.get("table", {})}
    if missing := sorted(known - has):
        raise DataError(
            f"the table of these rows has {cut(', '.join(sorted(has)))}, and the model reads"
            f" {cut(', '.join(missing))} too; give rows with the same columns as before"
        )
