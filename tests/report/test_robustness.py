"""The robustness page: the verdict first, nothing hidden, nothing from outside."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.support.fake_results import ARMS, LEVELS, results, write_results
from tests.support.fake_run import JINJA, RTL, SCRIPT
from tests.support.page import Page
from textcentric.errors import DataError
from textcentric.report.curves import COLOURS, spread, styles
from textcentric.report.results_file import read_results
from textcentric.report.robustness import write_robustness_report
from textcentric.report.tables import Scores, exact, percent, signed, to


def page_of(folder: Path, content: Any) -> Page:
    return Page(
        every_tag=True,
        html=write_robustness_report(write_results(folder, content)).read_text("utf-8"),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compared")
    write_results(folder)
    return folder


@pytest.fixture(scope="module")
def html(folder: Path) -> str:
    return write_robustness_report(folder).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html, every_tag=True)


def test_the_first_sentence_is_the_verdict(html: str) -> None:
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", html)
    assert heading is not None
    assert heading[1].startswith("Shown: text-centric+dropout keeps 0.041 more area")
    before = re.sub(r"<[^>]*>", "", html[html.index("<body>") : heading.start()])
    assert before.split() == ["Robustness", "on", "PetFinder", "shown"]


def test_the_first_paragraph_says_what_was_measured_on_what(page: Page) -> None:
    assert (
        "Scores are quadratic kappa (higher is better) on petfinder (built-in sample): 1,000"
        " train, 600 test rows; 3 seeds (0, 1, 2)." in page.text
    )


def test_every_arm_has_a_line_and_the_best_area_comes_first(html: str) -> None:
    table = html[html.index("<tbody>") : html.index("</tbody>")]
    arms = re.findall(r'class="method"><span class="arm"><svg.*?</svg><bdi>(.*?)</bdi>', table)
    assert sorted(arms) == sorted(ARMS)
    assert arms[:2] == ["text-centric+dropout", "dropout-train"]
    assert arms[-1] == "constant"


def test_a_drop_stands_with_its_interval_score_constant_n_and_seeds(tmp_path: Path) -> None:
    content = results()
    cell = next(
        one
        for one in content["cells"]
        if (one["arm"], one["corruption"], one["level"]) == ("plain-text", "all", 0.3)
    )
    cell |= {"score": 0.229, "drop_ratio": 0.249, "drop_interval": [0.18, 0.31], "n": 590}
    content["arms"] = {"plain-text": content["arms"]["plain-text"]}
    for key in ("cells", "areas", "orders", "changed"):
        content[key] = [one for one in content[key] if one["arm"] == "plain-text"]
    text = page_of(tmp_path, content).text
    assert "plain-text Everything as text, no LLM. 0.305 0.265 to 0.345 0.200" in text
    assert "25 % 18 to 31 score 0.229, n 590" in text
    assert "0.000 600 3 seeds" in text


def test_an_undefined_drop_says_why_instead_of_a_number(page: Page) -> None:
    assert "undefined score 0.000" in page.text
    assert "Undefined: the clean score is within 0.05 of the constant's (constant)." in page.text


def test_uneven_levels_are_pointed_out(page: Page) -> None:
    assert "Not every method was scored at every level" in page.text


def test_a_difference_has_its_interval_and_what_could_have_been_found(page: Page) -> None:
    assert "all, levels 0 to 0.7 +0.041 +0.018 to +0.066 mean +0.059 0.028 100 %" in page.text
    assert "−0.021 −0.045 to +0.003 mean −0.030 0.028 5 %" in page.text


def test_lower_is_better_turns_the_order_and_the_words(tmp_path: Path) -> None:
    content = results() | {"metric": "rmse", "higher_is_better": False}
    page = page_of(tmp_path, content)
    assert "Scores are rmse (lower is better)" in page.text
    assert "a positive one favours the first method" in page.text
    assert page.text.index("The commonest class.") < page.text.index("Everything as text, no LLM.")


def test_one_picture_a_damage_and_one_heat_map_that_parse(page: Page) -> None:
    pictures = page.pictures()
    assert len(pictures) == 4
    assert {ElementTree.fromstring(one).tag for one in pictures} == {
        "{http://www.w3.org/2000/svg}svg"
    }
    alts = [attrs["alt"] or "" for tag, attrs in page.tags if tag == "img"]
    assert alts[0].startswith("quadratic kappa against level of all, for table-boost, late-fusion")
    assert alts[3].startswith("quadratic kappa with modalities removed")


def test_every_drawn_arm_has_its_colour_in_the_curves(page: Page) -> None:
    drawn = page.pictures()[0].decode().lower()
    known = styles({name: llm for name, (_, llm, _, _) in ARMS.items()})
    assert [name for name in list(ARMS)[1:] if known[name].colour.lower() not in drawn] == []


def test_missing_modalities_have_numbers_beside_the_picture(page: Page) -> None:
    for subset in ("table", "text", "image", "table, text", "table, image", "text, image"):
        assert f"without {subset} " in page.text


def test_orders_and_costs_are_tables(page: Page) -> None:
    assert "plain-text 0.300 0.270 8 % 6" in page.text
    assert "aligned 9,800 2,410,000 3 h 12 min 5 min 12 s" in page.text


def test_changed_rows_show_both_texts_with_marked_differences(html: str, page: Page) -> None:
    rows = [attrs for tag, attrs in page.tags if tag == "article"]
    assert len(rows) == 18
    assert {row["data-corruption"] for row in rows} == {"all", "word-dropout", "missing"}
    assert "predicted 2 → 4, true 2" in page.text
    assert "<del>Mostly brown, bright, sharp.</del>" in html
    assert "removed: image" in page.text


def test_at_most_twelve_rows_of_a_kind_are_shown_and_the_rest_counted(tmp_path: Path) -> None:
    content = results()
    content["changed"] = content["changed"][3:4] * 15
    page = page_of(tmp_path, content)
    assert [tag for tag, _ in page.tags].count("article") == 12
    assert "3 more rows are in results.json." in page.text


def test_sections_without_figures_say_so_in_one_line(tmp_path: Path) -> None:
    content = results()
    names = ("constant", "plain-text")
    content["arms"] = {name: content["arms"][name] | {"llm": False} for name in names}
    clean = [one for one in content["cells"] if one["corruption"] == "clean"]
    content["cells"] = [one for one in clean if one["arm"] in names]
    for key in ("areas", "orders", "differences", "changed", "reproduce", "verdict"):
        del content[key]
    page = page_of(tmp_path, content)
    for line in (
        "Not shown: no verdict, because nothing was compared.",
        "No damage with levels was scored",
        "No two methods were compared.",
        "there are no curves.",
        "No modality was removed.",
        "No other orders were tried.",
        "No method used an LLM.",
        "No changed rows were recorded.",
        "No command was recorded.",
    ):
        assert line in page.text
    assert page.pictures() == []


def test_the_figures_lie_inside_and_beside_the_page_without_the_rows(
    folder: Path, html: str
) -> None:
    inside = re.search(r'<script type="application/json" id="figures">(.*?)</script>', html, re.S)
    assert inside is not None
    beside = json.loads((folder / "robustness.json").read_text())
    assert json.loads(inside[1]) == beside
    assert "changed" not in beside
    given = results()
    assert beside["cells"][0]["seed_scores"] == given["cells"][0]["seed_scores"]
    assert beside["classes"] == given["classes"]


def test_the_page_says_how_to_make_it_again(page: Page) -> None:
    assert "textcentric compare --config compare.yaml textcentric report runs/c" in page.text
    assert "torch 2.13.0" in page.text


def test_the_page_loads_nothing_from_outside(html: str, page: Page) -> None:
    assert not [a for _, a in page.tags if {"href", "srcset", "style"} & a.keys()]
    assert all(
        (attrs["src"] or "").startswith("data:image/svg+xml;base64,")
        for _, attrs in page.tags
        if "src" in attrs
    )
    policy = next(
        a["content"] for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    assert "default-src 'none'; script-src 'sha256-" in policy
    assert "img-src data:;" in policy
    assert "unsafe" not in policy
    assert "@import" not in html


def test_hostile_texts_and_names_stay_text(tmp_path: Path) -> None:
    content = results()
    evil = f"$x_{{ {SCRIPT}</title> \x00\u202e{RTL}"
    content["title"] = content["verdict"]["sentence"] = content["machine"] = evil
    content["arms"][evil] = content["arms"]["aligned"] | {"what": JINJA}
    content["dataset"] = {"name": evil}
    for key in ("cells", "areas", "changed"):
        content[key] = content[key] + [
            one | {"arm": evil} for one in content[key] if one["arm"] in ("aligned", "plain-text")
        ]
    seen: dict[tuple[Any, ...], Any] = {
        (one["arm"], one["corruption"], one["level"], str(one["missing"])): one
        for one in content["cells"]
    }
    content["cells"] = [*seen.values()]
    page = page_of(tmp_path, content)
    kinds = [tag for tag, _ in page.tags]
    assert kinds.count("script") == 2
    assert kinds.count("img") == 4
    assert "[U+0000][U+202E]" in page.text
    assert JINJA in page.text


def test_the_same_results_give_the_same_page(folder: Path, html: str) -> None:
    assert write_robustness_report(folder / "results.json").read_text(encoding="utf-8") == html
    assert sorted(path.name for path in folder.iterdir()) == [
        "results.json",
        "robustness.html",
        "robustness.json",
    ]


def test_the_page_can_go_into_another_folder(folder: Path, tmp_path: Path) -> None:
    page = write_robustness_report(folder, tmp_path / "new" / "place")
    assert page == tmp_path / "new" / "place" / "robustness.html"
    assert page.with_suffix(".json").is_file()


def test_nan_is_read_as_no_number(tmp_path: Path) -> None:
    content = results()
    content["cells"][1] |= {"score": float("nan"), "interval": [float("nan"), 1.0]}
    cell = read_results(write_results(tmp_path, content)).cells[1]
    assert (cell.score, cell.interval) == (None, None)
    assert "NaN" not in write_robustness_report(tmp_path).read_text(encoding="utf-8")


def test_absent_results_are_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no '.*results\.json'.*textcentric compare"):
        write_robustness_report(tmp_path)


def test_half_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps(results())[:5_000])
    with pytest.raises(DataError, match=r"does not parse as JSON .*half written"):
        write_robustness_report(tmp_path)
    assert not (tmp_path / "robustness.html").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cells": []}, "holds no cells"),
        ({"cells": 3}, "cells: .*got 3"),
        ({"metric": None}, "metric: .*got None"),
        ({"arms": {}}, "cell of arm 'constant', which is not among the arms .none."),
        ({"cells": [{"arm": "constant"}]}, "cells.0.corruption: Field required .and 1 more."),
        (
            {"cells": [{"arm": "constant", "corruption": "clean", "score": 0.1}] * 2},
            "holds the cell .* twice",
        ),
        (
            {"cells": [{"arm": "constant", "corruption": "clean", "score": "high"}]},
            "cells.0.score.*: .*got 'high'",
        ),
    ],
)
def test_broken_results_are_refused_with_the_place(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        write_robustness_report(write_results(tmp_path, results() | change))


def test_a_list_instead_of_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the whole: "):
        write_robustness_report(write_results(tmp_path, []))


def test_seeds_may_be_a_list_or_their_number(tmp_path: Path) -> None:
    content = results()
    content["cells"][0]["seeds"] = [0, 1, 2]
    assert read_results(write_results(tmp_path, content)).cells[0].seeds == 3


def test_the_damage_of_the_primary_difference_comes_first(tmp_path: Path) -> None:
    content = results()
    content["differences"][0]["corruption"] = "word-dropout"
    scores = Scores(read_results(write_results(tmp_path, content)))
    assert scores.corruptions == ["word-dropout", "all", "image-words"]
    assert scores.table("all")["levels"] == [f"{level}" for level in LEVELS]


def test_noise_in_decibels_gets_worse_from_left_to_right(tmp_path: Path) -> None:
    content = results()
    cells = [one for one in content["cells"] if one["level"] in (0.1, 0.5, 0.9)]
    decibels = {0.1: 20, 0.5: 10, 0.9: 0}
    content["cells"] += [
        one | {"corruption": "audio-noise", "level": decibels[one["level"]]}
        for one in cells
        if one["corruption"] == "word-dropout"
    ]
    scores = Scores(read_results(write_results(tmp_path, content)))
    assert scores.table("audio-noise")["levels"] == ["20\u00a0dB", "10\u00a0dB", "0\u00a0dB"]
    ticks = [(0.0, "clean"), (1.0, "20"), (2.0, "10"), (3.0, "0")]
    assert list(scores.ticks("audio-noise").values()) == ticks
    levels = [cell.level for cell in scores.levels_of("plain-text", "audio-noise")]
    assert levels == [20, 10, 0]
    assert len(page_of(tmp_path, content).pictures()) == 5


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (exact(0.3049), "0.305"),
        (exact(-0.02), "−0.020"),
        (exact(-1e-17), "0.000"),
        (exact(1234.5), "1,234"),
        (exact(None), "–"),
        (signed(0.041), "+0.041"),
        (signed(-0.041), "−0.041"),
        (percent(-0.034), "−3\u00a0%"),
        (percent(-0.001), "0\u00a0%"),
        (percent(None), "–"),
        (to((0.28, 0.331)), "0.280 to 0.331"),
        (to(None), ""),
    ],
)
def test_figures_are_written_to_be_read(written: str, expected: str) -> None:
    assert written == expected


def test_labels_move_apart_in_their_order_and_stay_inside() -> None:
    assert spread([1.0, 1.0, 5.0], 1.0, 0.0, 10.0) == [0.5, 1.5, 5.0]
    assert spread([9.9, 10.0], 1.0, 0.0, 10.0) == [9.0, 10.0]
    assert spread([5.0, 0.0, 0.1], 2.0, 0.0, 10.0) == [5.0, 0.0, 2.0]
    assert spread([3.0] * 5, 100.0, 0.0, 4.0) == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert spread([], 1.0, 0.0, 1.0) == []


def test_no_two_of_eighteen_arms_look_alike() -> None:
    looks = styles({f"arm {number}": False for number in range(18)}).values()
    assert len({(look.colour, look.marker) for look in looks}) == 18
    assert len(set(COLOURS)) == 9


def test_notes_and_arms_with_fewer_rows_are_said_at_the_top(tmp_path: Path) -> None:
    content = results()
    first, second, *_ = content["arms"]
    content["arms"][first]["train_rows"], content["arms"][second]["train_rows"] = 1000, 950
    content["notes"] = ["2 of 9 rows have a <class> that no training row has"]
    text = page_of(tmp_path, content).text
    assert f"{second} was trained on 950 rows, others on 1,000" in text
    assert "2 of 9 rows have a <class> that no training row has." in text


def test_what_the_damage_took_is_listed(tmp_path: Path) -> None:
    content = results()
    assert "What the damage took" not in page_of(tmp_path / "without", content).text
    content["removed"] = {"all-0.5": "columns 3 of 9, words <4> of 8"}
    text = page_of(tmp_path / "with", content).text
    assert "all-0.5" in text
    assert "columns 3 of 9, words <4> of 8" in text
