"""`textcentric train downstream` and `predict`, as a user sees them."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.test_start import started
from tests.support.commands import Said, textcentric
from tests.support.small_run import KEEPING, KINDS, PLACES, record, records, run, true_model
from tests.support.small_run import WORDS as MOODS
from tests.support.tiny_models import WORDS, tiny_model
from textcentric.errors import ConfigError
from textcentric.methods.downstream import Downstream, DownstreamConfig
from textcentric.methods.downstream.config import Training
from textcentric.settings import read
from textcentric.training.config import TrainConfig, train_config

ROOT = Path(__file__).parents[2]
SPLITS = ["train", "train", "validation", "test"]
SCHEMA = "id: id\ntarget: speed\ntext: story\nsplit: part\n"
SMALL = ["--max-length", 32, "--max-steps", 2, "--use-cpu"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table, its schema, a tiny model and a run directory."""
    folder = tmp_path_factory.mktemp("train")
    words = list(dict.fromkeys([*WORDS, *KINDS, *MOODS, *PLACES]))
    tiny_model(folder / "bert", words=words)
    write_table(folder / "pets.csv")
    (folder / "pets.yaml").write_text(SCHEMA)
    rows = [replace(one, split=SPLITS[n % 3]) for n, one in enumerate(records(12))]
    run(folder / "runs" / "first", rows, true_model, own=KEEPING)
    return folder


@pytest.fixture(autouse=True)
def at(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in that folder."""
    monkeypatch.chdir(place)


def write_table(path: Path, splits: list[str] = SPLITS, odd: tuple[int, ...] = ()) -> None:
    """Write forty invented listings; their speeds go round four classes in each split.

    The speeds of the rows numbered in `odd` are 7 instead.
    """
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow("id kind story speed part".split())
        for n, one in enumerate(records(40)):
            kind, story = one.inputs["table"]["Kind"], one.inputs["text"]
            speed = 7 if n in odd else n % 4
            writer.writerow([one.id, kind, story, speed, splits[n // 4 % len(splits)]])


def train(*arguments: object, rows: tuple[object, ...] = ("--run", "first")) -> Said:
    return textcentric("train", "downstream", *rows, "--model", "bert", *SMALL, *arguments)


def test_a_run_becomes_a_model_with_metrics_and_the_next_command(place: Path) -> None:
    said = train("-o", "models/a")
    assert said.code == 0
    names = [line.split()[0] for line in said.out.splitlines()]
    lines = ["task", "counts", "steps", "metrics", "constant", "model", "next"]
    assert [name for name in names if name != "note"] == lines
    assert "\nconstant quadratic kappa 0.0000, accuracy " in said.out
    card = (place / "models/a/README.md").read_text()
    assert 'classify = pipeline("text-classification", ".")' in card
    assert ("No better than the best constant" in card) == ("note" in names)
    assert "task     ordinal of 4 classes\ncounts   12 rows in the source = 12 " in said.out
    assert "\nsteps    2 in " in said.out
    assert "metrics  loss " in said.out
    last = "next     textcentric predict models/a --dataset NEW.csv -o predictions.csv"
    assert said.out.splitlines()[-1] == last
    assert said.err.splitlines()[:2] == [
        "8 rows of first, 4 held out",
        "model bert, task ordinal, into models/a",
    ]
    model = Downstream.load(place / "models/a")
    assert model.config.max_length == 32
    assert sorted(model.origin.prompts) == ["summarize/pick"]


def test_the_same_command_goes_on_and_another_one_is_refused() -> None:
    train("-o", "models/b")
    again = train("-o", "models/b")
    assert again.code == 0
    assert "going on from step 2 of 2, in models/b-checkpoints" in again.err
    said = train("-o", "models/b", "--learning-rate", 0.1)
    assert said.code == 4
    assert "train.learning_rate: 5e-05 -> 0.1" in said.err


def test_without_an_output_the_folder_is_named_after_rows_and_settings() -> None:
    folders = [train(*more, "--dry-run", "--json").out for more in ((), ("--seed", 1), ())]
    first, other, again = (json.loads(one)["output_dir"] for one in folders)
    assert first == again != other
    assert first.startswith("models/first-")


def test_a_dry_run_shows_rows_tokens_steps_and_device_and_writes_nothing(place: Path) -> None:
    before = sorted(place.rglob("*"))
    said = train("--variants", 2, "--dry-run", "-o", "models/dry")
    assert sorted(place.rglob("*")) == before
    assert [line.split()[0] for line in said.out.splitlines()] == [
        *("rows", "task", "reads", "model", "steps", "device", "into", "counts")
    ]
    shown = json.loads(train("--variants", 2, "--dry-run", "--json", "-o", "models/dry").out)
    assert (shown["train_rows"], shown["held_out_rows"]) == (8, 4)
    assert shown["parts"] == ["summary", "table", "text"]
    assert shown["classes"] == {"0": 2, "1": 2, "2": 2, "3": 2}
    assert (shown["steps"], shown["batch"], shown["device"]) == (2, 16, "cpu")
    assert shown["tokens_an_epoch"] > 8 * shown["tokens_a_row"]  # variants are read too
    assert shown["output_dir_holds"] == "nothing yet"


def test_a_dry_run_tells_a_model_from_a_training_to_go_on_with(place: Path) -> None:
    train("-o", "models/held")
    (place / "models/held/train.json").rename(place / "models/held/kept.json")
    shown = [json.loads(train("--dry-run", "--json", "-o", "models/held").out)]
    (place / "models/held/kept.json").rename(place / "models/held/train.json")
    shown += [json.loads(train("--dry-run", "--json", "-o", "models/held").out)]
    held = [one["output_dir_holds"] for one in shown]
    assert held == ["a training, to go on with", "a trained model"]


def test_raw_rows_are_trained_on_without_an_llm(place: Path) -> None:
    rows = ("--dataset", "pets.csv", "--schema", "pets.yaml")
    said = train("-o", "models/raw", "--json", rows=rows)
    facts = json.loads(said.out)
    assert (facts["path"], facts["task"], facts["steps"]) == ("models/raw", "ordinal", 2)
    own = {"quadratic_kappa", "accuracy", "macro_f1"}
    assert set(facts["metrics"]) == {"loss", *own, *(f"constant_{name}" for name in own)}
    assert "24 rows of pets, 8 held out" in said.err
    assert "neither trained on nor held out: 8 row(s) of the split test ('r12'; " in said.err
    assert (facts["rows"]["source"], facts["rows"]["given"]) == (40, 32)
    assert Downstream.load(place / "models/raw").origin.balance == facts["rows"]
    assert list(Downstream.load(place / "models/raw").origin.experts) == ["table", "text"]
    said = train("-o", "models/raw", rows=rows)
    told = "next     textcentric evaluate models/raw --dataset pets.csv --schema pets.yaml"
    assert said.out.splitlines()[-1] == told


def test_rows_without_a_held_out_split_are_trained_on_and_it_is_said(place: Path) -> None:
    write_table(place / "only.csv", ["train"])
    rows = ("--dataset", "only.csv", "--schema", "pets.yaml")
    said = train("-o", "models/only", rows=rows)
    assert said.code == 0
    assert "no row of only with a target is in the split validation: nothing is evaluated" in (
        said.err
    )
    assert "metrics  none: no row was held out" in said.out
    for asked in (["--eval-strategy", "epoch"], ["--metric-for-best-model", "accuracy"]):
        said = train(*asked, rows=rows)
        assert said.code == 2
        assert "needs held-out rows and no row of only" in said.err


def test_held_out_classes_that_no_training_row_has_are_refused_before_the_first_step(
    place: Path,
) -> None:
    write_table(place / "odd.csv", odd=(8, 9))
    rows = ("--dataset", "odd.csv", "--schema", "pets.yaml")
    for more in ((), ("--dry-run",)):
        said = train("-o", "models/odd", *more, rows=rows)
        assert said.code == 2
        assert "held-out rows are of classes that no training row has: 7 (2: " in said.err
        assert "name all classes (--set downstream.classes=...)" in said.err
    assert not (place / "models/odd/metrics.jsonl").exists()


@pytest.mark.filterwarnings("ignore:no training row has the class 7")
def test_held_out_classes_that_no_training_row_has_are_told_where_training_goes_on(
    place: Path,
) -> None:
    write_table(place / "odd.csv", odd=(8, 9))
    rows = ("--dataset", "odd.csv", "--schema", "pets.yaml")
    told = "held-out rows are of classes that no training row has: 7 (2: 'r8', 'r9'); "
    said = train("-o", "models/odd-blind", "--eval-strategy", "no", rows=rows)
    assert said.code == 0
    assert told + "nothing is evaluated, so the training goes on without them" in said.err
    classes = ("--set", "downstream.classes=[0, 1, 2, 3, 7]")
    said = train("-o", "models/odd-named", *classes, "--json", rows=rows)
    assert said.code == 0
    assert told + "nothing is learnt of those, and the scores count them" in said.err
    assert json.loads(said.out)["metrics"]["accuracy"] <= 6 / 8


def test_classes_of_rows_that_are_kept_for_a_test_are_named(place: Path) -> None:
    write_table(place / "rare.csv", odd=(12, 13))
    said = train("--dry-run", rows=("--dataset", "rare.csv", "--schema", "pets.yaml"))
    assert (
        "rows of other splits are of classes that are not learnt: 7 (2: 'r12', 'r13')" in said.err
    )


def test_a_file_gives_the_settings_and_flags_win(place: Path) -> None:
    (place / "train.yaml").write_text(
        "run: first\ntrain: {learning_rate: 1.0e-3, max_steps: 5}\ndownstream: {variants: 3}\n"
    )
    training = read(Training, place / "train.yaml", {"train.max_steps": 7, "labels": None})
    assert (training.loop().max_steps, training.loop().learning_rate) == (7, 1e-3)
    assert training.method().variants == 3


def test_every_setting_of_the_loop_and_of_the_model_is_a_flag() -> None:
    help_text = textcentric("train", "downstream", "--help").out
    known = {*TrainConfig.model_fields, *DownstreamConfig.model_fields} - {"classes"}
    assert [name for name in known if f"{name.replace('_', '-')} " not in help_text] == []


def test_flags_may_be_spelt_with_underscores_as_in_transformers() -> None:
    one = train("--per_device_train_batch_size", 4, "--dry_run", "--json").out
    other = train("--per-device-train-batch-size", 4, "--dry-run", "--json").out
    assert json.loads(one) == json.loads(other)
    assert json.loads(one)["batch"] == 4


def test_lists_are_read_and_seeds_are_shared() -> None:
    flags = {"run": "first", "seed": 3, "parts": ["text", "table"], "dropout_levels": ["0", "0.3"]}
    training = read(Training, None, flags, ["downstream.headers=false"])
    assert training.method().parts == ("text", "table")
    assert training.method().dropout_levels == (0.0, 0.3)
    assert not training.method().headers
    assert training.method().seed == training.loop().seed == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "train.learnin_rate=1"], "unknown key of train 'learnin_rate'; did you mean"),
        (["--set", "downstream.variant=1"], "unknown key of downstream 'variant'; did you mean"),
        (
            ["--set", "trian.seed=1"],
            "unknown section of train downstream 'trian'; did you mean 'train'?",
        ),
        (["--set", "seed"], "expected train.NAME=VALUE or downstream.NAME=VALUE"),
        (["--learning-rate", -1], "learning_rate='-1': Input should be greater than 0"),
        (["--task", "ordnal"], "task='ordnal': Input should be 'auto', 'classification'"),
        (["--dropout-levels", "0,1.5"], "each in [0, 1], such as [0, 0.3, 0.6]"),
        (["--early-stopping-patience", 2], "train: early_stopping_patience needs metric_for"),
        (["--metric-for-best-model", "kappa"], "unknown metric of ordinal 'kappa'; did you mean"),
        (["--labels", "kep"], "labels.0='kep': Input should be 'keep', 'unsure' or 'changes'"),
        (["--set", "train.output_dir=x"], "train.output_dir: give -o outside"),
        (["--dataset", "pets.csv"], "run='first' and dataset='pets.csv': a run holds its rows"),
        (["--parts", "txt"], "unknown part 'txt'; did you mean 'text'?"),
    ],
    ids=lambda value: str(value[-1]) if isinstance(value, list) else "",
)
def test_bad_settings_say_the_value_and_what_was_expected(
    arguments: list[object], message: str
) -> None:
    said = train("--dry-run", *arguments)
    assert said.code == 2
    assert message in said.err


def test_an_unknown_key_of_the_file_is_refused_with_the_nearest(place: Path) -> None:
    (place / "bad.yaml").write_text("run: first\ndownsteam: {}\n")
    with pytest.raises(ConfigError, match="'downsteam'; did you mean 'downstream'"):
        read(Training, place / "bad.yaml", {})
    (place / "bad.yaml").write_text("train: [1]\n")
    with pytest.raises(ConfigError, match=r"section train holds \[1\]"):
        read(Training, place / "bad.yaml", {})
    with pytest.raises(ConfigError, match="No such file"):
        read(Training, place / "absent.yaml", {})


def test_a_missing_run_is_refused_with_the_nearest() -> None:
    said = train(rows=("--run", "frist"))
    assert (said.code, said.out) == (2, "")
    assert "unknown run 'frist'; did you mean 'first'?" in said.err
    assert "which rows?" in train(rows=()).err


def test_a_run_without_a_target_cannot_be_trained_on(place: Path) -> None:
    rows = [record(n, target=None) for n in range(4)]
    run(place / "runs" / "blind", rows, "It naps behind the bakery all day long.")
    said = train(rows=("--run", "blind"))
    assert said.code == 2
    assert "none of the 4 rows has a target; name the target column" in said.err


def test_a_configuration_of_the_loop_names_what_is_wrong() -> None:
    with pytest.raises(ConfigError, match="unknown key of train 'epochs'"):
        train_config({"output_dir": "x", "epochs": 3})
    with pytest.raises(ConfigError, match="train needs output_dir: give output_dir="):
        train_config({})


def test_names_of_training_arguments_are_taken_for_ours() -> None:
    theirs = train_config({"output_dir": "x", "bf16": True, "resume_from_checkpoint": True})
    assert (theirs.mixed_precision, theirs.resume) == ("bf16", "always")
    off = train_config({"output_dir": "x", "bf16": False, "fp16": True})
    assert off.mixed_precision == "fp16"
    with pytest.raises(ConfigError, match="checkpoints lie beside output_dir"):
        train_config({"output_dir": "x", "resume_from_checkpoint": "models/x/step-3"})
    with pytest.raises(ConfigError, match=r"train\.fp16 is True and mixed_precision 'bf16'"):
        train_config({"output_dir": "x", "bf16": True, "fp16": True})
    said = train("--bf16", "--dry-run", "--json")
    assert json.loads(said.out)["mixed_precision"] == "bf16"


def test_another_process_of_a_launch_prints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    said = train("--dry-run")
    assert (said.code, said.out, said.err) == (0, "", "")


def test_help_imports_no_heavy_library() -> None:
    out, loaded = started(["train", "downstream", "--help"])
    assert "--per-device-train-batch-size" in out
    assert set(loaded) <= {"pydantic"}  # typer takes it for the options of a command


@pytest.fixture(scope="module")
def trained(place: Path) -> str:
    """The name of a model that reads the experts' words alone."""
    before = Path.cwd()
    os.chdir(place)
    try:
        rows = ("--dataset", "pets.csv", "--schema", "pets.yaml")
        assert train("-o", "models/plain", rows=rows).code == 0
    finally:
        os.chdir(before)
    return "plain"


def test_predictions_go_into_a_file_or_to_the_output(trained: str, place: Path) -> None:
    said = textcentric("predict", trained, "--dataset", "pets.csv", "-o", "told.csv")
    assert (said.code, said.out) == (0, "predictions  told.csv\n")
    assert "40 of 40 rows are predicted" in said.err
    with (place / "told.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    said = textcentric("predict", trained, "--input", "pets.csv", "--limit", 2)
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert [line["prediction"] for line in lines] == [int(row["prediction"]) for row in rows[:2]]
    assert {"id", "prediction", "score", "probability_0", "problem"} <= set(lines[0])


def test_predict_counts_every_line_of_the_table(trained: str, place: Path) -> None:
    (place / "new.csv").write_text("id,kind,story\na,cat,A calm cat.\nb,,\n,dog,A dog.\n")
    said = textcentric("predict", trained, "--dataset", "new.csv", "-o", "new-told.csv", "--json")
    assert said.code == 3  # two of three have no prediction
    assert json.loads(said.out) == {
        "predictions": "new-told.csv",
        "rows": {
            "source": 3,
            "given": 1,
            "left_out": {
                "row(s) with nothing in any modality": {"rows": 1, "examples": ["'b'"]},
                "row(s) without an id": {
                    "rows": 1,
                    "examples": ["row 3 has no value in its id column 'id'"],
                },
            },
        },
    }
    with (place / "new-told.csv").open(newline="") as file:
        assert [row["id"] for row in csv.DictReader(file)] == ["a", "b", ""]
    said = textcentric("predict", trained, "--dataset", "new.csv", "--json")
    assert (said.code, "give --output" in said.err) == (2, True)


def test_summaries_of_new_rows_come_from_the_engine_that_is_named(place: Path) -> None:
    train("-o", "models/told")
    words = ["--engine", "scripted", "--set", "engine.answer=It likes people and sleeps a lot."]
    command = ["predict", "told", "--dataset", "pets.csv", "--schema", "pets.yaml", "--limit", 2]
    command += ["--allow-missing-columns"]  # the rows of the run had others
    said = textcentric(*command, *words, "--run-dir", "runs/answers")
    assert said.code == 0
    assert len(said.out.splitlines()) == 2
    other = [*words, "--llm", "another", "--run-dir", "runs/others"]
    said = textcentric(*command, *other)
    assert said.code == 4
    assert "the LLM's model is 'another', the training text was written with 'scripted'" in said.err
    assert textcentric(*command, *other, "--other-model").code == 0


def test_predict_refuses_what_it_cannot_do_before_it_begins(trained: str) -> None:
    said = textcentric("predict", "plane", "--dataset", "pets.csv")
    assert (said.code, "unknown downstream model 'plane'; did you mean 'plain'?" in said.err) == (
        2,
        True,
    )
    said = textcentric("predict", trained, "--dataset", "pets.csv", "-o", "told.parqet")
    assert "unknown ending '.parqet'; did you mean '.parquet'?" in said.err
    assert textcentric("predict", trained).code == 2


def test_only_a_launch_of_one_process_on_a_cpu_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    told = "one process trains: on a CPU `accelerate launch` starts no more"
    assert told not in train("--dry-run").err
    monkeypatch.setenv("ACCELERATE_USE_CPU", "True")
    assert train("--dry-run").err.count(told) == 1
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert told not in train("--dry-run").err


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_accelerate_launch_trains_in_one_process_on_a_cpu_and_says_so(
    place: Path, processes: int
) -> None:
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--cpu"]
    launch += ["--num_processes", str(processes), str(ROOT / "pipelines" / "train.py")]
    name = f"models/launched-{processes}"
    command = [*launch, "downstream", "--run", "first", "--model", "bert", *map(str, SMALL)]
    done = subprocess.run(
        [*command, "-o", name], capture_output=True, text=True, cwd=place, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(f"model    {name}\n") == 1
    assert done.stderr.count("one process trains: on a CPU") == 1
    assert json.loads((place / name / "train.json").read_text())["identity"]["processes"] == 1
    assert len(Downstream.load(place / name).predict([{"text": "a calm dog"}]).values) == 1
    again = subprocess.run(
        [*command, "-o", name, "--learning-rate", "0.1"],
        capture_output=True,
        cwd=place,
        timeout=300,
    )
    assert again.returncode != 0, "a refusal must not look like success to the launcher"


@pytest.mark.slow
def test_two_processes_print_everything_once(place: Path) -> None:
    rows = ["--dataset", "pets.csv", "--schema", "pets.yaml", "--model", "bert"]
    command = [*(sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2")]
    command += [str(ROOT / "pipelines" / "train.py"), "downstream", *rows, *map(str, SMALL)]
    done = subprocess.run(
        [*command, "-o", "models/two"], capture_output=True, text=True, cwd=place, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("model    models/two") == 1
    assert done.stderr.count("8 held out") == 1
    facts = json.loads((place / "models/two/train.json").read_text())
    assert facts["identity"]["processes"] == 2
