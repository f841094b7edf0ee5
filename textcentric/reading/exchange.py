"""Sheets as files, for readers without a browser: out without verdicts, back with words.

CSV and JSON lines hold the same columns. A reader fills in `word` (same, less, changed, garbled, or
the first letter) and may put a mended text into `edited`; all else stays as it is.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from textcentric.errors import ConfigError, DataError, RunError
from textcentric.folders import write_text
from textcentric.reading.answers import Answer, append, by_reader, read_answers, word_of
from textcentric.reading.items import Item
from textcentric.reading.sheet import Sheet, sheets
from textcentric.report.differences import compare
from textcentric.security import formulas
from textcentric.security.outputs import check_ours, head

COLUMNS = ("sheet", "item", "source", "variant", "changes", "declared", "word", "edited")
FORMATS = (".csv", ".jsonl")
MARKS = {"same": "{}", "gone": "[-{}-]", "new": "{{+{}+}}"}


def export_sheet(run: Path, sheet: Sheet, reader: str, path: Path) -> int:
    """Write `sheet` to `path` with what `reader` said so far; return the number of pairs."""
    _check_format(path)
    check_ours(path, "an exported sheet", _is_sheet)
    own = by_reader(read_answers(run, sheet)).get(reader, {})
    rows = sheet_rows(sheet, own)
    write_text(path, _as_csv(rows) if path.suffix == ".csv" else _as_lines(rows))
    return len(rows)


def sheet_rows(sheet: Sheet, answers: Mapping[str, Answer]) -> list[dict[str, str]]:
    """Return the pairs of `sheet` as files hold them, with a reader's `answers` by pair."""
    return [_row(sheet.digest, item, answers.get(item.item)) for item in sheet.items]


def import_answers(run: Path, path: Path, reader: str, *, who: str = "a person") -> tuple[int, int]:
    """Append the answers in `path` as those of `reader`; return how many, and of how many pairs.

    All or none are taken: raises DataError naming the line, RunError for a sheet of another run.
    """
    _check_format(path)
    rows = ((f"{path}, line {number}", row) for number, row in _rows(path))
    return take_answers(run, rows, reader, who=who)


def take_answers(
    run: Path, rows: Iterable[tuple[str, Mapping[str, str]]], reader: str, *, who: str = "a person"
) -> tuple[int, int]:
    """Append answers, each with what names it in an error; see `import_answers`."""
    known = {sheet.digest: sheet for sheet in sheets(run)}
    standing = {(a.sheet, a.item): a for a in read_answers(run) if a.reader == reader}
    answers: dict[tuple[str, str], Answer] = {}
    total = 0
    for name, row in rows:
        total += 1
        try:
            answer = _answer(row, known, reader, who, run)
        except DataError as error:
            raise DataError(f"{name}: {error}; nothing was taken") from error
        key = (answer.sheet, answer.item)
        if answer.word and key in answers and answers[key] != answer:
            raise DataError(
                f"{name}: pair {answer.item} stands twice with different answers; nothing was taken"
            )
        if answer.word:
            answers[key] = answer
    new = [a for key, a in answers.items() if not _says(standing.get(key), a)]
    append(run, new)
    return len(answers), total


def _says(standing: Answer | None, answer: Answer) -> bool:
    return standing is not None and (standing.word, standing.edited, standing.who) == (
        answer.word,
        answer.edited,
        answer.who,
    )


def _row(digest: str, item: Item, answer: Answer | None) -> dict[str, str]:
    edited = answer.edited if answer else None
    return {
        "sheet": digest,
        "item": item.item,
        "source": as_text(item.source),
        "variant": as_text(item.variant),
        "changes": marked(item),
        "declared": item.declared,
        "word": answer.word if answer else "",
        "edited": as_text(edited) if edited else "",
    }


def as_text(parts: Mapping[str, str]) -> str:
    """Return parts as one text: `[name] words`, a part a paragraph."""
    return "\n\n".join(f"[{name}] {text}" for name, text in parts.items())


def parts_of(text: str, item: Item) -> dict[str, str]:
    """Return the parts of a text as `as_text` writes it; other text is the part that changed."""
    parts: dict[str, str] = {}
    for paragraph in text.split("\n\n"):
        name, bracket, words = paragraph.removeprefix("[").partition("] ")
        if bracket and paragraph.startswith("[") and name in item.variant:
            parts[name] = words
        elif parts:
            parts[[*parts][-1]] += f"\n\n{paragraph}"
    changed = [n for n, words in item.variant.items() if item.source.get(n) != words]
    return parts or {**item.variant, (changed or [*item.variant])[0]: text}


def marked(item: Item) -> str:
    """Return the parts that differ, with words that went as [-went-] and new ones as {+new+}."""
    change = compare(item.source, item.variant)
    lines = [
        f"[{part.name}] " + "".join(MARKS[kind].format(text) for kind, text in part.pieces)
        for part in change.changed
    ]
    if len(item.variant) > 1:
        lines += [f"[{name}] is absent" for name in change.absent]
    lines += [f"({reordered(item)})"] if reordered(item) else []
    return "\n\n".join(lines) or "(nothing differs)"


def reordered(item: Item) -> str:
    """Say in which order the parts of a variant stand, "" where it is the source's."""
    order = [name for name in item.variant if name in item.source]
    same = order == [name for name in item.source if name in item.variant]
    return "" if same else f"the parts stand in another order: {', '.join(order)}"


def _check_format(path: Path) -> None:
    if path.suffix not in FORMATS:
        raise ConfigError(f"{path}: expected a name that ends in {' or '.join(FORMATS)}")


def _is_sheet(path: Path) -> bool:
    begun = head(path)
    return begun.startswith((",".join(COLUMNS).encode(), b'{"sheet": '))


def _as_csv(rows: list[dict[str, str]]) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    writer.writeheader()
    # The other texts begin with "[", so that no spreadsheet takes them for formulas.
    writer.writerows({**row, "declared": formulas.as_text(row["declared"])} for row in rows)
    return file.getvalue()


def _as_lines(rows: list[dict[str, str]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield each row of a file with its line; raises DataError for what is no row."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as UTF-8 text ({error})") from error
    if path.suffix == ".csv":
        reader = csv.DictReader(io.StringIO(text, newline=""))
        for row in reader:
            yield reader.line_num, {k: v or "" for k, v in row.items() if isinstance(k, str)}
        return
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path}, line {number} is not JSON ({error})") from error
        if not isinstance(row, dict):
            raise DataError(f"{path}, line {number}: expected an object with {', '.join(COLUMNS)}")
        yield number, {name: str(value or "") for name, value in row.items()}


def _answer(
    row: Mapping[str, str], known: Mapping[str, Sheet], reader: str, who: str, run: Path
) -> Answer:
    """Return the answer of a row, with no word where it was not read."""
    for name in ("sheet", "item", "word"):
        if name not in row:
            raise DataError(f"no column {name!r}; expected the columns of an exported sheet")
    sheet = known.get(row["sheet"])
    if sheet is None:
        raise RunError(
            f"these are answers to the sheet {row['sheet']!r}, which is none of {run}"
            f" ({', '.join(known) or 'it has none yet'}); name the run that was exported"
        )
    item = sheet.by_id().get(row["item"])
    if item is None:
        raise DataError(f"the sheet has no pair {row['item']!r}; it has 1 to {len(sheet.items)}")
    word = word_of(row["word"]) if row["word"].strip() else ""
    edited = row.get("edited", "").strip()
    parts = parts_of(edited, item) if edited else None
    return Answer(sheet.digest, item.item, reader, word, who, parts)
