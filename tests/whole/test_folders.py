"""What is written in one step: whole or not there, and nothing left beside it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.small_disk import small_disk
from textcentric.errors import RunError, StoppedError
from textcentric.folders import differences, fingerprint, write_text, writing, written


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


def fill_with_torch(path: Path) -> None:
    import torch

    torch.save(torch.zeros(100_000), path)


def fill_with_safetensors(path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    save_file({"weight": torch.zeros(100_000)}, path)


def fill_with_pyarrow(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"n": range(100_000)}), path, compression="none", use_dictionary=False)


def fill_with_numpy(path: Path) -> None:
    import numpy as np

    with path.open("wb") as file:
        np.save(file, np.zeros(100_000))


def fill_with_sqlite(path: Path) -> None:
    import sqlite3

    with sqlite3.connect(path) as database:
        database.execute("create table t (x)")
        database.execute("insert into t values (zeroblob(400000))")


def fill_with_a_picture(path: Path) -> None:
    from PIL import Image

    Image.effect_noise((700, 700), 90).save(path, "PNG")


@pytest.mark.parametrize(
    "fill",
    [
        fill_with_torch,
        fill_with_safetensors,
        fill_with_pyarrow,
        fill_with_numpy,
        fill_with_sqlite,
        fill_with_a_picture,
    ],
)
def test_a_full_disk_is_told_whatever_a_library_raises(
    tmp_path: Path, fill: Callable[[Path], None]
) -> None:
    with small_disk(tmp_path / "disk", "64k"):
        path = tmp_path / "disk" / "file"
        said = r"/file \(No space left on device\); free space"
        with pytest.raises(StoppedError, match=said), writing(path), written(path) as draft:
            fill(draft)
        assert os.listdir(tmp_path / "disk") == []


def test_errors_of_another_kind_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(KeyError), writing(tmp_path / "file"):
        raise KeyError("a fault of ours")
    with pytest.raises(RunError, match="belongs to another"), writing(tmp_path / "file"):
        raise RunError("it belongs to another")
