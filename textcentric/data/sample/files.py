"""The files of a sample: its table, row by row as it is made, and the drawn pictures."""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from random import Random

from textcentric.data.sample.drawing import COATS, draw
from textcentric.data.sample.rule import Look

Made = tuple[dict[str, str], Look | None]


def written(
    path: Path, columns: Sequence[str], rows: Iterable[Made]
) -> Generator[Made, None, None]:
    """Yield `rows` again, each after its cells are written into the CSV file `path`.

    To be closed, so that a disk that fills is told where it does.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, columns)
        table.writeheader()
        for row, look in rows:
            table.writerow(row)
            yield row, look


def save_picture(path: Path, subject: str, look: Look | None, seed: str) -> None:
    """Draw the one picture of a row into `path`; without a look it has none."""
    if look is not None:
        rng = Random(seed)
        draw(subject, look, rng.choice(list(COATS)), rng).save(path, quality=92)
