"""What a caller gives: rows by name or in hand, an engine by name or open, settings by keyword."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from textcentric.api.results import Result, Run
from textcentric.data.dataset import Dataset
from textcentric.data.memory import InHand
from textcentric.data.schema import Schema
from textcentric.data.tables.frames import table_in_hand
from textcentric.engines.protocol import Engine
from textcentric.errors import ConfigError, Say, quoted
from textcentric.rows import Record
from textcentric.settings import Settings, read

ENGINES = "the name of one, such as 'vllm', or an open one, such as tc.open_engine('vllm')"
OF_ENGINE = ("model", "llm", "base_url", "engine_settings", "engine")
Model = TypeVar("Model", bound=Settings)


def settings_of(model: type[Model], given: Mapping[str, Any], say: Say) -> Model:
    """Return settings of keyword arguments; None means not given.

    Raises ConfigError with the nearest name for an unknown one.
    """
    fields = model.model_fields
    flags = {
        name: _value(value, str(fields[name].annotation) if name in fields else "")
        for name, value in given.items()
    }
    return read(model, None, flags, (), say)


def _value(value: Any, kind: str) -> Any:
    """Return a value as a field of that type takes it: paths as texts, one text as a list."""
    if isinstance(value, Schema):
        return value.model_dump(mode="json", exclude_unset=True)
    if isinstance(value, Path) or hasattr(value, "path"):
        value = str(getattr(value, "path", value))
    alone = isinstance(value, str) and kind.startswith("tuple[")
    return (value,) if alone else value


def place(given: str | Path | Result | Run) -> str:
    """Return the path of a folder, or of what lies in one; raises ConfigError for anything else."""
    found = given if isinstance(given, str | Path) else getattr(given, "path", None)
    if found is None:
        raise ConfigError(
            f"{type(given).__name__} is no folder: give the path or name of one, or what `train`"
            " or `augment` returned"
        )
    return str(found)


def places(given: str | Path | Result | Sequence[str | Path | Result]) -> list[str]:
    """Return the paths of one folder or several."""
    several = isinstance(given, Sequence) and not isinstance(given, str)
    return [place(folder) for folder in given] if several else [place(given)]  # type: ignore


def by_name(rows: object) -> bool:
    """Say whether rows are the name or path of some."""
    return isinstance(rows, str | Path)


def in_store(rows: object) -> object:
    """Return rows that can be read more than once: what a generator gives, as a list."""
    if hasattr(rows, "read_all"):  # of Arrow
        return rows.read_all()
    return list(rows) if isinstance(rows, Iterator) else rows


def source(rows: object) -> str:
    """Return what settings call rows: their name or path; those in hand by their content."""
    if by_name(rows):
        return str(rows)
    name = rows.name if isinstance(rows, Dataset | InHand) else "rows"
    digest = hashlib.blake2b(repr(_content(rows)).encode("utf-8", "surrogatepass"), digest_size=4)
    return f"{name}-{digest.hexdigest()}"


def _content(rows: object) -> object:
    if isinstance(rows, Dataset):
        return rows.digest, rows.split, rows.require, rows.limit
    if isinstance(rows, InHand):
        return rows.digest
    table = table_in_hand(rows)
    if table is not None:
        return table.fingerprint
    return [_record(row) for row in rows] if isinstance(rows, Sequence) else rows


def _record(row: object) -> object:
    if not isinstance(row, Record):
        return row
    return row.id, dict(row.inputs), row.target, row.group, row.split


def engine_in_hand(engine: str | Engine | None) -> Engine | None:
    """Return an engine that the caller opened, None where it is named or absent.

    Raises ConfigError for what is no engine.
    """
    if engine is None or isinstance(engine, str):
        return None
    if isinstance(engine, type) or not callable(getattr(engine, "generate", None)):
        raise ConfigError(f"engine is {quoted(engine)}, expected {ENGINES}")
    return engine


def refuse_twice(
    settings: Mapping[str, object], arguments: Iterable[str], engine: Engine | None = None
) -> None:
    """Raise ConfigError for a setting that one of the `arguments`, or an open engine, has said."""
    given = {name: value for name, value in settings.items() if value is not None}
    for name in given.keys() & set(arguments):
        raise ConfigError(
            f"{name}={quoted(given[name])} says again what an argument says; give one of the two"
        )
    for name in given if engine is not None else ():
        if name.partition(".")[0] in OF_ENGINE:
            raise ConfigError(
                f"{name}={quoted(given[name])} is for an engine that is opened by its name; the one"
                f" given is open, so leave {name} out"
            )


def engine_name(engine: str | Engine | None) -> str | None:
    """Return the name of an engine that settings are to open."""
    return engine if isinstance(engine, str) else None
