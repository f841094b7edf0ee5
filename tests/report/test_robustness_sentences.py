"""The sentences of the robustness page: each with its condition, and silent without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_results import results, write_results
from tests.support.page import Page
from textcentric.report.results_file import read_results
from textcentric.report.robustness import write_robustness_report
from textcentric.report.tables import Scores, exact, to


def page_of(folder: Path, content: Any = None) -> Page:
    written = write_robustness_report(write_results(folder, content))
    return Page(every_tag=True, html=written.read_text("utf-8"))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return page_of(tmp_path_factory.mktemp("compared"))


def test_who_is_cheaper_and_better_is_said_before_the_scores_and_never_made_up(
    tmp_path: Path,
) -> None:
    content = results()
    next(one for one in content["areas"] if one["arm"] == "table-boost")["area"] = 0.4
    silent = write_robustness_report(write_results(tmp_path / "silent", content))
    assert '<b class="cheap">' not in silent.read_text("utf-8"), "an area alone is no interval"
    content["verdict"]["cheap_wins"] = "Cheaper and better: dropout-train."
    html = write_robustness_report(write_results(tmp_path / "said", content)).read_text("utf-8")
    assert html.index('<b class="cheap">Cheaper and better: dropout-train.') < html.index("Scores")


def test_warnings_stand_above_the_scores(tmp_path: Path) -> None:
    content = results() | {"warnings": ["8 test rows are too <few>."]}
    page = page_of(tmp_path, content)
    assert page.text.index("8 test rows are too <few>.") < page.text.index("Best area first")


def test_an_area_stands_with_its_levels_and_its_mean(page: Page, tmp_path: Path) -> None:
    assert "method clean area, 0 to 0.7 drop at 0.1" in page.text
    assert "text-centric against plain-text all, levels 0 to 0.7" in page.text
    area = next(one for one in results()["areas"] if one["arm"] == "aligned")
    assert f"{exact(area['area'])} {to(area['interval'])} mean {exact(area['mean'])}" in page.text
    assert "cannot be compared" not in page.text


def test_areas_over_different_levels_are_not_ranked(tmp_path: Path) -> None:
    content = results()
    content["areas"][-1]["levels"] = [0.0, 0.3]
    html = write_robustness_report(write_results(tmp_path, content)).read_text("utf-8")
    text = Page(html, every_tag=True).text
    assert "These areas are over different levels and cannot be compared" in text
    assert "mean 0." in text
    assert "levels 0 to 0.3" in text
    scores = Scores(read_results(tmp_path))
    clean = [line["clean"].score for line in scores.table("all")["lines"] if line["clean"]]
    assert clean == sorted(clean, key=lambda score: -(score or 0))


def test_the_constant_stands_beside_each_method_with_the_difference(tmp_path: Path) -> None:
    content = results()
    for cell in content["cells"]:
        cell |= {"over_constant": cell["score"], "over_constant_interval": cell["interval"]}
    text = page_of(tmp_path, content).text
    assert "0.000 over it +0.305 +0.265 to +0.345 600 3 seeds" in text
    assert "over it +0.000" not in text, "nor of the constant itself"


def test_resamples_that_are_left_out_of_a_drop_are_counted(page: Page, tmp_path: Path) -> None:
    assert "Left out of the intervals" not in page.text
    content = results()
    for cell in content["cells"]:
        if (cell["arm"], cell["level"], cell["corruption"]) == ("aligned", 0.5, "all"):
            cell["drop_left_out"] = 12
    text = page_of(tmp_path, content).text
    assert "no better than the constant's (aligned at 0.5: 12)." in text


def test_a_cost_that_methods_share_is_said_to_be_shared(page: Page, tmp_path: Path) -> None:
    assert "share what an LLM wrote" not in page.text
    content = results()
    content["arms"]["aligned"]["llm_shared_with"] = ["perturbed"]
    content["arms"]["perturbed"]["llm_shared_with"] = ["aligned"]
    content["llm_total"] = {"llm_requests": 9_900, "llm_tokens": 2_500_000}
    text = page_of(tmp_path, content).text
    assert "aligned, perturbed share what an LLM wrote: it was asked once" in text
    assert "All methods together: 9,900 requests, 2,500,000 tokens." in text
    assert "aligned 9,800 shared 2,410,000" in text


def test_results_of_former_versions_still_open(tmp_path: Path) -> None:
    content = results()
    for one in (*content["areas"], *content["differences"]):
        one.pop("levels")
        one.pop("mean")
    content["verdict"]["cheap_wins"] = "Cheaper and better in area than x, without an LLM: y."
    text = page_of(tmp_path, content).text
    assert "method clean area drop at 0.1" in text
    assert "text-centric against plain-text all +0.041" in text
    assert "Cheaper and better in area than x" in text


def test_sentences_on_areas_are_said_where_there_are_any(tmp_path: Path, page: Page) -> None:
    assert "Area is that under score against level" in page.text
    assert "Drop is the share of the clean score that is lost" in page.text
    content = results() | {"areas": [], "differences": [], "higher_is_better": False}
    text = page_of(tmp_path, content).text
    assert "Area is that" not in text
    assert "Drop is by what share the error grows at a level" in text
    assert "compare them by the differences" not in text
    assert "seeds pooled: they speak of other test rows, not of other trainings." in text
    one = page_of(tmp_path / "one", content | {"seeds": [0]}).text
    assert "bootstrap intervals over test rows: they speak of other" in one


def test_a_claim_without_a_clear_interval_is_contradicted(tmp_path: Path) -> None:
    content = results()
    content["differences"] = content["differences"][1:]
    assert "no difference listed here has an interval above 0." in page_of(tmp_path, content).text


@pytest.mark.parametrize(
    ("verdict", "mark"),
    [
        ({"shown": True}, "shown"),
        ({"shown": False}, "not shown"),  # of former versions
        ({"shown": False, "outcome": "hurt"}, "hurt"),
        ({"shown": None}, ""),
    ],
)
def test_the_outcome_stands_beside_the_title(
    verdict: dict[str, Any], mark: str, tmp_path: Path
) -> None:
    page = write_robustness_report(write_results(tmp_path, results() | {"verdict": verdict}))
    html = page.read_text("utf-8")
    assert f"<title>Robustness on PetFinder{mark and f': {mark}'}</title>" in html
    assert ('<span class="pill' in html) == bool(mark)
    assert not mark or f">{mark}</span>" in html


def test_other_orders_stand_with_their_rows_and_the_order_as_given(tmp_path: Path) -> None:
    content = results()
    for one in content["orders"]:
        one |= {"rows": 100, "given": 0.31}
    text = page_of(tmp_path / "many", content).text
    assert "Of 100 of the test rows. method" in text
    assert "plain-text 0.300 as given 0.310 0.270 8 % 6" in text
    content["orders"][0]["rows"] = content["orders"][1]["rows"] = 4
    text = page_of(tmp_path / "few", content).text
    assert "Of 4 of the test rows: too few for more than an example." in text
