"""`textcentric check`: lines out, a table by reason, an exit code where too few are true."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import textcentric as tc
from tests.support.commands import textcentric
from textcentric.errors import ConfigError, DataError

LIGHT = ("--no-embeddings", "--likelihoods", "off")
SETTINGS: dict[str, Any] = {"embeddings": False, "likelihoods": "off"}
CHANGED = {"source": "He costs 40 ringgit.", "variant": "He costs 90 ringgit."}


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.jsonl"
    path.write_text(f"{json.dumps(CHANGED)}\nbroken\n", encoding="utf-8")
    return path


def test_lines_go_to_the_screen_the_table_beside_them(pairs: Path) -> None:
    said = textcentric("check", pairs, "--json", *LIGHT)
    first, second = map(json.loads, said.out.splitlines())
    assert said.code == 0
    assert list(first) == ["id", "verdict", "score", "parts", "reason"]
    assert second == {"id": 1, "error": "a line that is not one JSON object"}
    assert "broken line" in said.err
    assert "1 broken lines" in said.err


def test_lines_go_into_a_file_and_too_few_true_ones_end_with_3(pairs: Path, tmp_path: Path) -> None:
    output = tmp_path / "new" / "verdicts.jsonl"
    said = textcentric("check", pairs, "-o", output, "--min-true", "0.9", *LIGHT)
    assert said.code == 3
    assert said.out == f"verdicts  {output}\n"
    assert "below --min-true 0.9" in said.err
    assert len(output.read_text(encoding="utf-8").splitlines()) == 2
    assert textcentric("check", pairs, "--min-true", "0", *LIGHT).code == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty (0 bytes)"),
        ('{"variant": "x"}\n', "no column 'source' for the source"),
    ],
)
def test_what_holds_no_pairs_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(content, encoding="utf-8")
    said = textcentric("check", path, *LIGHT)
    assert (said.code, said.out) == (2, "")
    assert message in said.err


def test_an_unknown_word_for_facts_is_refused(pairs: Path) -> None:
    said = textcentric("check", pairs, "--facts", "smae", *LIGHT)
    assert said.code == 2
    assert "did you mean 'same'" in said.err


def test_lists_frames_and_files_are_checked_from_python(pairs: Path, tmp_path: Path) -> None:
    of_lists = tc.check(["He is calm.", ""], ["He is calm.", "x"], **SETTINGS)
    of_frame = tc.check(pd.DataFrame([CHANGED]), output=tmp_path / "kept.jsonl", **SETTINGS)
    of_file = tc.check(pairs, **SETTINGS)
    assert [line["id"] for line in of_lists.table] == [0, 1]
    assert of_lists["unjudged"] >= 1
    assert len((tmp_path / "kept.jsonl").read_text(encoding="utf-8").splitlines()) == 1
    assert of_frame.table[0] == of_file.table[0]
    assert of_file["broken"] == 1
    assert list(of_file.to_pandas()["id"]) == [0, 1]


def test_sources_and_variants_of_different_number_are_refused() -> None:
    with pytest.raises(ConfigError, match="2 sources and 1 variants"):
        tc.check(["a", "b"], ["a"], **SETTINGS)
    with pytest.raises(ConfigError, match="no sources and no variants"):
        tc.check([], [], **SETTINGS)
    with pytest.raises(DataError, match="pairs are int"):
        tc.check(3, **SETTINGS)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="says again"):
        tc.check("a", "b", source="text", **SETTINGS)


def test_another_model_than_that_of_the_weights_is_not_asked(pairs: Path) -> None:
    said = textcentric("check", pairs, "--no-embeddings", "--model", "someone/else")
    assert said.code == 0
    assert "judged without likelihoods: no weights were fitted with someone/else" in said.err
