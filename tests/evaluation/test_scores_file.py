"""A file of scores: recognised before it is touched, held by one command, whole lines alone."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from pathlib import Path

import pytest

from tests.support.small_disk import small_disk
from textcentric.errors import RunError, StoppedError
from textcentric.evaluation.rewards.scores_file import ScoresFile, open_scores
from textcentric.evaluation.rewards.scoring import REPEATED

WEIGHTS = "586c74f1"


def line(name: str) -> dict[str, str | float]:
    return {"id": name, "score": 0.5, "key": f"key-{name}", "weights": WEIGHTS}


def as_text(*names: str) -> str:
    return "".join(json.dumps(line(name)) + "\n" for name in names)


@pytest.mark.parametrize(
    "text",
    [
        "the only copy of my notes",
        '{"important": true}',
        '{"a": 1}\n{"b": 2}',
        f"{as_text('p0')}the last line of my notes\n",
        '{"id": "p0", "sco',
        "[" * 100_000,
        "\x00\x01\n",
    ],
)
def test_a_file_of_something_else_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "scores.jsonl"
    path.write_text(text)
    with pytest.raises(RunError, match="not a file of scores that textcentric wrote"):
        open_scores(path, WEIGHTS)
    assert path.read_text() == text


def test_scores_of_other_weights_are_left_alone_with_their_half_line(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    path.write_text(f'{as_text("p0")}{{"id": "p1", "sc')
    with pytest.raises(RunError, match="holds scores of another model"):
        open_scores(path, "00000000")
    assert path.read_text().endswith('{"id": "p1", "sc')


def test_half_a_line_behind_scores_of_these_weights_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    path.write_text(f'{as_text("p0", "p1")}{{"id": "p2", "sc')
    scores = open_scores(path, WEIGHTS)
    assert scores.done == {"key-p0", "key-p1"}
    scores.add(line("p2"))
    scores.close()
    assert path.read_text() == as_text("p0", "p1", "p2")


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text(as_text("p0"))
    (tmp_path / "scores.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="is a link"):
        open_scores(tmp_path / "scores.jsonl", WEIGHTS)
    assert (tmp_path / "elsewhere").read_text() == as_text("p0")


def test_a_second_command_is_refused_until_the_first_has_done(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    first = open_scores(path, WEIGHTS)
    with pytest.raises(RunError, match="is being written by another command") as refused:
        open_scores(path, WEIGHTS)
    assert refused.value.exit_code == 4
    first.close()
    open_scores(path, WEIGHTS).close()
    assert os.listdir(tmp_path) == ["scores.jsonl"]


def test_a_disk_without_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(file: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(RunError, match="file system that has no locks"):
        open_scores(tmp_path / "scores.jsonl", WEIGHTS)


def fill(scores: ScoresFile) -> None:
    for number in range(1000):
        scores.add(line(f"p{number}"))


def test_a_full_disk_leaves_whole_lines(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "8k"):
        path = tmp_path / "disk" / "scores.jsonl"
        scores = open_scores(path, WEIGHTS)
        with pytest.raises(StoppedError, match="No space left on device"):
            fill(scores)
        scores.close()
        assert path.read_text().endswith("}\n")
        open_scores(path, WEIGHTS).close()


def test_the_longest_line_that_scoring_writes_is_read_again(tmp_path: Path) -> None:
    """Texts are repeated up to a limit; a control character is six characters of JSON."""
    path = tmp_path / "scores.jsonl"
    told = {**line("p0"), "prompt": "\x01" * REPEATED, "response": "\U0001f600" * REPEATED}
    for texts in (told, line("p1")):
        file = open_scores(path, WEIGHTS)
        file.add(texts)
        file.close()
    file = open_scores(path, WEIGHTS)
    assert file.done == {"key-p0", "key-p1"}
    file.close()
