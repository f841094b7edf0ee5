"""A run that is to be read: two rows, one prompt, and the sheet that is drawn of it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.small_run import KEEPING, run, true_model
from textcentric.reading.answers import Answer, append
from textcentric.reading.items import Item
from textcentric.reading.sheet import Sheet, open_sheet


def read_run(folder: Path, rows: int = 12) -> Path:
    """Return the folder of a finished run of our small prompts."""
    return run(folder, rows, true_model, prompts="own/*,summarize/pick", own=KEEPING).path


def drawn(folder: Path, rows: int = 12) -> tuple[Path, Sheet]:
    """Return a run and the sheet drawn of it."""
    path = read_run(folder, rows)
    return path, open_sheet(path)


def call(run_dir: Path, sheet: Sheet, reader: str, words: dict[str, str], who: str = "") -> None:
    """Let `reader` call pairs what `words` say, by pair or by kind of pair."""
    append(
        run_dir,
        [
            Answer(sheet.digest, item.item, reader, word, who or "a person")
            for item in sheet.items
            if (word := words.get(item.item) or words.get(item.kind))
        ],
    )


def first_of(sheet: Sheet, kind: str) -> Item:
    """Return the first pair of a kind."""
    return next(item for item in sheet.items if item.kind == kind)


def filled(path: Path, word: str) -> Path:
    """Write `word` beside every pair of an exported file of JSON lines."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps({**row, "word": word}) + "\n" for row in rows))
    return path
