"""Excel workbooks (.xlsx, .xlsm): one sheet as a table.

calamine reads them, because it takes a tenth of the time of openpyxl. A cell that is merged over
others stands in each of them, a whole number is no float, and a formula is its value.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from textcentric.data.schema import Schema
from textcentric.data.tables.bounds import read_all
from textcentric.data.tables.compression import is_compressed, open_bytes
from textcentric.data.tables.content import Content, refuse_doubled
from textcentric.data.tables.json_files import Row
from textcentric.data.tables.left_out import LeftOut
from textcentric.data.tables.titles import TitleError, title_above
from textcentric.data.tables.unnamed import LOOKED_AT, notes_of, with_names, without_data
from textcentric.data.tables.workbook_size import refuse_large
from textcentric.errors import DataError, unknown
from textcentric.security.foreign import foreign
from textcentric.values import Cell

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

_EXACT = 2**53  # up to here a float holds every whole number
Line = list[Cell]


def open_workbook(path: Path, sheet: str | None, schema: Schema) -> Content:
    """Open the sheet called `sheet`, or the only one that holds something.

    Raises DataError where the sheet is unknown or not the only one, or its header cannot be told.
    """
    chosen = _Sheet(_chosen(_opened(path), path, sheet), path, schema)
    if schema.may_have_title():
        chosen.refuse_title()
    fields = with_names(chosen.header)
    left = without_data(fields, schema.mentioned(), chosen.first_cells, path.name)
    columns = tuple(name for name in fields if name not in left)
    refuse_doubled(columns, f"sheet {chosen.sheet.name!r} of {str(path)!r}")

    def read(left_out: LeftOut) -> Iterator[Row]:
        for line in chosen.rows:
            yield {name: cell for name, cell in zip(fields, line, strict=True) if name not in left}

    notes = (*chosen.notes(), *notes_of(left, path.name))
    return Content(columns, read, form=f"sheet {chosen.sheet.name!r}", notes=notes)


def _opened(path: Path) -> CalamineWorkbook:
    from python_calamine import CalamineWorkbook

    with foreign(f"workbook {str(path)!r}"):
        if not is_compressed(path):
            refuse_large(path, str(path))
            return CalamineWorkbook.from_path(path)
        with open_bytes(path) as file:
            content = io.BytesIO(read_all(file, f"workbook {str(path)!r}"))
        refuse_large(content, str(path))
        return CalamineWorkbook.from_filelike(content)


def _chosen(book: CalamineWorkbook, path: Path, sheet: str | None) -> CalamineSheet:
    names = book.sheet_names
    if sheet is not None:
        if sheet not in names:
            raise DataError(f"workbook {str(path)!r}: {unknown('sheet', sheet, names)}")
        return book.get_sheet_by_name(sheet)
    filled = [name for name in names if book.get_sheet_by_name(name).total_height]
    if len(filled) == 1:
        return book.get_sheet_by_name(filled[0])
    if not filled:
        raise DataError(f"workbook {str(path)!r} is empty; expected a header and rows")
    raise DataError(
        f"workbook {str(path)!r} has several sheets ({', '.join(filled)}); say which one, by"
        f" `{path.name}:{filled[0]}` or `sheet: {filled[0]}` in the schema"
    )


@dataclass
class _Sheet:
    """The lines of one sheet, and where its header lies."""

    sheet: CalamineSheet
    path: Path
    schema: Schema

    @cached_property
    def _lines(self) -> list[Line]:
        """The lines without the skipped ones, each as long as the widest filled one."""
        lines = [[_cell(raw) for raw in line] for line in self.sheet.to_python(False)]
        for (top, start), (bottom, end) in self._merged:
            for line in lines[top : bottom + 1]:
                covered = range(start, min(end + 1, len(line)))
                line[start : end + 1] = [lines[top][start] for _ in covered]
        lines = lines[self.schema.skip :]
        width = max((_width(line) for line in lines), default=0)
        return [line[:width] for line in lines]

    @cached_property
    def _merged(self) -> list[tuple[tuple[int, int], tuple[int, int]]]:
        return self.sheet.merged_cell_ranges or []

    @cached_property
    def _at(self) -> int:
        """The place of the first line of the header, or of the first row without one."""
        return next((at for at, line in enumerate(self._lines) if _width(line)), 0)

    @cached_property
    def _two_lines(self) -> bool:
        """Say whether cells merged over several columns name them in two lines."""
        row = self._at + self.schema.skip
        wide = [end > start for (top, start), (_, end) in self._merged if top == row]
        return any(wide) and self.schema.header is None

    def refuse_title(self) -> None:
        """Raise TitleError where the first lines are no header."""
        cells = [[_name(cell) for cell in line] for line in self._lines[:LOOKED_AT]]
        if count := title_above(cells):
            title = next(name for line in cells for name in line if name)
            raise TitleError(f"sheet {self.sheet.name!r} of {str(self.path)!r}", count, title)

    @cached_property
    def header(self) -> tuple[str, ...]:
        """The names of the columns, "" where one has none."""
        if self.schema.header is not None:
            return self._fitting(self.schema.header)
        if not self._lines:
            raise DataError(f"sheet {self.sheet.name!r} of {str(self.path)!r} is empty")
        upper = [_name(cell) for cell in self._lines[self._at]]
        if not self._two_lines:
            return tuple(upper)
        if len(set(upper)) == 1:
            place = f"sheet {self.sheet.name!r} of {str(self.path)!r}"
            raise TitleError(place, self._at + self.schema.skip + 1, upper[0])
        lower = [_name(cell) for cell in self._lines[self._at + 1]]
        both = zip(upper, lower, strict=True)
        return tuple(one if other in ("", one) else f"{one} {other}".strip() for one, other in both)

    def _fitting(self, names: Sequence[str]) -> tuple[str, ...]:
        width = len(self._lines[0]) if self._lines else 0
        if len(names) != width:
            raise DataError(
                f"the schema's header has {len(names)} names, sheet {self.sheet.name!r} of"
                f" {str(self.path)!r} {width} columns"
            )
        return tuple(names)

    @cached_property
    def rows(self) -> list[Line]:
        """The lines below the header that have a value; an error of Excel is none."""
        below = self._at + (0 if self.schema.header else 2 if self._two_lines else 1)
        return [line for line in self._lines[below:] if _width(line)]

    def first_cells(self, columns: Sequence[str]) -> dict[str, list[str]]:
        """Return the first values of columns, as texts."""
        fields, lines = with_names(self.header), self.rows[:LOOKED_AT]
        places = {name: fields.index(name) for name in columns}
        return {name: [_name(line[at]) for line in lines] for name, at in places.items()}

    def notes(self) -> Iterator[str]:
        """Say what was read otherwise than it stands."""
        if self._two_lines:
            yield f"the header has two lines, read as {', '.join(map(repr, self.header[:4]))}, ..."
        below = self._at + self.schema.skip + 1 + self._two_lines
        if merged := sum(top >= below for (top, _), _ in self._merged):
            yield f"{merged} merged cell(s) stand in each row that they cover"


def _cell(raw: object) -> Cell:
    """Return a value as it is shown: Excel stores 2 as 2.0, and nothing as an empty text."""
    if isinstance(raw, float) and raw.is_integer() and abs(raw) < _EXACT:
        return int(raw)
    cell: Cell = raw  # type: ignore[assignment]
    return None if cell == "" else cell


def _name(cell: Cell) -> str:
    return "" if cell is None else str(cell).strip()


def _width(line: Line) -> int:
    """Return how many cells there are up to the last one with a value."""
    return max((at for at, cell in enumerate(line, 1) if cell is not None), default=0)
