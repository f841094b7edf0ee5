"""The page of a sheet in a real browser: keys alone, phones, dark, hostile text, no network."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.browser import PATIENCE, Page, browser
from tests.support.read_run import first_of, read_run
from textcentric.reading.answers import read_answers
from textcentric.reading.items import ACCEPTED, Item
from textcentric.reading.server import Desk, PageServer
from textcentric.reading.sheet import Sheet, open_sheet

PHONE = (390, 844)  # CSS pixels
HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


@contextmanager
def served(desk: Desk) -> Iterator[PageServer]:
    with PageServer(desk) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Page]:
    with browser(tmp_path / "profile") as page:
        yield page


def until(tab: Page, condition: str) -> None:
    """Wait until a JavaScript condition holds."""
    end = time.monotonic() + PATIENCE
    while not tab.evaluate(condition):
        assert time.monotonic() < end, condition
        time.sleep(0.02)


def at_pair(tab: Page, number: int) -> None:
    until(tab, f"document.querySelector('#progress').textContent.includes('pair {number} of')")


@pytest.mark.slow
def test_a_sheet_is_read_with_keys_alone(tab: Page, tmp_path: Path) -> None:
    run = read_run(tmp_path / "run", 6)
    sheet = open_sheet(run)
    with served(Desk(run, sheet, "anna")) as server:
        tab.go(server.address)
        for number, key in enumerate("slcg", 1):
            at_pair(tab, number)
            tab.press(key)
        at_pair(tab, 5)
        tab.press("u")  # the fourth answer is taken back
        at_pair(tab, 4)
        tab.press("e")
        until(tab, "document.activeElement.tagName === 'TEXTAREA'")
        tab.evaluate("document.activeElement.value = 'A mended text.'")
        tab.press("Enter", control=True)
        until(tab, "document.querySelector('#edit').hidden")
        tab.press("s")
        at_pair(tab, 5)
        assert tab.overflow() == 0
        tab.resize(*PHONE)
        assert tab.overflow() == 0
        assert tab.problems == []
        assert {address.split("/")[2] for address in tab.requests if address[:4] == "http"} == {
            server.address.split("/")[2]
        }
    found = {answer.item: answer for answer in read_answers(run, sheet)}
    assert [found[i].word for i in ("001", "002", "003", "004")] == [
        "same",
        "less",
        "changed",
        "same",
    ]
    assert "A mended text." in (found["004"].edited or {}).values()


@pytest.mark.slow
def test_hostile_text_is_shown_and_does_nothing(tab: Page, tmp_path: Path) -> None:
    run = read_run(tmp_path / "run", 3)
    known = open_sheet(run)
    bad = Item("001", ACCEPTED, first_of(known, ACCEPTED).group, "o", "r",
               {"text": f"Calm. {HOSTILE}"}, {"text": f"Clam. {HOSTILE}\u202e"},
               declared=HOSTILE)  # fmt: skip
    sheet = Sheet(known.run, 0, known.groups, known.totals, [bad])
    with served(Desk(run, sheet, "<b>anna</b>")) as server:
        tab.go(server.address)
        at_pair(tab, 1)
        assert tab.evaluate("document.title") == "Reading"
        assert "<script>" in tab.evaluate("document.querySelector('#pair').textContent")
        assert "[U+202E]" in tab.evaluate("document.querySelector('#pair').textContent")
        assert tab.shown("#pair img") == 0
        tab.press("g")
        until(tab, "!document.querySelector('#done').hidden")
        assert tab.problems == []
