"""A file of predictions: a row for each id, as CSV, parquet or JSON lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from textcentric.errors import Caution, ConfigError, Say, cut, option, unknown
from textcentric.folders import writing, written
from textcentric.security.foreign import foreign
from textcentric.security.formulas import as_text, is_formula
from textcentric.security.outputs import head, only_writer
from textcentric.values import Json


@contextmanager
def held_output(path: str | Path | None) -> Iterator[None]:
    """Hold the file of predictions of this command, where there is one, until they are written.

    Raises ConfigError for an ending that could not be written, RunError where another command
    writes it or something else than predictions lies there.
    """
    if path is None:
        yield
        return
    path = Path(path)
    check_ending(path)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with only_writer(path, "a file of predictions", OURS[path.suffix]):
        yield


def write_predictions(
    rows: Iterable[Mapping[str, Json]],
    path: str | Path,
    *,
    safe_csv: bool = True,
    tell: Say = lambda line: None,
) -> Path:
    """Write predictions as CSV, parquet or JSON lines, by the ending of `path`.

    In CSV, texts that a spreadsheet would take for formulas get an apostrophe in front where
    `safe_csv`; `tell` is told of them either way. Raises ConfigError for another ending.
    """
    path = Path(path)
    check_ending(path)
    table = [dict(row) for row in rows]
    if path.suffix == ".csv":
        if line := formulas(table, safe=safe_csv):
            tell(Caution(line))
        if safe_csv:
            table = [{name: as_text(cell) for name, cell in row.items()} for row in table]
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with written(path) as draft:
            WRITERS[path.suffix](table, draft)
    return path


def formulas(table: Sequence[Mapping[str, Json]], *, safe: bool) -> str:
    """Say how many texts a spreadsheet would take for formulas, with the first; "" for none."""
    found = [(name, cell) for row in table for name, cell in row.items() if is_formula(cell)]
    if not found:
        return ""
    name, cell = found[0]
    how = (
        f"written with an apostrophe in front; {option('safe_csv', False)} writes them as they are"
        if safe
        else f"written as they are; {option('safe_csv', True)} puts an apostrophe in front"
    )
    return (
        f"{len(found):,} texts begin as formulas of spreadsheets do (first, in {name}:"
        f" {cut(cell)!r}): {how}"
    )


def check_ending(path: str | Path) -> None:
    """Raise ConfigError, before the work, for a file that could not be written in the end."""
    if Path(path).suffix not in WRITERS:
        raise ConfigError(f"output={str(path)!r}: {unknown('ending', Path(path).suffix, WRITERS)}")


def _write_csv(rows: list[dict[str, Json]], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _write_parquet(rows: list[dict[str, Json]], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(rows), path)


def _write_jsonl(rows: list[dict[str, Json]], path: Path) -> None:
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")


def _is_csv(path: Path) -> bool:
    return head(path).startswith(b"id,prediction,")


def _is_parquet(path: Path) -> bool:
    import pyarrow.parquet as pq

    with foreign(str(path)):
        return head(path).startswith(b"PAR1") and pq.read_schema(path).names[:2] == FIRST


def _is_jsonl(path: Path) -> bool:
    line = head(path).partition(b"\n")[0]
    return line.startswith(b'{"id": ') and b', "prediction": ' in line


FIRST = ["id", "prediction"]  # columns of every file
WRITERS = {".csv": _write_csv, ".parquet": _write_parquet, ".jsonl": _write_jsonl}
OURS = {".csv": _is_csv, ".parquet": _is_parquet, ".jsonl": _is_jsonl}  # by how they begin
