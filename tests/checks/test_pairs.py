"""Pairs of any tool: read in their order, judged as asked, broken lines in their places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from textcentric.checks.config import CheckConfig
from textcentric.checks.edit import Edit, Facts
from textcentric.checks.pairs import Checking, check_pairs, narrowed
from textcentric.checks.verdict import Verdict
from textcentric.data.tables.frames import table_in_hand
from textcentric.data.tables.table import Row, open_table
from textcentric.errors import ConfigError, DataError

CALM = {"source": "He is calm.", "variant": "He is calm."}


def judge(edits: Sequence[Edit], facts: Facts) -> list[Verdict]:
    """Call true what is equal; what was read back is sure."""
    return [
        Verdict(edit.source == edit.variant, 0.5 if edit.back is None else edit.back, reason=facts)
        for edit in edits
    ]


def checked(*rows: Row, **settings: object) -> Checking:
    table = table_in_hand(list(rows))
    assert table is not None
    return check_pairs(table, CheckConfig.of({"pairs": "rows", **settings}), judge)


def test_each_pair_has_a_line_in_the_order_of_the_input() -> None:
    other: Row = {"id": "b", "source": "He is calm.", "variant": "He is old.", "facts": "fewer"}
    checking = checked(dict(CALM), other, batch_size=1)
    assert list(checking) == [
        {"id": 0, "verdict": True, "score": 0.5, "parts": {}, "reason": "same"},
        {"id": "b", "verdict": False, "score": 0.5, "parts": {}, "reason": "fewer"},
    ]
    assert checking.table == [["true", 1], ["fewer", 1]]
    assert checking.true_share == 0.5


def test_what_cannot_be_judged_is_null_and_counts_for_nothing() -> None:
    long = "word " * 1001
    checking = checked(
        dict(CALM), {"source": " ", "variant": "x"}, {"source": "x", "variant": long}
    )
    assert [(line["verdict"], line["reason"]) for line in checking] == [
        (True, "same"),
        (None, "empty source"),
        (None, "too long"),
    ]
    assert checking.true_share == 1
    assert checking.unjudged == 2


def test_a_line_without_a_source_or_with_unknown_facts_is_an_error_in_its_place() -> None:
    checking = checked({"variant": "x", "source": None}, {**CALM, "facts": "sme"}, dict(CALM))
    first, second, third = checking
    assert first == {"id": 0, "error": "no source: 'source' holds nothing, expected a text"}
    assert "did you mean 'same'" in str(second["error"])
    assert third["verdict"] is True
    assert checking.broken == 2
    assert checking.true_share == pytest.approx(1 / 3)


def test_a_broken_line_of_a_file_keeps_its_place(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(
        '{"source": "a", "variant": "a"}\n{"source": \n{"source": "a", "variant": "a"}\n[]'
    )
    config = CheckConfig(pairs=str(path))
    lines = list(check_pairs(open_table(path), config, judge))
    assert [("error" in line, line["id"]) for line in lines] == [
        (False, 0),
        (True, 1),
        (False, 2),
        (True, 3),
    ]


def test_an_empty_file_and_one_without_sources_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    (tmp_path / "other.csv").write_text("text,variant\na,b\n")
    with pytest.raises(DataError, match="is empty"):
        open_table(tmp_path / "empty.csv")
    config = CheckConfig(pairs="other.csv")
    with pytest.raises(DataError, match="no column 'source' for the source, but text, variant"):
        check_pairs(open_table(tmp_path / "other.csv"), config, judge)
    named = config.model_copy(update={"source": "text"})
    assert len(list(check_pairs(open_table(tmp_path / "other.csv"), named, judge))) == 1


def test_an_unknown_word_for_facts_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'fewer'"):
        CheckConfig.of({"pairs": "x", "facts": "fewr"})


def test_only_sentences_that_differ_are_compared() -> None:
    source = "He is calm. He is old. Call us."
    edit = narrowed(source, "Call us. He is calm. He is very old.")
    assert (edit.source, edit.variant, edit.row) == ("He is old.", "He is very old.", source)
    cut = narrowed(source, "He is calm. Call us.")
    assert (cut.source, cut.variant) == (source, "He is calm. Call us.")


def test_likelihoods_are_asked_for_where_the_verdict_is_undecided() -> None:
    asked: list[str] = []

    def back_read(edits: Sequence[Edit]) -> list[Edit]:
        asked.extend(edit.variant for edit in edits)
        return [replace(edit, back=0.97) for edit in edits]

    def sure_of_old(edits: Sequence[Edit], facts: Facts) -> list[Verdict]:
        scores = [0.0 if "old" in edit.variant else 0.5 for edit in edits]
        return [
            replace(verdict, score=edit.back or score)
            for verdict, edit, score in zip(judge(edits, facts), edits, scores, strict=True)
        ]

    rows = [dict(CALM), {"source": "He is calm.", "variant": "He is old."}]
    table = table_in_hand(rows)
    assert table is not None
    checking = check_pairs(table, CheckConfig(pairs="rows"), sure_of_old, back_read)
    assert [line["score"] for line in checking] == [0.97, 0.0]
    assert asked == ["He is calm."]
