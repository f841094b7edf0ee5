"""One place writes to the terminal: nothing foreign acts there, nothing secret stands there."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

import textcentric
from textcentric.cli.terminal import columns, say, show, show_json

ESCAPE = "\x1b]0;owned\x07\x1b[2J\u009b31m\u202e"
CODES = "[U+001B]]0;owned[U+0007][U+001B][2J[U+009B]31m[U+202E]"
KEY = "sk-heron-on-the-pond"
PRINTERS = {"print", "echo", "secho", "pprint"}
STREAMS = {"sys.stdout.write", "sys.stderr.write"}
Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def test_escape_sequences_are_shown_as_codes(capsys: Captured) -> None:
    say(f"a model called {ESCAPE}")
    show(f"a row {ESCAPE}")
    said = capsys.readouterr()
    assert said.err == f"a model called {CODES}\n"
    assert said.out == f"a row {CODES}\n"


def test_line_breaks_of_either_kind_stay_in_texts(capsys: Captured) -> None:
    show("first\r\nsecond\nthird", end="")
    assert capsys.readouterr().out == "first\nsecond\nthird"


def test_json_holds_control_characters_as_its_own_escapes(capsys: Captured) -> None:
    show_json({"id": ESCAPE})
    out = capsys.readouterr().out
    assert not any(c in out for c in "\x1b\x07\u009b\u202e")
    assert json.loads(out) == {"id": ESCAPE}


def test_secrets_are_printed_nowhere(capsys: Captured) -> None:
    say(f"refused: {KEY}")
    show(f"refused: {KEY}")
    show_json({KEY: [f"refused: {KEY}", 3]})
    said = capsys.readouterr()
    assert said.err == "refused: [secret]\n"
    assert said.out.splitlines()[0] == "refused: [secret]"
    assert json.loads(said.out.splitlines()[1]) == {"[secret]": ["refused: [secret]", 3]}


def test_a_secret_of_digits_does_not_break_json(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOOR_TOKEN", "12345678")
    show_json({"rows": 12345678, "said": "open 12345678"})
    assert json.loads(capsys.readouterr().out) == {"rows": 12345678, "said": "open [secret]"}


def test_a_value_of_a_table_cannot_begin_a_line() -> None:
    assert columns([["r1\n12 rows accepted", 1]]) == "r1[U+000A]12 rows accepted  1"


def test_only_the_terminal_prints() -> None:
    """Every other file of the command line goes through `say`, `show` and `show_json`."""
    folder = Path(textcentric.__file__).parent / "cli"
    bare = [
        f"{path.name}:{node.lineno}"
        for path in sorted(folder.glob("*.py"))
        if path.name != "terminal.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and _prints(ast.unparse(node.func))
    ]
    assert bare == []


def _prints(called: str) -> bool:
    return called.rpartition(".")[2] in PRINTERS or called in STREAMS
