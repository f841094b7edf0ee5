"""Rows in: named data sets, own tables and the built-in samples, all as `Record`s.

>>> from textcentric.data import load                                      # doctest: +SKIP
>>> rows = load("petfinder", split="train", require=("image",), limit=10)  # doctest: +SKIP
>>> for note in rows.notes: print(note)                                    # doctest: +SKIP
>>> next(iter(rows)).inputs["table"]["Age"]                                # doctest: +SKIP
'3 months'
"""

from typing import TYPE_CHECKING

from textcentric.machine import importing

if TYPE_CHECKING:
    from textcentric.data.checks import CheckReport, check
    from textcentric.data.dataset import Dataset
    from textcentric.data.loading import load, locate
    from textcentric.data.media.pictures import open_picture
    from textcentric.data.named import names
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

__getattr__ = importing(
    __name__,
    {
        "checks": ["CheckReport", "check"],
        "dataset": ["Dataset"],
        "loading": ["load", "locate"],
        "media.pictures": ["open_picture"],
        "named": ["names"],
        "sample.writer": ["write_sample"],
        "schema": ["Schema", "read_schema"],
    },
)
