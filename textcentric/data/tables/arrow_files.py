"""Files of Arrow and Parquet, compressed or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textcentric.data.media.signatures import kind_of_bytes
from textcentric.data.schema import Schema
from textcentric.data.tables.arrow_content import of_arrow
from textcentric.data.tables.bounds import BYTES, read_all
from textcentric.data.tables.compression import is_compressed, open_bytes
from textcentric.data.tables.content import BATCH, Content, refuse_doubled

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq
BUFFER = 2**20  # bytes of a column of Parquet that are read at once
HEAD = 32  # bytes that the first two fields of the head of a page lie in


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

    def batches() -> Iterator[pa.RecordBatch]:
        for path in paths:
            with _parquet(path) as shard:
                yield from shard.iter_batches(batch_size=_rows_at_once(shard), use_threads=False)

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


def _parquet(path: Path) -> pq.ParquetFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    source = _source(path) if is_compressed(path) else pa.OSFile(str(path))
    meta = pq.read_metadata(source)
    source.seek(0)
    return pq.ParquetFile(
        source,
        metadata=meta,
        read_dictionary=_long_dictionaries(source, meta),
        buffer_size=BUFFER,
        pre_buffer=False,
    )


def _long_dictionaries(source: pa.NativeFile, meta: pq.FileMetaData) -> list[str]:
    """Return the columns whose dictionaries are so long that rows are not to be written out."""
    found: dict[str, None] = {}
    for group in range(meta.num_row_groups):
        for at in range(meta.num_columns):
            chunk = meta.row_group(group).column(at)
            start = chunk.dictionary_page_offset
            if chunk.physical_type == "BYTE_ARRAY" and start is not None:
                source.seek(start)
                if _length_of_page(source.read(HEAD)) > BYTES // BATCH:
                    found[chunk.path_in_schema] = None
    return list(found)


def _length_of_page(head: bytes) -> int:
    """Return the length of a page of Parquet, once unpacked, by its head in Thrift's notation.

    The second of its fields says it, a whole number in pieces of seven bits, the lowest first.
    """
    at = 1
    while head[at] & 0x80:  # the first field: the kind of page
        at += 1
    at, length, shift = at + 2, 0, 0
    while head[at] & 0x80:
        length |= (head[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return (length | head[at] << shift) >> 1


def _rows_at_once(shard: pq.ParquetFile) -> int:
    """Return how many rows are read at once: a thousand, or fewer where they are long."""
    meta = shard.metadata
    groups = [meta.row_group(at) for at in range(meta.num_row_groups)]
    long = max((group.total_byte_size // max(1, group.num_rows) for group in groups), default=0)
    return max(1, min(BATCH, BYTES // max(1, long)))


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
