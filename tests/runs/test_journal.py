"""The journal: what was put is there again, after a kill, a full disk or a read-only one."""

from __future__ import annotations

import math
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.small_disk import small_disk
from textcentric.errors import RunError, StoppedError
from textcentric.runs.journal import GROUP_SIZE, Journal


def run_python(code: str, *args: object, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, args)]
    done: subprocess.CompletedProcess[str] = subprocess.run(
        command, capture_output=True, text=True, **options
    )
    return done


def on_disk(path: Path) -> int:
    """Return how many answers another process would find."""
    with sqlite3.connect(path) as db:
        found = db.execute("SELECT COUNT(*) FROM answers").fetchone()[0]
    db.close()
    return int(found)


def test_what_was_put_can_be_got_before_and_after_it_is_written(journal: Journal) -> None:
    journal.put("k", {"text": "héllo 🐕 \u202e", "n": [1, None]})
    before = journal.get("k")
    journal.commit()
    assert before == journal.get("k") == {"text": "héllo 🐕 \u202e", "n": [1, None]}
    assert journal.get("other") is None


def test_answers_are_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    first = Journal(tmp_path / "j")
    first.put("k", "v")
    first.close()
    again = Journal(tmp_path / "j")
    assert (again.get("k"), again.answers()) == ("v", 1)
    again.close()


def test_the_first_answer_under_a_key_stays(journal: Journal) -> None:
    journal.put("k", "first")
    journal.commit()
    journal.put("k", "second")
    journal.commit()
    assert (journal.get("k"), journal.answers()) == ("first", 1)


def test_a_full_group_is_committed_and_not_one_answer_earlier(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{Journal.__module__}.GROUP_SECONDS", math.inf)
    for number in range(GROUP_SIZE - 1):
        journal.put(str(number), number)
    assert on_disk(journal.path) == 0
    journal.put("last", 1)
    assert on_disk(journal.path) == GROUP_SIZE


def test_a_group_is_committed_once_it_is_50_milliseconds_old(journal: Journal) -> None:
    journal.put("a", 1)
    time.sleep(0.06)
    journal.put("b", 2)
    assert on_disk(journal.path) == 2


def test_a_killed_process_loses_one_group_at_most(tmp_path: Path) -> None:
    code = """
import os, signal, sys
from textcentric.runs.journal import Journal
journal = Journal(sys.argv[1])
for number in range(1000):
    journal.put(str(number), {"text": "x" * 200})
print(journal.answers(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = run_python(code, tmp_path / "j")
    assert (done.returncode, done.stdout.strip()) == (-signal.SIGKILL, "1000")
    journal = Journal(tmp_path / "j")
    assert 1000 - GROUP_SIZE <= journal.answers() <= 1000
    assert all(journal.get(str(number)) for number in range(journal.answers()))
    journal.close()


def test_finished_rows_are_recorded_with_their_shard_and_counts(journal: Journal) -> None:
    journal.finish_shard(0, ["r1", "r2"], {("noise", "accepted", ""): 2})
    journal.finish_shard(1, ["r3"], {("noise", "accepted", ""): 1, ("noise", "failed", "slow"): 1})
    assert [journal.finished(name) for name in ("r1", "r3", "r4")] == [True, True, False]
    assert (journal.finished_rows(), journal.shards()) == (3, {0, 1})
    assert journal.counts() == {("noise", "accepted", ""): 3, ("noise", "failed", "slow"): 1}


def test_finishing_a_shard_writes_the_answers_that_wait(journal: Journal) -> None:
    journal.put("k", 1)
    journal.finish_shard(0, ["r1"], {})
    assert on_disk(journal.path) == 1


def test_a_row_cannot_be_finished_twice(journal: Journal) -> None:
    journal.finish_shard(0, ["r1"], {("noise", "accepted", ""): 1})
    with pytest.raises(StoppedError):
        journal.finish_shard(1, ["r1"], {("noise", "accepted", ""): 1})
    assert (journal.shards(), journal.counts()) == ({0}, {("noise", "accepted", ""): 1})


def test_forgetting_outputs_keeps_the_answers(journal: Journal) -> None:
    journal.put("k", 1)
    journal.finish_shard(0, ["r1"], {("noise", "accepted", ""): 1})
    journal.forget_outputs()
    assert (journal.finished_rows(), journal.shards(), journal.counts()) == (0, set(), {})
    assert journal.get("k") == 1


def test_another_runs_answers_can_be_reused_and_are_not_changed(tmp_path: Path) -> None:
    old = Journal(tmp_path / "old")
    old.put("k", "theirs")
    old.close()
    journal = Journal(tmp_path / "new", reuse=[tmp_path / "old"])
    assert (journal.get("k"), journal.answers()) == ("theirs", 0)
    journal.put("k", "ours")
    assert journal.get("k") == "ours"
    journal.close()
    assert on_disk(tmp_path / "old") == 1


def test_a_journal_to_reuse_that_is_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no journal to reuse at .*/absent; name a run directory"):
        Journal(tmp_path / "new", reuse=[tmp_path / "absent"])


def test_a_file_that_is_no_journal_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "j").write_text("this is no database, whatever its name says" * 100)
    with pytest.raises(StoppedError, match=r"/j is damaged \(file is not a database\); put a copy"):
        Journal(tmp_path / "j")


def test_a_finished_row_is_looked_up_by_its_id_and_not_searched_for(journal: Journal) -> None:
    journal.finish_shard(0, [f"row-{number}" for number in range(300)], {})
    asked: list[str] = []
    journal._db.set_trace_callback(asked.append)
    assert journal.finished("row-299")
    journal._db.set_trace_callback(None)
    ((*_, plan),) = journal._db.execute(f"EXPLAIN QUERY PLAN {asked[0]}")
    assert plan == "SEARCH done USING PRIMARY KEY (source_id=?)"


FILL = """
import sys
from textcentric.errors import StoppedError
from textcentric.runs.journal import Journal
journal = Journal(sys.argv[1])
try:
    for number in range(5000):
        journal.put(str(number), {"text": "x" * 500})
    journal.commit()
    print("no error")
except StoppedError as error:
    print(error)
try:
    journal.close()
except StoppedError:
    pass
"""


def test_a_full_disk_is_a_clear_error_and_what_was_committed_stays(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "400k"):
        path = tmp_path / "disk" / "j"
        said = run_python(FILL, path).stdout
        assert "j cannot be written (database or disk is full); free space on the disk" in said
        subprocess.run(
            ["mount", "-o", "remount,size=20m", str(tmp_path / "disk")], check=True
        )  # space was freed
        journal = Journal(path)
        kept = journal.answers()
        assert 0 <= kept < 5000
        journal.put("more", 1)
        journal.commit()
        assert journal.answers() == kept + 1
        journal.close()


def test_a_file_size_limit_is_met_the_same_way(tmp_path: Path) -> None:
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    said = run_python(FILL, tmp_path / "j", preexec_fn=limit).stdout
    assert "j cannot be written (" in said
    assert "then run the same command again to go on" in said
    journal = Journal(tmp_path / "j")
    journal.put("more", 1)
    journal.commit()
    assert journal.get("more") == 1
    journal.close()


@pytest.mark.skipif(os.getuid() != 0, reason="needs another user to write as")
def test_a_folder_that_cannot_be_written_is_a_clear_error() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        code = """
import sys
from textcentric.errors import StoppedError
from textcentric.runs.journal import Journal
import os
os.setuid(65534)
try:
    Journal(sys.argv[1])
except StoppedError as error:
    print(error)
"""
        said = run_python(code, Path(folder) / "j").stdout
    assert "j cannot be written (Permission denied); free space on the disk or" in said


def test_a_journal_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o277)
    try:
        journal = Journal(tmp_path / "j")
        journal.put("k", 1)
        journal.commit()
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(["j", "j-wal", "j-shm"], 0o600)
    journal.close()


def test_who_reads_changes_nothing_in_the_folder(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.put("k", 1)
    journal.close()
    before = (tmp_path / "j").read_bytes()
    reader = Journal.reading(tmp_path / "j")
    assert (reader.get("k"), reader.answers(), reader.written()) == (1, 1, {})
    reader.put("more", 2)
    with pytest.raises(StoppedError, match="cannot be read"):
        reader.close()
    assert [path.name for path in tmp_path.iterdir()] == ["j"]
    assert (tmp_path / "j").read_bytes() == before


def test_who_reads_sees_what_a_writer_has_committed_a_moment_ago(journal: Journal) -> None:
    journal.put("k", 1)
    journal.commit()
    reader = Journal.reading(journal.path)
    assert reader.get("k") == 1
    reader.close()


def test_a_name_that_means_something_in_an_address_is_a_name(tmp_path: Path) -> None:
    folder = tmp_path / "50% of #1?mode=rwc"
    folder.mkdir()
    journal = Journal(folder / "j")
    journal.put("k", 1)
    journal.close()
    reader = Journal.reading(folder / "j")
    assert reader.get("k") == 1
    reader.close()
    again = Journal(tmp_path / "new", reuse=[folder / "j"])
    assert again.get("k") == 1
    again.close()


@pytest.mark.parametrize(
    "made",
    [
        "CREATE VIEW answers AS WITH RECURSIVE n(key) AS (SELECT 1 UNION ALL SELECT key FROM n)"
        " SELECT key, key AS body FROM n",
        "CREATE TABLE answers (key TEXT PRIMARY KEY, body TEXT AS (key || key)) WITHOUT ROWID",
        "CREATE VIRTUAL TABLE answers USING fts5(key, body)",
        "CREATE TABLE done (source_id, shard, more)",
        "CREATE TABLE shards (number); CREATE TRIGGER t AFTER INSERT ON shards BEGIN SELECT 1; END",
        "CREATE TABLE other (a)",
    ],
)
def test_what_we_do_not_write_is_no_journal_of_ours(tmp_path: Path, made: str) -> None:
    with sqlite3.connect(tmp_path / "j") as db:
        db.executescript(made)
    db.close()
    for opened in (Journal, Journal.reading):
        with pytest.raises(RunError, match="is no journal of ours: it holds"):
            opened(tmp_path / "j")
    with pytest.raises(RunError, match="is no journal of ours"):
        Journal(tmp_path / "new", reuse=[tmp_path / "j"])


@pytest.mark.parametrize("name", ["j", "j-wal", "j-shm"])
def test_a_link_is_no_journal(tmp_path: Path, name: str) -> None:
    Journal(tmp_path / "elsewhere").close()
    Journal(tmp_path / "j").close()
    (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / name).symlink_to(tmp_path / "elsewhere")
    for opened in (Journal, Journal.reading):
        with pytest.raises(RunError, match="is a link"):
            opened(tmp_path / "j")


@pytest.mark.parametrize("change", ["replace(body, 'true', 'fals')", "x'ff'", "7", "'{\"text\"'"])
def test_an_answer_that_was_changed_is_as_if_it_had_never_come(
    journal: Journal, change: str
) -> None:
    journal.put("k", {"text": "it is true"})
    journal.put("other", 1)
    journal.commit()
    journal._db.execute(f"UPDATE answers SET body = {change} WHERE key = 'k'")
    assert (journal.get("k"), journal.get("other"), journal.answers()) == (None, 1, 1)
    journal.put("k", {"text": "asked again"})
    journal.commit()
    assert journal.get("k") == {"text": "asked again"}


def test_answers_of_versions_before_have_no_checksum_and_are_read(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "j") as db:
        db.execute("CREATE TABLE answers (key TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID")
        db.execute("INSERT INTO answers VALUES ('k', '{\"text\": \"old\"}')")
    db.close()
    for opened in (Journal.reading, Journal):
        journal = opened(tmp_path / "j")
        assert (journal.get("k"), journal.counts()) == ({"text": "old"}, {})
        journal.close()


def test_bytes_that_were_changed_never_end_in_another_error(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "whole")
    answers = {str(n): {"text": f"answer {n} " + "x" * 90} for n in range(200)}
    for key, answer in answers.items():
        journal.put(key, answer)
    journal.finish_shard(0, [f"r{n}" for n in range(50)], {("noise", "accepted", ""): 50})
    journal.close()
    content, draw = (tmp_path / "whole").read_bytes(), random.Random(4)
    for _ in range(150):
        changed = bytearray(content)
        for at in draw.sample(range(len(content)), 3):
            changed[at] ^= 1 << draw.randrange(8)
        (tmp_path / "j").write_bytes(changed)
        try:
            reader = Journal.reading(tmp_path / "j")
            found = {key: reader.get(key) for key in answers}
            for read in (reader.counts, reader.finished_ids, reader.shards, reader.written):
                read()
            reader.close()
        except (StoppedError, RunError):
            continue
        assert all(value in (None, answers[key]) for key, value in found.items())
