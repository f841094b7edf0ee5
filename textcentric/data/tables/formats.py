"""The format of a table file: told by its first bytes where they say it, else by its ending."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from textcentric.data.media.signatures import HEAD, kind_of, kind_of_bytes
from textcentric.data.schema import TEXT
from textcentric.data.tables.compression import ENDINGS, inner_name, is_book, members, open_bytes
from textcentric.errors import DataError

Format = Literal["text", "JSON", "Parquet", "Arrow", "workbook"]
USED: dict[Format, set[str]] = {  # keys of a schema that say how such a file is written
    "text": {*TEXT} - {"sheet"},
    "JSON": {"encoding"},
    "Parquet": set(),
    "Arrow": set(),
    "workbook": {"sheet", "header", "skip"},
}
FORMATS: dict[str, Format] = {
    ".csv": "text",
    ".tsv": "text",
    ".tab": "text",
    ".txt": "text",
    ".jsonl": "JSON",
    ".json": "JSON",
    ".ndjson": "JSON",
    ".parquet": "Parquet",
    ".pq": "Parquet",
    ".feather": "Arrow",
    ".arrow": "Arrow",
    ".arrows": "Arrow",
    ".ipc": "Arrow",
    ".xlsx": "workbook",
    ".xlsm": "workbook",
}
_BY_CONTENT: dict[str, Format] = {
    "Parquet": "Parquet",
    "Arrow": "Arrow",
    "an Arrow stream": "Arrow",
    "a workbook": "workbook",
}
_TEXTS = ("", "a text", "JSON", "XML", "SVG")  # of these the ending decides
_SAVE = "save it as .xlsx or CSV"
_EXPORT = "export the table as CSV"
_PICKLE = "loading it would run what it holds; write the table as Parquet"
_PANDAS = "write it as Parquet, by pandas' read_{}(...).to_parquet('rows.parquet')"
_READERS = {
    ".dta": "stata",
    ".sav": "spss",
    ".sas7bdat": "sas",
    ".orc": "orc",
    ".h5": "hdf",
    ".hdf5": "hdf",
    ".html": "html",
    ".xml": "xml",
}
_REMEDIES = {
    **dict.fromkeys((".xls", ".xlsb", ".ods", ".numbers"), _SAVE),
    **dict.fromkeys((".pkl", ".pickle", ".joblib", ".pt", ".pth", ".npy", ".npz", ".rds"), _PICKLE),
    **dict.fromkeys((".db", ".sqlite", ".sqlite3", ".duckdb"), _EXPORT),
    **{ending: _PANDAS.format(reader) for ending, reader in _READERS.items()},
    "an Excel file of before 2007": f"{_SAVE}, without a password",
    "another workbook": _SAVE,
    "an SQLite database": _EXPORT,
    "a pickle": _PICKLE,
    "HDF5": _PANDAS.format("hdf"),
}


def format_of(path: Path) -> Format:
    """Return the format of a file, compressed or not; raise DataError with what to do if none."""
    kind = _kind(path)
    if kind in _BY_CONTENT:
        return _BY_CONTENT[kind]
    ending = path.suffix.lower() if kind == "a zip archive" else Path(inner_name(path)).suffix
    remedy = _REMEDIES.get(kind) or _REMEDIES.get(ending)
    if kind == "a text" and remedy:
        remedy = "if it is a CSV, name it .csv"
    if remedy is None and kind == "a zip archive":
        inner_name(path)  # tells of several files
    if remedy or kind not in _TEXTS:
        what = kind or f"a file that ends in {ending}"
        remedy = remedy or f"give one of {', '.join(FORMATS)}"
        raise DataError(f"table {str(path)!r} is {what}, which is not read here; {remedy}")
    if ending not in FORMATS:
        raise DataError(
            f"table {str(path)!r} has an unknown format; known endings: {', '.join(FORMATS)}"
            f" (also with {', '.join(ENDINGS)})"
        )
    if FORMATS[ending] not in ("text", "JSON"):
        raise DataError(
            f"table {str(path)!r} is {kind or 'damaged'}, not {FORMATS[ending]}; write it again, or"
            " name it by what it is"
        )
    return FORMATS[ending]


def _kind(path: Path) -> str:
    """Return what a file is by its first bytes, or those of what is compressed in it."""
    kind = kind_of(path)
    if kind == "a zip archive":
        if is_book(path):
            return "a workbook" if "xl/workbook.xml" in members(path) else "another workbook"
        if len(members(path)) != 1:
            return kind
    with open_bytes(path) as file:
        return kind_of_bytes(file.read(HEAD))
