"""Every command over a hostile folder of each kind: refused in a line, or done without the harm.

No code of the folder runs, nobody is called, no key and no row is sent, nothing outside is read,
written or deleted. A command that is new stands in ATTACKS, or the first test fails.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.support.before import TRAININGS
from tests.support.commands import textcentric
from tests.support.hostile import ADDRESS, ALL, made, watched
from textcentric.cli.app import all_commands

pytestmark = pytest.mark.filterwarnings("ignore:.*bitsandbytes")
RUNS = "run-settings run-run-yaml run-manifest-json run-rejected run-data run-run-lock".split()
RUNS += "run-report-html run-README-md run-metrics-jsonl run-prompts run-calibration-json".split()
RUNS += "run-journal-sqlite run-reading run-answers".split()
TABLE = "--dataset rows.csv --data-dir . --schema rows.yaml"
LOOP = "--max-steps 1 --use-cpu -q"
DOWNSTREAM = f"train downstream --model bert --max-length 64 {LOOP}"
MODELS = "model-code model-server model-expert model-kernel model-pickle model-rows".split()
MODELS += ["model-backbone"]
MODELS += "adapter-base adapter-layers adapter-pattern adapter-module adapter-rank".split()
MODELS += "adapter-kind adapter-pickle linked-downstream linked-adapters".split()
REWARDS = "reward-code reward-pickle reward-eyes linked-reward".split()
SAY = "--engine scripted --set engine.answer=dog"


def each(line: str, names: list[str]) -> list[str]:
    return [line.format(f"hostile/{name}") for name in names]


# The name of a command: lines that give it a hostile folder or file.
ATTACKS: dict[str, list[str]] = {
    "augment": [
        *each(
            f"augment {TABLE} --prompts own/swap --prompt-dir prompts {SAY} --no-embeddings"
            " --limit 2 -q -o {}",
            [name for name in RUNS if name != "run-settings"],
        ),
        f"augment {TABLE} --prompts own/swap --prompt-dir hostile/prompts {SAY} -q -o made",
        "augment --dataset rows.csv --schema hostile/outside.yaml --prompts own/swap"
        f" --prompt-dir prompts {SAY} --limit 2 -q -o made",
        f"augment {TABLE} --prompts own/swap --prompt-dir prompts {SAY} -q -o made"
        " --reuse hostile/run-journal-sqlite",
    ],
    "describe": [
        "describe --dataset hostile/tables/rows.csv --image photo",
        "describe --dataset rows.csv --schema hostile/outside.yaml",
        f"describe {TABLE} --image-expert hostile/expert-part",
    ],
    "check": ["check hostile/texts.jsonl", "check hostile/pairs.jsonl"],
    "train downstream": [
        *each(f"{DOWNSTREAM} --run {{}} -o trained", RUNS),
        f"{DOWNSTREAM} {TABLE} --image-expert pixels -o hostile/linked-downstream",
        f"{TRAININGS['downstream']} -o hostile/going-on -q",
        f"{DOWNSTREAM} --run augmented/finished -o hostile/linked-steps",
        f"{DOWNSTREAM} --run augmented/finished -o hostile/other",
        *each(
            f"train downstream --model {{}} --max-length 64 {LOOP} --run augmented/finished -o new",
            ["model-code", "model-kernel", "model-pickle", "adapter-base", "adapter-module"],
        ),
    ],
    "train reward": [
        *each(
            "train reward --model-name-or-path bert --reward-objective sfc --dataset-name"
            f" preferred.jsonl --proxy-model-name-or-path {{}} --max-length 32 {LOOP} -o new",
            REWARDS,
        ),
        "train reward --model-name-or-path bert --dataset-name hostile/pairs.jsonl --max-length 32"
        f" {LOOP} -o new",
        "train reward --model-name-or-path bert --dataset-name hostile/pairs.jsonl --max-length 32"
        f" --image-dir files {LOOP} -o new",
        "train reward --model-name-or-path bert --dataset-name preferred.jsonl --max-length 32"
        f" {LOOP} -o hostile/linked-reward",
    ],
    "train crmt": [
        f"train crmt {TABLE} --image-encoder conv --image-side 12 --width 4 {LOOP}"
        " -o hostile/linked-fusion",
        f"train crmt --dataset hostile/tables/rows.csv --image photo --target target {LOOP} -o new",
    ],
    "train federated": [
        f"train federated {TABLE} --client-column kind --image-encoder conv --image-side 12"
        " --width 4 --rounds 1 --use-cpu -q -o hostile/linked-fusion",
        "train federated --dataset hostile/tables/rows.csv --image photo --target target"
        " --client-column id --rounds 1 --use-cpu -q -o new",
    ],
    "methods list": ["methods list"],
    "train align-vl": [
        *each(
            f"train align-vl --latents {{}} --width 4 --blocks 0 {LOOP} -o new",
            ["latents-linked", "latents-climbing"],
        ),
        f"train align-vl --latents latents/pairs --width 4 --blocks 0 {LOOP}"
        " -o hostile/linked-searched",
    ],
    "predict": each(f"predict {{}} {TABLE} --split test -q -o predicted.csv", MODELS),
    "score": each("score {} --input responses.jsonl -q -o scored.jsonl", REWARDS),
    "evaluate downstream": [
        *each(f"evaluate {{}} {TABLE} --levels 0.5 -q -o new", MODELS),
        f"evaluate models/adapters {TABLE} --trust models/adapters --levels 0.5"
        " --corruptions word-dropout -q -o hostile/evaluated",
    ],
    "evaluate reward": each("evaluate reward {} --dataset preferred.jsonl --json", REWARDS),
    "evaluate fusion": [
        *each(
            "evaluate fusion {} --dataset rows.csv --data-dir . --schema fusion.yaml"
            " --threats image --radii 1 --json",
            ["fusion-encoder", "linked-fusion"],
        ),
    ],
    "latents": [
        "latents --dataset rows.csv --data-dir . --schema pairs.yaml -q -o hostile/latents-linked",
        "latents --dataset rows.csv --data-dir . --schema pairs.yaml -q -o hostile/other",
        "latents --dataset rows.csv --schema hostile/outside.yaml -q -o new",
        "latents --dataset rows.csv --data-dir . --schema pairs.yaml --text-encoder"
        " hostile/encoder-kernel -q -o new",
    ],
    "retrieve": [
        *each(
            "retrieve models/searched --latents {} --audio files/r9.wav --page found.html",
            ["latents-outside", "latents-linked", "latents-climbing"],
        ),
        *each(
            "retrieve {} --latents latents/pairs --audio files/r9.wav --page found.html",
            ["aligned-encoder", "linked-searched"],
        ),
    ],
    "ablate crmt": [
        f"ablate crmt {TABLE} --set train.max_steps=1 --image-encoder conv -q -o hostile/ablated"
        " --seeds 1",
    ],
    "ablate align-vl": [
        "ablate align-vl --latents hostile/latents-linked -q -o new",
    ],
    "compare": [
        f"compare {TABLE} -q -o hostile/compared --set augment.engine=scripted",
        f"compare {TABLE} -q -o hostile/other --set augment.engine=scripted",
    ],
    "data list": ["data list"],
    "data show": [
        "data show hostile/tables/rows.csv --image photo",
        "data show rows.csv --schema hostile/outside.yaml",
    ],
    "data init": ["data init hostile/tables/rows.csv -o -"],
    "data fetch": ["data fetch petfinder --sample -o hostile/other"],
    "data check": [
        "data check hostile/tables/rows.csv --image photo",
        *each("data check rows.csv --schema rows.yaml --data-dir . --model {}", MODELS),
    ],
    "prompts list": ["prompts list --prompt-dir hostile/prompts"],
    "prompts show": ["prompts show own/stolen --prompt-dir hostile/prompts"],
    "prompts new": ["prompts new own/stolen hostile/prompts"],
    "prompts lint": ["prompts lint hostile/prompts"],
    "prompts try": [
        f"prompts try own/swap --prompt-dir hostile/prompts {TABLE} {SAY}",
    ],
    "prompts expand": [
        f"prompts expand --prompt-dir hostile/prompts {SAY}",
    ],
    "runs list": ["runs list hostile"],
    "runs show": each("runs show {}", RUNS),
    "runs diff": each("runs diff augmented/finished {}", RUNS),
    "runs resume": each("runs resume {} -q", RUNS),
    "review": [
        *each("review {} --reader anna --export sheet.csv", RUNS),
        "review augmented/finished --reader anna --import hostile/texts.jsonl",
    ],
    "calibrate": each("calibrate {} --keep", RUNS),
    "report": each("report {}", RUNS),
    "lineage": each("lineage r0 --run {}", RUNS),
    "doctor": ["doctor"],
}
LINES = [line for lines in ATTACKS.values() for line in lines]
QUICK = [line for line in LINES if re.match("runs|report|lineage|prompts", line)][::5]
SLOW = [pytest.param(line, marks=pytest.mark.slow) for line in LINES if line not in QUICK]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("built"))


def test_every_command_is_attacked() -> None:
    assert set(ATTACKS) == {name for name, _ in all_commands()}


@pytest.mark.parametrize("line", [*QUICK, *SLOW])
def test_a_hostile_folder_does_no_harm(
    line: str, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = re.findall(r"hostile/([\w.-]+)", line) or ALL
    needed = {*names, "other", *(f"{name}-checkpoints" for name in names)}
    watch = watched(built, needed, tmp_path, monkeypatch)
    said = textcentric(*shlex.split(line))
    assert watch.faults(said.out + said.err) == []
    assert said.code in (0, 2, 3, 4, 75), said.err
    assert "Traceback" not in said.err
    assert said.code == 0 or len(said.err.strip()) > 20
    assert Path("hostile/other/notes.txt").read_text() == "of somebody else"


@pytest.mark.slow
def test_a_model_learnt_from_a_strangers_run_is_trusted_no_more_than_the_run(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = watched(built, ["run-settings"], tmp_path, monkeypatch)
    learnt = textcentric(*shlex.split(f"{DOWNSTREAM} --run hostile/run-settings -o learnt"))
    assert learnt.code == 0, learnt.err
    asked = f"predict learnt {TABLE} --split test -q -o predicted.csv"
    refused = textcentric(*shlex.split(asked))
    assert refused.code == 4
    assert "--trust learnt" in refused.err
    assert "owner/captioner" in refused.err
    assert watch.faults(refused.out + refused.err) == []


@pytest.mark.slow
def test_a_trusted_folders_server_is_told_before_it_is_asked(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = watched(built, ["model-server"], tmp_path, monkeypatch)
    asked = f"predict hostile/model-server {TABLE} --split test --trust hostile/model-server"
    said = textcentric(*shlex.split(asked))
    assert f"downstream.json: origin.settings.engine_settings.base_url = {ADDRESS}" in said.err
    assert f"rows are sent to {ADDRESS}, as hostile/model-server says" in said.err
    assert watch.called != []
