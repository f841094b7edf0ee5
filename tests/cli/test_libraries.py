"""What libraries log, warn of and die with is cleaned like every line of ours; so are faults."""

from __future__ import annotations

import logging
import threading
import warnings

import pytest

from textcentric.cli import run
from textcentric.cli.libraries import cleaned
from textcentric.cli.terminal import silence
from textcentric.errors import DataError

KEY = "sk-heron-on-the-pond"
SAID = f"no access with {KEY} \x1b[2J"
SHOWN = "no access with [secret] [U+001B][2J"
Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def library_log() -> logging.Logger:
    """Return a log with a handler of its own, as transformers and vLLM have one."""
    log = logging.getLogger("a-library")
    log.propagate = False
    log.handlers = [logging.StreamHandler()]
    return log


def raising(error: BaseException) -> None:
    raise error


def broken(verbose: bool | None) -> None:
    if verbose is not None:
        silence(verbose)
    raise ValueError(SAID)


def test_lines_of_logs_are_cleaned(capsys: Captured) -> None:
    with cleaned():
        library_log().warning("GET %s", SAID)
    assert capsys.readouterr().err == f"GET {SHOWN}\n"


def test_tracebacks_of_logs_are_cleaned(capsys: Captured) -> None:
    with cleaned():
        try:
            raise ValueError(SAID)
        except ValueError:
            library_log().exception("it broke")
    said = capsys.readouterr().err
    assert said.endswith(f"ValueError: {SHOWN}\n")
    assert KEY not in said


def test_warnings_are_cleaned() -> None:
    with cleaned():
        said = warnings.formatwarning(SAID, UserWarning, "a_library.py", 1)
    assert said == f"UserWarning: {SHOWN}\n"


def test_last_words_of_threads_are_cleaned(capsys: Captured) -> None:
    with cleaned():
        thread = threading.Thread(target=raising, args=(KeyError(SAID),))
        thread.start()
        thread.join()
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert KEY not in said
    assert "\x1b" not in said


def test_logs_are_left_as_they_were_afterwards() -> None:
    before = logging.getLogRecordFactory()
    with cleaned():
        assert logging.getLogRecordFactory() is not before
    assert logging.getLogRecordFactory() is before


def test_an_error_of_ours_is_one_line(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as ended:
        run(lambda: raising(DataError("rows.csv:\n  12 rows accepted \x1b[2J")))
    assert ended.value.code == 2
    assert capsys.readouterr().err == "textcentric: rows.csv: 12 rows accepted [U+001B][2J\n"


def test_a_fault_of_ours_is_one_line_that_names_its_place(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as ended:
        run(lambda: broken(False))
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert said.startswith(f"textcentric: ValueError: {SHOWN} (in test_libraries.py, line ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("verbose", [True, None])
def test_a_fault_shows_its_traceback_where_that_is_wanted_or_cannot_be_asked_for(
    verbose: bool | None, capsys: Captured
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(lambda: broken(verbose))
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert said.startswith("Traceback (most recent call last):")
    assert said.endswith(f"ValueError: {SHOWN}\n")
