"""What `fixtures/before` was made by, and what is asked of it: the same commands now as then.

Commands are given in a copy of that folder, so every path in them and in it is relative.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import textcentric as tc

FOLDER = Path(__file__).parents[1] / "fixtures" / "before"
PROMPTS = "own/*,align/plain,reason/explain,judge/label-kept"
WORDS = "calm bold gentle curious sleepy proud lively patient".split()

RAW = "--dataset rows.csv --data-dir . --schema"
SAID = {
    "Retell: ": "",
    "Summarise.": "A calm dog wants a home.",
    "How fast": json.dumps({"prediction": "fast", "explanation": "It is bold."}),
}  # of new rows, where a model reads what an LLM writes
LLM = f"--engine scripted --set 'engine.answer={json.dumps(SAID)}'"
LOOP = "--max-steps 2 --learning-rate 0.01 --use-cpu"
DOWNSTREAM = f"train downstream --model bert --max-length 64 {LOOP}"
TRAININGS = {
    "downstream": f"{DOWNSTREAM} --run augmented/finished -o models/downstream",
    "adapters": f"{DOWNSTREAM} {RAW} rows.yaml --image-expert pixels --lora-rank 2"
    " -o models/adapters",
    "reward": f"train reward --model-name-or-path bert --max-length 32 {LOOP} --save-proxy"
    " --dataset-name preferred.jsonl --reward-objective sfc -o models/reward",
    "fusion": f"train crmt {RAW} fusion.yaml --image-encoder conv --image-side 12 --width 4 {LOOP}"
    " --set crmt.second_steps=20 -o models/fusion",
    "aligned": f"train align-vl --latents latents/arrays --width 4 --blocks 1 {LOOP}"
    " -o models/aligned",
    "searched": f"train align-vl --latents latents/pairs --width 4 --blocks 0 {LOOP}"
    " -o models/searched",
}
LATENTS = f"latents {RAW} pairs.yaml -o latents/pairs --json"
SCORES = "score models/reward --input responses.jsonl"
LINEAGE = "lineage --run augmented/finished --json"
PREDICT = f"predict {RAW} rows.yaml --split test {LLM}"
QUESTIONS = {
    "a finished run": "runs show augmented/finished --json",
    "an interrupted run": "runs show augmented/interrupted --json",
    "the runs of a folder": "runs list augmented --json",
    "outputs of a row": f"{LINEAGE} r0",
    "an accepted output": f"{LINEAGE} r0/own/swap/1",
    "a rejected output": f"{LINEAGE} r0/own/whole/0",
    "a failed output": f"{LINEAGE} r4/own/whole/0",
    "a clean row": f"{LINEAGE} r8/clean/0",
    "latents": LATENTS,
    "predictions": f"{PREDICT} models/downstream",
    "predictions by an adapter": f"{PREDICT} models/adapters --trust models/adapters",
    "scores": SCORES,
    "preferences": "evaluate reward models/reward --dataset preferred.jsonl --json",
    "attacks": f"evaluate fusion models/fusion {RAW} fusion.yaml --threats image --radii 1 --json",
    "recall": "retrieve models/aligned --latents latents/arrays --json",
    "a search": "retrieve models/searched --latents latents/pairs --audio files/r9.wav --json",
}  # each prints JSON, or JSON lines
EVALUATION = (
    f"evaluate models/downstream models/adapters --trust models/adapters {RAW} rows.yaml"
    f" --levels 0.5 --most-missing 1 --json -o evaluated {LLM}"
)


def answer(request: tc.Request) -> str | Exception:
    """Answer by what is asked and the seed alone: a key that changes changes no text."""
    asked = request.messages[-1].content
    draw = random.Random(f"{request.sampling.seed}/{asked}")
    if "Second listing:" in asked:
        verdict = "no" if draw.random() < 0.2 else "yes"
        return json.dumps({"verdict": verdict, "reason": "It was read."})
    if "How fast" in asked:
        return json.dumps({"prediction": draw.choice(["slow", "fast"]), "explanation": "It runs."})
    row, _, task = asked.rpartition("\n\n")
    if task == "Summarise.":
        return f"Somebody offers a {draw.choice(WORDS)} animal to a {draw.choice(WORDS)} home."
    if task == "Rewrite all." and "row 4" in row:
        return tc.RequestError("the server answered 500 three times", kind="server", attempts=3)
    if draw.random() < 0.15:
        return "I cannot help with that."
    words = (row if task == "Rewrite all." else task.partition(": ")[2]).split()
    for _ in range(min(3, len(words))):
        at = draw.randrange(len(words))
        words[at] = words[at][::-1] + draw.choice("aeiou")
    return " ".join(words)


def augment(
    folder: str | Path,
    say: Callable[[tc.Request], str | Exception] = answer,
    *,
    reuse: Sequence[str] = (),
) -> tc.ScriptedEngine:
    """Augment the rows into `folder` and return the engine, which keeps what it was asked."""
    engine = tc.ScriptedEngine(say, concurrency=4)
    tc.augment(
        "rows.csv",
        table_schema="rows.yaml",
        data_dir=".",
        prompts=PROMPTS,
        prompt_dir="prompts",
        engine=engine,
        output_dir=folder,
        samples=2,
        image_expert="pixels",
        embeddings=False,
        max_failed=0.5,
        seed=7,
        reuse=reuse,
    )
    return engine


def working_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a copy of what the version before left, on a machine that trusts nothing of it.

    For a fixture.
    """
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "before"
    shutil.copytree(FOLDER, folder)
    monkeypatch.chdir(folder)
    return folder
