"""`textcentric train crmt`, `evaluate fusion` and `ablate crmt`, as a user sees them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.commands import Said, textcentric
from tests.support.small_clips import clips, schema
from textcentric.cli.evaluate_fusion import _certified, _doubts
from textcentric.methods.fusion import CrmtConfig

DATA = ("--dataset", "clips.csv", "--data-dir", ".", "--schema", "clips.yaml")
SMALL = (
    *("--image-encoder", "conv", "--audio-encoder", "conv", "--width", 8, "--use-cpu"),
    *("--image-side", 8, "--mel-bins", 8, "--mel-frames", 8, "--learning-rate", 0.005),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fusion")
    clips(folder)
    (folder / "clips.yaml").write_text(yaml.safe_dump(schema("image", "audio")))
    return folder


@pytest.fixture(autouse=True)
def at(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in that folder."""
    monkeypatch.chdir(place)


def train(*arguments: object) -> Said:
    return textcentric("train", "crmt", *DATA, *SMALL, *arguments)


@pytest.fixture(scope="module")
def made(place: Path) -> list[Said]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        said = [
            train("--variant", name, "-o", f"models/{name}", "--num-train-epochs", 4)
            for name in ("jt", "crmt-jt")
        ]
    assert [one.code for one in said] == [0, 0], said[-1].err
    return said


def test_rows_become_a_model_and_the_next_command_is_told(made: list[Said], place: Path) -> None:
    assert "24 rows of clips, 24 held out" in made[1].err
    assert "crmt-jt of image, audio, 3 classes, into models/crmt-jt" in made[1].err
    assert "textcentric evaluate fusion models/crmt-jt --dataset clips.csv" in made[1].out
    metrics = json.loads((place / "models" / "crmt-jt" / "train.json").read_text())["metrics"]
    assert metrics.keys() >= {"accuracy", "radius_before", "radius_after", "second_steps"}
    assert "72 rows in the source = 48 learnt from or held out + 24 left out" in made[1].out
    saved = json.loads((place / "models" / "crmt-jt" / "crmt.json").read_text())
    assert (saved["balance"]["source"], saved["balance"]["given"]) == (72, 48)


def test_rows_that_are_not_learnt_from_are_counted_by_reason(tmp_path: Path) -> None:
    parts = ["train"] * 8 + ["validation"] * 3 + ["test"]
    kinds = ["owl", "jay"] * 5 + ["auk", "owl"]
    kinds[2] = ""
    lines = [f"{n},A bird.,{kinds[n]},{part}" for n, part in enumerate(parts)]
    (tmp_path / "birds.csv").write_text("\n".join(["id,title,kind,part", *lines, "cut", ""]))
    said = textcentric(
        *("train", "crmt", "--dataset", tmp_path / "birds.csv", "--text", "title"),
        *("--target", "kind", "--split-column", "part", "--train-rows", 5, "--dry-run", "--json"),
    )
    assert said.code == 0, said.err
    balance = json.loads(said.out)["balance"]
    assert (balance["source"], balance["given"]) == (13, 7)
    assert {reason: of["rows"] for reason, of in balance["left_out"].items()} == {
        "line(s) without exactly 4 fields": 1,
        "row(s) without a class": 1,
        "row(s) of split test": 1,
        "held-out row(s) of a class that is not in training": 1,
        "row(s) beyond the numbers asked for": 2,
    }


@pytest.fixture(scope="module")
def starts(place: Path) -> list[str]:
    """Return the flags that begin from a model of each modality alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        one = ("--variant", "jt", "--num-train-epochs", 4, "--eval-strategy", "no")
        for name in ("image", "audio"):
            assert train(*one, "--modalities", name, "-o", f"models/{name}").code == 0
    return ["--image-start", "models/image", "--audio-start", "models/audio"]


def test_an_ensemble_takes_no_step_and_is_evaluated(starts: list[str], place: Path) -> None:
    said = train("--variant", "ensemble", *starts, "-o", "models/ensemble")
    assert said.code == 0, said.err
    assert "steps    0 in" in said.out
    facts = json.loads((place / "models" / "ensemble" / "train.json").read_text())
    assert facts["metrics"]["accuracy"] > 0.5
    plan = json.loads(train("--variant", "ensemble", *starts, "--dry-run", "--json").out)
    assert (plan["trained"], plan["steps"], plan["epochs"]) == (0, 0, None)
    wrong = train("--variant", "ensemble", *starts, "--max-steps", 3, "-o", "models/wrong")
    assert "take no step (--max-steps 0)" in wrong.err
    assert wrong.code == 2


def test_a_variant_has_its_own_defaults_of_the_loop_and_flags_go_over_them(
    starts: list[str],
) -> None:
    arguments = ("train", "crmt", *DATA, *SMALL[:-2], "--variant", "mmlora", *starts, "--dry-run")
    plan = json.loads(textcentric(*arguments, "--json").out)
    assert plan["epochs"] == 10
    assert plan["trained"] < plan["parameters"]
    few = json.loads(textcentric(*arguments, "--num-train-epochs", 2, "--json").out)
    assert few["epochs"] == 2


@pytest.fixture(scope="module")
def pal(starts: list[str], place: Path) -> None:
    """Train a model of two classes, and add rows of a third to it."""
    head, *lines = (place / "clips.csv").read_text().splitlines()
    for name, high in (("few", False), ("more", True)):
        chosen = [line for line in lines if (",high," in line) == high]
        (place / f"{name}.csv").write_text("\n".join([head, *chosen, ""]))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        few = train("--variant", "pal", *starts, "--dataset", "few.csv", "-o", "models/pal")
        assert few.code == 0, few.err
        said = textcentric(
            *("train", "crmt", "--add-to", "models/pal", "--dataset", "more.csv"),
            *("--data-dir", ".", "--schema", "clips.yaml", "-o", "models/later"),
        )
    assert said.code == 0, said.err
    assert "pal of image, audio, 3 classes, into models/later" in said.err
    assert "next     textcentric evaluate fusion models/later --dataset more.csv" in said.out


@pytest.mark.usefixtures("pal")
def test_rows_and_classes_are_added_to_a_model_without_the_rows_before(place: Path) -> None:
    metrics = json.loads((place / "models" / "later" / "train.json").read_text())["metrics"]
    assert (metrics["rows_added"], metrics["rows_in_head"]) == (8, 24)
    assert metrics["accuracy"] > 0.9
    saved = json.loads((place / "models" / "later" / "crmt.json").read_text())
    assert saved["classes"] == ["low", "middle", "high"]
    attacked = ("evaluate", "fusion", "later", *DATA, "--limit", 3, "--radii", 1)
    said = textcentric(*attacked, "--threats", "audio")
    assert said.code == 0, said.err
    assert "later: none: the certified radius holds where logits are sums of scores" in said.out
    assert "median certified radius" not in said.out


@pytest.mark.usefixtures("made", "pal")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--add-to", "pla"), "unknown fusion model 'pla'; did you mean 'pal'"),
        (("--add-to", "pal"), "16 of 24 rows are counted in the model already (train0, "),
        (
            ("--add-to", "crmt-jt"),
            "variant is 'crmt-jt', and rows are added to a model of variant 'pal'",
        ),
        (("--add-to", "pal", "--variant", "jt"), "whose variant is 'pal'; leave it out"),
        (("--add-to", "pal", "--pal-width", 9), "whose pal_width is 800; leave it out"),
        (("--add-to", "pal", "--image-start", "jt"), "--image-start jt: rows are added to"),
    ],
)
def test_rows_that_cannot_be_added_say_why(arguments: tuple[object, ...], words: str) -> None:
    said = train(*arguments, "-o", "models/wrong")
    assert said.code == 2
    assert words in said.err


def test_an_ablation_adds_no_rows() -> None:
    said = textcentric("ablate", "crmt", *DATA, "--add-to", "pal", "-o", "ablated")
    assert "--add-to: an ablation trains every arm anew; leave it out" in said.err


@pytest.mark.usefixtures("made")
def test_attacks_leave_a_table_curves_and_figures(place: Path) -> None:
    arguments = ("evaluate", "fusion", "jt", "crmt-jt", *DATA, "--limit", 3, "--radii")
    said = textcentric(*arguments, 1, "-o", "attacked")
    assert said.code == 0, said.err
    for words in (
        *("Paper's own attacks at radius 1", "FGM #audio", "missing image"),
        *("audio: accuracy at radius", "joint: accuracy at radius", "paper's PGD", "certified"),
        *("certified, to a median radius of ", "heuristic"),
        "The commonest class of these rows is that of 0.",
        "jt: 3 rows are too few for these intervals: with fewer than 30 they say little",
    ):
        assert words in said.out, words
    assert "4 of 4 threats, split 45: " in said.err
    told = json.loads((place / "attacked" / "fusion.json").read_text())
    assert set(told) == {"jt", "crmt-jt"}
    assert told["jt"]["rows"] == 3
    assert (place / "attacked" / "radius.svg").read_text().startswith("<?xml")
    one = ("evaluate", "fusion", "jt", *DATA, "--limit", 3, "--radii", 1)
    few = textcentric(*one, "--threats", "audio", "--json")
    assert list(json.loads(few.out)["jt"]["threats"]) == ["audio"]


FOUND: dict[str, Any] = {
    "rows": 40,
    "units": 40,
    "groups": 0,
    "constant": 0.5,
    "clean": {"value": 0.8, "interval": [0.66, 0.9]},
    "certified": {},
    "threats": {},
    "sanity": {},
}


def test_few_rows_and_a_model_that_is_no_better_than_a_constant_are_told_and_no_others() -> None:
    assert list(_doubts(FOUND)) == []
    assert list(_doubts(FOUND | {"units": 9})) == [
        "9 groups of 40 rows are too few for these intervals: with fewer than 30 they say little"
    ]
    assert list(_doubts(FOUND | {"groups": 1})) == [
        "intervals are over rows, of 1 group alone: they know nothing of other groups"
    ]
    (line,) = _doubts(FOUND | {"clean": {"value": 0.6, "interval": [0.45, 0.75]}})
    assert line == (
        "accuracy 0.600 [0.45, 0.75] on clean rows is not shown to be better than the 0.500 of"
        " always naming their commonest class"
    )


def test_rows_that_are_predicted_wrong_are_no_part_of_a_certificate() -> None:
    said = {"share": 0.25, "median": 0.0, "median_right": 1.5, "flips_within": 0}
    assert _certified(said) == (
        "0.250 of the rows are predicted rightly and certified, to a median radius of 1.500;"
        " 0 were flipped inside their own"
    )
    none = _certified(said | {"share": 0.0, "median_right": 0.0})
    assert none == "no row is certified, since none is predicted rightly"


@pytest.mark.usefixtures("made", "pal")
def test_models_of_other_modalities_names_and_rows_stand_in_one_table(place: Path) -> None:
    shutil.copytree(place / "models" / "image", place / "others" / "jt", dirs_exist_ok=True)
    models = ("models/jt", "others/jt", "models/jt", "models/pal")
    attacked = ("evaluate", "fusion", *models, *DATA, "--limit", 9, "--radii", 1)
    said = textcentric(*attacked, "--threats", "image,audio", "-o", "attacked-others")
    assert said.code == 0, said.err
    told = json.loads((place / "attacked-others" / "fusion.json").read_text())
    assert {name: (list(of["threats"]), of["rows"]) for name, of in told.items()} == {
        "models/jt": (["image", "audio"], 9),
        "others/jt": (["image"], 9),
        "pal": (["image", "audio"], 6),
    }
    assert "the commonest class is that of 0.333 of 9 (models/jt), 0.333 of 9 (other" in said.out
    audio = said.out.split("audio: accuracy at radius")[1].split("\n\n")[0]
    assert ("models/jt" in audio, "others/jt" in audio) == (True, False)
    alone = textcentric(*attacked, "--threats", "audio")
    assert alone.code == 2
    assert "--threats audio: others/jt has image alone; leave it out" in alone.err


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--radii", "0,1"), "expected numbers above 0"),
        (("--radii", "wide"), "radii.0='wide': Input should be a valid number"),
        (("--threats", "adio"), "audio"),
        (("--split", "tset"), "test"),
    ],
)
def test_evaluations_that_cannot_be_say_why(arguments: tuple[str, ...], words: str) -> None:
    said = textcentric("evaluate", "fusion", "jt", *DATA, *arguments)
    assert said.code == 2
    assert words in said.err


@pytest.mark.usefixtures("made")
def test_unknown_models_and_other_rows_are_told() -> None:
    assert "crmt-jt" in textcentric("evaluate", "fusion", "crmt-j", *DATA).err
    assert "needs dataset" in textcentric("evaluate", "fusion", "jt").err
    assert "which rows?" in textcentric("train", "crmt").err
    assert "crmt-jt" in train("--variant", "crmt-jjt").err


@pytest.mark.usefixtures("made")
def test_what_no_attack_could_change_is_refused_or_told(place: Path) -> None:
    bare = ("--dataset", "clips.csv", "--id", "id", "--target", "class", "--split-column", "split")
    pictures = (*bare, "--image", "picture", "--ignore", "sound", "--ignore", "words")
    attacked = ("evaluate", "fusion", "jt", *pictures, "--ignore", "age", "--limit", 3)
    said = textcentric(*attacked, "--radii", 1)
    assert said.code == 2
    assert "none of 3 rows has audio, which jt reads" in said.err
    told = textcentric(*attacked, "--radii", 1, "--threats", "image")
    assert told.code == 0
    assert "jt: 3 of 3 rows lack audio, which stays as it is" in told.err


@pytest.mark.usefixtures("made")
def test_a_file_in_the_place_of_the_folder_is_told_before_any_attack(place: Path) -> None:
    for output in ("clips.csv", "clips.csv/below"):
        said = textcentric("evaluate", "fusion", "jt", *DATA, "-o", output)
        assert (said.code, "a file is there; name a folder" in said.err) == (2, True)
        assert "attacking" not in said.err


@pytest.mark.usefixtures("made")
def test_a_model_that_is_named_twice_is_attacked_once(place: Path) -> None:
    models = ("jt", "models/jt/", place / "models" / "jt")
    said = textcentric("evaluate", "fusion", *models, *DATA, "--limit", 3, "--radii", 1, "--json")
    assert list(json.loads(said.out)) == ["jt"]


def test_settings_that_a_variant_does_not_hear_are_told_and_no_others() -> None:
    plan = ("--dry-run", "--variant", "ogm-ge", "--ogm-alpha", 0.9)
    said = train(*plan, "--lora-r", 9, "--attack-radius", 3, "--rho", 2)
    told = [line for line in said.err.splitlines() if "changes nothing" in line]
    assert said.code == 0
    assert told == [
        f"{flag} changes nothing: --variant ogm-ge does not hear it"
        for flag in ("--lora-r 9", "--attack-radius 3.0")
    ]


def test_numbers_are_no_classes(place: Path) -> None:
    roles = yaml.safe_dump(schema("image") | {"target": "age", "task": "regression"})
    (place / "ages.yaml").write_text(roles)
    said = train("--schema", "ages.yaml", "-o", "models/ages")
    assert said.code == 2
    assert "the target 'age' is a number (task: regression), and a fusion model learns" in said.err
    assert not (place / "models" / "ages").exists()


def test_held_out_rows_of_a_class_that_no_row_kept_has_are_left_out(tmp_path: Path) -> None:
    kinds = ["owl", "auk", "jay", "auk", "owl", "auk", "auk"]
    parts = ["train"] * 4 + ["validation"] * 3
    lines = [f"{n},A bird.,{kinds[n]},{part}" for n, part in enumerate(parts)]
    (tmp_path / "birds.csv").write_text("\n".join(["id,title,kind,part", *lines, ""]))
    said = textcentric(
        *("train", "crmt", "--dataset", tmp_path / "birds.csv", "--text", "title"),
        *("--target", "kind", "--split-column", "part", "--train-rows", 2, "--dry-run", "--json"),
    )
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert (told["classes"], told["held_out_rows"]) == (["jay", "owl"], 1)
    left = {reason: of["rows"] for reason, of in told["balance"]["left_out"].items()}
    assert left == {
        "held-out row(s) of a class that is not in training": 2,
        "row(s) beyond the numbers asked for": 2,
    }


@pytest.mark.parametrize(
    ("method", "arguments", "words"),
    [
        ("crmt", (*DATA, "--variant", "jt"), "--variant jt: arms of this ablation (CRMT-JT, "),
        ("crmt", (*DATA, "--margin", "hinge"), "--margin hinge: arms of this ablation"),
        ("align-vl", ("--latents", "none", "--no-mixing"), "--no-mixing: arms of this ablation"),
    ],
)
def test_an_ablation_keeps_what_its_arms_are_called_by(
    method: str, arguments: tuple[str, ...], words: str
) -> None:
    said = textcentric("ablate", method, *arguments, "-o", "ablated")
    assert (said.code, words in said.err) == (2, True), said.err


def test_a_plan_writes_nothing(place: Path) -> None:
    said = train("--dry-run", "--json", "-o", "models/plan")
    told = json.loads(said.out)
    assert (told["modalities"], told["classes"]) == (["image", "audio"], ["high", "low", "middle"])
    assert not (place / "models" / "plan").exists()


def test_an_ablation_has_nine_metrics_and_the_worst_case(place: Path) -> None:
    arguments: list[Any] = ["ablate", "crmt", *DATA, "-o", "ablation", "--seeds", 2, "--limit", 3]
    for pair in (
        "crmt.encoders={image: conv, audio: conv}",
        *("crmt.width=8", "crmt.image_side=8", "crmt.mel_bins=8", "crmt.mel_frames=8"),
        *("crmt.second_steps=5", "train.max_steps=2", "train.use_cpu=true"),
    ):
        arguments += ["--set", pair]
    said = textcentric(*arguments)
    assert said.code == 0, said.err
    assert "6 of 6: hinge for LogSumExp, seed 1" in said.err
    told = json.loads((place / "ablation" / "ablation.json").read_text())
    assert list(told["arms"]) == ["CRMT-JT", "without step 2", "hinge for LogSumExp"]
    assert list(told["arms"]["CRMT-JT"]) == [
        *("clean", "FGM", "FGM #image", "FGM #audio", "PGD", "PGD #image", "PGD #audio"),
        *("missing image", "missing audio", "worst", "worst #image", "worst #audio"),
    ]
    assert len(told["arms"]["CRMT-JT"]["clean"]["by_seed"]) == 2
    assert (place / "ablation" / "ablation.svg").is_file()
    again = textcentric(*arguments)
    assert (again.out, "1 of" in again.err) == (said.out, False)


def test_every_setting_of_the_model_is_a_flag() -> None:
    help_text = textcentric("train", "crmt", "--help").out
    names = {*CrmtConfig.model_fields, "image_encoder", "audio_encoder"} - {"encoders"}
    assert [name for name in names if f"{name.replace('_', '-')} " not in help_text] == []
