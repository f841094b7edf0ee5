"""Whatever a library raises over foreign bytes is a named problem; our own errors go through."""

from __future__ import annotations

import logging

import pytest

from textcentric.errors import ConfigError, DataError, RunError
from textcentric.security.foreign import foreign


class Odd(Exception):
    """What no list of exceptions holds."""


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (Odd("no day 99"), r"the date of row 'r1' cannot be read \(Odd: no day 99\); leave it out"),
        (MemoryError(), r"the date of row 'r1' cannot be read \(MemoryError\); leave it out"),
        (RecursionError("deep"), "RecursionError: deep"),
    ],
)
def test_whatever_is_raised_is_a_named_problem(raised: Exception, said: str) -> None:
    with (
        pytest.raises(RunError, match=said),
        foreign("the date of row 'r1'", RunError, cure="; leave it out"),
    ):
        raise raised


@pytest.mark.parametrize("raised", [ConfigError("an unknown key"), KeyboardInterrupt()])
def test_our_own_errors_and_interrupts_go_through(raised: BaseException) -> None:
    with pytest.raises(type(raised)), foreign("a date"):
        raise raised


def test_where_a_library_raised_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.DEBUG, "textcentric"),
        pytest.raises(DataError),
        foreign("the date of row 'r1'"),
    ):
        raise KeyError("day")
    (record,) = caplog.records
    assert record.getMessage() == "the date of row 'r1'"
    assert record.exc_info is not None
    assert record.exc_info[0] is KeyError
