"""All outputs as data of the page: exact, harmless in a script, in chunks, without leftovers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_run import DATA, ERRORS, REJECTED, write_run, write_shard
from tests.support.page import Page
from textcentric.errors import StoppedError
from textcentric.report import run_pages
from textcentric.report.run import write_report
from textcentric.report.run_pages import browser_data, dumped, read_entries

CLEAN = {"id": "a/clean/0", "source_id": "a", "prompt": "clean", "split": "train", "target": 2.0}
PARTS = {"table": "Type: dog.", "text": "A calm dog."}
VARIANT = {**CLEAN, "id": "a/noise/0", "prompt": "noise"}


def write_small(folder: Path) -> Path:
    """Write a clean row, an accepted and a rejected variant, and a failure, all of one source."""
    calm = json.dumps(PARTS)
    clam = json.dumps({**PARTS, "text": "A clam dog."})
    accepted = {**VARIANT, "parts": clam, "scores": '{"similarity": 0.83125, "judge": null}'}
    rejected = {**VARIANT, "id": "a/noise/1", "parts": '{"text": "A calm dog."}', "notes": "cut"}
    reason = {"reason": "similarity: 0.31 is below 0.5", "scores": '{"facts": 1.0}'}
    failed = {"id": "a/noise/2", "source_id": "a", "prompt": "noise", "stage": "perturb"}
    error = {"error_type": "timeout", "message": "no answer", "attempts": 3}
    name = "part-00000.parquet"
    write_shard(folder / "data" / name, [{**CLEAN, "parts": calm}, accepted], DATA)
    write_shard(folder / "rejected" / name, [{**rejected, **reason}], REJECTED)
    write_shard(folder / "errors" / name, [{**failed, **error}], ERRORS)
    return folder


def write_many(folder: Path, rows: int) -> Path:
    """Write variants of as many sources, without clean rows."""
    many = [
        {**VARIANT, "id": f"s{n}/noise/0", "source_id": f"s{n}", "text": f"Dog {n}."}
        for n in range(rows)
    ]
    write_shard(folder / "data" / "part-00000.parquet", many, DATA)
    return folder


def assigned(path: Path) -> Any:
    """Return what a script assigns."""
    return json.loads(path.read_text(encoding="utf-8").partition("=")[2].rstrip(";\n"))


def test_what_a_model_wrote_into_the_clean_row_is_not_left_out_of_its_variants(
    tmp_path: Path,
) -> None:
    calm = {**CLEAN, "parts": json.dumps({**PARTS, "summary": "A dog."})}
    cut = {**VARIANT, "parts": json.dumps({"text": "A clam dog."})}
    write_shard(tmp_path / "data" / "part-00000.parquet", [calm, cut], DATA)
    assert [entry.changed for entry in read_entries(tmp_path)] == [(), ("table", "text")]
    assert json.loads(browser_data(tmp_path, 2))["index"]["derived"] == ["summary", "reason"]
    page = Page(write_report(tmp_path).read_text(encoding="utf-8")).text
    assert "left out: table" in page
    assert "left out: table, summary" not in page


def test_what_is_noted_of_the_clean_row_is_not_said_again_of_its_variants(tmp_path: Path) -> None:
    calm = {**CLEAN, "parts": json.dumps(PARTS), "notes": "language=en; missing columns: 1 of 3"}
    cut = {**VARIANT, "parts": '{"text": "A clam dog."}', "notes": "language=en; cut: preamble"}
    write_shard(tmp_path / "data" / "part-00000.parquet", [calm, cut], DATA)
    notes = [entry.notes for entry in read_entries(tmp_path)]
    assert notes == ["language=en; missing columns: 1 of 3", "cut: preamble"]
    page = write_report(tmp_path).read_text(encoding="utf-8")
    shown = page.partition('id="drawn"')[2].partition('id="browser"')[0]
    assert (shown.count("language=en"), shown.count("cut: preamble")) == (1, 1)


def test_the_index_holds_what_is_filtered_and_sorted_by(tmp_path: Path) -> None:
    data = json.loads(browser_data(write_small(tmp_path), 4))
    assert data["index"] == {
        "rows": [
            ["a/clean/0", 1, 0, 0, 2.0, 0, 0, 0, []],
            ["a/noise/0", 1, 1, 0, 2.0, 0, 1, 0, [0.8313]],
            ["a/noise/1", 1, 1, 1, 2.0, 0, 2, 1, [None, 1.0]],
            ["a/noise/2", 1, 1, 2, None, 1, 0, 2, []],
        ],
        "prompts": ["clean", "noise"],
        "splits": ["train", ""],
        "reasons": ["", "similarity", "timeout"],
        "scores": ["similarity", "facts"],
        "changes": [[], ["text"], ["table"]],
        "statuses": ["accepted", "rejected", "failed"],
        "derived": ["summary", "reason"],
        "cut": 0,
    }


def test_a_chunk_holds_each_source_once_and_of_each_output_what_differs(tmp_path: Path) -> None:
    data = json.loads(browser_data(write_small(tmp_path), 4))
    failure = "timeout while working on perturb, 3 attempts: no answer"
    assert data["chunks"] == [
        {
            "sources": [[["table", "Type: dog."], ["text", "A calm dog."]]],
            "rows": [
                [0, [["table", None], ["text", None]], "", ""],
                [0, [["table", None], ["text", "A clam dog."]], "", ""],
                [0, [["text", None]], "similarity: 0.31 is below 0.5", "cut"],
                [0, [], failure, ""],
            ],
        }
    ]


def test_a_variant_without_a_clean_row_stands_beside_its_whole_source(tmp_path: Path) -> None:
    row = {**VARIANT, "source_text": "A calm dog.\n\nBig.", "text": "A clam dog.\n\nBig."}
    parts = {"parts": '{"text": "A clam dog.", "size": "Big."}'}
    write_shard(tmp_path / "data" / "part-0.parquet", [row | parts], DATA)
    (entry,) = read_entries(tmp_path)
    assert (entry.source, entry.parts) == ({"": row["source_text"]}, {"": row["text"]})
    assert entry.changed == ("text",)


def test_texts_neither_end_a_script_nor_a_line_of_it() -> None:
    text = "</script><!-- <script> \u2028 \u2029"
    written = dumped([text])
    assert not any(mark in written for mark in ("<", "\u2028", "\u2029"))
    assert json.loads(written) == [text]


def test_figures_that_json_cannot_hold_are_none(tmp_path: Path) -> None:
    row = {**VARIANT, "target": float("nan"), "scores": '{"facts": NaN, "judge": Infinity}'}
    write_shard(tmp_path / "data" / "part-0.parquet", [row], DATA)
    (entry,) = read_entries(tmp_path)
    assert (entry.target, entry.scores) == (None, {})


def test_hidden_characters_are_written_as_codes(tmp_path: Path) -> None:
    write_shard(tmp_path / "data" / "part-0.parquet", [{**VARIANT, "text": "a\u202eb"}], DATA)
    (entry,) = read_entries(tmp_path)
    assert entry.parts == {"": "a[U+202E]b"}


def test_long_texts_are_cut_and_the_index_says_where(tmp_path: Path) -> None:
    row = {**VARIANT, "text": "word " * 1_000}
    write_shard(tmp_path / "data" / "part-0.parquet", [row], DATA)
    data = json.loads(browser_data(tmp_path, 1))
    assert data["index"]["cut"] == 2_000
    assert len(data["chunks"][0]["rows"][0][1][0][1]) == 1_999


def test_more_outputs_lie_in_files_beside_the_page(tmp_path: Path) -> None:
    run_dir = write_many(tmp_path, 2_001)
    html = write_report(run_dir).read_text(encoding="utf-8")
    assert '{"total":2001,"size":1000,"folder":"report_rows"}</script>' in html
    assert "&#39; &#39;strict-dynamic&#39;; style-src" in html
    folder = run_dir / "report_rows"
    assert sorted(path.name for path in folder.iterdir()) == [
        *("0001.js", "0002.js", "0003.js", "index.js")
    ]
    index = assigned(folder / "index.js")
    assert len(index["rows"]) == 2_001
    assert index["rows"][2_000] == ["s2000/noise/0", 5, 0, 0, 2.0, 0, 0, 0, []]
    assert assigned(folder / "0003.js") == {
        "sources": [[]],
        "rows": [[0, [["", "Dog 2000."]], "", ""]],
    }
    assert (folder / "0003.js").read_text().startswith("reportRows.chunks[2]={")


def test_files_of_a_former_report_are_removed(tmp_path: Path) -> None:
    run_dir = write_many(tmp_path, 12)
    browser_data(run_dir, 12, most_inside=3)
    (run_dir / "report_rows" / "0099.js").write_text("of a longer run")
    browser_data(run_dir, 12, most_inside=3)
    assert sorted(path.name for path in (run_dir / "report_rows").iterdir()) == [
        *("0001.js", "index.js")
    ]
    browser_data(run_dir, 12)
    assert [path.name for path in run_dir.iterdir()] == ["data"]


def test_nothing_half_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_dir = write_many(tmp_path, 12)
    browser_data(run_dir, 12, most_inside=3)
    before = (run_dir / "report_rows" / "index.js").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_pages._Chunk, "texts", full)
    with pytest.raises(StoppedError, match="No space left on device"):
        browser_data(run_dir, 12, most_inside=3)
    assert sorted(path.name for path in run_dir.iterdir()) == ["data", "report_rows"]
    assert (run_dir / "report_rows" / "index.js").read_bytes() == before


def test_every_output_of_a_run_is_in_the_page(tmp_path: Path) -> None:
    entries = list(read_entries(write_run(tmp_path / "r")))
    assert len(entries) == 45
    assert [one.status for one in entries].count("rejected") == 7
