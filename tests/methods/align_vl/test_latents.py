"""Latents on disk: made once, resumed, memory-mapped, and refused where something is wrong."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from textcentric.errors import ConfigError, DataError, RunError
from textcentric.methods.align_vl.latents import (
    PairRow,
    PairRows,
    latent_encoder,
    layout,
    open_latents,
    write_arrays,
    write_latents,
    writing,
)
from textcentric.methods.align_vl.latents.gone import Gone
from textcentric.methods.align_vl.latents.layout import DONE, PLAN, shard_path
from textcentric.rows import Record


class Lengths:
    """An encoder of texts: length, vowels and a constant; counts what it was asked."""

    def __init__(self, name: str = "lengths", version: str = "1"):
        self.name, self.version = name, version
        self.asked: list[str] = []

    def open(self, value: str, root: Path | None) -> str:
        if value.startswith("broken"):
            raise DataError(f"{value!r} cannot be read")
        return value

    def encode(self, opened: Sequence[Any]) -> np.ndarray:
        self.asked += opened
        vowels = [sum(letter in "aeiou" for letter in one) for one in opened]
        return np.array([[len(o), v, 1] for o, v in zip(opened, vowels, strict=True)], np.float32)


def rows(count: int = 10) -> list[Record]:
    """Two captions a picture."""
    return [
        Record(
            f"r{at}",
            {"image": (f"{'p' * (at // 2)}.jpg",), "text": f"words {'a' * at}"},
            group=f"g{at // 2}",
            split="train" if at < 8 else "test",
        )
        for at in range(count)
    ]


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (layout, writing):
        monkeypatch.setattr(module, "SHARD", 4)
    monkeypatch.setattr("textcentric.methods.align_vl.latents.cache.SHARD", 4)


def encoders() -> dict[str, Any]:
    return {"image": Lengths("eyes"), "text": Lengths("ears")}


@pytest.mark.usefixtures("small_shards")
def test_every_distinct_item_is_encoded_once_and_found_again(tmp_path: Path) -> None:
    used = encoders()
    latents = write_latents(rows(), tmp_path / "l", used, dataset="small")
    assert latents.modalities == ("image", "text")
    assert len(used["image"].asked) == 5
    assert len(used["text"].asked) == 10
    assert latents.pairs[:, 0].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert (latents.width("text"), latents.count("image")) == (3, 5)
    read = latents.read("text", np.array([9, 0, 4]))
    assert read[:, 0].tolist() == [15, 6, 10]
    assert read.dtype == np.float32
    assert latents.values("text", [9, 0]) == ["words aaaaaaaaa", "words "]
    assert latents.values("image", [2]) == ["pp.jpg"]
    assert [row.id for row in latents.rows("test")] == ["r8", "r9"]
    assert latents.rows()[3] == PairRow("r3", (1, 3))
    assert latents.column("groups")[3].decode() == "g1"


@pytest.mark.usefixtures("small_shards")
def test_a_stopped_run_goes_on_behind_its_whole_shards(tmp_path: Path) -> None:
    class Stopping(Lengths):
        def encode(self, opened: Sequence[Any]) -> np.ndarray:
            if len(self.asked) >= 4:
                raise KeyboardInterrupt
            return super().encode(opened)

    folder = tmp_path / "l"
    with pytest.raises(KeyboardInterrupt):
        write_latents(rows(), folder, {"image": Lengths("eyes"), "text": Stopping("ears")})
    assert not list(folder.rglob(".*.npy.*"))
    with pytest.raises(RunError, match="not finished"):
        open_latents(folder)
    used = encoders()
    latents = write_latents(rows(), folder, used)
    assert used["image"].asked == []
    assert len(used["text"].asked) == 6
    whole = write_latents(rows(), tmp_path / "other", encoders())
    assert latents.digest == whole.digest
    places = np.arange(10)
    assert (latents.read("text", places) == whole.read("text", places)).all()


def test_a_finished_folder_is_made_again_without_any_work(tmp_path: Path) -> None:
    write_latents(rows(), tmp_path / "l", encoders())
    used = encoders()
    write_latents(rows(), tmp_path / "l", used)
    assert used["image"].asked == used["text"].asked == []


def test_a_cache_of_another_encoder_or_of_other_rows_is_refused(tmp_path: Path) -> None:
    write_latents(rows(), tmp_path / "l", encoders())
    with pytest.raises(RunError, match=r"text latents .* made by 'ears' .*not by 'nose'"):
        write_latents(rows(), tmp_path / "l", {"image": Lengths("eyes"), "text": Lengths("nose")})
    newer = {"image": Lengths("eyes", "2"), "text": Lengths("ears")}
    with pytest.raises(RunError, match=r"version 1\), not by 'eyes' \(version 2\)"):
        write_latents(rows(), tmp_path / "l", newer)
    with pytest.raises(RunError, match="other items"):
        write_latents(rows(8), tmp_path / "l", encoders())


def moved(count: int = 10) -> list[Record]:
    """The same rows, of which the first two pictures are now test and all others train."""
    return [
        replace(row, split="test" if at < 4 else "train", group=f"new{at // 2}")
        for at, row in enumerate(rows(count))
    ]


@pytest.mark.parametrize("earlier", [False, True], ids=["now", "by an earlier version"])
def test_other_splits_are_written_without_encoding_anything(tmp_path: Path, earlier: bool) -> None:
    folder = tmp_path / "l"
    before = write_latents(rows(), folder, encoders())
    read, digest = before.read("text", np.arange(10)), before.digest
    if earlier:
        for path in (folder / PLAN, folder / DONE):
            papers = json.loads(path.read_text())
            del papers["items"]
            path.write_text(json.dumps(papers))
        assert write_latents(rows(), folder, encoders()).digest == digest
    used = encoders()
    after = write_latents(moved(), folder, used)
    assert used["image"].asked == used["text"].asked == []
    assert (after.read("text", np.arange(10)) == read).all()
    assert [row.id for row in after.rows("test")] == ["r0", "r1", "r2", "r3"]
    assert len(after.rows("train")) == 6
    assert after.column("groups")[9].decode() == "new4"
    assert after.digest == write_latents(moved(), tmp_path / "m", encoders()).digest != digest
    assert write_latents(rows(), folder, encoders()).digest == digest


def test_a_folder_is_unfinished_while_other_splits_are_written(tmp_path: Path) -> None:
    class Full(Gone):
        def as_lines(self) -> str:
            raise KeyboardInterrupt

    folder = tmp_path / "l"
    write_latents(rows(), folder, encoders())
    with pytest.raises(KeyboardInterrupt):
        write_latents(moved(), folder, encoders(), gone=Full())
    with pytest.raises(RunError, match="not finished"):
        open_latents(folder)
    used = encoders()
    assert len(write_latents(moved(), folder, used).rows("test")) == 4
    assert used["image"].asked == used["text"].asked == []


def test_what_is_paired_with_what_may_change_too(tmp_path: Path) -> None:
    folder, used = tmp_path / "l", encoders()
    write_latents(rows(), folder, encoders())
    again = [*rows(), Record("again", {"image": ("p.jpg",), "text": "words "}, split="train")]
    assert write_latents(again, folder, used).rows()[10] == PairRow("again", (1, 0))
    assert used["image"].asked == used["text"].asked == []


def test_the_digest_of_arrays_tells_their_splits_apart(tmp_path: Path) -> None:
    arrays = {"image": np.ones((2, 2), np.float32), "text": np.ones((2, 3), np.float32)}
    digests = {
        write_arrays(
            tmp_path / "l", arrays, encoders={"image": "a", "text": "b"}, splits=splits
        ).digest
        for splits in (None, ["train", "test"], ["test", "train"])
    }
    assert len(digests) == 3


def test_items_that_cannot_be_read_are_left_out_and_named(tmp_path: Path) -> None:
    broken = Record("bad", {"image": ("broken.jpg",), "text": "a fine text"}, split="train")
    lonely = Record("lonely", {"text": "no picture"}, split="train")
    latents = write_latents([*rows(), broken, lonely], tmp_path / "l", encoders())
    assert len(latents.pairs) == 10
    assert "bad" not in [row.id for row in latents.rows()]
    (why,) = latents.papers["left_out"]["image"].values()
    assert "broken.jpg" in why
    assert latents.facts()["balance"] == {
        "source": 12,
        "given": 10,
        "left_out": {
            "row(s) without image": {"rows": 1, "examples": ["'lonely'"]},
            "row(s) whose image cannot be read": {"rows": 1, "examples": ["'bad'"]},
        },
    }
    lines = (tmp_path / "l" / "left_out.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"id": "lonely", "problem": "without image"},
        {"id": "bad", "problem": why},
    ]


def test_where_nothing_can_be_read_or_nothing_is_paired_it_says_so(tmp_path: Path) -> None:
    broken = Record("bad", {"image": ("broken.jpg",), "text": "a fine text"})
    with pytest.raises(DataError, match="none of 1 items can be read"):
        write_latents([broken], tmp_path / "l", encoders())
    with pytest.raises(DataError, match="no row has both image and text"):
        write_latents([Record("r", {"text": "words"})], tmp_path / "m", encoders())
    with pytest.raises(ConfigError, match="expected two modalities"):
        write_latents(rows(), tmp_path / "n", {"text": Lengths()})


def test_latents_that_are_not_finite_are_refused_when_written_and_when_read(
    tmp_path: Path,
) -> None:
    class Wild(Lengths):
        def encode(self, opened: Sequence[Any]) -> np.ndarray:
            return np.full((len(opened), 3), np.nan, np.float32)

    with pytest.raises(DataError, match="10 text latents are not finite"):
        write_latents(rows(), tmp_path / "l", {"image": Lengths(), "text": Wild()})
    latents = write_latents(rows(), tmp_path / "m", encoders())
    path = shard_path(tmp_path / "m", "text", 0)
    held = np.load(path)
    held[3] = np.nan
    np.save(path, held)
    with pytest.raises(DataError, match=r"latent of 'words aaa', item 3"):
        open_latents(tmp_path / "m").read("text", np.array([0, 3]))
    assert latents.count("text") == 10


def test_latents_of_different_lengths_are_refused(tmp_path: Path) -> None:
    arrays = {"image": np.ones((5, 2), np.float32), "text": np.ones((4, 3), np.float32)}
    with pytest.raises(DataError, match=r"different lengths .*'image': 5, 'text': 4"):
        write_arrays(tmp_path / "l", arrays, encoders={"image": "a", "text": "b"})
    pairs = np.array([[0, 0], [4, 3]])
    made = write_arrays(tmp_path / "m", arrays, encoders={"image": "a", "text": "b"}, pairs=pairs)
    assert len(made.rows("train")) == 2
    with pytest.raises(DataError, match="1 ids of 2 pairs"):
        PairRows(np.array([b"a"]), pairs)


@pytest.mark.usefixtures("small_shards")
def test_files_that_disagree_are_found_when_opened_or_first_read(tmp_path: Path) -> None:
    folder = tmp_path / "l"
    write_latents(rows(), folder, encoders())
    np.save(folder / "pairs.npy", np.array([[0, 99]] * 10))
    with pytest.raises(RunError, match="text item 99 and there are 10"):
        open_latents(folder)
    for pairs in (np.zeros(10, np.int64), np.zeros((10, 3), np.int64), np.zeros((10, 2)), 5):
        np.save(folder / "pairs.npy", pairs)
        with pytest.raises(RunError, match=r"whole numbers, 2 a pair|holds no numbers"):
            open_latents(folder)
    np.save(folder / "pairs.npy", np.array([[0, -1]] * 10))
    with pytest.raises(RunError, match="text item -1 and there are 10"):
        open_latents(folder)
    with (folder / "pairs.npy").open("wb") as file:
        np.savez(file, pairs=np.zeros((10, 2), np.int64))
    with pytest.raises(RunError, match="holds no numbers"):
        open_latents(folder)
    np.save(folder / "pairs.npy", np.zeros((3, 2), np.int64))
    with pytest.raises(RunError, match="3 pairs"):
        open_latents(folder)
    np.save(folder / "pairs.npy", np.zeros((10, 2), np.int64))
    np.save(shard_path(folder, "text", 0), np.zeros((2, 3), np.float16))
    with pytest.raises(RunError, match=r"shape \(2, 3\), expected \(4, 3\)"):
        open_latents(folder).read("text", np.array([1]))
    shard_path(folder, "text", 0).write_bytes(b"")
    with pytest.raises(RunError, match="cannot be read"):
        open_latents(folder).read("text", np.array([1]))
    papers = json.loads((folder / DONE).read_text())
    (folder / DONE).write_text(json.dumps(papers | {"format": 99}))
    with pytest.raises(RunError, match="format 99"):
        open_latents(folder)
    with pytest.raises(RunError, match="textcentric latents"):
        open_latents(tmp_path / "nowhere")


def test_sounds_are_told_by_mean_and_spread_of_their_bins() -> None:
    encoder = latent_encoder("audio")
    time = np.arange(16000) / 16000
    low, high = (np.sin(2 * np.pi * f * time).astype(np.float32) for f in (200, 4000))
    found = encoder.encode([low, high, np.zeros(100, np.float32)])
    assert found.shape == (3, 256)
    assert found[0, :128].argmax() < found[1, :128].argmax()
    assert np.isfinite(found).all()


def test_unknown_modalities_and_models_are_refused_with_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="image"):
        latent_encoder("imag")
    (tmp_path / "empty").mkdir()
    for modality in ("image", "text", "audio"):
        with pytest.raises(ConfigError, match="no weights"):
            latent_encoder(modality, str(tmp_path / "empty"))


@pytest.mark.slow
def test_the_packaged_encoders_see_and_read(tmp_path: Path) -> None:
    for name, colour in (("red", (250, 0, 0)), ("blue", (0, 0, 250))):
        Image.new("RGB", (64, 64), colour).save(tmp_path / f"{name}.png")
    given = [
        Record(f"{name}", {"image": (str(tmp_path / f"{name}.png"),), "text": f"all {name}"})
        for name in ("red", "blue")
    ]
    used = {name: latent_encoder(name) for name in ("image", "text")}
    latents = write_latents(given, tmp_path / "l", used, data_dir=tmp_path)
    assert (latents.width("image"), latents.width("text")) == (1280, 384)
    assert latents.values("image", [0, 1]) == ["red.png", "blue.png"]
    first, second = latents.read("image", np.array([0, 1]))
    assert not np.allclose(first, second)
