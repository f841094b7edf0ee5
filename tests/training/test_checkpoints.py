"""Checkpoints: whole or refused, few, safe to read, and the same weights after a kill."""

from __future__ import annotations

import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.support.tiny_method import TinyMethod, make_rows, same, settings, train_slowly, weights
from textcentric.errors import RunError, StoppedError
from textcentric.training.checkpoints import _load, checkpoint_folder
from textcentric.training.folder import TrainResult
from textcentric.training.loop import train

SUPPORT = Path(__file__).parents[1] / "support"
ROWS, HELD_OUT = make_rows(22), make_rows(6, seed=1)
STEPS = {"save_strategy": "steps", "save_steps": 3, "save_total_limit": None}


def run(folder: Path, method: TinyMethod | None = None, **changes: Any) -> TrainResult:
    config = settings(folder, **{**STEPS, **changes})
    return train(method or TinyMethod(), config, ROWS, HELD_OUT, quiet=True)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in checkpoint_folder(folder).iterdir())


def forget_after(folder: Path, step: int) -> None:
    """Leave `folder` as if the training had been killed right after the checkpoint of `step`."""
    for path in checkpoint_folder(folder).iterdir():
        if path.name > f"step-{step:08d}":
            shutil.rmtree(path)
    (folder / "train.json").unlink()


@pytest.mark.parametrize("step", [3, 6, 9])
def test_a_resumed_training_gives_the_weights_of_an_undisturbed_one(
    tmp_path: Path, step: int
) -> None:
    whole = run(tmp_path)
    expected = weights(tmp_path)
    forget_after(tmp_path, step)
    random.seed(99)
    np.random.seed(99)
    torch.manual_seed(99)
    method = TinyMethod()
    torch.nn.init.zeros_(method.model.head.weight)
    resumed = run(tmp_path, method)
    assert len(method.seen) == 12 - step
    assert same(weights(tmp_path), expected)
    timeless = {"seconds", "rows_per_second"}
    told = [
        [{k: v for k, v in line.items() if k not in timeless} for line in one.history]
        for one in (whole, resumed)
    ]
    assert told[0] == told[1]


@pytest.mark.slow
def test_a_killed_training_resumes_to_the_same_weights(tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(SUPPORT / "tiny_method.py"), str(folder), "0.05"]
    for reached in ("step-00000006", "step-00000014"):
        process = subprocess.Popen(command, env=environment)
        while process.poll() is None and not (checkpoint_folder(folder) / reached).is_dir():
            time.sleep(0.01)
        time.sleep(0.07)  # somewhere in the next steps
        process.kill()
        assert process.wait() == -signal.SIGKILL
    train_slowly(folder, 0)
    train_slowly(tmp_path / "undisturbed", 0)
    assert same(weights(folder), weights(tmp_path / "undisturbed"))


def test_a_finished_training_runs_no_step_again(tmp_path: Path) -> None:
    first = run(tmp_path, metric_for_best_model="loss")
    expected = weights(tmp_path)
    method = TinyMethod()
    again = run(tmp_path, method, metric_for_best_model="loss")
    assert method.seen == []
    assert (again.metrics, again.best_step) == (first.metrics, first.best_step)
    assert same(weights(tmp_path), expected)
    assert same(method.model.state_dict(), expected)


def test_only_the_newest_and_the_best_are_kept(tmp_path: Path) -> None:
    method = TinyMethod(scores=[0.9, 0.1, 0.2, 0.3])
    run(
        tmp_path,
        method,
        num_train_epochs=4,
        metric_for_best_model="score",
        save_total_limit=2,
    )
    assert names(tmp_path) == ["step-00000006", "step-00000021", "step-00000024"]


def test_a_checkpoint_holds_the_files_of_accelerate_and_our_json(tmp_path: Path) -> None:
    run(tmp_path, max_steps=3)
    files = {path.name for path in (checkpoint_folder(tmp_path) / "step-00000003").iterdir()}
    expected = {"model.safetensors", "optimizer.bin", "scheduler.bin", "random_states_0.pkl"}
    assert files == {*expected, "state.json", "metrics.jsonl"}


def test_the_model_folder_holds_nothing_of_a_checkpoint(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "first"
    run(folder)
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    metadata = {"README.md", "learning_curve.png", "metrics.jsonl", "train.json", "run.lock"}
    assert files == {"model.safetensors", *metadata}
    assert checkpoint_folder(folder) == tmp_path / "models" / "first-checkpoints"
    assert names(folder)[-1] == "step-00000012"


def test_the_checkpoints_of_the_folder_one_is_in_lie_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert checkpoint_folder(Path(".")) == tmp_path.with_name(f"{tmp_path.name}-checkpoints")


def test_a_removed_model_folder_comes_back_with_all_its_figures(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    first = run(folder)
    expected = weights(folder)
    shutil.rmtree(folder)
    method = TinyMethod()
    again = run(folder, method)
    assert method.seen == []
    assert (again.history, again.metrics) == (first.history, first.metrics)
    assert same(weights(folder), expected)


def test_checkpoints_that_cannot_be_written_are_told_before_the_first_step(tmp_path: Path) -> None:
    (tmp_path / "model-checkpoints").write_text("in the way")
    method = TinyMethod()
    with pytest.raises(StoppedError, match=r"cannot write .*model-checkpoints \(File exists\)"):
        run(tmp_path / "model", method)
    assert method.seen == []


def test_without_saving_nothing_is_left_but_the_best_weights_are_restored(tmp_path: Path) -> None:
    method = TinyMethod(scores=[0.9, 0.1])
    result = run(tmp_path, method, save_strategy="no", metric_for_best_model="score")
    assert result.best_step == 6
    assert not checkpoint_folder(tmp_path).exists()
    kept = run(tmp_path / "kept", TinyMethod(scores=[0.9, 0.1]))
    assert same(weights(tmp_path), weights(checkpoint_folder(kept.output_dir) / "step-00000006"))


@pytest.mark.parametrize(
    "name", ["model.safetensors", "optimizer.bin", "random_states_0.pkl", "state.json"]
)
def test_a_truncated_checkpoint_is_refused_and_says_what_to_do(tmp_path: Path, name: str) -> None:
    run(tmp_path)
    newest = checkpoint_folder(tmp_path) / "step-00000012"
    path = newest / name
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(RunError) as raised:
        run(tmp_path)
    told = str(raised.value)
    assert f"the newest checkpoint {newest} is damaged: {name} " in told
    assert told.endswith("remove that folder to go on from step-00000009")


def test_a_missing_or_changed_file_is_refused(tmp_path: Path) -> None:
    run(tmp_path, max_steps=3)
    folder = checkpoint_folder(tmp_path) / "step-00000003"
    content = bytearray((folder / "optimizer.bin").read_bytes())
    content[-50] ^= 1
    (folder / "optimizer.bin").write_bytes(content)
    with pytest.raises(RunError, match=r"optimizer.bin has other content.*to begin anew"):
        run(tmp_path, max_steps=3)
    (folder / "optimizer.bin").unlink()
    with pytest.raises(RunError, match=r"optimizer.bin is missing"):
        run(tmp_path, max_steps=3)


def test_a_checkpoint_of_another_configuration_is_refused_with_the_differences(
    tmp_path: Path,
) -> None:
    run(tmp_path)
    (tmp_path / "train.json").unlink()
    with pytest.raises(RunError) as raised:
        run(tmp_path, TinyMethod(colour="blue"), learning_rate=0.5)
    changed = "fingerprint.colour: red -> blue; train.learning_rate: 0.001 -> 0.5"
    assert f"belongs to another configuration: {changed}. Choose" in str(raised.value)


def test_a_checkpoint_of_other_rows_is_refused(tmp_path: Path) -> None:
    run(tmp_path)
    (tmp_path / "train.json").unlink()
    with pytest.raises(RunError, match=r"rows.train: 22 -> 21"):
        train(TinyMethod(), settings(tmp_path, **STEPS), ROWS[:21], HELD_OUT, quiet=True)


def test_saving_more_often_is_no_other_configuration(tmp_path: Path) -> None:
    run(tmp_path)
    forget_after(tmp_path, 6)
    run(tmp_path, save_steps=1, logging_steps=5)
    assert len(names(tmp_path)) == 2 + 6


def test_resume_never_and_always_are_obeyed(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="holds no checkpoint to resume"):
        run(tmp_path, resume="always")
    run(tmp_path, resume="never")
    with pytest.raises(RunError, match="is there already and resume='never' was given"):
        run(tmp_path, resume="never")
    run(tmp_path, resume="always")


def test_what_a_kill_left_half_written_is_ignored_and_swept_away(tmp_path: Path) -> None:
    draft = checkpoint_folder(tmp_path) / ".step-00000001.tmp"
    draft.mkdir(parents=True)
    (draft / "model.safetensors").write_bytes(b"half")
    (tmp_path / "metrics.jsonl").write_text('{"step": 0}\n{"step": 7, "loss": 1}\n{"step": 8, "lo')
    result = run(tmp_path, max_steps=3)
    assert names(tmp_path) == ["step-00000003"]
    assert [line["step"] for line in result.history] == [0, 1, 2, 3, 3]


def test_a_checkpoint_that_would_run_code_is_not_read(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "owned"),)

    torch.save({"state": Evil()}, tmp_path / "optimizer.bin")
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        _load(tmp_path / "optimizer.bin")
    assert not (tmp_path / "owned").exists()
