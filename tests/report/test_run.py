"""The report: complete for a whole run, calm about a broken one, and deaf to what rows say."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.fake_run import DATA, JINJA, RTL, SCRIPT, STORIES, write_run, write_shard
from tests.support.page import Page
from textcentric.errors import ConfigError
from textcentric.prompts.calibration import UNREAD
from textcentric.report.run import write_report

CHROMIUM = next(
    (name for name in ("chromium", "chromium-browser", "google-chrome") if shutil.which(name)), None
)


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "petfinder-1f3a9c02")


@pytest.fixture(scope="module")
def html(run_dir: Path) -> str:
    return write_report(run_dir).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_the_headline_says_how_many_were_accepted_of_what_and_by_whom(page: Page) -> None:
    text = re.sub(r"\s+", " ", page.text)
    assert "28 of 36 variants accepted 78 %" in text
    assert "beside them 9 of 9 clean rows accepted" in text
    assert (
        "9 rows of petfinder (built-in sample), 4 prompts, written by SmolLM2-135M-Instruct"
        " on vllm in 3 min 12 s, started 2025-03-04 10:15 UTC." in text
    )


def test_every_prompt_has_its_five_counts(html: str) -> None:
    rows = re.findall(r'<td class="prompt"><bdi>(.*?)</bdi>.*?</tr>', html, re.S)
    names = ("dropout", "noise", "paraphrase", "style-shift")
    assert rows == ["clean", *(f"adversarial/{name}" for name in names)]
    style_shift = html[html.index("<bdi>adversarial/style-shift</bdi> <span") :]
    numbers = re.findall(r'data-name="(\w+)">(\d+)<', style_shift)[:5]
    assert numbers == [
        ("requested", "9"),
        ("accepted", "6"),
        ("rejected", "2"),
        ("failed", "1"),
        ("pending", "0"),
    ]


def test_what_was_never_read_is_said_once_with_what_reads_it(tmp_path: Path) -> None:
    known = {"adversarial/noise": "of 30 read 27 true [0.74, 0.97]"}
    never = dict.fromkeys(("adversarial/dropout", "adversarial/paraphrase", "own/pick"), UNREAD)
    text = page_of_changed(tmp_path, lambda manifest: manifest.update(read=known | never)).text
    assert text.count(UNREAD) == 1
    said = f"{UNREAD}: adversarial/dropout, paraphrase, own/pick: textcentric review "
    assert said in re.sub(r"\s+", " ", text)
    assert "of 30 read 27 true" in text


def test_tokens_cache_reuse_and_fill_are_given(page: Page) -> None:
    text = re.sub(r"\s+", " ", page.text)
    for figure in (
        "Prompt tokens 30,000 18,600 came from the cache",
        "Cache-hit share 62 %",
        "Reused answers 8 % 3 from the journal, 33 sent",
        "Engine fill 83 %",
        "Bottleneck: engine.",
    ):
        assert figure in text


def test_reasons_and_errors_are_counted(page: Page) -> None:
    text = re.sub(r"\s+", " ", page.text)
    assert "similarity too low adversarial/dropout 2" in text
    assert "error times timeout 1" in text


def test_three_charts_have_labelled_axes(page: Page) -> None:
    labels = [a["aria-label"] for tag, a in page.tags if tag == "svg" and a.get("class") == "plot"]
    assert labels == [
        "Output tokens, tokens a second, over minutes",
        "Finished outputs, outputs a second, over minutes",
        "Engine fill, requests in flight, over minutes",
    ]


def test_every_variant_of_the_drawn_rows_is_there_with_its_status(page: Page) -> None:
    statuses = [attrs["data-status"] for attrs in page.variants()]
    assert len(statuses) == 4 * len(STORIES)
    assert (statuses.count("rejected"), statuses.count("failed")) == (7, 1)


def test_without_scripts_nothing_is_hidden_but_the_filters_and_the_browser(page: Page) -> None:
    hidden = [attrs.get("id") for _, attrs in page.tags if "hidden" in attrs]
    assert hidden == ["filters", "browser"]


def test_differences_are_marked_by_element_not_by_colour_alone(html: str) -> None:
    assert "<del>and</del>" in html
    assert "<ins>adn</ins>" in html
    assert "text-decoration: line-through" in html
    assert "text-decoration: underline" in html


def test_the_page_loads_nothing_from_outside(html: str, page: Page) -> None:
    assert not [a for _, a in page.tags if {"src", "href", "srcset", "style"} & a.keys()]
    assert "@import" not in html
    policy = next(
        a["content"] for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy


def test_html_and_jinja_in_rows_appear_as_text(html: str, page: Page) -> None:
    assert SCRIPT in page.text
    assert JINJA in page.text
    assert page.scripts() == ["application/json", None]
    assert "<img" not in html
    assert "<script>alert" not in html


def test_right_to_left_text_brings_its_own_direction(html: str) -> None:
    assert f'<div class="words" dir="auto">{RTL}</div>' in html


def test_control_characters_are_written_as_codes(html: str) -> None:
    assert "a[U+0000]b[U+0007]c [U+202E]desrever[U+202C] [U+001B][31mred" in html
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", html)


def test_long_texts_are_cut_and_say_so(html: str) -> None:
    shown = STORIES["row-7"][:2_000].rpartition(" ")[0]
    assert f"{len(STORIES['row-7']) - len(shown):,} more characters are in data/." in html
    assert f"{shown}</div>" in html
    assert len(html) < 200_000


def test_the_page_says_how_to_make_the_run_again(html: str) -> None:
    command = "textcentric augment --config petfinder-1f3a9c02/run.yaml"
    assert f"{command} --output-dir petfinder-1f3a9c02-again" in html
    for value in ("1f3a9c02", "c0ffee", "77aa01", "9b2e11", "0.33.0"):
        assert value in html


def test_the_same_run_gives_the_same_page(run_dir: Path, html: str) -> None:
    assert write_report(run_dir).read_text(encoding="utf-8") == html
    assert not list(run_dir.glob(".report*"))


def test_an_empty_folder_gives_a_page_that_says_so(tmp_path: Path) -> None:
    page = Page(write_report(tmp_path).read_text(encoding="utf-8"))
    assert "No outputs yet" in page.text
    assert "manifest.json is absent" in page.text


def test_a_folder_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no run directory '.*absent'; expected a folder"):
        write_report(tmp_path / "absent")


def test_a_run_in_progress_is_called_running(tmp_path: Path) -> None:
    html = write_report(write_run(tmp_path / "r", status="running")).read_text(encoding="utf-8")
    assert '<span class="pill running">running</span>' in html
    assert "these are the figures of this moment" in html


def test_without_a_manifest_the_files_are_counted(tmp_path: Path) -> None:
    run_dir = write_run(tmp_path / "r")
    (run_dir / "manifest.json").write_text("{half a manif")
    text = re.sub(r"\s+", " ", Page(write_report(run_dir).read_text(encoding="utf-8")).text)
    assert "28 of 36 variants accepted" in text
    assert "manifest.json is not JSON" in text
    assert "similarity adversarial/dropout 2" in text


@pytest.mark.parametrize("broken", [[], {"counts": 3, "totals": None, "engine": "x", "seed": "y"}])
def test_a_manifest_of_another_shape_does_not_stop_the_page(tmp_path: Path, broken: object) -> None:
    run_dir = write_run(tmp_path / "r")
    (run_dir / "manifest.json").write_text(json.dumps(broken))
    assert "28 of 36 variants accepted" in write_report(run_dir).read_text(encoding="utf-8")


def page_of_changed(run_dir: Path, change: Callable[[dict[str, Any]], None]) -> Page:
    """Return the report of a run whose manifest was changed by hand."""
    manifest = json.loads((write_run(run_dir) / "manifest.json").read_text())
    change(manifest)
    (run_dir / "manifest.json").write_text(json.dumps(manifest))
    return Page(write_report(run_dir).read_text(encoding="utf-8"))


def test_a_broken_shard_becomes_a_notice(tmp_path: Path) -> None:
    run_dir = write_run(tmp_path / "r")
    (run_dir / "data" / "part-00001.parquet").write_bytes(b"PAR1 and no more")
    page = Page(write_report(run_dir).read_text(encoding="utf-8"))
    assert "data/part-00001.parquet cannot be read" in page.text
    assert "manifest.json says 37 accepted, but data/ holds 20 rows." in page.text


def test_books_that_do_not_balance_are_shown(tmp_path: Path) -> None:
    page = page_of_changed(tmp_path / "r", lambda it: it["totals"].update(requested=50))
    assert "50 outputs were requested" in page.text
    assert "add up to 45" in page.text


def test_hostile_names_in_the_manifest_stay_text(tmp_path: Path) -> None:
    run_dir = write_run(tmp_path / "r")
    manifest = json.loads((run_dir / "manifest.json").read_text())
    manifest["engine"]["model"] = manifest["bottleneck"] = manifest["status"] = SCRIPT
    manifest["dataset"]["name"] = "\ud800</title><script>alert(2)</script>"
    (run_dir / "manifest.json").write_text(json.dumps(manifest))
    (run_dir / "run.yaml").write_text(f"a: {SCRIPT}")
    page = Page(write_report(run_dir).read_text(encoding="utf-8"))
    assert page.scripts() == ["application/json", None]
    assert "[U+D800]</title><script>alert(2)" in page.text


def test_twenty_sources_are_drawn_by_seed_whatever_the_order_of_the_rows(tmp_path: Path) -> None:
    rows = [
        {"id": f"s{n}:{prompt}", "source_id": f"s{n}", "prompt": prompt, "text": "A dog."}
        for n in range(300)
        for prompt in ("clean", "adversarial/noise")
    ]
    pages = []
    for name, order in (("a", rows), ("b", rows[::-1])):
        write_shard(tmp_path / name / "data" / "part-0.parquet", order, DATA)
        html = write_report(tmp_path / name).read_text(encoding="utf-8")
        pages.append(re.findall(r"<h3><bdi>(s\d+)</bdi></h3>", html))
    assert len(pages[0]) == len(set(pages[0])) == 20
    assert pages[0] == pages[1]


def test_sources_with_variants_are_shown_before_those_without(tmp_path: Path) -> None:
    rows = [{"id": f"s{n}", "source_id": f"s{n}", "prompt": "clean"} for n in range(300)]
    rows.append({"id": "v", "source_id": "s7", "prompt": "adversarial/noise", "text": "A dog."})
    write_shard(tmp_path / "data" / "part-0.parquet", rows, DATA)
    html = write_report(tmp_path).read_text(encoding="utf-8")
    assert re.findall(r"<h3><bdi>(s\d+)</bdi></h3>", html)[0] == "s7"


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH")
class TestInABrowser:
    """What a real browser makes of the page."""

    def test_no_script_from_data_runs_and_ours_does(self, run_dir: Path, tmp_path: Path) -> None:
        dom = _dom(write_report(run_dir), tmp_path)
        assert "owned" not in re.findall(r"<title>(.*?)</title>", dom)[0]
        assert "36 of 36 variants" in dom
        assert '<form id="filters" autocomplete="off">' in dom

    def test_filters_show_only_what_fits(self, run_dir: Path, tmp_path: Path) -> None:
        choice = f"#prompt={quote('adversarial/noise', safe='')}&status=rejected"
        dom = _dom(write_report(run_dir), tmp_path, choice)
        shown = [attrs for attrs in Page(dom).variants() if "hidden" not in attrs]
        assert [(a["data-prompt"], a["data-status"]) for a in shown] == [
            ("adversarial/noise", "rejected")
        ]
        assert "1 of 36 variants" in dom

    def test_a_filter_that_does_not_exist_shows_all(self, run_dir: Path, tmp_path: Path) -> None:
        dom = _dom(write_report(run_dir), tmp_path, "#prompt=%3Cscript%3E&status=nothing")
        assert "36 of 36 variants" in dom


def _dom(path: Path, profile: Path, choice: str = "") -> str:
    """Return the page as it is after its script ran."""
    assert CHROMIUM is not None
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    done = subprocess.run(
        [CHROMIUM, *flags, f"--user-data-dir={profile}", "--dump-dom", path.as_uri() + choice],
        capture_output=True,
        timeout=120,
        check=True,
    )
    return done.stdout.decode()


@pytest.mark.parametrize("name", ["run.yaml", "manifest.json", "metrics.jsonl"])
def test_a_link_is_told_of_and_what_it_leads_to_is_not_shown(tmp_path: Path, name: str) -> None:
    run = write_run(tmp_path / "run")
    secret = tmp_path / "credentials"
    secret.write_text('{"name": "SECRET4711", "t": 4711, "dataset": {"name": "SECRET4711"}}')
    (run / name).unlink()
    (run / name).symlink_to(secret)
    page = Page(write_report(run).read_text(encoding="utf-8"))
    assert "SECRET4711" not in page.text
    assert f"{name} is a link" in re.sub(r"\s+", " ", page.text)


def test_a_linked_shard_is_told_of_and_not_read(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    (run / "data" / "part-00001.parquet").rename(tmp_path / "own.parquet")
    (run / "data" / "part-00001.parquet").symlink_to(tmp_path / "own.parquet")
    page = Page(write_report(run).read_text(encoding="utf-8"))
    assert "data/part-00001.parquet is a link or no file, so it was not read." in page.text


def test_a_pipe_holds_no_report(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    for name in ("manifest.json", "metrics.jsonl", "run.yaml"):
        (run / name).unlink()
        os.mkfifo(run / name)
    assert "manifest.json is a pipe" in Page(write_report(run).read_text(encoding="utf-8")).text
