"""What a run's identity says of its experts, and that a run keeps the words it began with."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.small_run import records
from tests.support.small_run import run as small_run
from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.description import Described, Silences
from textcentric.augmentation.plan import make_plan
from textcentric.augmentation.run import opened, run_identity, worded
from textcentric.data.memory import in_hand
from textcentric.data.rows import Rows
from textcentric.engines.scripted import ScriptedEngine
from textcentric.experts.protocol import silence
from textcentric.folders import read_yaml
from textcentric.prompts.library import PromptLibrary
from textcentric.rows import Record, TextRow
from textcentric.runs.manifest import read_manifest
from textcentric.values import Json


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    from PIL import Image

    Image.new("RGB", (64, 48), "white").save(tmp_path / "a.png")
    (tmp_path / "rows.csv").write_text("id,story,photo\n1,It runs well.,a.png\n")
    schema = {"id": "id", "text": ["story"], "image": {"column": "photo"}}
    return in_hand(str(tmp_path / "rows.csv"), schema, data_dir=str(tmp_path))


def config(folder: Path, **more: object) -> AugmentConfig:
    values = {"prompts": "rule/order", "output_dir": str(folder), "embeddings": False} | more
    return AugmentConfig(**values)


def identity(asked: AugmentConfig, rows: Rows) -> dict[str, Json]:
    plan = make_plan(asked, PromptLibrary.load())
    return dict(run_identity(asked, rows, plan, ScriptedEngine("x")))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "sure"),
        ({"image_expert": "packaged"}, "sure"),
        ({"image_expert": "pixels"}, None),
        ({"image_expert": "none"}, None),
        ({"expert_words": "all"}, None),
    ],
)
def test_a_run_says_that_its_recognisers_are_sure(
    tmp_path: Path, rows: Rows, more: dict[str, object], words: str | None
) -> None:
    assert identity(config(tmp_path / "run", **more), rows).get("expert_words") == words


def test_rows_without_files_have_no_recogniser(tmp_path: Path) -> None:
    rows = in_hand([Record("1", {"text": "It runs."})])
    assert "expert_words" not in identity(config(tmp_path / "run"), rows)


def test_a_run_that_began_before_keeps_the_words_it_began_with(tmp_path: Path, rows: Rows) -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    folder = tmp_path / "run"
    with opened(config(folder, expert_words="all"), rows=rows):
        pass
    before = (folder / "run.yaml").read_bytes()
    assert b"expert_words" not in before
    with opened(config(folder), rows=rows) as run:
        assert run.going_on
        assert run.job.experts["image"].version.endswith("-words1")
    assert (folder / "run.yaml").read_bytes() == before


def test_a_new_run_keeps_being_sure(tmp_path: Path, rows: Rows) -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    folder = tmp_path / "run"
    for going_on in (False, True):
        with opened(config(folder), rows=rows) as run:
            assert run.going_on == going_on
            assert run.job.experts["image"].version.endswith("-words3")
    assert read_yaml(folder / "run.yaml")["expert_words"] == "sure"


def test_the_words_of_an_identity_choose_the_experts(tmp_path: Path) -> None:
    asked = config(tmp_path)
    assert worded(asked, {"expert_words": "sure"}).expert_words == "sure"
    assert worded(asked, {}).expert_words == "all"


def test_rows_on_which_an_expert_kept_silent_are_counted() -> None:
    silences = Silences()
    for notes in ((silence("image"),), ("language=en",), (silence("image"), silence("audio"))):
        silences.look(Described(TextRow("1", {"text": "It runs."}, None, "1"), {}, notes, ()))
    assert [line.split(":")[0] for line in silences.lines()] == [
        "the image expert kept silent on 2 of 3 rows",
        "the audio expert kept silent on 1 of 3 rows",
    ]


def test_rows_with_files_that_cannot_be_read_are_counted_in_the_manifest(tmp_path: Path) -> None:
    broken = tmp_path / "a.png"
    broken.write_text("<html>404</html>")
    rows = [replace(one, inputs={**one.inputs, "image": (str(broken),)}) for one in records(2)]
    run = small_run(tmp_path / "run", [*rows, *records(4)[2:]])
    balance = read_manifest(run.path)["dataset"]["balance"]
    assert balance["unread"]["rows"] == 2
    assert "a.png' is an HTML page" in balance["unread"]["examples"][0]
