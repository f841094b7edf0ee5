"""Files of Arrow and Parquet, compressed or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from textcentric.data.media.signatures import kind_of_bytes
from textcentric.data.schema import Schema
from textcentric.data.tables.arrow_content import of_arrow
from textcentric.data.tables.bounds import BYTES, read_all, written_out
from textcentric.data.tables.compression import is_compressed, open_bytes
from textcentric.data.tables.content import BATCH, Content, refuse_doubled

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq
BUFFER = 2**20  # bytes of a column of Parquet that are read at once


def open_arrow(path: Path, schema: Schema) -> Content:
    """Open a Feather file, which is Arrow's own format, or a stream of Arrow."""
    with _reader(path) as reader:
        shape = reader.schema

    def batches() -> Iterator[pa.RecordBatch]:
        with _reader(path) as reader:
            if hasattr(reader, "num_record_batches"):
                yield from map(reader.get_batch, range(reader.num_record_batches))
            else:
                yield from reader

    return of_arrow(shape, batches, f"table {str(path)!r}", mentioned=schema.mentioned())


def open_parquet(paths: Sequence[Path], schema: Schema) -> Content:
    """Open one Parquet file, or several that are one table."""
    import pyarrow as pa

    at_once = [_rows_at_once(path) for path in paths]

    def batches() -> Iterator[pa.RecordBatch]:
        for path, rows in zip(paths, at_once, strict=True):
            with _parquet(path) as shard:
                yield from shard.iter_batches(batch_size=rows, use_threads=False)

    shapes = [_shape(path) for path in paths]
    for path, shape in zip(paths, shapes, strict=True):
        refuse_doubled(shape.names, f"table {str(path)!r}")
    fields = {field.name: field for shape in reversed(shapes) for field in shape}
    names = dict.fromkeys(name for shape in shapes for name in shape.names)
    whole = pa.schema([fields[name] for name in names], shapes[0].metadata)
    where = f"table {str(paths[0])!r}"
    return of_arrow(whole, batches, where, mentioned=schema.mentioned())


def _reader(path: Path) -> pa.RecordBatchFileReader | pa.RecordBatchStreamReader:
    import pyarrow as pa

    source = _source(path)
    is_stream = kind_of_bytes(source.read(8)) == "an Arrow stream"
    source.seek(0)
    return pa.ipc.open_stream(source) if is_stream else pa.ipc.open_file(source)


def _parquet(path: Path, dictionaries: Sequence[str] = ()) -> pq.ParquetFile:
    """Open a Parquet file; the values of columns in `dictionaries` are not written out."""
    import pyarrow.parquet as pq

    source = _source(path) if is_compressed(path) else path
    known = [*dictionaries]
    return pq.ParquetFile(source, read_dictionary=known, buffer_size=BUFFER, pre_buffer=False)


def _rows_at_once(path: Path) -> int:
    """Return how many rows are read at once: a thousand, or fewer where they are long."""
    with _parquet(path) as shard:
        meta = shard.metadata
        groups = [meta.row_group(at) for at in range(meta.num_row_groups)]
        means = [group.total_byte_size // max(1, group.num_rows) for group in groups]
        texts = [shard.schema.column(at) for at in range(len(shard.schema))]
    paths = [text.path for text in texts if text.physical_type == "BYTE_ARRAY"]
    long = max([1, *means, *(_longest_rows(path, paths) if paths else ())])
    at_once: int = max(1, min(BATCH, BYTES // long))
    return at_once


def _longest_rows(path: Path, texts: Sequence[str]) -> Iterator[int]:
    """Yield how many bytes of `texts` a row of each group has, if its dictionaries say it.

    One row is read for it: with it come the dictionaries, in which a value that stands in every row
    stands once.
    """
    with _parquet(path, texts) as shard:
        for group in range(shard.num_row_groups):
            rows = shard.iter_batches(1, row_groups=[group], columns=[*texts], use_threads=False)
            for row in islice(rows, 1):
                yield sum(map(written_out, row.columns))


def _shape(path: Path) -> pa.Schema:
    with _parquet(path) as shard:
        return shard.schema_arrow


def _source(path: Path) -> pa.NativeFile:
    """Return a file's bytes: mapped into memory, or unpacked into it."""
    import pyarrow as pa

    if not is_compressed(path):
        return pa.memory_map(str(path))
    with open_bytes(path) as file:
        return pa.BufferReader(read_all(file, f"table {str(path)!r}"))
