"""The schema of a table: which column plays which role, and how its values read.

A schema is a short YAML file, a dict, or a handful of flags:

    id: listing
    target: price
    task: regression
    text: [title, description]
    image: {folder: photos, pattern: "{id}-*.jpg"}
    group: host
    columns:
      size: {label: Floor space, unit: square metres, min: 5, max: 2000}
      heating: {codes: {0: none, 1: gas, 2: wood}}

Columns without a role are the table; columns under `ignore` are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from textcentric.data.notation import Notation, Sign, notation_of
from textcentric.errors import ConfigError, cut, quoted, unknown
from textcentric.rows import TargetType
from textcentric.security.yaml import MOST_TEXT, Unreadable, load
from textcentric.settings import Given
from textcentric.values import Json

MISSING = ("", "NaN", "nan", "NA", "N/A", "null", "NULL")
NO_CLASS = ("", "NaN", "nan", "<NA>", "null", "NULL")  # "NA" may be a country, a grade, a region

Split = Literal["train", "validation", "test"]
ROW_NUMBER = "row-number"  # in place of an id column
NO_TARGET = "none"  # in place of a target column
# Keys that say how a file is written.
TEXT = ("encoding", "delimiter", "quote", "header", "skip", "sheet")
MOST_ORDINAL = 10  # whole numbers beyond these are a quantity, not classes

_LISTS = ("text", "ignore", "allow_missing", "splits", "columns")


def key(default: Any, about: str) -> Any:
    """Return a key of a schema; `about` is its line in the reference."""
    return Field(default, description=about)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _as_words(value: object) -> object:
    """Return one word as a list of one, and numbers in a list (-999) as they are written."""
    if isinstance(value, str | int | float):
        value = [value]
    if isinstance(value, list | tuple):
        return tuple(str(item) if isinstance(item, int | float) else item for item in value)
    return value


class Column(_Strict):
    """How one column reads: its label, its codes in words, its unit and the range that is sane.

    A code that means "none" maps to null. `reads` names the notation: `list` is a printed Python
    or JSON list, `money` is "$1,200.00", `number` drops a needless ".0", `flag` is t/f.
    With `unit` or `reads`, `codes` holds only the exceptions (`{0: free}`).
    """

    label: str | None = key(None, "Its name in words.")
    codes: dict[str, str | None] = key({}, "Words for values; null means that there is none.")
    unit: str | None = key(None, "Said after the value.")
    min: float | None = key(None, "Least value that is sane; `data check` tells of others.")
    max: float | None = key(None, "Greatest value that is sane.")
    note: str | None = key(None, "For people who read the schema.")
    reads: Literal["plain", "list", "money", "number", "flag"] = key(
        "plain", "Notation: plain, a printed list, $1,200.00, a number with a needless .0, t or f."
    )
    drop: tuple[str, ...] = key((), "Values of a list that are left out.")
    decimal: Sign | None = key(None, "Sign before decimals; without it, that of the table.")
    thousands: str | None = key(None, "Sign between thousands; without it, that of the table.")
    missing: tuple[str, ...] | None = key(None, "Its values that stand for nothing.")

    def counts(self) -> bool:
        """Say whether its values are numbers, by what is said of them."""
        bounded = self.min is not None or self.max is not None
        return self.reads in ("money", "number") or self.unit is not None or bounded

    @field_validator("missing", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: object) -> object:
        return _as_words(value)

    @field_validator("codes", mode="before")
    @classmethod
    def _text_keys(cls, codes: object) -> object:
        if not isinstance(codes, dict):
            return codes
        if None in codes:
            raise ValueError('a code reads as nothing in YAML; put it in quotes, "~" or "null"')
        return {str(key): word for key, word in codes.items()}


class Files(_Strict):
    """Where the files of a row lie.

    Either `column` holds a path (relative to `folder`, else to the table), if need be completed
    by a `pattern` such as "{value}.jpg"; or the file names in `folder` follow from the id by a
    `pattern` such as "{id}-*.jpg".
    """

    column: str | None = key(None, "Column of the path.")
    folder: str | None = key(None, "Folder of the files, beside the table.")
    pattern: str | None = key(None, "File name: {id}-*.jpg, or {value}.jpg behind a column.")

    @model_validator(mode="after")
    def _has_a_rule(self) -> Files:
        if self.column is None and (self.pattern is None or "{id}" not in self.pattern):
            raise ValueError('needs `column`, or `folder` and a `pattern` such as "{id}-*.jpg"')
        if self.column and self.pattern and "{value}" not in self.pattern:
            raise ValueError('next to `column` a `pattern` holds {value}, such as "{value}.jpg"')
        return self


class Schema(_Strict):
    """The roles and readings of a table's columns."""

    name: str = key("table", "Name of the data set.")
    id: str | None = key(
        None, "Column of the id, without it one called id; row-number counts the rows."
    )
    target: str | None = key(None, "Column to predict; none says that there is none.")
    task: Literal["classification", "ordinal", "regression"] | None = key(
        None,
        "What the target is; without it, told from its values: words are classes, up to ten whole"
        " numbers ordinal, others regression. ordinal: classes in the order of whole numbers or, as"
        " words, of `choices`, the lowest first.",
    )
    choices: dict[int | str, str] | None = key(None, "The classes, with words for them.")
    text: tuple[str, ...] = key((), "Columns of text.")
    image: Files | None = key(None, "Pictures: a column, or where files lie (below).")
    audio: Files | None = key(None, "Sounds: a column, or where files lie (below).")
    allow_missing: tuple[Literal["image", "audio"], ...] = key(
        (), "Modalities whose files most rows may lack; without it, that is an error."
    )
    group: str | None = key(None, "Column of the group, which is never parted between splits.")
    split: str | None = key(None, "Column of the split; without it, 80/10/10 by group or id.")
    splits: dict[str, Split | None] = key(
        {}, "{dev: validation}: what other values of the split column are; null: in no split."
    )
    ignore: tuple[str, ...] = key((), "Columns to leave out.")
    table: tuple[str, ...] | None = key(None, "Columns of the table; without it, all others.")
    missing: tuple[str, ...] = key(
        MISSING, "Values that stand for nothing; without it, NA and N/A may be classes."
    )
    decimal: Sign | None = key(None, "Sign before decimals; without it, told column by column.")
    thousands: str | None = key(None, "Sign between thousands; without it, told by column.")
    encoding: str | None = key(None, "Encoding of a text file; without it, told from its bytes.")
    delimiter: str | None = key(None, "What parts the fields of a CSV; without it, told from it.")
    quote: str = key('"', "Quotation mark of a CSV; `none` reads all marks as they stand.")
    header: tuple[str, ...] | None = key(
        None, "Names of the columns of a CSV, or a sheet, that has none."
    )
    skip: int = key(0, "Lines of a CSV, or of a sheet, before its header.")
    sheet: str | None = key(None, "Sheet of a workbook that has several.")
    columns: dict[str, Column] = key({}, "How single columns read (below).")

    @model_validator(mode="before")
    @classmethod
    def _lists_may_be_empty(cls, values: object) -> object:
        """Take a list without lines, as where all of them are deleted, for none."""
        if not isinstance(values, dict):
            return values
        return {name: v for name, v in values.items() if v is not None or name not in _LISTS}

    @field_validator("text", "ignore", "table", "missing", "header", "allow_missing", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: object) -> object:
        return _as_words(value)

    @field_validator("header", mode="before")
    @classmethod
    def _names_all_columns(cls, value: object) -> object:
        if value is None or isinstance(value, list | tuple):
            return value
        raise ValueError(
            "needs the names of all columns, such as [id, size, label]; without it the first line"
            " has them, below the lines that `skip: 3` leaves out"
        )

    @field_validator("delimiter", "quote")
    @classmethod
    def _is_one_character(cls, value: str | None) -> str | None:
        value = {"tab": "\t", "\\t": "\t"}.get(value or "", value)
        if value is not None and value != "none" and (len(value) != 1 or not value.isascii()):
            raise ValueError("needs one ASCII character, or tab")
        return value

    @field_validator("image", "audio", mode="before")
    @classmethod
    def _a_name_is_a_column(cls, value: object) -> object:
        return {"column": value} if isinstance(value, str) else value

    @field_validator("splits", mode="before")
    @classmethod
    def _text_keys(cls, splits: object) -> object:
        return {str(k): v for k, v in splits.items()} if isinstance(splits, dict) else splits

    @field_validator("choices", mode="before")
    @classmethod
    def _choices_mean_themselves(cls, value: object) -> object:
        if isinstance(value, (list, tuple)):
            return {choice: str(choice) for choice in value}
        if isinstance(value, dict):
            return {key: str(key if word is None else word) for key, word in value.items()}
        return value

    def required(self) -> dict[str, str]:
        """Return {role: column} for every column that must be there."""
        roles = {"id": self.id, "target": self.target, "group": self.group, "split": self.split}
        roles |= {f"text[{i}]": name for i, name in enumerate(self.text)}
        roles |= {name: files.column for name, files in self.files().items()}
        return {role: column for role, column in roles.items() if column is not None}

    def task_of_choices(self) -> str:
        """Return what its choices are where it names no task: ordinal are bare whole numbers."""
        choices = self.choices or {}
        bare = self.counts() and all(str(key) == word for key, word in choices.items())
        return "ordinal" if bare and len(choices) <= MOST_ORDINAL else "classification"

    def says_target(self) -> bool:
        """Say whether it names a target, or says that there is none."""
        return self.target is not None or "target" in self.model_fields_set

    def notation(self, column: str) -> Notation | None:
        """Return how the numbers of `column` are written, None where nothing says so."""
        own = self.columns.get(column, Column())
        return notation_of(own.decimal or self.decimal, own.thousands or self.thousands)

    def missing_in(self, column: str) -> tuple[str, ...]:
        """Return the values of `column` that stand for nothing."""
        own = self.columns.get(column)
        if own is not None and own.missing is not None:
            return own.missing
        is_class = column == self.target and self.task != "regression" and not self.counts()
        return NO_CLASS if is_class and self.missing == MISSING else self.missing

    def counts(self) -> bool:
        """Say whether the classes are whole numbers."""
        return bool(self.choices) and all(isinstance(key, int) for key in self.choices or {})

    def of_text(self) -> set[str]:
        """Return those of its keys that say how a file is written."""
        return {name for name in TEXT if getattr(self, name) != Schema.model_fields[name].default}

    def may_have_title(self) -> bool:
        """Say whether nothing is said of where the header lies."""
        return self.header is None and "skip" not in self.model_fields_set

    def mentioned(self) -> set[str]:
        """Return the columns that it names."""
        return {*self.required().values(), *self.columns, *(self.table or ())}

    def files(self) -> dict[str, Files]:
        """Return {modality: Files} for the modalities that are files."""
        both = {"image": self.image, "audio": self.audio}
        return {name: files for name, files in both.items() if files is not None}

    def table_columns(self, columns: tuple[str, ...]) -> list[str]:
        """Return those of `columns` that make up the table, in the table's own order."""
        taken = {*self.required().values(), *self.ignore}
        wanted = columns if self.table is None else self.table
        return [name for name in columns if name in wanted and name not in taken]

    def label(self, column: str) -> str:
        """Return the readable name of `column`."""
        setting = self.columns.get(column)
        return (setting.label if setting else None) or column.replace("_", " ")


def read_schema(source: Schema | Given | str | Path | None, **flags: object) -> Schema:
    """Read a schema from a YAML file or a dict; `flags` that are not None override its keys.

    Raises ConfigError for an unreadable file, an unknown key (the nearest is named) or a value
    that does not fit.

    >>> read_schema({"id": "ID"}, target="price", task="regression").target
    'price'
    """
    if isinstance(source, Schema):
        source = source.model_dump(exclude_unset=True)
    values = dict(_from_yaml(Path(source)) if isinstance(source, (str, Path)) else source or {})
    values |= {key: value for key, value in flags.items() if value not in (None, (), [])}
    where = f"schema {str(source)!r}" if isinstance(source, (str, Path)) else "schema"
    try:
        return Schema.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_in_words(where, error)) from None


def _from_yaml(path: Path) -> Given:
    text = ""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MOST_TEXT + 1)  # one more is refused
        values = load(text, words=True)
    except FileNotFoundError:
        raise ConfigError(f"schema file {str(path)!r} does not exist; check the path") from None
    except Unreadable as error:
        raise ConfigError(_at_line(path, text, error)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"schema file {str(path)!r} cannot be read as YAML: {error}") from None
    if not isinstance(values, dict):
        raise ConfigError(
            f"schema file {str(path)!r} holds {type(values).__name__}, expected lines such as"
            " `id: COLUMN`"
        )
    return values


def _at_line(path: Path, text: str, error: Unreadable) -> str:
    """Say which line of a schema is no YAML, and what is expected there."""
    lines, number = text.splitlines(), error.line or 1
    line = lines[number - 1] if number <= len(lines) else "the end of the file"
    return (
        f"schema file {str(path)!r}, line {number}: {quoted(line.strip())} cannot be read as YAML"
        f" ({error}); expected `key: value`, entries of a key such as `columns:` indented"
        " below it, and words with signs of YAML (: # { [) in quotation marks"
    )


def _in_words(where: str, error: ValidationError) -> str:
    """Say what the first few faults of a schema are, one line each."""
    lines = []
    for fault in error.errors()[:3]:
        place = ".".join(str(step) for step in fault["loc"])
        if fault["type"] == "extra_forbidden":
            lines.append(unknown("key", place.split(".")[-1], _model_at(fault["loc"]).model_fields))
        else:
            value = cut(fault["input"])
            lines.append(f"{place or 'schema'}: {fault['msg']} (got {value!r})")
    return f"{where}: " + "; ".join(lines)


def _model_at(loc: tuple[int | str, ...]) -> type[BaseModel]:
    if len(loc) > 1:
        models: dict[str, type[BaseModel]] = {"columns": Column, "image": Files, "audio": Files}
        return models.get(str(loc[0]), Schema)
    return Schema


def numeric_target(schema: Schema) -> bool:
    """Say whether all targets are numbers, by what the schema declares."""
    return target_type(schema) != "string"


def target_type(schema: Schema) -> TargetType:
    """Return the type of all targets: a quantity is a double, numbered classes are whole."""
    if schema.task == "regression":
        return "double"
    ranks = schema.task == "ordinal" and schema.choices is None  # words would have an order there
    return "int64" if ranks or (schema.counts() and fit_int64(schema.choices or ())) else "string"


def fit_int64(values: Iterable[object]) -> bool:
    """Say whether all values are whole numbers that 64 bits hold."""
    return all(
        isinstance(value, Integral)
        and not isinstance(value, bool)
        and -(2**63) <= int(value) < 2**63
        for value in values
    )


def words_of_classes(schema: Schema) -> tuple[str, ...]:
    """Return the words for classes that are numbered 0, 1, ..., each its own; none for others."""
    choices = schema.choices or {}
    words = tuple(choices.values())
    numbered = list(choices) == list(range(len(choices))) and len({*words}) == len(words)
    return words if numbered and words != tuple(map(str, choices)) else ()


def question(schema: Schema) -> dict[str, Json]:
    """Return the question that `reason` prompts ask: a task and the allowed answers."""
    target = schema.target or "the target"
    if schema.choices:
        choices = list(schema.choices.values())
        return {"task": f"What is the most likely {target} of this listing?", "choices": choices}
    choices = ["very low", "low", "middle", "high", "very high"]
    return {"task": f"How high is the {target} of this listing?", "choices": choices}
