"""From a row of a table to a `Record`: roles applied, values read, files found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from textcentric.data.media.files import FileFinder
from textcentric.data.media.photo_labels import PhotoLabels
from textcentric.data.notation import COMMA, POINT, Notation
from textcentric.data.readings import are_several, identifier, number, plain, read_cell, read_text
from textcentric.data.scanning.keys import split_of
from textcentric.data.schema import Schema
from textcentric.errors import DataError, cut, listed
from textcentric.rows import Record, Target
from textcentric.values import Cell, Cells

Labels = Mapping[str, tuple[PhotoLabels, ...]]


class RowError(DataError):
    """One row that cannot be used; the others can. `reason` is what it has in common with some."""

    def __init__(
        self, message: str, reason: str, *, row_id: str | None = None, field: str | None = None
    ):
        super().__init__(message, row_id=row_id, field=field)
        self.reason = reason


@dataclass(frozen=True)
class RecordReader:
    """Make a `Record` of each row; `labels` gives the words that lie beside absent photos.

    `notations` are those of columns of numbers that are not written as 1,234.5.
    """

    schema: Schema
    columns: tuple[str, ...]
    finders: Mapping[str, FileFinder]
    labels: Callable[[], Labels] | None = field(default=None, repr=False)
    notations: Mapping[str, Notation] = field(default_factory=dict)

    def record(self, row: Cells) -> Record:
        """Read one row; raise RowError if its id is missing or its target does not fit."""
        row_id = self.row_id(row)
        group = self.group(row)
        return Record(
            id=row_id,
            inputs=self._inputs(row_id, row),
            target=self.target(row_id, row),
            group=group,
            split=self.split(row, group or row_id),
        )

    def row_id(self, row: Cells) -> str:
        """Return the id of `row`."""
        found = identifier(row.get(self.schema.id or ""), self.schema.missing)
        if found is None:
            raise self.without_id()
        return found

    def group(self, row: Cells) -> str | None:
        """Return the group of `row`, None if there is none."""
        name = self.schema.group
        return None if name is None else identifier(row.get(name), self.schema.missing)

    def split(self, row: Cells, key: str) -> str | None:
        """Return the split of `row`; without a split column it follows from `key` by a hash."""
        if self.schema.split is None:
            return split_of(key)
        return self.named_split(identifier(row.get(self.schema.split), self.schema.missing))

    def named_split(self, given: str | None) -> str | None:
        """Return the split that a value of the split column names."""
        return self.schema.splits.get(given or "", given)

    def target(self, row_id: str, row: Cells) -> Target:
        """Return the target of `row`, None if the row has no label."""
        label = self.label(row)
        return None if label is None else self.read_label(row_id, label)

    def read_label(self, row_id: str, label: Any) -> Target:
        """Return the target that `label` says; raise RowError if it says none."""
        schema = self.schema
        if are_several(label):
            raise self._fault(row_id, label, "one label a row")
        if schema.task == "regression":
            return self._number(row_id, label)
        if schema.choices is None:
            target: Target = label
            return target
        for key in (str(label), str(number(label))):
            if key in self._choice:
                return self._choice[key]
        raise self._fault(row_id, label, f"one of {listed(self._choice)}")

    def label(self, row: Cells) -> Any:
        """Return the target as it stands, without blanks around it; None where it is missing."""
        name = self.schema.target
        return None if name is None else plain(row.get(name), self.schema.missing_in(name))

    def _number(self, row_id: str, raw: Cell) -> float:
        value = number(raw, self._notation(self.schema.target or ""))
        if value is None and not self.notations:
            value = number(raw, COMMA)  # before all values are seen, either notation will do
        if value is None:
            raise self._fault(row_id, raw, "a finite number")
        return float(value)

    def _fault(self, row_id: str, raw: Cell, expected: str) -> RowError:
        return RowError(
            f"row {cut(row_id)!r} has target {self.schema.target} = {str(raw)[:60]!r},"
            f" expected {expected}; correct or remove the row",
            f"row(s) with a target other than {expected}",
            row_id=row_id,
            field=self.schema.target,
        )

    @cached_property
    def _choice(self) -> dict[str, int | str]:
        return {str(choice).strip(): choice for choice in self.schema.choices or {}}

    def _notation(self, column: str) -> Notation:
        return self.notations.get(column, POINT)

    @cached_property
    def number_columns(self) -> tuple[str, ...]:
        """The columns that hold numbers by what the schema says, and the target that may."""
        named = [name for name, column in self.schema.columns.items() if column.counts()]
        classes = self.schema.choices or self.schema.task in ("classification", "ordinal")
        if self.schema.target and not classes:
            named.append(self.schema.target)
        return tuple(dict.fromkeys(named))

    @cached_property
    def _missing(self) -> dict[str, tuple[str, ...]]:
        return {name: self.schema.missing_in(name) for name in self.columns}

    @cached_property
    def _table(self) -> list[tuple[str, str]]:
        names = self.schema.table_columns(self.columns)
        return [(name, self.schema.label(name)) for name in names]

    @cached_property
    def photo_labels(self) -> Labels:
        """What a vision service saw on the photos, by row id; read when first asked for."""
        return self.labels() if self.labels else {}

    def without_id(self) -> RowError:
        """Return what is wrong with a row that has no id."""
        message = f"a row has no value in its id column {self.schema.id!r}"
        return RowError(message, "row(s) without an id", field="id")

    def without_content(self, row_id: str) -> RowError:
        """Return what is wrong with a row that has nothing but its id."""
        message = f"row {cut(row_id)!r} has nothing in any modality; remove it"
        return RowError(message, "row(s) with nothing in any modality", row_id=row_id)

    @cached_property
    def used_columns(self) -> dict[str, str]:
        """The columns that have a role, {column: role}; "table" where they have no other."""
        roles = {column: role for role, column in self.schema.required().items()}
        for name in self.schema.table_columns(self.columns):
            roles.setdefault(name, "table")
        return {name: roles[name] for name in self.columns if name in roles}

    def _inputs(self, row_id: str, row: Cells) -> dict[str, Any]:
        """Return {modality: raw value}; a modality with nothing in it has no key."""
        files = {name: finder.find(row_id, row)[0] for name, finder in self.finders.items()}
        everything = {
            "table": self._cells(row),
            "text": self._text(row),
            "image": files.get("image"),
            "audio": files.get("audio"),
            "image_labels": self.photo_labels.get(row_id),
        }
        return {modality: value for modality, value in everything.items() if value}

    def _cells(self, row: Cells) -> dict[str, Cell]:
        settings, missing = self.schema.columns, self._missing
        cells = {
            label: read_cell(row.get(name), settings.get(name), missing[name], self._notation(name))
            for name, label in self._table
        }
        return cells if any(value is not None for value in cells.values()) else {}

    def _text(self, row: Cells) -> str:
        settings, missing = self.schema.columns, self.schema.missing
        texts = (read_text(row.get(c), settings.get(c), missing) for c in self.schema.text)
        return "\n\n".join(text for text in texts if text)
