"""Reading in the terminal: a letter an answer, undo, quit, and a word that is none."""

from __future__ import annotations

from pathlib import Path

from tests.support.read_run import drawn
from textcentric.reading.answers import read_answers
from textcentric.reading.server import Desk
from textcentric.reading.terminal import read_in_terminal


def test_letters_are_answers_and_what_is_read_is_not_shown_again(tmp_path: Path) -> None:
    run, sheet = drawn(tmp_path / "run", 4)
    desk = Desk(run, sheet, "anna")
    told: list[str] = []
    typed = iter(["s", "nonsense", "c", "u", "less", "q"])
    read_in_terminal(desk, lambda question: next(typed), told.append)
    assert [(a.item, a.word) for a in read_answers(run, sheet)] == [
        ("001", "same"),
        ("002", "less"),
    ]
    assert any("unknown word 'nonsense'" in line for line in told)

    def ended(question: str) -> str:
        raise EOFError

    told.clear()
    read_in_terminal(desk, ended, told.append)
    assert told[0] == f"\n003: 1 of {len(sheet.items) - 2}"
