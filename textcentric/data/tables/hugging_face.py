"""Data sets of Hugging Face: on the hub, saved on disk, in hand, or streamed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from textcentric.data.tables.arrow_content import of_arrow
from textcentric.data.tables.content import BATCH, Content
from textcentric.errors import ConfigError, DataError
from textcentric.security.foreign import foreign

if TYPE_CHECKING:
    import datasets
    import pyarrow as pa

Loaded: TypeAlias = (
    "datasets.Dataset | datasets.DatasetDict | datasets.IterableDataset"
    " | datasets.IterableDatasetDict"
)
SPLIT = "split"  # the column that says in which split of a `DatasetDict` a row stood


def saved(path: Path) -> Loaded:
    """Load what `save_to_disk` wrote into a folder."""
    datasets = _datasets()
    with foreign(f"data set {str(path)!r}"):
        return datasets.load_from_disk(str(path))


def on_hub(name: str) -> Loaded:
    """Load a data set from the Hugging Face hub by `name` ("owner/name" or "owner/name:config")."""
    repository, _, config = name.partition(":")
    datasets = _datasets()
    try:
        return datasets.load_dataset(repository, config or None)
    except Exception as error:  # of the network, of the hub or of the files
        raise DataError(
            f"data set {name!r} cannot be loaded from the hub:"
            f" {str(error).splitlines()[0] if str(error) else type(error).__name__};"
            " check the name and the network, or give the path of a table"
        ) from error


def in_memory(loaded: Loaded) -> dict[str | None, datasets.Dataset]:
    """Return {split: rows}, {None: rows} where there are no splits; streamed ones are read once."""
    parts = dict(loaded) if isinstance(loaded, Mapping) else {None: loaded}
    return {split: _read_once(part) for split, part in parts.items()}


def content_of(parts: Mapping[str | None, datasets.Dataset]) -> Content:
    """Return the rows of `in_memory`; pictures and sounds stay bytes, the splits are a column."""
    import pyarrow as pa

    def batches() -> Iterator[pa.RecordBatch]:
        for split, part in parts.items():
            for table in part.with_format("arrow").iter(BATCH):
                yield from table.to_batches() if split is None else _marked(table, split)

    fields = {f.name: f for part in parts.values() for f in part.features.arrow_schema}
    if None not in parts:
        fields[SPLIT] = pa.field(SPLIT, pa.string())
    features = {k: v for part in parts.values() for k, v in part.features.to_dict().items()}
    return of_arrow(pa.schema(fields.values()), batches, "the data set", features=features)


def _marked(table: pa.Table, split: str) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    if SPLIT in table.column_names:
        table = table.drop_columns([SPLIT])
    return iter(table.append_column(SPLIT, pa.array([split] * len(table))).to_batches())


def _read_once(part: datasets.Dataset | datasets.IterableDataset) -> datasets.Dataset:
    import pyarrow as pa

    datasets = _datasets()
    if not isinstance(part, datasets.IterableDataset):
        return part
    if part.features is None:
        return datasets.Dataset(_table_of(list(part)))
    tables = list(part.with_format("arrow").iter(BATCH))
    if not tables:
        raise DataError("the streamed data set has no rows")
    whole = pa.concat_tables(tables, promote_options="permissive")
    return datasets.Dataset(whole, info=datasets.DatasetInfo(features=part.features))


def _table_of(rows: Sequence[Mapping[str, object]]) -> pa.Table:
    import pyarrow as pa

    names = dict.fromkeys(name for row in rows for name in row)
    with foreign("the streamed data set, with values of one type a column,"):
        return pa.table({name: [row.get(name) for row in rows] for name in names})


def _datasets() -> Any:
    try:
        import datasets
    except ImportError as error:
        raise ConfigError(
            f"the package `datasets` is needed for this data set ({error}); pip install datasets"
        ) from error
    return datasets
