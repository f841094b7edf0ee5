"""Both reports in a real browser: no error, no network, filters that work, phones that fit."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browser import PATIENCE, REQUIRE, Page, browser, chromium
from tests.support.fake_results import write_results
from tests.support.fake_run import STORIES, write_run
from tests.support.many_rows import write_many_rows
from textcentric.report.robustness import write_robustness_report
from textcentric.report.run import write_report

PHONE = (390, 844)  # CSS pixels
CORNER = """(() => {
    const canvas = new OffscreenCanvas(8, 8).getContext("2d");
    canvas.drawImage(document.querySelector(".pictures img"), 0, 0);
    return canvas.getImageData(0, 0, 1, 1).data.slice(0, 3).join();
})()"""


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
    assert tab.shown("#drawn .variant") == 4 * len(STORIES)
    assert tab.shown("#drawn del") > 0
    tab.click("#filters input[name=gone]")
    assert tab.shown(".variant del") == 0
    _is_sound(tab)


@pytest.mark.slow
def test_all_outputs_are_searched_sorted_filtered_and_linked_to(tab: Page, tmp_path: Path) -> None:
    tab.open(write_report(write_run(tmp_path / "run")))
    assert tab.shown("#browser .variant") == 20
    assert _said(tab) == "45 of all 45 outputs"
    _choose(tab, "of-status", "rejected")
    assert _said(tab) == "7 of all 45 outputs"
    _choose(tab, "find", "BISCUIT is a clam")
    assert _waits(tab, "0 of all 45 outputs")
    _choose(tab, "find", "biscuit IS")
    _choose(tab, "of-status", "")
    assert _waits(tab, "3 of all 45 outputs")
    tab.evaluate("document.querySelector('#browser .original a').click()")
    assert _waits(tab, "5 of this row, of all 45 outputs")
    assert tab.evaluate("location.hash").endswith("#row=row-1")
    assert tab.shown("#browser .variant del") > 0
    tab.evaluate("document.querySelector('#browser form').reset()")
    assert _waits(tab, "45 of all 45 outputs")
    _is_sound(tab)


@pytest.mark.slow
def test_keys_alone_turn_the_pages(tab: Page, tmp_path: Path) -> None:
    tab.open(write_report(write_run(tmp_path / "run")))
    tab.evaluate("document.querySelector('#browser nav [name=on]').focus()")
    tab.press("Enter")
    _until(tab, "document.querySelector('#browser nav span').textContent === 'page 2 of 3'")
    assert tab.evaluate("document.activeElement.className") == "results"


@pytest.mark.slow
def test_outputs_beside_the_page_are_loaded_from_files(tab: Page, tmp_path: Path) -> None:
    tab.open(write_report(write_many_rows(tmp_path / "run", 2_500)))
    assert _waits(tab, "2,500 of all 2,500 outputs")
    _choose(tab, "sort", "low similarity")
    _until(tab, "document.querySelector('#browser h3 a').textContent === 'row499'")
    _choose(tab, "find", "needle")
    assert _waits(tab, "1 of all 2,500 outputs")
    _is_sound(tab)


@pytest.mark.slow
def test_fifty_thousand_outputs_open(
    tab: Page, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_report(write_many_rows(tmp_path / "run", 50_000))
    began = time.perf_counter()
    tab.open(path)
    assert _waits(tab, "50,000 of all 50,000 outputs")
    assert tab.shown("#browser .variant") == 20
    opened = time.perf_counter() - began
    _choose(tab, "find", "needle")
    assert _waits(tab, "1 of all 50,000 outputs")
    searched = time.perf_counter() - began - opened
    with capsys.disabled():
        print(f"\n50,000 outputs: open in {opened:.2f} s, all searched in {searched:.2f} s")
    assert tab.problems == []


@pytest.mark.slow
def test_pictures_turn_dark_with_the_screen(tab: Page, tmp_path: Path) -> None:
    tab.open(write_robustness_report(write_results(tmp_path / "compared")))
    assert _corner(tab) == "254,254,254"
    tab.prefer("dark")
    _until(tab, f"{CORNER} === '28,31,28'")


@pytest.mark.slow
def test_files_that_were_left_behind_are_asked_for(tab: Page, tmp_path: Path) -> None:
    path = write_report(write_many_rows(tmp_path / "run", 2_500))
    (path.parent / "report_rows" / "0002.js").unlink()
    tab.open(path)
    assert _waits(tab, "2,500 of all 2,500 outputs")
    _choose(tab, "find", "needle")
    assert _waits(tab, "1 of the 1,500 that could be loaded, of 2,500")
    _choose(tab, "find", "")
    _choose(tab, "page", "60")
    _until(tab, "document.querySelector('#browser .why') !== null")
    why = tab.evaluate("document.querySelector('#browser .why').textContent")
    assert why.startswith("report_rows/0002.js cannot be loaded: keep the folder report_rows")


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


def _choose(tab: Page, name: str, value: str) -> None:
    """Choose `value` of a field in the browser of all outputs; a page is chosen by its address."""
    if name == "page":
        tab.evaluate(f"location.hash = 'page={value}'")
        return
    field = f"document.querySelector('#browser form').elements[{name!r}]"
    event = "new Event('input', {bubbles: true})"
    tab.evaluate(f"{field}.value = {value!r}; {field}.dispatchEvent({event})")
    kept = f"new URLSearchParams(location.hash.slice(1)).get({name!r})"
    _until(tab, f"({kept} || '') === {value!r}")


def _corner(tab: Page) -> str:
    """Return red, green and blue of the first picture's first pixel."""
    return str(tab.evaluate(CORNER))


def _said(tab: Page) -> str:
    return str(tab.evaluate("document.querySelector('#browser output').textContent"))


def _waits(tab: Page, words: str) -> bool:
    """Wait until the browser of all outputs says `words`."""
    _until(tab, f"document.querySelector('#browser output').textContent === {words!r}")
    return True


def _until(tab: Page, condition: str) -> None:
    until = time.monotonic() + PATIENCE
    while not tab.evaluate(condition):
        assert time.monotonic() < until, f"{condition} never held; it says {_said(tab)!r}"
        time.sleep(0.02)


def _is_sound(tab: Page) -> None:
    """Check that nothing went wrong, nothing was fetched, and a phone need not scroll sideways."""
    assert tab.overflow() == 0
    tab.resize(*PHONE)
    assert tab.evaluate("innerWidth") == PHONE[0]
    assert tab.overflow() == 0
    assert tab.problems == []
    assert {address.partition(":")[0] for address in tab.requests} <= {"file", "data"}
