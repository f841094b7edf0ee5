"""Reward models on the training loop: the same steps in pieces, after a kill, in two processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.methods.reward.test_method import PEFT, SFC, config_of, pairs, settings
from textcentric.methods.reward import Reward
from textcentric.training.loop import train

pytestmark = pytest.mark.filterwarnings("ignore:.*bitsandbytes")

# AdamW turns the noise of a gradient near 0 into a step of the learning rate, and hides its scale:
# steps are small, and norms are compared beside losses.
CLOSE: dict[str, Any] = {"learning_rate": 1e-5, "logging_steps": 1}


def _steps(result: Any) -> list[float]:
    """Return loss and norm of the gradient of each step."""
    told = [line for line in result.history if "loss" in line]
    assert len(told) == result.step
    return [line[name] for line in told for name in ("loss", "grad_norm")]


@pytest.mark.parametrize("values", [{}, SFC])
def test_accumulation_gives_the_same_steps(tmp_path: Path, values: dict[str, Any]) -> None:
    found = []
    for size, pieces in ((4, 1), (2, 2)):
        method = Reward(config_of(tmp_path, **values), pairs())
        batch = {"per_device_train_batch_size": size, "gradient_accumulation_steps": pieces}
        loop = settings(
            tmp_path, **batch, max_steps=3, output_dir=tmp_path / f"out-{size}", **CLOSE
        )
        result = train(method, loop, pairs(11), quiet=True)
        found.append((_steps(result), method))
    assert found[0][0] == pytest.approx(found[1][0], abs=1e-5)
    ours, theirs = (one[1].model.state_dict() for one in found)
    for name, value in ours.items():
        torch.testing.assert_close(theirs[name], value, atol=1e-5, rtol=0)


class Killed(Exception):
    """Stands for the end of a process."""


class Dying(Reward):
    """Is killed in its fifth step."""

    read = 0

    def collate(self, rows: Any, epoch: int) -> dict[str, torch.Tensor]:
        self.read += 1
        if self.read == 5:
            raise Killed
        return super().collate(rows, epoch)


@pytest.mark.parametrize("values", [{}, SFC, {**SFC, "sfc_ema": 0.5}, {**SFC, **PEFT}])
def test_a_killed_training_goes_on_to_the_same_weights(
    tmp_path: Path, values: dict[str, Any]
) -> None:
    known = {"save_strategy": "steps", "save_steps": 2, "max_steps": 8}

    def once(kind: type[Reward], name: str) -> dict[str, torch.Tensor]:
        method = kind(config_of(tmp_path, **values), pairs())
        train(method, settings(tmp_path, **known, output_dir=tmp_path / name), pairs(), quiet=True)
        return {k: v.clone() for k, v in method.model.state_dict().items()}

    whole = once(Reward, "whole")
    with pytest.raises(Killed):
        once(Dying, "killed")
    again = once(Reward, "killed")
    assert all(torch.equal(whole[name], again[name]) for name in whole)


@pytest.mark.slow
def test_two_processes_make_the_steps_that_one_makes(tmp_path: Path) -> None:
    config_of(tmp_path)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    port = ["--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0"]
    worker = Path(__file__).parents[2] / "support" / "ddp_reward.py"
    done = subprocess.run(
        [*launch, *port, str(worker), str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    for name, values in OBJECTIVES.items():
        told = [json.loads((tmp_path / f"{name}-{rank}.json").read_text()) for rank in (0, 1)]
        assert [one["world"] for one in told] == [2, 2]
        assert not set(told[0]["first"]) & set(told[1]["first"])
        loss, weights = trained(tmp_path, name, values, 4)
        assert told[0]["losses"] == told[1]["losses"] == pytest.approx(loss, abs=1e-5)
        theirs = load_file(tmp_path / f"{name}-2" / "model.safetensors")
        for key, value in theirs.items():
            torch.testing.assert_close(weights[key], value, atol=1e-5, rtol=0)


OBJECTIVES: dict[str, dict[str, Any]] = {"bt": {}, "sfc": SFC}


def trained(
    folder: Path, name: str, values: dict[str, Any], size: int
) -> tuple[list[float], dict[str, torch.Tensor]]:
    """Train on 11 pairs, the last batch uneven; return losses and norms, and the weights."""
    method = Reward(config_of(folder, **values), pairs(11))
    loop = settings(folder, max_steps=6, per_device_train_batch_size=size, **CLOSE)
    loop = loop.model_copy(update={"output_dir": folder / f"{name}-{size}"})
    result = train(method, loop, pairs(11), quiet=True)
    return _steps(result), load_file(loop.output_dir / "model.safetensors") if size == 4 else {}
