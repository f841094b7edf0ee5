"""Both reports in a real browser: no error, no network, filters that work, phones that fit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browser import REQUIRE, Page, browser, chromium
from tests.support.fake_results import write_results
from tests.support.fake_run import STORIES, write_run
from textcentric.report.robustness import write_robustness_report
from textcentric.report.run import write_report

PHONE = (390, 844)  # CSS pixels


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Page]:
    with browser(tmp_path / "profile") as page:
        yield page


@pytest.mark.slow
def test_the_robustness_report_works_in_a_browser(tab: Page, tmp_path: Path) -> None:
    tab.open(write_robustness_report(write_results(tmp_path / "compared")))
    assert tab.shown("article.changed") == 18
    tab.click("#filters input[name=arm][value=text-centric] + span")
    assert tab.shown("article.changed") == 9
    tab.click("#filters input[name=corruption][value=missing] + span")
    assert tab.shown("article.changed") == 3
    assert tab.evaluate("document.querySelector('#filters output').textContent") == "3 of 18 rows"
    assert tab.evaluate("[...document.images].every((one) => one.naturalWidth > 0)")
    _is_sound(tab)


@pytest.mark.slow
def test_the_run_report_works_in_a_browser(tab: Page, tmp_path: Path) -> None:
    tab.open(write_report(write_run(tmp_path / "run")))
    assert tab.shown(".variant") == 4 * len(STORIES)
    assert tab.shown("del") > 0
    tab.click("#filters input[name=gone]")
    assert tab.shown(".variant del") == 0
    _is_sound(tab)


@pytest.mark.slow
def test_an_error_in_a_page_is_noticed(tab: Page, tmp_path: Path) -> None:
    path = tmp_path / "bad.html"
    path.write_text("<p></p><script>console.error('a'); fetch('http://x.invalid/'); b()</script>")
    tab.open(path)
    assert len(tab.problems) >= 2
    assert "http://x.invalid/" in tab.requests


def test_without_a_browser_a_test_skips_unless_one_is_required(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv(REQUIRE, raising=False)
    with pytest.raises(pytest.skip.Exception, match="no browser on PATH"):
        chromium()
    monkeypatch.setenv(REQUIRE, "1")
    with pytest.raises(pytest.fail.Exception, match=f"{REQUIRE}=1 asks for one"):
        chromium()


def _is_sound(tab: Page) -> None:
    """Check that nothing went wrong, nothing was fetched, and a phone need not scroll sideways."""
    assert tab.overflow() == 0
    tab.resize(*PHONE)
    assert tab.evaluate("innerWidth") == PHONE[0]
    assert tab.overflow() == 0
    assert tab.problems == []
    assert {address.partition(":")[0] for address in tab.requests} <= {"file", "data"}
