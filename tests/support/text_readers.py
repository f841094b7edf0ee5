"""Everything that reads texts of rows and models, by name."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any

from textcentric.augmentation import expansion
from textcentric.augmentation.answers import parse_json
from textcentric.augmentation.curation import Draft, Piece, check_words, drop_repeats, trim
from textcentric.augmentation.picks.marks import louder, marks
from textcentric.augmentation.picks.omission import omission
from textcentric.augmentation.picks.statements import Table, leans, names_before, spans_of
from textcentric.augmentation.picks.summary import END, by_rule, summary
from textcentric.augmentation.picks.words import words as other_words
from textcentric.augmentation.variants import aim
from textcentric.checks import answer, comparatives, negation, numbers
from textcentric.checks import names as names_of
from textcentric.checks.edit import Edit
from textcentric.checks.languages import language
from textcentric.checks.likelihood import back_reading
from textcentric.checks.pairs import narrowed
from textcentric.checks.verdict import judge
from textcentric.checks.words import written_words
from textcentric.corruption import misspelling, pieces
from textcentric.corruption.rows import CORRUPTIONS, corrupt_parts
from textcentric.data.notation import parse
from textcentric.data.pairs.messages import plain, transcript
from textcentric.data.pairs.notation import as_list, opened
from textcentric.engines.protocol import Response
from textcentric.engines.reasoning import split_reasoning
from textcentric.errors import DataError
from textcentric.experts.clean import clean_line, clean_text
from textcentric.experts.sentences import sentence_spans
from textcentric.experts.table import in_words
from textcentric.experts.text import guess_language
from textcentric.prompts import equivalents
from textcentric.prompts.prompt import Checks, Prompt
from textcentric.reading.decoys import KINDS as DECOYS
from textcentric.report import run_card, run_rows
from textcentric.report.differences import word_differences
from textcentric.rows import Record, TextRow
from textcentric.security.secrets import hidden, of_address
from textcentric.security.visible import visible

Reader = Callable[[str], object]
SHORT = "The dog is calm and likes people. He is 3 years old, not shy; call Ben."
STRICT = Checks(
    similarity=None, new_numbers=0, new_words=(0.0, 1.0), moved=0.1, kept_facts=0.5, min_written=0.0
)


def changed(text: str) -> str:
    """Return `text` with a word put into its middle and another end."""
    half = len(text) // 2
    return f"{text[:half]} another {text[half:]} indeed"


def two(name: str, read: Callable[[str, str], object]) -> dict[str, Reader]:
    """Return the ways in which a long text comes to what reads two."""
    return {
        f"{name}, long source": lambda text: read(text, SHORT),
        f"{name}, long variant": lambda text: read(SHORT, text),
        f"{name}, both long": lambda text: read(text, changed(text)),
        f"{name}, turned round": lambda text: read(text, " ".join(text.split()[::-1])),
    }


def _judged(facts: Any, legible: bool, source: str, variant: str) -> object:
    edit = Edit(source, variant, row=f"{source} {SHORT}", facts=("calm", "3"))
    return judge([edit], facts, legible)


def _answered(source: str, variant: str) -> str:
    edit = Edit(source, variant, row=source, begin=source[:20])
    return answer.answer_fault(edit, STRICT, ("Say it in other words.", source))


def readers(prompt: Prompt) -> dict[str, Reader]:
    """Return everything that reads one text or two, by name; `prompt` rewrites sentences."""
    one: dict[str, Reader] = {
        "sentence_spans": sentence_spans,
        "sentence_spans, whole": lambda text: sentence_spans(text, whole=True),
        "clean_text": clean_text,
        "clean_line": clean_line,
        "guess_language": guess_language,
        "in_words": lambda text: in_words({"a": text, text: "b"}),
        "trim": lambda text: trim(text, "length", sentences=2),
        "drop_repeats": lambda text: drop_repeats([_draft(prompt, text, text)], [text], SHORT),
        "refuses": answer.refuses,
        "goes_in_circles": answer.goes_in_circles,
        "written_words": written_words,
        "language": language,
        "figures": numbers.figures,
        "numbers": numbers.numbers,
        "has_figures": numbers.has_figures,
        "names": names_of.names,
        "negation": lambda text: negation.bound(text, "negation"),
        "genders": comparatives.genders,
        "parse_json": lambda text: parse_json(text, {"type": "object", "required": ["a"]}),
        "parse_json, choices": lambda text: parse_json(text, {"enum": ["a"]}),
        "split_reasoning": split_reasoning,
        "split_reasoning, opened": lambda text: split_reasoning(text, opened=True),
        "lines_of": lambda text: expansion.lines_of(Response(text)),
        "normal": expansion.normal,
        "by_words": lambda text: expansion.Sieve(STRICT, (), None).by_words(text or "a"),
        "leans": leans,
        "names_before": names_before,
        "spans_of": lambda text: spans_of(text.split(". "), text),
        "louder": lambda text: louder(text or "a"),
        "marks": lambda text: marks(_row(text), "text", 4, Random(0)),
        "omission": lambda text: omission(_row(text), Table(), 4, Random(0)),
        "summary": lambda text: summary(_row(text), Table()),
        "first sentence": lambda text: by_rule("first-sentence", _row(text), Table()),
        "end": END.search,
        "other words": lambda text: other_words(_row(text), "text", Table(), 4, Random(0)),
        "aim": lambda text: aim(prompt, _row(text), Random(0)),
        "exchanges": equivalents.exchanges,
        "mistyped": lambda text: misspelling.mistyped(text, 1.0, Random(0)),
        "misread word": lambda text: misspelling.misread(text, 1.0, Random(0)),
        "sift_words": lambda text: pieces.sift_words(text, lambda: True),
        "sift_sentences": lambda text: pieces.sift_sentences(text, lambda: True),
        "sift_statements": lambda text: pieces.sift_statements(text, lambda: True),
        "sift_sights": lambda text: pieces.sift_sights(text, lambda: True),
        "corrupt_parts": lambda text: corrupt_parts(
            {"table": text, "image": text, "text": text}, 0.5, Random(0)
        ),
        "read_number": parse,
        "plain message": plain,
        "transcript": transcript,
        "as_list": as_list,
        "opened": _opened,
        "visible": visible,
        "hidden": hidden,
        "of_address": lambda text: list(of_address(text)),
        "card": run_card.plain,
        "report cut": run_rows.cut,
        "report kind": run_rows.kind,
        "report notes": lambda text: run_rows.own_notes(text, "language=en"),
    }
    for name, corrupt in CORRUPTIONS.items():
        one[f"corruption {name}"] = partial(_corrupted, corrupt)
    for place, (word, decoy) in enumerate(DECOYS):
        one[f"decoy {place} {word}"] = partial(_decoy, decoy)
    return {
        **one,
        **two("answer_fault", _answered),
        **two("check_words", lambda source, text: check_words(_draft(prompt, source, text))),
        **two("judged same", partial(_judged, "same", True)),
        **two("judged misspelt", partial(_judged, "same", False)),
        **two("judged fewer", partial(_judged, "fewer", True)),
        **two("judged beside", partial(_judged, "beside", True)),
        **two("judged changed", partial(_judged, "changed", True)),
        **two("narrowed", narrowed),
        **two("back reading", lambda source, text: back_reading(Edit(source, text))),
        # Few words are compared one by one, which takes the square; here there are always many.
        **two("word_differences", lambda source, text: word_differences(source * 8, text * 8)),
        "judged, long row": lambda text: judge([Edit(SHORT, f"{SHORT} So.", text)], "same", True),
        "summary of a long row": lambda text: judge([Edit(text, SHORT, text)], "fewer", True),
    }


def _row(text: str) -> TextRow:
    return TextRow("r1", {"table": "Age: 3.", "text": text})


def _draft(prompt: Prompt, source: str, text: str) -> Draft:
    return Draft(prompt, f"{source} {SHORT}", [Piece(source, text)], facts=("calm", "3"))


def _corrupted(corrupt: Any, text: str) -> object:
    return corrupt(Record("r1", {"text": text, "table": {"a": text}}), 0.5, 0)


def _opened(text: str) -> None:
    with suppress(DataError):
        opened({"chosen": text})


def _decoy(decoy: Callable[[str, Random], str], text: str) -> str:
    return decoy(text, Random(0))
