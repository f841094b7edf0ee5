"""Who has which rows: a client is a value of a column, with all modalities or some of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from textcentric.errors import ConfigError, DataError, check_known, option, unknown
from textcentric.methods.fusion.encoders import DEFAULTS
from textcentric.methods.fusion.federated.config import FederatedConfig
from textcentric.rows import Record

TABLE = "table"


@dataclass(frozen=True)
class Member:
    """A client of a federation: its name, its modalities in their order, and its rows alone."""

    name: str
    modalities: tuple[str, ...]
    rows: list[Record]


def members(
    rows: Sequence[Record], config: FederatedConfig, group: str | None = None
) -> list[Member]:
    """Return the clients among training rows, sorted by name; each row says whose it is.

    `group` is the column that rows hold as their group. Raises ConfigError for a column that is
    none and for a single client, DataError for a client that lacks a modality that was named for it
    or a column of the others, and for a class that no client has.
    """
    column = str(config.client_column)
    of: dict[str, list[Record]] = {}
    for row in rows:
        of.setdefault(_client(row, column, group, rows), []).append(row)
    found = [
        _member(name, wanted, without_column(of[name], column), config)
        for name in sorted(of)
        for wanted in modality_sets(config)
    ]
    if len(found) < 2:
        raise ConfigError(
            f"{option('client_column', column)} has one value, {found[0].name!r}, and a federation"
            " needs two clients; `textcentric train crmt` trains on rows that lie in one place"
        )
    _check_columns(found)
    _check_classes(rows, found)
    return found


def modality_sets(config: FederatedConfig) -> list[tuple[str, ...] | None]:
    """Return the modalities of each client of a value, None for all that its rows have.

    >>> modality_sets(FederatedConfig(client_modalities="audio|image+audio"))
    [('audio',), ('image', 'audio')]
    """
    if config.client_modalities is None:
        return [None]
    sets: list[tuple[str, ...] | None] = []
    for text in config.client_modalities.split("|"):
        names = {name.strip() for name in text.split("+")}
        for name in sorted(names):
            check_known("modality of client_modalities", name, config.modalities or tuple(DEFAULTS))
        sets.append(tuple(name for name in DEFAULTS if name in names))
    if len(set(sets)) < len(sets):
        raise ConfigError(
            f"{option('client_modalities', config.client_modalities)} names a set twice; expected"
            " each once, such as audio|image"
        )
    return sets


def without_column(rows: Iterable[Record], column: str) -> list[Record]:
    """Return rows that do not learn from the column of clients; a table of it alone is gone."""
    return [_without(row, column) for row in rows]


def _without(row: Record, column: str) -> Record:
    cells = row.inputs.get(TABLE) or {}
    if column not in cells:
        return row
    left = {name: value for name, value in cells.items() if name != column}
    inputs = {name: value for name, value in row.inputs.items() if name != TABLE}
    return replace(row, inputs={**inputs, TABLE: left} if left else inputs)


def _client(row: Record, column: str, group: str | None, rows: Sequence[Record]) -> str:
    """Return the client that a row belongs to."""
    cells = row.inputs.get(TABLE) or {}
    value = row.group if column == group else cells.get(column)
    if value is not None and str(value).strip():
        return str(value)
    known = {name for one in rows for name in (one.inputs.get(TABLE) or {})} | {group or ""} - {""}
    if column not in known:
        raise ConfigError(
            f"{unknown('client column', column, sorted(known))}; it is one of the table or the"
            f" group, and none that is left out ({option('ignore')}) or has another role"
        )
    raise DataError(
        f"row {row.id!r} has no value in the client column {column!r}; give it one, or leave it"
        " out",
        row_id=row.id,
    )


def _member(
    value: str, wanted: tuple[str, ...] | None, rows: Sequence[Record], config: FederatedConfig
) -> Member:
    """Return a client with its modalities alone, in rows that no other client's are mixed up with.

    A client of some modalities of a value is called by both.
    """
    allowed = config.modalities or tuple(DEFAULTS)
    seen = {name for row in rows for name in row.inputs if name in allowed}
    modalities = wanted or tuple(name for name in DEFAULTS if name in seen)
    name = f"{value}/{'+'.join(modalities)}" if wanted else value
    for modality in modalities:
        if modality not in seen:
            raise DataError(
                f"client {name!r}: none of its {len(rows):,} rows has the modality {modality!r}"
                f" (found: {', '.join(sorted(seen)) or 'none'}); leave it out of"
                f" {option('client_modalities', config.client_modalities)}, or give it such rows"
            )
    own = [
        replace(row, id=f"{name}: {row.id}", inputs=inputs)
        for row in rows
        if (inputs := {one: row.inputs[one] for one in modalities if one in row.inputs})
    ]
    if not own:
        raise DataError(
            f"client {name!r} has no row with any of {', '.join(allowed)}; leave its rows out, or"
            " give it some that can be learnt from"
        )
    return Member(name, modalities, own)


def _check_columns(found: Sequence[Member]) -> None:
    """Raise DataError for a client whose table lacks columns that those of others have."""
    of = {
        member.name: {name for row in member.rows for name in row.inputs[TABLE]}
        for member in found
        if TABLE in member.modalities
    }
    everywhere = set().union(*of.values())
    for name, columns in of.items():
        if lacking := sorted(everywhere - columns):
            raise DataError(
                f"client {name!r} has no table column {', '.join(map(repr, lacking))}, which other"
                " clients have; give all tables the same columns, or leave these out (ignore)"
            )


def _check_classes(rows: Sequence[Record], found: Sequence[Member]) -> None:
    held = {str(row.target) for member in found for row in member.rows}
    for row in rows:
        if str(row.target) not in held:
            raise DataError(
                f"no client has a row of class {str(row.target)!r} (row {row.id!r} lacks the"
                " modalities of its clients), so nobody could learn it; leave the class out, or"
                " give a client such rows",
                row_id=row.id,
            )
