"""Load a data set by name, path or hub name; fall back to the built-in sample of a named one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from textcentric.data.balance import left_out
from textcentric.data.dataset import Dataset
from textcentric.data.media.files import FileFinder
from textcentric.data.named import Layout, embedded_folder, how_to_get, named_set, names, places
from textcentric.data.records import RecordReader
from textcentric.data.scanning.findings import notes, unusable
from textcentric.data.scanning.scan import Scan, notations
from textcentric.data.scanning.scan_cache import remembered_scan
from textcentric.data.schema import NO_TARGET, ROW_NUMBER, Column, Schema, read_schema
from textcentric.data.tables.frames import table_in_hand
from textcentric.data.tables.table import Table, from_hub, open_table
from textcentric.errors import ConfigError, DataError, check_known, cut, listed, option, unknown
from textcentric.rows import MODALITIES
from textcentric.settings import Given

REQUIRED = sorted((*MODALITIES, "image_labels"))  # what a row may be required to have
SchemaSource = Schema | Given | str | Path | None
Fitting = Callable[[Layout], Layout]
ALL = "all"  # in place of a split


@dataclass(frozen=True)
class Located:
    """Where a data set was found, before its rows are looked at."""

    name: str
    origin: str
    path: Path
    layout: Layout
    notes: tuple[str, ...] = ()

    def said(self) -> tuple[str, ...]:
        """Return what to know before the rows are looked at."""
        return (*self.notes, *self.layout.notes, *self.layout.table.notes)


def load(
    dataset: object,
    *,
    data_dir: str | Path | None = None,
    schema: SchemaSource = None,
    split: str | None = None,
    limit: int | None = None,
    require: tuple[str, ...] | list[str] = (),
    fit: Fitting = lambda layout: layout,
) -> Dataset:
    """Load a named data set, a table by path, a hub data set ("owner/name") or one in hand.

    In hand are a Hugging Face data set, a data frame, a table of Arrow or a list of dictionaries.

    `require` keeps the rows that have these modalities, `split` the rows of one ("all": any);
    `limit` cuts after that. Without a split column the split follows from the group (80/10/10).
    `fit` changes what was found before its columns are checked, so that it is read as another was.
    Raises DataError where the rows cannot be used: a required column is absent, ids are doubled,
    a group lies in two splits, or no row is readable. Other faulty rows are left out and told in
    `notes` and `faults`.

    >>> rows = load("petfinder", require=["image"], limit=3)  # doctest: +SKIP
    """
    _refuse_wrong_filters(limit, require)
    split = None if split == ALL else split
    found = locate(dataset, data_dir=data_dir, schema=schema, fit=fit)
    reader = record_reader(found.layout)
    content = digest(found.layout)
    result = remembered_scan(found.layout, reader, content)
    _refuse_unusable(found, reader.schema, result, require)
    fitted = with_labels(reader.schema, result)
    if split is not None and split not in result.splits:
        raise ConfigError(unknown("split", split, (s for s in result.splits if s)))
    return Dataset(
        name=found.name,
        origin=found.origin,
        path=found.path,
        schema=fitted,
        digest=content,
        rows=result.rows - result.faulty,
        matching=_matching(result, split, require),
        notes=(*found.said(), *notes(reader.schema, fitted, result)),
        faults=tuple(result.faults),
        faulty=result.faulty,
        unusable=left_out(result.left_out, result.unfit),
        kinds=result.kinds,
        split=split,
        require=tuple(require),
        limit=limit,
        table=found.layout.table,
        reader=replace(reader, schema=fitted, notations=notations(fitted, result)),
    )


def locate(
    dataset: object,
    *,
    data_dir: str | Path | None = None,
    schema: SchemaSource = None,
    fit: Fitting = lambda layout: layout,
) -> Located:
    """Find a data set without reading its rows; see `load` for what `dataset` and `fit` may be."""
    if isinstance(dataset, Iterator) and not hasattr(dataset, "__arrow_c_stream__"):
        dataset = list(dataset)
    table = table_in_hand(dataset)
    if table is not None:
        return _in_hand(table, data_dir, schema, fit)
    if not isinstance(dataset, str | Path):
        raise ConfigError(
            f"rows are {_kind_of(dataset)}, expected a data frame, a list of dictionaries,"
            " a data set, or the name or path of one"
        )
    name = str(dataset)
    if name in names():
        if schema is not None:
            raise ConfigError(
                f"data set {name!r} brings its own schema; leave {option('schema')} out"
            )
        return _named(name, data_dir, fit)
    if isinstance(dataset, Path) or _is_path(name):
        return _own_table(Path(name), data_dir, schema, fit)
    if name.count("/") == 1:
        root = Path(data_dir or Path.cwd())
        layout = _fitted(fit(Layout(from_hub(name), read_schema(schema), root)))
        return Located(name.replace("/", "-").replace(":", "-"), "hub", root, layout)
    raise ConfigError(
        f"{unknown('data set', name, names())}; or give the path of a table, or owner/name on the"
        " hub"
    )


def _kind_of(rows: object) -> str:
    """Say what rows are that cannot be read, and what makes rows of them where that is known."""
    if isinstance(rows, list):
        kinds = sorted({type(row).__name__ for row in rows})
        return f"a list of {' and '.join(kinds) or 'nothing'}"
    hint = " (pandas.DataFrame(rows) makes rows of columns)" if isinstance(rows, dict) else ""
    return f"a {type(rows).__name__}{hint}"


def _is_path(name: str) -> bool:
    """Say whether a name is that of a file or folder, or looks like one."""
    try:
        return Path(name).exists() or bool(Path(name).suffix)
    except OSError as error:  # a text that is too long for a name
        raise ConfigError(f"no data set is called {name!r:.60} ({error.strerror})") from None


def record_reader(layout: Layout) -> RecordReader:
    """Return what turns the rows of `layout` into records."""
    schema = layout.schema
    cache = embedded_folder()
    finders = {
        modality: FileFinder.of(rule, layout.root, cache, schema.missing)
        for modality, rule in schema.files().items()
    }
    return RecordReader(schema, layout.table.columns, finders, layout.photo_labels)


def with_labels(schema: Schema, result: Scan) -> Schema:
    """Complete `schema` by the task and the classes that the targets show."""
    if schema.target is None or not (result.labels.seen or result.labels.marked):
        return schema
    choices = schema.choices
    task = schema.task or (schema.task_of_choices() if choices else result.labels.task())
    if task != "regression" and choices is None:
        choices = result.labels.choices()
    return schema.model_copy(update={"task": task, "choices": choices})


def digest(layout: Layout) -> str:
    """Return the SHA-256 of the table and of the tables that its words come from."""
    total = hashlib.sha256()
    for path in (*layout.table.files, *layout.side_tables):
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    if not layout.table.files:
        total.update((layout.table.fingerprint or layout.table.path).encode())
    return total.hexdigest()


def _named(name: str, data_dir: str | Path | None, fit: Fitting) -> Located:
    module = named_set(name)
    if data_dir is not None:
        folder = Path(data_dir)
        if not folder.is_dir():
            raise DataError(f"data_dir={str(folder)!r} is no folder; {how_to_get(name)}")
        return Located(name, "folder", folder, _fitted(fit(module.layout(folder))))
    looked = places(name)
    for folder in looked:
        if folder.is_dir():
            return Located(name, "folder", folder, _fitted(fit(module.layout(folder))))
    return _sample(name, looked, fit)


def _sample(name: str, looked: list[Path], fit: Fitting) -> Located:
    from textcentric.data.sample.writer import DEFAULT_ROWS, cached_sample, has_sample

    module = named_set(name)
    if not has_sample(name):
        places = ", ".join(map(str, looked))
        raise DataError(f"{name} is not here (looked in {places}); {how_to_get(name)}")
    folder = cached_sample(name)
    note = (
        f"{name} is not here (looked in {', '.join(map(str, looked))}), so this is the built-in"
        f" sample: {DEFAULT_ROWS} rows written for this project, not {name} itself."
        f" For the real rows: {how_to_get(name)}"
    )
    layout = _fitted(fit(module.layout(folder)))
    return Located(f"{name}-sample", "sample", folder, layout, (note,))


def _in_hand(
    table: Table, data_dir: str | Path | None, schema: SchemaSource, fit: Fitting
) -> Located:
    root = Path(data_dir) if data_dir else Path.cwd()
    layout = _fitted(fit(Layout(table, read_schema(schema), root)))
    _refuse_unknown_columns(layout.schema, layout.table.columns)
    origin = "hub" if table.path == "data set" else "memory"
    return Located(table.path, origin, root, layout, _without_schema(layout, schema))


def _without_schema(layout: Layout, schema: SchemaSource) -> tuple[str, ...]:
    """Return what to know where nothing says which columns are text and target."""
    if schema is not None or layout.schema.text or layout.schema.table is not None:
        return ()
    return (
        f"no schema says what the columns {listed(layout.table.columns)} are, so all are read as"
        " a table, none as text or target; give one, such as"
        " schema={'text': 'text', 'target': 'price'}",
    )


def _own_table(
    path: Path, data_dir: str | Path | None, schema: SchemaSource, fit: Fitting
) -> Located:
    wanted = read_schema(schema)
    table = open_table(path, wanted)
    root = Path(data_dir) if data_dir else (path if path.is_dir() else path.parent)
    if not root.is_dir():
        raise DataError(f"data_dir={str(root)!r} is no folder; give the folder of the pictures")
    layout = _fitted(fit(Layout(table, wanted, root)))
    _refuse_unknown_columns(layout.schema, layout.table.columns)
    name = wanted.name if wanted.name != "table" else path.name.split(".")[0]
    return Located(name, "file", path, layout)


def _fitted(layout: Layout) -> Layout:
    """Fill in the id and split columns that the table shows by itself; check the required ones."""
    schema, columns = layout.schema, layout.table.columns
    if not columns:
        raise DataError(f"table {layout.table.path!r} is empty; expected a header and rows")
    if schema.id == ROW_NUMBER and ROW_NUMBER not in columns:
        return _fitted(replace(layout, table=layout.table.numbered()))
    if schema.id is None:
        schema = schema.model_copy(update={"id": _id_column(columns)})
    if schema.target == NO_TARGET and NO_TARGET not in columns:
        schema = schema.model_copy(update={"target": None})
    if schema.split is None and layout.table.split_column:
        schema = schema.model_copy(update={"split": layout.table.split_column})
    if schema.splits and schema.split is None:
        raise ConfigError(
            "schema: splits says what values of a split column are; name it, `split:`"
        )
    notes = (*layout.notes, *_order_note(schema, layout.table))
    schema = _with_names(schema, layout.table)
    absent = {role: name for role, name in schema.required().items() if name not in columns}
    if absent:
        raise _lacking(layout.table, absent, _unknown_columns(layout.schema, columns))
    return replace(layout, schema=schema, table=_worded(layout.table, schema), notes=notes)


def _worded(table: Table, schema: Schema) -> Table:
    """Return the table with words for numbered classes that are a text, a group or a split."""
    named = {role: name for role, name in schema.required().items() if role != "target"}
    return table.in_words([name for name in named.values() if name in table.names])


def _with_names(schema: Schema, table: Table) -> Schema:
    """Complete `schema` by the words that the table has for its classes, where it has none."""
    coded = {name: dict(enumerate(words)) for name, words in table.names.items()}
    columns = {
        name: Column(codes={str(code): word for code, word in words.items()})
        for name, words in coded.items()
        if name not in schema.required().values()
    }
    changes: dict[str, object] = {"columns": {**columns, **schema.columns}}
    if schema.target in coded and schema.choices is None and schema.task != "regression":
        task = schema.task or "classification"
        changes |= {"choices": coded[schema.target], "task": task}
    if _follows_order(schema, table):
        categories = table.orders[schema.target or ""]
        changes |= {"choices": {value: str(value) for value in categories}, "task": "ordinal"}
    return schema.model_copy(update=changes)


def _follows_order(schema: Schema, table: Table) -> bool:
    """Say whether the order of the target's categories is that of the table, and matters."""
    free = schema.choices is None and schema.task in (None, "ordinal")
    return free and schema.target in table.orders


def _order_note(schema: Schema, table: Table) -> tuple[str, ...]:
    if schema.task is not None or not _follows_order(schema, table):
        return ()
    shown = " < ".join(map(str, table.orders[schema.target or ""]))
    return (
        f"the categories of {schema.target} have an order in the table ({shown:.200}), so its task"
        " is ordinal; `task: classification` leaves the order out",
    )


def _id_column(columns: tuple[str, ...]) -> str:
    for name in columns:
        if name.lower() == "id":
            return name
    raise DataError(
        f"no id column is named; say which one it is ({option('id')} or `id:` in the schema):"
        f" one of {listed(columns)}, or {ROW_NUMBER}, which counts the rows"
    )


def _reading_of(table: Table) -> str:
    """Say how a text was read, for somebody whose columns are not found in it."""
    if not table.form:
        return ""
    return f" (read as {table.form}; the schema's delimiter, skip and header decide)"


def _lacking(table: Table, absent: dict[str, str], others: list[str]) -> DataError:
    """Return the error of a table without columns that have a role; `others` are named too."""
    role, column = next(iter(absent.items()))
    names = list(dict.fromkeys([*absent.values(), *others]))
    roles = f"its {role} column" if len(names) == 1 else f"columns ({', '.join(absent)})"
    message = f"table {table.path!r} lacks {roles}: {_unknown(names, table.columns)}"
    return DataError(message + _reading_of(table), field=column)


def _refuse_unknown_columns(schema: Schema, columns: tuple[str, ...]) -> None:
    if names := _unknown_columns(schema, columns):
        raise ConfigError(f"schema: {_unknown(names, columns)}")


def _unknown_columns(schema: Schema, columns: tuple[str, ...]) -> list[str]:
    """Return the columns without a role that the schema names and the table has not."""
    named = dict.fromkeys([*schema.columns, *schema.ignore, *(schema.table or ())])
    return [name for name in named if name not in columns]


def _unknown(names: list[str], columns: tuple[str, ...]) -> str:
    """Say of all `names` at once that they are no columns, with the nearest of each."""
    if len(names) == 1:
        return unknown("column", names[0], columns)
    nearest = {name: get_close_matches(name, columns, n=1, cutoff=0.5) for name in names}
    meant = [
        f"{cut(name)!r} (did you mean {cut(near[0])!r}?)" if near else repr(cut(name))
        for name, near in nearest.items()
    ]
    return f"unknown columns {', '.join(meant)}. Known: {listed(columns)}"


def _refuse_wrong_filters(limit: int | None, require: tuple[str, ...] | list[str]) -> None:
    if isinstance(require, str):
        raise ConfigError(f"require is {require!r}, expected a list such as ['image']")
    for modality in require:
        check_known("modality", modality, REQUIRED)
    whole = isinstance(limit, int) and not isinstance(limit, bool)
    if limit is not None and (not whole or limit < 1):
        raise ConfigError(f"limit is {limit!r:.60}, expected a number of rows from 1 up, or none")


def _matching(result: Scan, split: str | None, require: tuple[str, ...] | list[str]) -> int | None:
    """Return how many usable rows the filters keep, None where that takes another look at them."""
    if require:
        return None
    return result.rows - result.faulty if split is None else result.splits[split]


def _refuse_unusable(
    found: Located, schema: Schema, result: Scan, require: Collection[str]
) -> None:
    """Raise DataError where the rows as a whole cannot be used."""
    for message in unusable(schema, result, require):
        raise DataError(f"data set {found.name!r} ({found.path}): {message}")
