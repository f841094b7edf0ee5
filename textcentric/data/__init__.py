"""Rows in: named data sets, own tables and the built-in samples, all as `Record`s.

>>> from textcentric.data import load                                      # doctest: +SKIP
>>> rows = load("petfinder", split="train", require=("image",), limit=10)  # doctest: +SKIP
>>> for note in rows.notes: print(note)                                    # doctest: +SKIP
>>> next(iter(rows)).inputs["table"]["Age"]                                # doctest: +SKIP
'3 months'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textcentric.data.checks import CheckReport, check
    from textcentric.data.dataset import Dataset
    from textcentric.data.loading import load, locate
    from textcentric.data.named import names
    from textcentric.data.pictures import open_picture
    from textcentric.data.sample.writer import write_sample
    from textcentric.data.schema import Schema, read_schema

__all__ = [
    "CheckReport",
    "Dataset",
    "Schema",
    "check",
    "load",
    "locate",
    "names",
    "open_picture",
    "read_schema",
    "write_sample",
]

_HOME = {
    "CheckReport": "checks",
    "Dataset": "dataset",
    "Schema": "schema",
    "check": "checks",
    "load": "loading",
    "locate": "loading",
    "names": "named",
    "open_picture": "pictures",
    "read_schema": "schema",
    "write_sample": "sample.writer",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that importing the package costs nothing."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
