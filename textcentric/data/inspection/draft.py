"""A schema as a commented file: every line that was guessed says why."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from textcentric.data.inspection.codes import Words
from textcentric.data.inspection.columns import ColumnProfile, TableProfile, shown
from textcentric.data.inspection.roles import Guess, Roles
from textcentric.data.notation import POINT
from textcentric.data.schema import Files

WIDTH = 34  # characters before a comment
FEW = 3  # rows with a word among numbers that make it no slip
LONGEST = 100  # characters that a comment stands behind, rather than above
MOST_CODES = 10  # of a column: more are numbers
YEARS = range(1900, 2100)
_PLAIN = re.compile(r"[^\W\d_][\w./-]*( [\w./-]+)*")
_SPECIAL = {
    "null",
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "y",
    "n",
    "none",
}  # to readers of YAML


def drafted(
    profile: TableProfile,
    roles: Roles,
    words: Mapping[str, Words],
    keys: Mapping[str, str],
    notes: Iterable[str] = (),
) -> str:
    """Return the file of a schema; `keys` say how the text of the table is written.

    `words` are those that tables beside it have for codes; `notes` stand at the head of the file.
    """
    rows = f"{profile.rows:,} rows" if profile.whole else f"the first {profile.rows:,} rows"
    head = [
        f"# {Path(profile.table.path).name}: {len(profile.columns)} columns, told from {rows}.",
        "# Lines are guesses, their reasons behind them; change what is not so.",
        *(f"# {note}" for note in notes),
    ]
    lines = [*head, *_keys(keys), *_roles(roles, profile.rows), *_ignored(roles)]
    lines += _columns(profile, roles, words)
    lines += [f"# doubt: {_one_line(doubt)}" for doubt in roles.doubts]
    return "\n".join([*lines, *_table(profile, roles)]) + "\n"


def scalar(value: object) -> str:
    """Return a value as any reader of YAML takes it: as the text that it is.

    >>> scalar("Price_Night"), scalar("no"), scalar("01"), scalar("a: b")
    ('Price_Night', '"no"', '"01"', '"a: b"')
    """
    text = str(value)
    plain = _PLAIN.fullmatch(text) and text.lower() not in _SPECIAL
    return text if plain else json.dumps(text, ensure_ascii=False)


def _keys(keys: Mapping[str, str]) -> Iterator[str]:
    for name, value in keys.items():
        given, _, reason = value.partition("\n")
        yield _line(f"{name}: {given if given.isdecimal() else scalar(given)}", reason)


def _roles(roles: Roles, rows: int) -> Iterator[str]:
    yield from _guess("id", roles.id)
    yield from _guess("target", roles.target)
    yield from _guess("task", roles.task)
    if roles.text:
        yield _line("text:", "")
        yield from (_line(f"  - {scalar(name)}", why) for name, why in roles.text.items())
    for media in roles.media:
        yield _line(f"{media.modality}: {_files(media.files)}", media.reason)
    if scarce := [media.modality for media in roles.media if 2 * media.rows < rows]:
        yield _line(f"allow_missing: [{', '.join(scarce)}]", "most rows have none")
    yield from _guess("group", roles.group)
    yield from _guess("split", roles.split)
    if roles.splits:
        parts = ", ".join(f"{scalar(k)}: {v or 'null'}" for k, v in roles.splits.items())
        yield _line(f"splits: {{{parts}}}", "what its values are")


def _guess(key: str, guess: Guess | None) -> Iterator[str]:
    if guess is None:
        return
    doubt = "? " if guess.instead or guess.unsure else ""
    yield _line(
        f"{key}: {scalar(guess.value)}", f"{key}{doubt}{guess.reason}" if doubt else guess.reason
    )
    if guess.instead:
        yield f"#   or: {_one_line('; '.join(guess.instead))}"


def _files(files: Files) -> str:
    given = {name: value for name, value in files.model_dump().items() if value is not None}
    if set(given) == {"column"}:
        return scalar(files.column)
    return "{" + ", ".join(f"{name}: {scalar(value)}" for name, value in given.items()) + "}"


def _ignored(roles: Roles) -> Iterator[str]:
    if roles.ignored:
        yield _line("ignore:", "left out; delete a line to have the column in the table")
        yield from (_line(f"  - {scalar(name)}", why) for name, why in roles.ignored.items())


def _columns(profile: TableProfile, roles: Roles, words: Mapping[str, Words]) -> Iterator[str]:
    """Yield how single columns read, and as comments those whose codes somebody has to explain."""
    target = roles.target.value if roles.target else None
    amount = target if roles.task and roles.task.value != "classification" else None
    kept = [c for name, c in profile.columns.items() if name not in roles.taken()]
    read = [*kept, *(profile.columns[name] for name in (*roles.text, amount) if name)]
    found = {c.name: _setting(c, is_target=c.name == amount) for c in read}
    settings = {name: setting for name, setting in found.items() if setting}
    settings |= {
        c.name: _worded(c, words[c.name], whole=profile.whole) for c in kept if c.name in words
    }
    named = {*settings, *profile.table.names}
    codes = [column for column in kept if column.name not in named and _may_be_codes(column)]
    if settings or codes:
        yield _line("columns:", "")
    for name, (setting, why) in settings.items():
        line = f"  {scalar(name)}: {{{setting}}}"
        yield from [_line(line, why)] if len(line) < LONGEST else [f"#   {why}:", line]
    if codes:
        yield "#   whole numbers that may be codes; say what they stand for, and delete the #:"
    for column in codes:
        keys = map(scalar, column.codes) if column.padded else column.codes
        listed = ", ".join(f"{key}: ..." for key in keys)
        yield f"#  {scalar(column.name)}: {{codes: {{{listed}}}}}"


def _worded(column: ColumnProfile, words: Words, *, whole: bool) -> tuple[str, str]:
    said = words.of(column, whole=whole)
    listed = ", ".join(f"{scalar(c)}: {scalar(w) if w else 'null'}" for c, w in said.items())
    return f"codes: {{{listed}}}", f"words of {words.source}"


def _may_be_codes(column: ColumnProfile) -> bool:
    if not (column.coded or (column.padded and column.kind == "class")):
        return False
    years = column.whole and all(number in YEARS for number in column.whole)
    return len(column.codes) <= MOST_CODES and not years


def _setting(column: ColumnProfile, *, is_target: bool) -> tuple[str, str] | None:
    """Return how a column is to be read and why, None where its values read as they stand."""
    if column.kind == "list" and not column.barred:
        return "reads: list", "printed lists"
    if column.kind == "boolean" and column.two_words in (("f", "t"), ("false", "true")):
        return "reads: flag", "yes and no"
    parts = list(_of_numbers(column, is_target=is_target)) if column.amount_like else []
    said = ", ".join(part for part, _ in parts), "; ".join(why for _, why in parts if why)
    return said if parts else None


def _of_numbers(column: ColumnProfile, *, is_target: bool) -> Iterator[tuple[str, str]]:
    """Yield how a column of numbers is to be read, each key with its reason."""
    numbers, doubt = column.numbers, column.numbers.doubt()
    sign, dotted = _sign(column, doubt), column.dotted
    if not is_target and (column.money or sign or dotted):
        why = "amounts" if column.money else "" if sign else "some are written as 2.0"
        yield f"reads: {'money' if column.money else 'number'}", why
    if sign:
        yield sign, doubt or f"such as {numbers.comma}"
    words = column.placeholders()
    if words and (is_target or sum(column.counts[word] for word in words) >= FEW):
        markers = ", ".join(map(scalar, dict.fromkeys(["", *column.marked, *words])))
        rows = sum(column.counts[word] for word in words)
        yield f"missing: [{markers}]", f"{rows} rows have {', '.join(map(shown, words))}: nothing?"


def _sign(column: ColumnProfile, doubt: str) -> str:
    """Return the notation as keys, "" where it is the usual one."""
    notation = column.numbers.notation()
    return str(notation) if doubt or notation != POINT else ""


def _table(profile: TableProfile, roles: Roles) -> Iterator[str]:
    kept = {name: c for name, c in profile.columns.items() if name not in roles.taken()}
    if kept:
        yield f"# the table, {len(kept)} columns:"
    for name, column in kept.items():
        yield _line(f"#   {_one_line(name)}", _one_line(column.about()), sign=" ")


def _line(text: str, comment: str, sign: str = "#") -> str:
    if not comment:
        return text
    return f"{text.ljust(WIDTH)} {sign} {_one_line(comment)}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
