"""Reading for Python: the sheet of a run, what readers called its pairs, what that comes to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from textcentric.api.given import place, settings_of
from textcentric.api.progress import watched
from textcentric.api.results import Calibration, Reviewed, Row, Run
from textcentric.data.rows import RowsLike
from textcentric.data.tables.frames import table_in_hand
from textcentric.errors import ConfigError, DataError, unknown
from textcentric.prompts.calibration import CALIBRATION, Reading, wilson
from textcentric.reading.agreement import Figures
from textcentric.reading.answers import by_reader, read_answers
from textcentric.reading.calibrating import calibrated, kept, published, with_weights
from textcentric.reading.config import ReviewConfig
from textcentric.reading.exchange import export_sheet, import_answers, sheet_rows, take_answers
from textcentric.reading.sheet import Sheet, growth, open_sheet
from textcentric.runs import listing

KEYS = ("reader", "who", "accepted", "refused", "seed", "new_sheet", "export")


def review(
    run: str | Path | Run, answers: RowsLike | str | Path | None = None, **settings: Any
) -> Reviewed:
    """Open the sheet of a run, drawn once; take answers to it; return pairs, answers, figures.

    `answers` are rows of `item` and `word` (same, less, changed, garbled; `edited` for a mended
    text), in hand or in a file; `settings` are `reader`, `who`, `accepted`, `refused`, `seed`,
    `new_sheet` and `export` of `review`. The page itself is opened by the command. Raises
    ConfigError for another setting, DataError for an answer that is none: then none is taken.

    >>> sheet = review("runs/first", reader="anna")                             # doctest: +SKIP
    >>> said = [{"item": pair["item"], "word": "same"} for pair in sheet.table]  # doctest: +SKIP
    >>> review("runs/first", said, reader="anna").figures                       # doctest: +SKIP
    """
    for name in settings:
        if name not in KEYS:
            raise ConfigError(unknown("key of review", name, KEYS))
    folder = listing.find_run(place(run))
    with watched(None) as (_, say):
        config = settings_of(ReviewConfig, settings, say)
        drawn = {name: getattr(config, name) for name in ("accepted", "refused", "seed")}
        sheet = open_sheet(folder, new=config.new_sheet, **drawn)
        if grown := growth(folder, sheet):
            say(grown)
    if isinstance(answers, str | Path):
        import_answers(folder, Path(answers), config.reader, who=config.who)
    elif answers is not None:
        take_answers(folder, _answers(answers, sheet), config.reader, who=config.who)
    if config.export is not None:
        export_sheet(folder, sheet, config.reader, config.export)
    found, said = calibrated(folder), read_answers(folder, sheet)
    own = by_reader(said).get(config.reader, {})
    lines = [asdict(answer) for answer in said]
    table = sheet_rows(sheet, own)
    return Reviewed(folder, found.as_dict(), table, lines, _by_prompt(found.figures), found.notes)


def calibrate(
    run: str | Path | Run, *, keep: bool = False, prompt_dir: str | Path | None = None
) -> Calibration:
    """Say of each prompt how many variants were read and how many were true.

    From 100 pairs that weights decide it makes another threshold of the verdict, from 300 weights;
    `notes` say what they are worth. With `keep` plans of the same model, prompts and checks use all
    this from then on. Raises RunError where nothing was read, PromptError where there is nothing
    to keep, or it is of former checks.
    """
    folder = listing.find_run(place(run))
    read = calibrated(folder, None if prompt_dir is None else str(prompt_dir))
    found = with_weights(folder, read)
    published(folder, found)
    path, notes = folder / CALIBRATION, found.notes
    if keep:
        path, said = kept(found)
        notes = (*notes, said) if said else notes
    return Calibration(path, found.as_dict(), _by_prompt(found.figures), notes)


def _answers(answers: RowsLike, sheet: Sheet) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield each answer in hand with what names it; it is of `sheet` unless it says another."""
    table = table_in_hand(answers)
    if table is None:
        raise DataError(
            f"answers are {type(answers).__name__}; expected rows of item and word, or a file"
        )
    for number, row in enumerate(table.rows(), 1):
        values = {name: "" if _empty(value) else str(value) for name, value in row.items()}
        yield f"answer {number}", {**values, "sheet": values.get("sheet") or sheet.digest}


def _empty(value: object) -> bool:
    """Say whether a cell holds nothing: a frame writes NaN, which differs from itself."""
    return value is None or value != value


def _by_prompt(found: Figures) -> list[Row]:
    return [{**_shares(reading), **found.words[reading.prompt]} for reading in found.readings]


def _shares(reading: Reading) -> dict[str, Any]:
    low, high = wilson(reading.true, reading.read)
    return {
        "prompt": reading.prompt,
        "read": reading.read,
        "true": reading.true,
        "low": round(low, 4),
        "high": round(high, 4),
        "refused_read": reading.refused_read,
        "refused_true": reading.refused_true,
    }
