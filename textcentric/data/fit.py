"""New rows are read as the training rows were: the same columns, in the same order.

What lacks is refused or allowed, what is new is left out, and both are told, as is a name that
differs by case or blanks alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from textcentric.data.named import Layout
from textcentric.data.schema import TEXT, Column, Files, Schema
from textcentric.errors import DataError, option
from textcentric.rows import Record

SHOWN = 8  # names in a message


@dataclass(frozen=True)
class Match:
    """The columns of a training as new rows have them: {its name there: its name here}."""

    names: Mapping[str, str]
    lacking: tuple[str, ...]
    new: tuple[str, ...]

    @classmethod
    def of(cls, wanted: Sequence[str], present: Sequence[str], known: Sequence[str] = ()) -> Match:
        """Match names, by case and blanks too; `known` columns may lack and are never new."""
        alike: dict[str, list[str]] = {}
        for name in present:
            if name not in (*wanted, *known):
                alike.setdefault(_bare(name), []).append(name)
        names = {}
        for name in (*wanted, *known):
            others = alike.get(_bare(name), [])
            if name in present or len(others) == 1:
                names[name] = name if name in present else others[0]
        lacking = tuple(name for name in wanted if name not in names)
        used = set(names.values())
        return cls(names, lacking, tuple(name for name in present if name not in used))

    def notes(self) -> list[str]:
        """Say what is read under another name, as empty, or not at all."""
        others = [f"{here!r} as {there!r}" for there, here in self.names.items() if here != there]
        lines = [f"columns with other names than in training are read: {_shown(others)}"]
        lacking = f"columns of the training that lack are read as empty: {self._lacking()}"
        new = f"columns that the training did not read are left out: {_shown(self.new)}"
        given = (lines[0] if others else "", lacking * bool(self.lacking), new * bool(self.new))
        return [line for line in given if line]

    def refuse_lacking(self, what: str, present: Sequence[str]) -> None:
        """Raise DataError where a column of the training lacks."""
        if self.lacking:
            raise DataError(
                f"{what} lacks columns that the training read: {self._lacking()} (it has"
                f" {_shown(present)}); add them, or let `predict` or `evaluate` read them empty:"
                f" {option('allow_missing_columns', True)}",
                field=self.lacking[0],
            )

    def refuse_without(self, files: Mapping[str, Files], what: str) -> None:
        """Raise DataError where the column lacks that names the files of a modality."""
        for modality, rule in files.items():
            if rule.column in self.lacking:
                near = self._nearest(rule.column or "") or "COLUMN"
                raise DataError(
                    f"{what} lacks the column of its {modality} files: {self._lacking()}; name the"
                    f" column in the schema, `{modality}: {near}`, or go on without these files,"
                    f" `allow_missing: {modality}`",
                    field=rule.column,
                )

    def _lacking(self) -> str:
        """Name the columns that lack, each with the new one that is called nearly the same."""
        near = {name: self._nearest(name) for name in self.lacking}
        return _shown([f"{n} ({near[n]!r} is there)" if near[n] else n for n in self.lacking])

    def _nearest(self, name: str) -> str:
        """Return the new column whose letters and digits are those of `name`, "" if none is."""
        return next((new for new in self.new if _letters(new) == _letters(name)), "")


@dataclass
class Fit:
    """Fit tables and Records to what a training read: its `schema`, and `columns` of its table.

    `columns` are None where it did not keep them. With `blind` the target is neither read nor
    needed. `notes` gathers what is to be told.
    """

    schema: Schema
    columns: tuple[str, ...] | None
    blind: bool = False
    splits: bool = True
    allow_missing: bool = False
    notes: list[str] = field(default_factory=list)

    def table(self, layout: Layout) -> Layout:
        """Return `layout` with the columns of the training and its schema.

        What the schema of `layout` says wins. Raises DataError for columns that lack.
        """
        schema = self._merged(layout.schema)
        present = layout.table.columns
        wanted = self._wanted(schema, present)
        match = Match.of(wanted, present, _unread(schema))
        what = f"table {layout.table.path!r}"
        if not self.allow_missing:
            match.refuse_lacking(what, present)
        named = {m: f for m, f in schema.files().items() if m not in schema.allow_missing}
        match.refuse_without(named, what)
        match = match if self.columns is not None else replace(match, new=())  # all are read
        self._tell(match)
        table = layout.table.renamed({here: there for there, here in match.names.items()})
        others = (name for name in table.columns if name not in wanted)
        return replace(
            layout,
            table=replace(table, columns=(*wanted, *others)),
            schema=self._asked(schema, {*wanted, *present}),
        )

    def finds_target(self, layout: Layout) -> bool:
        """Say whether a table has the column of the target, be it in another case."""
        target = self._merged(layout.schema).target
        return target is not None and not Match.of([target], layout.table.columns).lacking

    def records(self, records: Sequence[Record]) -> list[Record]:
        """Return Records with the table columns of the training alone, in their order.

        Raises DataError where no record has one of them.
        """
        tables = [record.inputs.get("table") or {} for record in records]
        present = tuple(dict.fromkeys(str(name) for table in tables for name in table))
        if self.columns is None or not records:
            return list(records)
        labels = {name: self.schema.label(name) for name in self.columns}
        wanted = [name if name in present else label for name, label in labels.items()]
        if list(present) == wanted[: len(present)] == wanted:
            return list(records)
        match = Match.of(wanted, present)
        if not self.allow_missing:
            match.refuse_lacking("the table of the rows", present)
        self._tell(match)
        return [_ordered(record, match.names) for record in records]

    def _tell(self, match: Match) -> None:
        self.notes += [note for note in match.notes() if note not in self.notes]

    def _merged(self, given: Schema) -> Schema:
        """Return the schema of the training with what `given` says in its place."""
        own = {name: getattr(given, name) for name in given.model_fields_set}
        of_a_file = {name: Schema.model_fields[name].default for name in (*TEXT, "name")}
        columns = dict(self.schema.columns)
        if {"decimal", "thousands"} & given.model_fields_set:  # of this table, column by column
            nothing = {"decimal": None, "thousands": None}
            columns = {n: column.model_copy(update=nothing) for n, column in columns.items()}
        for name, column in given.columns.items():
            changes = {key: getattr(column, key) for key in column.model_fields_set}
            columns[name] = columns.get(name, Column()).model_copy(update=changes)
        return self.schema.model_copy(update={**of_a_file, **own, "columns": columns})

    def _wanted(self, schema: Schema, present: Sequence[str]) -> tuple[str, ...]:
        """Return the columns that rows are made of, those of the table in the training's order."""
        files = (files.column for files in schema.files().values())
        named = [*schema.text, *(column for column in files if column)]
        table = self.columns
        if table is None:
            self.notes.append(
                "this model does not say which columns it was trained on, so all that no role is"
                " named for are read as its table"
            )
            table = tuple(name for name in present if name in (schema.table or ()))
        return tuple(dict.fromkeys((*named, *table)))

    def _asked(self, schema: Schema, there: Collection[str]) -> Schema:
        """Return the schema without the roles that are not asked for, or whose column lacks."""
        hidden = {schema.target} if self.blind else set()
        hidden |= {schema.group, schema.split} if not self.splits else set()
        changes: dict[str, object] = {}
        if self.blind:
            changes |= {"target": None, "task": None, "choices": None}
        for role in ("group", "split"):
            if not self.splits or getattr(schema, role) not in there:
                changes[role] = None
        if "split" in changes:
            changes["splits"] = {}
        ignore = {*schema.ignore, *(name for name in hidden if name)} & {*there}
        table = schema.table if self.columns is None else self.columns
        return schema.model_copy(
            update={
                **changes,
                "ignore": tuple(sorted(ignore)),
                "table": None if table is None else tuple(name for name in table if name in there),
                "columns": {name: c for name, c in schema.columns.items() if name in there},
            }
        )


def _unread(schema: Schema) -> list[str]:
    """Return the columns that a training knows and that are not in the text of a row."""
    roles = (schema.id, schema.target, schema.group, schema.split)
    return [*(name for name in roles if name), *schema.ignore]


def _ordered(record: Record, names: Mapping[str, str]) -> Record:
    table = record.inputs.get("table") or {}
    cells = {there: table[here] for there, here in names.items() if here in table}
    inputs = {name: cells if name == "table" else value for name, value in record.inputs.items()}
    return replace(record, inputs={name: value for name, value in inputs.items() if value})


def _bare(name: str) -> str:
    return "".join(name.split()).casefold()


def _letters(name: str) -> str:
    return "".join(sign for sign in name if sign.isalnum()).casefold()


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
