"""The data set card: read by `load_dataset`, true to the manifest, safe with odd names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.fake_run import DATA, write_run
from textcentric.errors import ConfigError
from textcentric.prompts.calibration import UNREAD
from textcentric.report.run_card import COLUMNS, plain, size_category, write_card


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "petfinder-1f3a9c02")


def _front(card: str) -> dict[str, Any]:
    front: dict[str, Any] = yaml.safe_load(card.split("---\n")[1])
    return front


def _changed(run_dir: Path, *, of: Mapping[str, object] | None = None, **dataset: object) -> str:
    manifest = json.loads((run_dir / "manifest.json").read_text())
    manifest["dataset"] |= dataset
    manifest |= of or {}
    (run_dir / "manifest.json").write_text(json.dumps(manifest))
    return write_card(run_dir).read_text(encoding="utf-8")


def test_the_front_matter_names_files_size_and_licence(run_dir: Path) -> None:
    front = _front(write_card(run_dir).read_text(encoding="utf-8"))
    assert front["configs"] == [{"config_name": "default", "data_files": "data/*.parquet"}]
    assert front["size_categories"] == ["n<1K"]
    assert front["license"] == "unknown"
    assert front["pretty_name"] == "petfinder sample, augmented by textcentric"
    assert "synthetic" in front["tags"]


def test_the_card_counts_what_the_manifest_counts(run_dir: Path) -> None:
    card = write_card(run_dir).read_text(encoding="utf-8")
    assert "37 rows of text made from 9 source rows" in card
    assert "| adversarial/style-shift | keep | 9 | 6 | 2 | 1 | 0 |" in card
    assert "| all |  | 45 | 37 | 7 | 1 | 0 |" in card


def test_what_was_never_read_is_said_once_beneath_the_counts(tmp_path: Path) -> None:
    run_dir = write_run(tmp_path / "r")
    read = {"adversarial/noise": "of 30 read 27 true [0.74, 0.97]", "adversarial/dropout": UNREAD}
    card = _changed(run_dir, of={"read": {**read, "adversarial/style-shift": UNREAD}})
    assert re.search(r"\| adversarial/noise .* of 30 read 27 true .*\|\n", card)
    assert card.count(UNREAD) == 1
    assert f"\n\n{UNREAD}: adversarial/dropout, style-shift.\n" in card


def test_the_code_of_the_card_is_what_a_reader_needs(run_dir: Path) -> None:
    card = write_card(run_dir).read_text(encoding="utf-8")
    code = card.split("```python\n")[1].split("```")[0]
    imports = [line for line in code.splitlines() if "import" in line]
    assert imports == ["from datasets import load_dataset"]


def test_every_column_is_explained() -> None:
    assert list(COLUMNS) == DATA.names


def test_a_sample_is_called_one_and_real_rows_bring_a_reminder(tmp_path: Path) -> None:
    run_dir = write_run(tmp_path / "r")
    assert "invented rows in the form of petfinder" in write_card(run_dir).read_text()
    card = _changed(run_dir, origin="folder")
    assert "the terms of the source data hold for this folder too" in card
    assert "sample, augmented" not in card


@pytest.mark.parametrize(
    "name", ["---\nlicense: mit", "a: [b, {c", "# x | <b>`y`</b>", "'\"\x00\ud800", "наб"]
)
def test_odd_names_change_neither_the_yaml_nor_the_page(tmp_path: Path, name: str) -> None:
    card = _changed(write_run(tmp_path / "r"), name=name)
    front = _front(card)
    assert set(front) == {"license", "size_categories", "pretty_name", "tags", "configs"}
    assert front["license"] == "unknown"
    assert len(re.findall(r"^# ", card, re.M)) == 1
    assert "<b>" not in card


def test_a_model_folder_does_not_leave_the_machine(tmp_path: Path) -> None:
    run_dir = write_run(tmp_path / "r")
    manifest = json.loads((run_dir / "manifest.json").read_text())
    manifest["engine"]["model"] = "/home/someone/models/tiny/"
    (run_dir / "manifest.json").write_text(json.dumps(manifest))
    card = write_card(run_dir).read_text(encoding="utf-8")
    assert "someone" not in card
    assert "- model: tiny" in card


def test_an_unfinished_run_says_so_and_an_empty_folder_has_a_card(tmp_path: Path) -> None:
    run_dir = write_run(tmp_path / "r", status="interrupted")
    assert "The run is **interrupted**" in write_card(run_dir).read_text()
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "0 rows of text" in write_card(empty).read_text()


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no run directory"):
        write_card(tmp_path / "absent")


@pytest.mark.parametrize(
    ("rows", "category"), [(0, "n<1K"), (999, "n<1K"), (1_000, "1K<n<10K"), (5_000_000, "1M<n<10M")]
)
def test_size_categories_are_those_of_the_hub(rows: int, category: str) -> None:
    assert size_category(rows) == category


def test_markdown_in_values_is_shown_literally() -> None:
    assert plain("a\n# b [c](d) <e>") == r"a \# b \[c\]\(d\) &lt;e&gt;"


def test_load_dataset_reads_the_folder_through_its_card(run_dir: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    write_card(run_dir)
    rows = datasets.load_dataset(str(run_dir), split="train", cache_dir=str(tmp_path))
    assert rows.num_rows == 37
    assert rows.column_names == list(COLUMNS)
