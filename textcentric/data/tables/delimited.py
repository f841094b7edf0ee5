"""CSV and its kin as Arrow batches; every line gives a row or is counted, with number and text.

Arrow parses, because it is the fastest reader at hand and takes a stream; what it does not say (the
encoding, how fields are parted, marks that do not pair, the numbers of lines) is found around it.
All values stay the text that they are: "007" is no number here.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textcentric.data.schema import Schema
from textcentric.data.tables.bounds import LONGEST
from textcentric.data.tables.content import refuse_doubled
from textcentric.data.tables.dialect import Dialect, dialect_of, title_of
from textcentric.data.tables.encodings import HEAD, encoding_of, name_of, open_text
from textcentric.data.tables.left_out import LeftOut
from textcentric.data.tables.long_texts import bounded_lines
from textcentric.data.tables.quoting import BLANK, Records
from textcentric.data.tables.titles import TitleError
from textcentric.data.tables.unnamed import LOOKED_AT, notes_of, with_names, without_data

if TYPE_CHECKING:
    import pyarrow as pa

LINE_BREAK = ord("\n")


class Delimited:
    """A delimited text that can be read again and again."""

    def __init__(self, path: Path, schema: Schema) -> None:
        self._path = path
        self._encoding = encoding_of(path, schema.encoding)
        delimiter = schema.delimiter or ("\t" if ".tsv" in path.name.lower() else None)
        with open_text(path, self._encoding) as text:
            head = text.read(HEAD)
        self._dialect = dialect_of(
            head,
            delimiter=delimiter,
            quote=None if schema.quote == "none" else schema.quote,
            header=schema.header,
            skip=schema.skip,
        )
        if schema.may_have_title() and (above := title_of(head, self._dialect)):
            raise TitleError(f"table {str(path)!r}", *above)
        self._has_rows = len(list(io.StringIO(head, newline=""))) > self._dialect.lines
        self._fields = with_names(self._dialect.header)
        self.left_columns = without_data(
            self._fields, schema.mentioned(), self._first_cells, path.name
        )
        self.columns = tuple(name for name in self._fields if name not in self.left_columns)
        refuse_doubled(self.columns, f"table {str(path)!r}")

    def notes(self) -> tuple[str, ...]:
        """Say what was decided that is not the plainest form, and which columns are left out."""
        plain = self._encoding.startswith("utf-8") and self._dialect.delimiter in ",\t"
        usual = plain and self._dialect.quote == '"' and not self._dialect.skip
        decided = () if usual else (f"{self._path.name} is read as {self.form}",)
        return (*decided, *notes_of(self.left_columns, self._path.name))

    @property
    def form(self) -> str:
        """How the text is written, in words."""
        return f"{name_of(self._encoding)}, {self._dialect}"

    def read(self, left_out: LeftOut) -> Iterator[pa.RecordBatch]:
        """Yield the rows in their order; before each batch, count the lines before it."""
        for batch in self._batches(left_out):
            yield batch.select(self.columns) if self.left_columns else batch

    def _batches(self, left_out: LeftOut) -> Iterator[pa.RecordBatch]:
        if not self._has_rows:
            return
        with open_text(self._path, self._encoding) as text:
            deque(islice(bounded_lines(text), self._dialect.lines), 0)
            line = self._dialect.lines + 1
            dialect = self._dialect
            records = Records(text, dialect.delimiter, dialect.quote, len(self._fields), line)
            yield from _parsed(records, dialect, self._fields, line, left_out)

    def _first_cells(self, columns: Sequence[str]) -> dict[str, list[str]]:
        batch = next(self._batches(LeftOut()), None)
        return {c: batch[c].slice(0, LOOKED_AT).to_pylist() if batch else [] for c in columns}


def _parsed(
    records: Records, dialect: Dialect, fields: Sequence[str], line: int, left_out: LeftOut
) -> Iterator[pa.RecordBatch]:
    """Yield the batches that Arrow makes of `records`, parted where a line gives no row."""
    import pyarrow as pa
    from pyarrow import csv

    refused: deque[Any] = deque()  # in their order; the reader may be ahead of the rows given

    def refuse(row: csv.InvalidRow) -> str:
        refused.append(row)
        return "skip"

    numbered = [str(at) for at in range(len(fields))]  # names may come twice
    reader = csv.open_csv(
        pa.PythonFile(records, mode="r"),
        csv.ReadOptions(use_threads=False, block_size=LONGEST * 2, column_names=numbered),
        csv.ParseOptions(
            delimiter=dialect.delimiter,
            quote_char=dialect.quote or False,
            newlines_in_values=True,
            invalid_row_handler=refuse,
        ),
        csv.ConvertOptions(column_types=dict.fromkeys(numbered, pa.string()), check_utf8=False),
    )
    place = _Place(records, line, len(fields), left_out)
    try:
        for batch in reader:
            batch = batch.rename_columns(list(fields))
            while refused and refused[0].number <= place.record + len(batch):
                before = refused[0].number - place.record - 1
                if before:
                    yield place.passed(batch.slice(0, before))
                    batch = batch.slice(before)
                place.refuse(refused.popleft().text)
            if len(batch):
                yield place.passed(batch)
    finally:
        records.stop()
        with suppress(pa.ArrowException):  # of a reader that broke off before
            deque(reader, 0)  # it reads ahead in a thread, which has to end before Python does
    for row in refused:
        place.refuse(row.text)
    for cut in records.as_it_stands:
        left_out.mend(cut.reason, cut.number, cut.text)


class _Place:
    """Where a reader is: so many records and lines are behind it."""

    def __init__(self, records: Records, line: int, columns: int, left_out: LeftOut) -> None:
        self.record = 0
        self._records, self._line, self._left_out = records, line, left_out
        self._ragged = f"line(s) without exactly {columns} fields"

    def passed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return `batch`, which is behind then."""
        self._line += len(batch) + sum(map(_line_breaks, batch.columns))
        self.record += len(batch)
        return batch

    def refuse(self, text: str) -> None:
        """Count a record that gives no row."""
        cut = self._records.cuts.popleft() if text == self._records.marker else None
        if cut is None:
            lines = text.count("\n") + 1
            self._left_out.add(self._ragged, self._line, text, lines)
        elif cut.reason != BLANK:
            self._left_out.add(cut.reason, cut.number, cut.text)
        self._line = cut.number + 1 if cut else self._line + lines
        self.record += 1


def _line_breaks(column: pa.StringArray) -> int:
    """Return how many line breaks the values of a column hold, without looking at each value."""
    _, places, content = column.buffers()
    first, last = np.frombuffer(places, np.int32)[[column.offset, column.offset + len(column)]]
    return int(np.count_nonzero(np.frombuffer(content or b"", np.uint8)[first:last] == LINE_BREAK))
