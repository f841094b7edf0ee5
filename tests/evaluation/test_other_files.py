"""Results are never written over files of other people that bear their names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from textcentric.checks.verdicts_file import is_verdicts
from textcentric.errors import RunError
from textcentric.evaluation.ablation.cells import _agree
from textcentric.evaluation.config import EvaluateFusionConfig, EvaluateRewardConfig
from textcentric.evaluation.fusion_models import evaluate_fusion
from textcentric.evaluation.results_file import refuse_other_files
from textcentric.evaluation.rewards.evaluation import evaluate_reward
from textcentric.methods.align_vl.config import RetrieveConfig
from textcentric.methods.align_vl.retrieval import retrieve
from textcentric.report.page import render
from textcentric.report.run import write_report

MINE = "the only copy of my notes"
EVALUATED = Path(__file__).parents[1] / "fixtures" / "before" / "evaluated"


def mine(path: Path) -> Path:
    path.write_text(MINE)
    return path


@pytest.mark.parametrize("name", ["results.json", "robustness.html", "robustness.json"])
def test_evaluate_and_compare_leave_other_files_alone(tmp_path: Path, name: str) -> None:
    mine(tmp_path / name)
    with pytest.raises(RunError, match=f"{name} is there and is not a result that textcentric"):
        refuse_other_files(tmp_path)
    (tmp_path / name).write_text("")
    refuse_other_files(tmp_path)


def test_settings_and_schemas_of_other_people_stay(tmp_path: Path) -> None:
    mine(tmp_path / "compare.yaml")
    with pytest.raises(RunError, match="yaml is there"):
        refuse_other_files(tmp_path, settings="compare.yaml")
    mine(tmp_path / "schema.yaml")
    with pytest.raises(RunError, match="yaml is there"):
        refuse_other_files(tmp_path, "schema.yaml")


def test_what_was_written_before_is_ours() -> None:
    refuse_other_files(EVALUATED, "schema.yaml")


def test_a_report_is_not_written_over_another_page(tmp_path: Path) -> None:
    page = mine(tmp_path / "report.html")
    with pytest.raises(RunError, match="is not a report that textcentric wrote"):
        write_report(tmp_path)
    assert page.read_text() == MINE


def test_a_page_of_ours_is_recognised(tmp_path: Path) -> None:
    view = {"title": "One search", "queries": []}
    page = render("search.html.jinja", view, ["page.css", "search.css"], [], pictures=True)
    (tmp_path / "report.html").write_text(page)
    write_report(tmp_path)
    write_report(tmp_path)


def test_a_page_of_hits_is_not_written_over_another(tmp_path: Path) -> None:
    page = mine(tmp_path / "hits.html")
    config = RetrieveConfig(latents="absent", text=("a dog",), page=page)
    with pytest.raises(RunError, match="is not a page that textcentric wrote"):
        retrieve("absent", config)
    assert page.read_text() == MINE


@pytest.mark.parametrize("name", ["fusion.json", "radius.svg"])
def test_attacks_leave_other_files_alone(tmp_path: Path, name: str) -> None:
    mine(tmp_path / name)
    config = EvaluateFusionConfig(dataset="rows.csv", output_dir=tmp_path)
    with pytest.raises(RunError, match=f"{name} is there and is not a result"):
        evaluate_fusion(["absent"], config)


def test_figures_of_reward_models_leave_other_files_alone(tmp_path: Path) -> None:
    config = EvaluateRewardConfig(dataset=("pairs.jsonl",), output=mine(tmp_path / "all.json"))
    with pytest.raises(RunError, match="is not a result that textcentric wrote"):
        evaluate_reward(["absent"], config)


@pytest.mark.parametrize("name", ["plan.json", "ablation.json", "ablation.md"])
def test_an_ablation_leaves_other_files_alone(tmp_path: Path, name: str) -> None:
    mine(tmp_path / name)
    with pytest.raises(RunError, match=f"{name} is there and is not an ablation"):
        _agree(tmp_path / "plan.json", {"plan": {}})


def test_verdicts_are_told_from_other_lines(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    for line, ours in (
        ({"id": 1, "verdict": None, "score": 1}, True),
        ({"id": "a", "error": "no variant"}, True),
        ({"id": 1, "text": "a dog"}, False),
    ):
        path.write_text(json.dumps(line) + "\n")
        assert is_verdicts(path) is ours
