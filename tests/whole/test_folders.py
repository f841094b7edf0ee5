"""What is written in one step: whole or not there, and nothing left beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from textcentric.errors import StoppedError
from textcentric.folders import differences, fingerprint, write_text, written


def test_the_order_of_choices_counts_and_that_of_other_keys_does_not() -> None:
    rising = {"schema": {"target": "size", "choices": {"low": "low", "mid": "mid", "high": "high"}}}
    other = {"schema": {"choices": {"high": "high", "low": "low", "mid": "mid"}, "target": "size"}}
    assert fingerprint(rising) != fingerprint(other)
    assert differences(rising, other) == [
        "schema.choices: ['low', 'mid', 'high'] -> ['high', 'low', 'mid']"
    ]
    plain = {"choices": {2: "b", 10: "a"}, "target": "size"}
    assert fingerprint(plain) == fingerprint(dict(reversed(plain.items()))) == "2203e631"


def test_a_file_is_in_place_only_once_it_is_whole(tmp_path: Path) -> None:
    with written(tmp_path / "words.txt") as draft:
        draft.write_text("half")
        assert not (tmp_path / "words.txt").exists()
        draft.write_text("whole")
    assert (tmp_path / "words.txt").read_text() == "whole"
    assert os.listdir(tmp_path) == ["words.txt"]


def test_a_folder_is_moved_with_all_that_is_in_it(tmp_path: Path) -> None:
    with written(tmp_path / "model") as draft:
        draft.mkdir()
        (draft / "weights").write_text("1")
    assert (tmp_path / "model" / "weights").read_text() == "1"
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_fails_leaves_the_old_and_nothing_beside_it(tmp_path: Path, kind: str) -> None:
    (tmp_path / "words").write_text("old")

    def fail() -> None:
        with written(tmp_path / "words") as draft:
            if kind == "folder":
                draft.mkdir()
                draft /= "part"
            draft.write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (tmp_path / "words").read_text() == "old"
    assert os.listdir(tmp_path) == ["words"]


def test_a_text_that_cannot_be_written_names_its_file(tmp_path: Path) -> None:
    with pytest.raises(StoppedError, match=r"cannot write .*absent/words.txt \(No such file"):
        write_text(tmp_path / "absent" / "words.txt", "whole")
