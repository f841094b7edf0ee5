"""The columns of a table of pairs: which layout they are, which of them nothing reads."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from textcentric.data.pairs.layouts import DESCRIPTIONS, LAYOUTS, RATINGS, SUBSETS, Row
from textcentric.data.pairs.pictures import IMAGES
from textcentric.data.pairs.questions import PROMPTS, SYSTEMS, UNREAD, prompt_column
from textcentric.errors import DataError

IDS = ("id", "ID", "pair_id", "idx", "question_id")
_RATED = [name for names in RATINGS for name in names]
_ABOUT = ("history", "margin", "group", "split")
COMMON = {*IDS, *SYSTEMS, *IMAGES, *DESCRIPTIONS, *SUBSETS, *UNREAD, *_ABOUT, *_RATED}
_JOIN = "put a chosen and a rejected response of each prompt into one row: prompt, chosen, rejected"
_RANK = "evaluate on them as candidates, or give a better and a worse one as chosen and rejected"
NO_PAIRS = (  # columns of other data, what they hold, and what to do
    ({"completion", "label"}, "one response and a label a row (KTO)", _JOIN),
    ({"messages", "label"}, "one conversation and a label a row (KTO)", _JOIN),
    ({"kto_tag"}, "one conversation and a label a row (KTO)", _JOIN),
    ({"responses"}, "several responses a prompt", _RANK),
)


def find_layout(columns: Sequence[str], row: Row, path: str) -> str:
    """Return the name of the layout of a table; raises DataError where none fits."""
    for name, layout in LAYOUTS.items():
        if layout.fits(columns, row):
            _refuse_misspelt(columns, name, path)
            return name
    for names, what, cure in NO_PAIRS:
        if names <= set(columns):
            raise DataError(f"{path} has {what}, which is no pair; {cure}")
    tried = "; ".join(f"{n} ({', '.join(sorted(one.columns))})" for n, one in LAYOUTS.items())
    raise DataError(
        f"{path} has the columns {', '.join(columns)}, in which no layout of preferences is"
        f" found{_nearest(columns)}; tried: {tried}. Rename columns, or give them in TRL's: prompt,"
        " chosen, rejected"
    )


def unread(columns: Sequence[str], layout: str, row: Row) -> list[str]:
    """Return the columns that nothing reads in a table of which `row` is the first."""
    return [name for name in columns if name not in _read(layout, row)]


def _read(layout: str, row: Row) -> set[str]:
    prompt = prompt_column(row)
    read = {*LAYOUTS[layout].columns, *COMMON, *([prompt] if prompt else [])}
    return read | {"input"} if prompt == "instruction" else read


def _refuse_misspelt(columns: Sequence[str], layout: str, path: str) -> None:
    """Raise DataError for a column that only case or blanks keep from being read."""
    names = {*LAYOUTS[layout].columns, *COMMON, *PROMPTS}
    wrong = {name: _meant(name, names - set(columns)) for name in columns if name not in names}
    if spelt := [f"{name!r} to {meant!r}" for name, meant in wrong.items() if meant]:
        raise DataError(f"{path}: nothing would read some columns; rename {', '.join(spelt)}")


def _meant(name: str, names: set[str]) -> str | None:
    folded = {known.lower(): known for known in names}
    return folded.get(name.strip().lower().replace(" ", "_"))


def _nearest(columns: Sequence[str]) -> str:
    """Say which columns are nearly those of a layout."""
    for layout in LAYOUTS.values():
        meant = {name: _meant(name, set(layout.columns)) for name in columns}
        if layout.columns <= set(meant.values()):
            wrong = [
                f"{name!r} to {known!r}"
                for name, known in meant.items()
                if known not in (None, name)
            ]
            return f"; rename {', '.join(wrong)}"
    near = {name: get_close_matches(name, columns, n=1) for name in ("chosen", "rejected")}
    said = [f"{close[0]!r} for {name!r}" for name, close in near.items() if close]
    return f" (nearest: {', '.join(said)})" if said else ""
