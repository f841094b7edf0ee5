"""The commonest sentence of each kind of failure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from textcentric.runs.failures import (
    LONGEST,
    MOST_KINDS,
    MOST_SENTENCES,
    commonest_sentences,
    failure_lines,
)


def failing(run: Path, failures: Sequence[tuple[str | None, str | None]], shard: int = 0) -> Path:
    (run / "errors").mkdir(exist_ok=True, parents=True)
    kinds, messages = zip(*failures, strict=True)
    columns = {"error_type": pa.array(kinds, pa.string()), "message": pa.array(messages)}
    pq.write_table(pa.table(columns), run / f"errors/part-{shard:05d}.parquet")
    return run


def test_of_each_kind_the_commonest_sentence_is_kept(tmp_path: Path) -> None:
    failing(tmp_path, [("http_400", "HTTP 400: no seed")] * 3 + [("timeout", "too slow")])
    failing(tmp_path, [("http_400", "HTTP 400: bad picture"), ("http_400", "HTTP 400: no seed")], 1)
    said = commonest_sentences(tmp_path)
    assert said == {
        "http_400": {"sentence": "HTTP 400: no seed", "times": 4},
        "timeout": {"sentence": "too slow", "times": 1},
    }
    assert failure_lines(said, {"http_400": 5, "timeout": 1}) == [
        "4 x HTTP 400: no seed (1 other http_400)",
        "1 x too slow",
    ]


def test_sentences_that_differ_in_figures_and_quotations_are_one(tmp_path: Path) -> None:
    failing(tmp_path, [("too_long", f"the prompt of 'r{i}' has {i} tokens") for i in range(50)])
    said = commonest_sentences(tmp_path)
    assert said == {"too_long": {"sentence": "the prompt of 'r0' has 0 tokens", "times": 50}}


def test_what_is_kept_is_bounded(tmp_path: Path) -> None:
    kinds = [(f"kind {i}", "a" * 5000) for i in range(MOST_KINDS + 30)]
    others = [("other", chr(0x4E00 + i) * 9) for i in range(MOST_SENTENCES + 5)]
    said = commonest_sentences(failing(tmp_path, [*kinds, *others]))
    assert len(said) == MOST_KINDS
    assert max(len(one["sentence"]) for one in said.values()) == LONGEST


def test_a_run_without_failures_says_nothing(tmp_path: Path) -> None:
    assert commonest_sentences(tmp_path) == {}


def test_shards_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    failing(tmp_path, [("a", "one line\nand another"), (None, None)])
    (tmp_path / "errors/part-00001.parquet").write_bytes(b"PAR1 no parquet PAR1")
    pq.write_table(pa.table({"other": [1]}), tmp_path / "errors/part-00002.parquet")
    (tmp_path / "errors/part-00003.parquet").symlink_to("/etc/passwd")
    assert commonest_sentences(tmp_path)["a"]["sentence"] == "one line and another"
