"""`textcentric train reward` and `score`, as a user sees them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.methods.reward.test_method import pairs
from tests.support.commands import textcentric
from tests.support.small_reward import rows, train, write
from textcentric.errors import ConfigError
from textcentric.evaluation.rewards import scoring as run_score
from textcentric.methods.reward import RewardConfig
from textcentric.methods.reward.config import RewardTraining
from textcentric.methods.reward.words import describe_files
from textcentric.settings import read
from textcentric.training.config import TrainConfig


def test_pairs_become_a_model_with_metrics_and_the_next_command(place: Path) -> None:
    said = train("--eval-dataset", "held-out.jsonl", "--reward-objective", "sfc", "-o", "models/a")
    assert said.code == 0, said.err
    assert "12 pairs of pairs, 4 held out" in said.err
    assert "textcentric score models/a --input RESPONSES.jsonl" in said.out
    metadata = json.loads((place / "models" / "a" / "train.json").read_text())
    assert metadata["metrics"].keys() >= {"accuracy", "proxy_accuracy", "sfc_mean"}
    assert "sfc" in (place / "models" / "a" / "README.md").read_text()


def test_a_dry_run_says_what_would_be_trained_and_writes_nothing(place: Path) -> None:
    before = sorted(place.rglob("*"))
    options = ("--reward-objective", "sfc", "--eval-dataset", "held-out.jsonl", "--dry-run")
    said = train(*options, "-o", "models/planned")
    assert said.code == 0, said.err
    assert "12 of pairs, 4 held out; descriptions: image" in said.out
    assert "by sfc, proxy reads placeholder" in said.out
    assert "models/planned (holds nothing yet)" in said.out
    shown = json.loads(train(*options, "--json").out)
    assert (shown["steps"], shown["batch"]) == (2, 16)
    assert shown["balance"] == {"source": 16, "given": 16, "left_out": {}}
    assert shown["parameters"] == shown["trained"]  # of both branches
    assert sorted(place.rglob("*")) == before


def test_responses_are_scored_and_a_second_call_goes_on(place: Path) -> None:
    assert train("-o", "models/b").code == 0
    asked = [{"id": r["id"], "prompt": r["prompt"], "response": r["chosen"]} for r in rows(3)]
    asked += [{"id": "several", "prompt": "kind : dog ?", "responses": ["red", "blue"]}]
    source = write(place / "one.jsonl", asked[:3])
    assert textcentric("score", "b", "--input", source, "-o", "scores.jsonl").code == 0
    first = (place / "scores.jsonl").read_text()
    assert [json.loads(line)["id"] for line in first.splitlines()] == ["pair-0", "pair-1", "pair-2"]
    told = [json.loads(line) for line in first.splitlines()]
    assert [{n: line[n] for n in ("prompt", "response")} for line in told] == [
        {"prompt": row["prompt"], "response": row["chosen"]} for row in rows(3)
    ]
    (place / "scores.jsonl").write_text(first + '{"id": "pair-1", "sco')  # a kill
    again = textcentric("score", "b", "--input", source, "-o", "scores.jsonl")
    assert "0 responses scored, 3 before" in again.err
    assert (place / "scores.jsonl").read_text() == first
    several = write(place / "several.jsonl", asked[3:])
    lines = textcentric("score", "b", "--input", several).out.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["several/0", "several/1"]
    assert train("-o", "models/other", "--seed", 3).code == 0
    said = textcentric("score", "other", "--input", source, "-o", "scores.jsonl")
    assert said.code == 4
    assert "scores of another model" in said.err


def test_what_cannot_be_scored_is_said_in_its_line_and_by_the_exit_code(place: Path) -> None:
    assert train("-o", "models/b").code == 0
    asked = [{"prompt": "?", "response": told} for told in ("red", "", "dog " * 60)]
    said = textcentric("score", "b", "--input", write(place / "bad.jsonl", asked))
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert said.code == 3
    assert [("score" in line) for line in lines] == [True, False, False]
    assert "is empty" in lines[1]["error"]
    assert "would be cut at 46" in lines[2]["error"]
    assert "1 responses scored, 0 before, 2 could not be" in said.err
    for counts in ("1 responses scored, 0 before", "0 responses scored, 1 before"):
        again = textcentric("score", "b", "--input", place / "bad.jsonl", "-o", "bad-scores.jsonl")
        assert (again.code, f"{counts}, 2 could not be" in again.err) == (3, True)


def test_rows_that_cannot_be_read_keep_their_line(place: Path) -> None:
    assert train("-o", "models/b").code == 0
    turns = [{"role": "user", "content": "kind :"}, {"role": "assistant", "content": "red"}]
    asked = [
        {"prompt": "kind :", "response": "red"},
        {"response": json.dumps(turns)},
        {"response": '[{"role": "user", "content": "ki'},
        {"prompt": "kind :", "response": "red", "tools": '[{"name": "look"}]'},
        {"prompt": "kind :", "response": "red", "image": "https://example.org/a.png"},
        {"prompt": "kind :", "response": "red", "image": "a.png"},
    ]
    source = write(place / "mixed.jsonl", asked)
    source.write_text(source.read_text() + "no json\n")
    said = textcentric("score", "b", "--input", source)
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert said.code == 3
    assert [line["id"] for line in lines] == ["0", "1", "2", "3", "4", "5"]
    assert lines[1]["score"] == lines[0]["score"] == lines[5]["score"]
    assert "held as text that cannot be read" in lines[2]["error"]
    assert "offers tools" in lines[3]["error"]
    assert "is a URL" in lines[4]["error"]
    assert "1 left out: line(s) that are not one JSON object (line 7: 'no json')" in said.err
    assert "1 responses name a picture that is not shown (first: a.png); --image-dir" in said.err


def test_a_run_gives_pairs_of_clean_and_damaged_texts(place: Path) -> None:
    said = train("-o", "models/run", pairs=("--run", "first"))
    assert said.code == 0, said.err
    assert "pairs of first" in said.err


def test_pictures_are_put_into_words_and_missing_ones_counted(place: Path) -> None:
    (place / "photos").mkdir()
    Image.new("RGB", (40, 40), "red").save(place / "photos" / "a.png")
    bare = [{k: v for k, v in row.items() if k != "image_description"} for row in rows(6)]
    told = [row | {"image": "a.png" if n else "../bert/config.json"} for n, row in enumerate(bare)]
    write(place / "pictures.jsonl", told)
    options = ("--image-dir", "photos", "--image-expert", "pixels", "--reward-objective", "sfc")
    said = train(*options, "-o", "models/seen", pairs=("--dataset-name", "pictures.jsonl"))
    assert said.code == 0, said.err
    assert "1 left out: its picture is not in the image folder" in said.err
    assert "5 pairs" in said.err
    balance = json.loads((place / "models" / "seen" / "reward.json").read_text())["balance"]
    (left,) = balance["left_out"].values()
    assert (balance["source"], balance["given"], left["rows"]) == (6, 5, 1)
    assert left["examples"] == ["'pair pair-0, picture ../bert/config.json'"]


def test_a_picture_on_both_sides_of_a_split_is_said(place: Path) -> None:
    told = [
        row | {"split": "validation" if n == 5 else "train", "group": "a" if n > 3 else f"g{n}"}
        for n, row in enumerate(rows(6))
    ]
    source = ("--dataset-name", write(place / "leak.jsonl", told))
    said = train("-o", "models/leak", "--json", pairs=source)
    assert said.code == 0, said.err
    assert "1 held-out pairs are of a picture or group that is trained on (first: a)" in said.err
    assert json.loads(said.out)["rows"] == {"source": 6, "given": 6, "left_out": {}}


def test_pairs_of_no_known_split_and_pictures_of_no_folder_are_said(place: Path) -> None:
    told = [row | {"split": "dev", "image": "a.png"} for row in rows(4)]
    said = train("-o", "models/none", pairs=("--dataset-name", write(place / "dev.jsonl", told)))
    assert said.code == 2
    assert "its splits are dev (4): name them train, validation and test" in said.err
    assert "4 pairs name pictures that are not shown (first: a.png); --image-dir" in said.err


def test_a_file_gives_the_settings_flat_or_in_sections_and_flags_win(place: Path) -> None:
    (place / "reward.yaml").write_text(
        "dataset_name: pairs.jsonl\nlearning_rate: 1.0e-3\nreward_objective: sfc\n"
        "train: {max_steps: 5}\nreward: {lora_r: 3}\n"
    )
    flags = {"max_steps": 7, "proxy_fields": ["image", "table"]}
    training = read(RewardTraining, place / "reward.yaml", flags)
    assert (training.loop().max_steps, training.loop().learning_rate) == (7, 1e-3)
    method = training.method()
    assert (method.lora_r, method.proxied) == (3, True)
    assert method.proxy_fields == ("image", "table")


def test_every_setting_of_the_loop_and_of_the_model_is_a_flag() -> None:
    help_text = textcentric("train", "reward", "--help").out
    known = [*TrainConfig.model_fields, *RewardConfig.model_fields]
    assert [name for name in known if f"{name.replace('_', '-')} " not in help_text] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "reward.lora_rang=1"], "did you mean 'lora_r'"),
        (["--layout", "swift"], "did you mean 'ms-swift'"),
        (["--metric-for-best-model", "proxy_loss", "--eval-dataset", "held-out.jsonl"], "Known: a"),
        (["--image-dir", "nowhere"], "'nowhere' is no folder"),
        (["--eval-strategy", "epoch"], "needs held-out rows"),
        (["--run", "first"], "Give either --dataset-name or --run"),
        (["--max-length", "8", "--set", "reward.seed=1"], "cut"),
    ],
)
def test_what_does_not_fit_is_told_before_the_first_step(
    place: Path, arguments: list[str], message: str
) -> None:
    if message == "cut":
        write(place / "long.jsonl", [row | {"chosen": "dog " * 20} for row in rows(3)])
        said = train(*arguments, pairs=("--dataset-name", "long.jsonl"))
    else:
        said = train(*arguments)
    assert said.code == 2
    assert message in " ".join(said.err.split())


def test_an_unknown_key_of_a_file_is_told_with_the_nearest(place: Path) -> None:
    (place / "bad.yaml").write_text("dataset_name: pairs.jsonl\nreward_objectve: sfc\n")
    with pytest.raises(ConfigError, match="did you mean 'reward_objective'"):
        read(RewardTraining, place / "bad.yaml")


def test_a_model_that_is_not_there_names_the_nearest(place: Path) -> None:
    assert train("-o", "models/b").code == 0
    said = textcentric("score", "bb", "--input", "pairs.jsonl")
    assert said.code == 2
    assert "unknown reward model 'bb'" in said.err
    said = textcentric("score", "b", "--input", "pairs.jsonl")
    assert "expected response (or responses)" in said.err


def test_models_are_evaluated_on_every_set_beside_the_baselines(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("textcentric.cli.progress.PLAIN_SECONDS", 0.0)
    assert train("-o", "models/b").code == 0
    assert train("-o", "models/c", "--seed", 1).code == 0
    write(place / "by-kind.jsonl", [row | {"subset": f"s{n % 2}"} for n, row in enumerate(rows(8))])
    said = textcentric(
        *("evaluate", "reward", "c", "models/b", "--dataset", "by-kind.jsonl,held-out.jsonl"),
        *("--text-only", "b", "-o", "matrix.json"),
    )
    assert said.code == 0, said.err
    assert "c: responses read: 16 of 16\n" in said.err
    assert "text only: responses read: 8 of 8\n" in said.err
    found = json.loads((place / "matrix.json").read_text())
    cells = [(cell["model"], cell["set"], cell["pairs"]) for cell in found["cells"]]
    assert cells == [(m, *s) for m in ("c", "b") for s in (("by-kind", 8), ("held-out", 4))]
    for cell in found["cells"]:
        assert cell["interval"][0] <= cell["accuracy"] <= cell["interval"][1]
        assert {"text_only", "swapped", "failure"} <= cell.keys()
    assert found["sets"]["by-kind"]["overlap"]["accuracy"] == 1.0  # the colour stands in the words
    for cell in found["cells"][::2]:
        assert "an interval over 6 prompts or groups is too narrow" in cell["note"]
    for word in ("(the shorter one)", "(word overlap)", "text only", "macro", "failure", "note"):
        assert word in said.out


def test_where_nothing_is_described_nothing_is_hidden_swapped_or_overlaps(place: Path) -> None:
    assert train("-o", "models/b").code == 0
    bare = [{k: v for k, v in row.items() if k != "image_description"} for row in rows(4)]
    write(place / "bare.jsonl", bare)
    said = textcentric("evaluate", "reward", "b", "--dataset", "bare.jsonl", "-o", "bare.json")
    assert said.code == 0, said.err
    (cell,) = json.loads((place / "bare.json").read_text())["cells"]
    assert (cell["text_only"], cell["swapped"], cell["failure"]["degradation"]) == (None,) * 3
    assert "word overlap" not in said.out
    assert {line.split()[-1] for line in said.out.splitlines() if line.startswith("b ")} == {"-"}


def test_evaluate_without_a_name_means_downstream_as_before(place: Path) -> None:
    assert "Damage rows" in textcentric("evaluate", "--help").out
    assert "reward models prefer" in textcentric("evaluate", "reward", "--help").out
    said = textcentric("evaluate", "models/nothing", "--dataset", "pairs.jsonl")
    assert "unknown downstream model 'nothing'" in said.err


def test_best_of_n_stands_beside_baselines(place: Path) -> None:
    assert train("-o", "models/picker").code == 0
    row = {"prompt": "kind :", "responses": ["red", "blue", "a red dog"], "correct": [1, 0, 0]}
    write(place / "many.jsonl", [row, row])
    said = textcentric("evaluate", "reward", "picker", "--candidates", "many.jsonl")
    assert said.code == 0, said.err
    assert "best of N, many" in said.out
    assert "best possible" in said.out
    said = textcentric("evaluate", "reward", "picker")
    assert said.code == 2
    assert "Give pairs by --dataset, or for Best-of-N a file by --candidates" in said.err


@pytest.fixture
def photos(place: Path) -> Path:
    folder = place / "photos"
    folder.mkdir(exist_ok=True)
    for number, colour in enumerate(("red", "blue")):
        Image.new("RGB", (32, 24), colour).save(folder / f"{number}.png")
    lines = [
        {"id": p.id, "prompt": p.prompt, "chosen": p.chosen, "rejected": p.rejected}
        | {"image": f"{number % 3}.png"}
        for number, p in enumerate(pairs(12))
    ]
    write(place / "seen.jsonl", lines)
    return folder


def test_pictures_are_seen_by_the_model_itself(place: Path, photos: Path) -> None:
    seen = ("--dataset-name", "seen.jsonl")
    sees = ("--vision-model", "packaged", "--image-dir", "photos")
    sfc = ("--reward-objective", "sfc", "--proxy-input", "blank_image")
    said = train(*sees, *sfc, "-o", "models/sees", pairs=seen)
    assert said.code == 0, said.err
    assert "4 left out: its picture is not in the image folder" in said.err
    assert "8 pairs of seen" in said.err
    known = ("--image-dir", "photos")
    said = textcentric("evaluate", "reward", "sees", "--dataset", "seen.jsonl", *known)
    assert said.code == 0, said.err
    row = {"prompt": "kind :", "response": "red"}
    write(place / "look.jsonl", [{**row, "image": "0.png"}, {**row, "image": "1.png"}, row])
    said = textcentric("score", "sees", "--input", "look.jsonl", *known)
    assert said.code == 3
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert lines[0]["score"] != lines[1]["score"]
    assert "no picture" in lines[2]["error"]
    write(place / "look.jsonl", [{**row, "image": "9.png"}, {**row, "image": "1.png"}])
    said = textcentric("score", "sees", "--input", "look.jsonl", *known)
    assert said.code == 3  # a picture that is not there stops none of the others
    again = [json.loads(line) for line in said.out.splitlines()]
    assert "9.png" in again[0]["error"]
    assert again[1]["score"] == lines[1]["score"]
    said = textcentric("score", "sees", "--input", "look.jsonl")
    assert said.code == 2
    assert "give --image-dir" in said.err
    assert train("-o", "models/unseeing").code == 0
    mixed = ("evaluate", "reward", "sees", "unseeing", "--dataset", "seen.jsonl")
    said = textcentric(*mixed, *known)
    assert said.code == 2
    assert "sees see pictures and the others read of them" in said.err
    said = train("--vision-model", "packaged", "-o", "models/blind", pairs=seen)
    assert said.code == 2
    assert "give --image-dir" in said.err


def test_pictures_are_put_in_words_for_a_model_of_text(place: Path, photos: Path) -> None:
    assert train("-o", "models/reads").code == 0
    row = {"prompt": "kind :", "response": "red"}
    write(place / "told.jsonl", [{**row, "image": "0.png"}, {**row, "image": "9.png"}, row])
    said = textcentric(
        *("score", "reads", "--input", "told.jsonl"),
        *("--image-dir", "photos", "--image-expert", "pixels"),
    )
    assert said.code == 3
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert lines[0]["score"] != lines[2]["score"]
    assert lines[1]["error"] == "its picture is not in the image folder"


def test_what_is_scored_already_is_not_described_again(
    place: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert train("-o", "models/once").code == 0
    row = {"prompt": "kind :", "response": "red"}
    words = ("--image-dir", "photos", "--image-expert", "pixels", "-o", "once.jsonl")
    write(place / "grown.jsonl", [{**row, "image": "0.png"}])
    assert textcentric("score", "once", "--input", "grown.jsonl", *words).code == 0
    asked: list[int] = []

    def count(albums: Any, *known: Any) -> Any:
        asked.append(len(albums))
        return describe_files(albums, *known)

    monkeypatch.setattr(run_score, "describe_files", count)
    write(place / "grown.jsonl", [{**row, "image": "0.png"}, {**row, "image": "1.png"}])
    assert textcentric("score", "once", "--input", "grown.jsonl", *words).code == 0
    assert asked == [1]
    other = [*words[:3], "efficientnet", *words[4:]]
    said = textcentric("score", "once", "--input", "grown.jsonl", *other)
    assert said.code == 4 or said.code == 2
    assert "another model or image expert" in said.err


def test_candidates_have_their_pictures_put_in_words(place: Path, photos: Path) -> None:
    assert train("-o", "models/teller").code == 0
    row = {"prompt": "kind :", "responses": ["red", "blue"], "correct": [1, 0], "image": "0.png"}
    write(place / "pictured.jsonl", [row])
    known = ("--image-dir", "photos", "--image-expert", "pixels", "--json")
    said = textcentric("evaluate", "reward", "teller", "--candidates", "pictured.jsonl", *known)
    assert said.code == 0, said.err
    overlap = json.loads(said.out)["best_of"]["pictured"]["of"]["overlap"]
    assert overlap["2"]["value"] == 1.0  # "Colours: mainly red."


def test_pairs_that_are_not_learnt_from_are_counted_by_reason(tmp_path: Path) -> None:
    lines = rows(8, split="train") + rows(2, split="test")
    lines = [{**line, "id": f"p{number}"} for number, line in enumerate(lines)]
    lines[3]["chosen"] = ""
    lines[4]["rejected"] = "dog " * 60
    file = write(tmp_path / "some.jsonl", lines)
    said = train("--dry-run", "--json", pairs=("--dataset-name", file))
    assert said.code == 0, said.err
    balance = json.loads(said.out)["balance"]
    assert (balance["source"], balance["given"]) == (10, 6)
    assert {reason: of["rows"] for reason, of in balance["left_out"].items()} == {
        "a response is empty": 1,
        "of other splits, or beyond the limits": 2,
        "a response is longer than max_length=48 tokens": 1,
    }
