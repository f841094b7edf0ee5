"""A shard that is gone, cut or changed is noticed, told of and forgotten; whole ones stay."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runs.test_shards import failure, output, writer
from textcentric.errors import RunError
from textcentric.runs.journal import Journal
from textcentric.runs.lost_shards import check_shards, forget_lost
from textcentric.runs.manifest import Manifest, shards_of

Damage = Callable[[Path], object]


@pytest.fixture
def run(journal: Journal) -> Path:
    """Write two shards, the second of which holds three fates."""
    writing = writer(journal)
    writing.add_row("r1", [output("r1")])
    writing.write()
    writing.add_row("r2", [output("r2"), output("r2", "b", reason="loop"), failure("r2", "c")])
    writing.close()
    return journal.path.parent


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


DAMAGES: list[tuple[Damage, str]] = [
    (Path.unlink, "is gone"),
    (lambda path: path.write_bytes(b""), "has 0 bytes where"),
    (lambda path: os.truncate(path, path.stat().st_size // 2), "has "),
    (flipped, "was changed since it was written"),
]


@pytest.mark.parametrize("name", ["data", "rejected", "errors"])
@pytest.mark.parametrize(("damage", "said"), DAMAGES)
def test_a_shard_that_is_not_whole_is_forgotten_with_its_counts(
    journal: Journal, run: Path, damage: Damage, said: str, name: str
) -> None:
    lines: list[str] = []
    damage(run / name / "part-00001.parquet")
    assert forget_lost(run, journal, lines.append)
    assert (journal.shards(), journal.finished_ids()) == ({0}, {"r1"})
    assert journal.counts() == {("noise", "accepted", ""): 1}
    assert len(lines) == 1
    assert f"{name}/part-00001.parquet {said}" in lines[0]
    assert lines[0].endswith("its rows are written again from the answers that are kept")


def test_whole_shards_stay_as_they_are(journal: Journal, run: Path) -> None:
    before = journal.counts()
    assert not forget_lost(run, journal, pytest.fail)
    assert (journal.shards(), journal.counts()) == ({0, 1}, before)


def test_the_rows_of_a_forgotten_shard_are_written_again_once(journal: Journal, run: Path) -> None:
    (run / "data" / "part-00000.parquet").write_bytes(b"PAR1")
    forget_lost(run, journal, lambda line: None)
    writing = writer(journal)
    writing.add_row("r1", [output("r1")])
    writing.close()
    assert (journal.shards(), journal.finished_rows()) == ({1, 2}, 2)
    assert journal.counts()["noise", "accepted", ""] == 2
    names = sorted(path.name for path in (run / "data").iterdir())
    assert names == ["part-00001.parquet", "part-00002.parquet"]


def test_of_a_run_of_versions_before_the_rows_are_counted(journal: Journal, run: Path) -> None:
    journal._db.execute("DELETE FROM written")
    assert not forget_lost(run, journal, pytest.fail)
    (run / "rejected" / "part-00001.parquet").unlink()
    lines: list[str] = []
    assert forget_lost(run, journal, lines.append)
    assert (journal.shards(), journal.counts(), journal.finished_rows()) == (set(), {}, 0)
    assert "rejected does not hold the 1 rows that were written" in lines[0]


def test_readers_are_told_what_writes_it_anew(journal: Journal, run: Path) -> None:
    manifest: Manifest = {"shards": shards_of(journal)}
    check_shards(run, manifest, "data")
    (run / "data" / "part-00001.parquet").unlink()
    check_shards(run, manifest, "errors")
    with pytest.raises(RunError, match=r"is gone; `textcentric runs resume .*` writes it anew"):
        check_shards(run, manifest, "data")
