"""`textcentric latents`, `train align-vl`, `retrieve`, `ablate align-vl`, as a user sees them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.commands import Said, textcentric
from tests.support.small_clips import clips, schema
from textcentric.errors import ConfigError
from textcentric.methods.align_vl import AlignConfig
from textcentric.methods.align_vl.config import AlignTraining
from textcentric.settings import read

LATENTS = ("latents", "--dataset", "clips.csv", "--data-dir", ".", "--schema", "sounds.yaml")
SMALL = (
    *("--width", 8, "--blocks", 1, "--max-steps", 8, "--learning-rate", 0.01, "--use-cpu"),
    *("--save-strategy", "no"),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with clips, their latents by encoders that need no download, and a model."""
    folder = tmp_path_factory.mktemp("align")
    clips(folder, 4)
    (folder / "sounds.yaml").write_text(yaml.safe_dump(schema("image", "audio")))
    return folder


@pytest.fixture(autouse=True)
def at(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in that folder."""
    monkeypatch.chdir(place)


@pytest.fixture(scope="module")
def made(place: Path) -> Said:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        said = textcentric(*LATENTS, "-o", "latents/clips")
        assert said.code == 0, said.err
        trained = train("-o", "models/clips")
    assert trained.code == 0, trained.err
    return trained


def train(*arguments: object) -> Said:
    return textcentric("train", "align-vl", "--latents", "latents/clips", *SMALL, *arguments)


def retrieve(*arguments: object) -> Said:
    return textcentric("retrieve", "clips", "--latents", "latents/clips", *arguments)


def test_rows_become_latents_and_latents_a_model(made: Said, place: Path) -> None:
    assert "metrics  image to audio r1" in made.out
    assert "textcentric retrieve models/clips --latents latents/clips" in made.out
    again = textcentric(*LATENTS, "-o", "latents/clips", "--json")
    told = json.loads(again.out)
    assert told["pairs"] == 36
    assert told["modalities"]["image"] == {
        **told["modalities"]["image"],
        "encoder": "packaged",
        "items": 36,
        "width": 1280,
    }
    assert told["modalities"]["audio"]["encoder"] == "log-mel"


@pytest.mark.usefixtures("made")
def test_sounds_find_pictures_and_without_a_query_it_says_how_well() -> None:
    said = retrieve("--audio", "files/test2.wav", "--top", 3, "--json")
    assert said.code == 0, said.err
    (query,) = json.loads(said.out)
    assert (query["target"], len(query["hits"])) == ("image", 3)
    assert all(hit["value"].endswith(".png") for hit in query["hits"])
    tested = retrieve()
    assert tested.out.startswith("split test")
    assert "chance, audio to image" in tested.out
    rest = "24 pair(s) of other splits, or beyond the numbers asked for"
    assert tested.out.endswith(f"36 rows in the source = 12 searched + 24 left out: {rest}\n")
    told = json.loads(retrieve("--split", "validation", "--json").out)
    assert told["image to audio"]["queries"] == 12
    assert (told["balance"]["source"], told["balance"]["given"]) == (36, 12)


def test_other_splits_need_no_encoding_and_are_what_is_learnt_from(place: Path) -> None:
    def pairs_of_training() -> int:
        said = textcentric(
            "train", "align-vl", "--latents", "latents/split", *SMALL, "--dry-run", "--json"
        )
        return int(json.loads(said.out)["pairs"])

    latents = (*LATENTS, "-o", "latents/split")
    assert textcentric(*latents).code == 0
    assert pairs_of_training() == 12
    folder, table = place / "latents" / "split", place / "clips.csv"
    shards = {path: path.stat().st_mtime_ns for path in folder.glob("*/*.npy")}
    before = table.read_text()
    table.write_text(before.replace(",validation,", ",train,"))
    try:
        assert textcentric(*latents).code == 0
    finally:
        table.write_text(before)
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*/*.npy")} == shards
    assert len(shards) == 2
    assert pairs_of_training() == 24


@pytest.mark.usefixtures("made")
def test_the_page_holds_the_pictures_and_escapes_names(place: Path) -> None:
    page = place / "found.html"
    said = retrieve("--image", "files/test0.png", "--audio", "files/test1.wav", "--page", page)
    assert said.code == 0, said.err
    text = page.read_text()
    assert text.count("data:image/jpeg;base64,") == 1 + 10
    assert "default-src &#39;none&#39;" in text
    assert "http" not in text.replace("http-equiv", "")


@pytest.mark.usefixtures("made")
def test_a_plan_writes_nothing(place: Path) -> None:
    said = train("--dry-run", "--json", "-o", "models/plan")
    told = json.loads(said.out)
    assert (told["pairs"], told["steps"], told["positives"]) == (12, 8, 512)
    assert (told["balance"]["source"], told["balance"]["given"]) == (36, 24)
    assert not (place / "models" / "plan").exists()


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--text", "a dog"), "a query of text: the model is of image and audio"),
        (("--audio", "files/nowhere.wav"), "nowhere.wav"),
        (("--split", "tset"), "test"),
        (("--queries", "nowhere.txt"), "cannot be read"),
    ],
)
def test_searches_that_cannot_be_say_why(arguments: tuple[str, ...], words: str) -> None:
    said = retrieve(*arguments)
    assert said.code == 2
    assert words in said.err


@pytest.mark.usefixtures("made")
def test_commands_without_their_input_say_what_is_missing(place: Path) -> None:
    assert "latents needs dataset: give --dataset" in textcentric("latents").err
    assert "Give --latents" in textcentric("train", "align-vl").err
    assert "retrieve needs latents" in textcentric("retrieve", "clips").err
    assert "clips" in textcentric("retrieve", "clip", "--latents", "latents/clips").err
    assert "no latents in nowhere" in textcentric("retrieve", "clips", "--latents", "nowhere").err
    three = textcentric(*LATENTS, "--modalities", "image,text,audio", "-o", "latents/x")
    assert "expected two modalities" in three.err
    assert "--text-encoder" in textcentric(*LATENTS, "--text-encoder", "packaged").err
    other = textcentric(*LATENTS, "--limit", 10, "-o", "latents/clips")
    assert (other.code, "other items" in other.err) == (4, True)
    wrong = train("--metric-for-best-model", "accuracy")
    assert "mean_recall" in wrong.err
    assert "noise" in train("--noise", "salt").err


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("grid", [False, True])
def test_an_ablation_is_a_table_a_picture_and_cells_that_are_kept(
    place: Path, monkeypatch: pytest.MonkeyPatch, grid: bool
) -> None:
    folder = place / f"ablation-{grid}"
    arguments: list[Any] = ["ablate", "align-vl", "--latents", "latents/clips", "-o", folder]
    arguments += ["--seeds", 1, *(["--grid"] if grid else [])]
    for pair in (
        "align_vl.width=8",
        "align_vl.blocks=0",
        "train.max_steps=2",
        "train.use_cpu=true",
    ):
        arguments += ["--set", pair]
    said = textcentric(*arguments)
    assert said.code == 0, said.err
    arms = 16 if grid else 3
    assert said.out.count("\n| ") == arms
    assert f"{arms} of {arms}" in said.err
    told = json.loads((folder / "ablation.json").read_text())
    first = next(iter(told["arms"].values()))
    assert list(first) == [
        f"{way} R@{k}" for way in ("image to audio", "audio to image") for k in (1, 5, 10)
    ]
    names = {path.name for path in folder.glob("*.svg")}
    assert names == (
        {"grid-image-to-audio-R1.svg", "grid-audio-to-image-R1.svg"} if grid else {"ablation.svg"}
    )
    again = textcentric(*arguments)
    assert again.out == said.out
    assert "1 of" not in again.err
    other = textcentric(*arguments, "--set", "train.max_steps=3")
    told = "belongs to another configuration: train.max_steps: 2 -> 3"
    assert (other.code, told in other.err) == (4, True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "query"),
    [("image", ("--text", "a calm dog")), ("audio", ("--audio", "files/test0.wav"))],
)
def test_words_are_found_by_the_packaged_encoder_and_find(
    place: Path, given: str, query: tuple[str, str]
) -> None:
    (place / "words.yaml").write_text(yaml.safe_dump(schema(given, "text")))
    words = tuple("words.yaml" if one == "sounds.yaml" else one for one in LATENTS)
    said = textcentric(*words, "-o", f"latents/{given}")
    assert said.code == 0, said.err
    done = textcentric(
        *("train", "align-vl", "--latents", f"latents/{given}", "-o", f"models/{given}", *SMALL)
    )
    assert done.code == 0, done.err
    told = textcentric("retrieve", given, "--latents", f"latents/{given}", *query, "--json")
    (found,) = json.loads(told.out)
    assert found["target"] == ("image" if given == "image" else "text")
    assert len(found["hits"]) == (10 if given == "image" else 3)


def test_every_setting_of_the_model_is_a_flag() -> None:
    help_text = textcentric("train", "align-vl", "--help").out
    names = [name.replace("_", "-") for name in AlignConfig.model_fields]
    assert [name for name in names if f"{name} " not in help_text] == []


def test_a_file_holds_the_same_names(tmp_path: Path) -> None:
    file = tmp_path / "align.yaml"
    file.write_text("latents: l\nnoise_sigma: 0.5\nlearning_rate: 0.1\ntrain: {max_steps: 3}\n")
    training = read(AlignTraining, file, {"align_vl.smoothing": 0.2})
    assert (training.method().noise_sigma, training.method().smoothing) == (0.5, 0.2)
    assert (training.loop().learning_rate, training.loop().max_steps) == (0.1, 3)
    assert training.loop().per_device_train_batch_size == 1024
    file.write_text("noise_sigme: 1\n")
    with pytest.raises(ConfigError, match="noise_sigma"):
        read(AlignTraining, file)
