"""The training loop: what it learns, keeps, says and refuses; one process or two."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from pydantic import ValidationError
from torch import Tensor

from tests.support.ddp_worker import CASES, SIZE, rows_by_step
from tests.support.small_run import hear_interrupts
from tests.support.tiny_method import TinyMethod, make_rows, same, settings, weights
from textcentric.errors import ConfigError, DataError, RunError
from textcentric.training.batches import batches
from textcentric.training.checkpoints import checkpoint_folder
from textcentric.training.config import TrainConfig
from textcentric.training.folder import TrainResult
from textcentric.training.loop import train

SUPPORT = Path(__file__).parents[1] / "support"
ROWS, HELD_OUT = make_rows(22), make_rows(6, seed=1)


def run(folder: Path, method: TinyMethod | None = None, **changes: Any) -> TrainResult:
    config = settings(folder, **changes)
    return train(method or TinyMethod(), config, ROWS, HELD_OUT, quiet=True)


def losses(result: TrainResult) -> list[float]:
    return [line["loss"] for line in result.history if "loss" in line]


@pytest.mark.usefixtures("drawn_learning_curves")
def test_training_learns_and_leaves_model_curve_card_and_figures(tmp_path: Path) -> None:
    method = TinyMethod()
    with torch.no_grad():
        before = method.evaluate(HELD_OUT, 8)["loss"]
    result = run(tmp_path, method, num_train_epochs=8)
    assert result.metrics["loss"] < 0.5 * before
    assert result.step == 8 * 6
    files = {path.name for path in tmp_path.iterdir()}
    assert files >= {"model.safetensors", "README.md", "learning_curve.png", "metrics.jsonl"}
    with Image.open(tmp_path / "learning_curve.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (960, 540))
    assert same(weights(tmp_path), method.model.state_dict())
    facts = json.loads((tmp_path / "train.json").read_text())
    assert facts["metrics"] == result.metrics
    assert facts["identity"]["rows"]["train"] == 22
    card = (tmp_path / "README.md").read_text()
    assert "| loss | " in card
    assert "| learning\\_rate | 0.001 |" in card


def test_every_used_parameter_moves_and_an_unused_one_stays(tmp_path: Path) -> None:
    method = TinyMethod()
    before = {name: one.detach().clone() for name, one in method.model.named_parameters()}
    run(tmp_path, method, max_steps=2, warmup_steps=0)
    for name, one in method.model.named_parameters():
        unused = "pooler" in name
        assert torch.equal(one, before[name]) == unused, name


def test_the_loss_of_a_step_is_the_mean_over_its_rows_however_they_are_split(
    tmp_path: Path,
) -> None:
    whole = run(tmp_path / "1", TinyMethod(dropout=0), per_device_train_batch_size=8)
    split = run(
        tmp_path / "2",
        TinyMethod(dropout=0),
        per_device_train_batch_size=2,
        gradient_accumulation_steps=4,
    )
    assert losses(whole) == pytest.approx(losses(split), abs=1e-6)
    one, other = weights(tmp_path / "1"), weights(tmp_path / "2")
    assert all(torch.allclose(one[name], other[name], atol=1e-6) for name in one)


def test_the_loop_does_what_a_naive_loop_does(tmp_path: Path) -> None:
    method, naive = TinyMethod(dropout=0), TinyMethod(dropout=0)
    shape = {"lr_scheduler_type": "constant", "max_grad_norm": 0.05}
    run(tmp_path, method, num_train_epochs=1, weight_decay=0.1, **shape)

    vectors = [one for one in naive.model.parameters() if one.ndim == 1]
    matrices = [one for one in naive.model.parameters() if one.ndim == 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3)
    order = batches(naive.lengths(ROWS), 4, 0, 0, "group_by_length")
    for batch in order:
        optimizer.zero_grad()
        inputs = naive.collate([ROWS[row] for row in batch], 0)
        naive.loss(naive.model, inputs).mean().backward()
        torch.nn.utils.clip_grad_norm_(naive.model.parameters(), 0.05)
        optimizer.step()
    for name, one in method.model.state_dict().items():
        assert torch.allclose(one, naive.model.state_dict()[name], atol=1e-6), name


def test_warm_up_rises_and_cosine_falls_to_zero(tmp_path: Path) -> None:
    result = run(tmp_path, num_train_epochs=2, warmup_steps=0.25, eval_strategy="no")
    rates = [line["learning_rate"] for line in result.history]
    assert rates[:4] == pytest.approx([0, 1e-3 / 3, 2e-3 / 3, 1e-3])
    assert rates[4:] == pytest.approx([5e-4 * (1 + math.cos(math.pi * i / 9)) for i in range(1, 9)])


def test_rows_change_their_order_but_not_their_batches_between_runs(tmp_path: Path) -> None:
    first, second = TinyMethod(), TinyMethod()
    run(tmp_path / "1", first)
    run(tmp_path / "2", second)
    assert first.seen == second.seen
    assert first.epochs == [0] * 6 + [1] * 6
    assert first.seen[:6] != first.seen[6:]
    assert same(weights(tmp_path / "1"), weights(tmp_path / "2"))


@pytest.mark.filterwarnings("ignore:mixed_precision='bf16'. this CPU has no AVX-512")
def test_bf16_trains_in_bf16_and_gives_the_model_back_as_it_was(tmp_path: Path) -> None:
    method, seen = TinyMethod(), []

    class Watching(TinyMethod):
        def loss(self, model: torch.nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
            seen.append(torch.is_autocast_enabled("cpu"))
            hook = self.model.head.register_forward_hook(lambda m, i, out: seen.append(out.dtype))
            found = super().loss(model, batch)
            hook.remove()
            return found

    watching = Watching()
    run(tmp_path / "1", watching, max_steps=2, mixed_precision="bf16")
    assert seen[:2] == [False, torch.bfloat16]
    assert next(watching.model.parameters()).dtype == torch.float32
    out = watching.model(torch.ones(1, 2, dtype=torch.long), torch.ones(1, 2, dtype=torch.long))
    assert out.dtype == torch.float32
    run(tmp_path / "2", method, max_steps=1)  # another precision in the same process


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_bf16_on_a_cpu_that_emulates_it_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: str
) -> None:
    monkeypatch.setattr("textcentric.training.start.cpu_dtype", lambda: dtype)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        run(tmp_path, max_steps=1, mixed_precision="bf16")
    slow = [one for one in told if "has no AVX-512" in str(one.message)]
    assert len(slow) == (dtype == "float32")


def test_the_precision_of_accelerate_launch_holds_where_none_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "bf16")
    assert TrainConfig(output_dir=tmp_path).mixed_precision == "bf16"
    assert TrainConfig(output_dir=tmp_path, mixed_precision="no").mixed_precision == "no"
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "fp8")
    with pytest.raises(ValueError, match="fp8"):
        TrainConfig(output_dir=tmp_path)


def test_fp16_without_a_gpu_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="fp16"):
        run(tmp_path, mixed_precision="fp16")


def test_the_best_weights_are_restored(tmp_path: Path) -> None:
    method = TinyMethod(scores=[0.1, 0.9, 0.3, 0.2])
    result = run(tmp_path, method, num_train_epochs=4, metric_for_best_model="eval_score")
    assert (result.best_step, result.metrics) == (12, {"score": 0.9})
    best = TinyMethod(scores=[0.1, 0.9, 0.3, 0.2])
    run(tmp_path / "all", best, num_train_epochs=4, save_total_limit=None)
    folder = checkpoint_folder(tmp_path / "all") / "step-00000012"
    assert same(weights(tmp_path), weights(folder))
    assert same(weights(tmp_path), method.model.state_dict())


def test_training_stops_when_the_metric_no_longer_improves(tmp_path: Path) -> None:
    method = TinyMethod(scores=[0.1, 0.9, 0.3, math.nan, 0.95])
    result = run(
        tmp_path,
        method,
        num_train_epochs=9,
        metric_for_best_model="score",
        early_stopping_patience=2,
    )
    assert result.step == 4 * 6
    assert result.stopped == "score did not improve in 2 evaluations"
    assert result.best_step == 2 * 6


def test_a_loss_is_better_when_it_is_lower(tmp_path: Path) -> None:
    result = run(tmp_path, num_train_epochs=6, metric_for_best_model="loss")
    evaluated = {line["step"]: line["eval_loss"] for line in result.history if "eval_loss" in line}
    assert result.best_step == min(evaluated, key=evaluated.__getitem__)


def test_an_unknown_metric_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'score'"):
        run(tmp_path, TinyMethod(scores=[1.0]), metric_for_best_model="scores")


def test_a_loss_that_is_not_finite_stops_before_the_step_and_names_the_rows(
    tmp_path: Path,
) -> None:
    rows = [*ROWS[:5], replace(ROWS[5], target=math.nan), *ROWS[6:]]
    method = TinyMethod()
    config = settings(tmp_path, warmup_steps=0, per_device_train_batch_size=11)
    with pytest.raises(
        DataError, match=r"the loss of 'row-5' is not finite.*'row-\d+', "
    ) as raised:
        train(method, config, rows, HELD_OUT, quiet=True)
    assert raised.value.row_id == "row-5"
    assert all(torch.isfinite(one).all() for one in method.model.state_dict().values())


def test_a_loss_of_the_wrong_shape_is_refused(tmp_path: Path) -> None:
    class Mean(TinyMethod):
        def loss(self, model: torch.nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
            return super().loss(model, batch).mean()

    with pytest.raises(ConfigError, match=r"shape \(\), expected one a row: 4"):
        run(tmp_path, Mean())


def test_no_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no rows to train on"):
        train(TinyMethod(), settings(tmp_path), [], HELD_OUT)
    with pytest.raises(DataError, match="needs held-out rows"):
        train(TinyMethod(), settings(tmp_path), ROWS, [])


def test_a_frozen_model_is_refused(tmp_path: Path) -> None:
    method = TinyMethod()
    method.model.requires_grad_(False)
    with pytest.raises(ConfigError, match=r"no parameter that can be trained.*max_steps=0"):
        run(tmp_path, method)


def test_without_a_step_a_model_is_evaluated_and_kept_as_it_is(tmp_path: Path) -> None:
    method = TinyMethod()
    method.model.requires_grad_(False)
    before = {name: one.clone() for name, one in method.model.state_dict().items()}
    result = run(tmp_path, method, max_steps=0)
    assert (result.step, result.history, result.best_step) == (0, [], None)
    method.model.eval()
    with torch.no_grad():
        assert result.metrics == method.evaluate(HELD_OUT, 8)
    assert same(weights(tmp_path), before)


def test_a_tracker_that_is_not_installed_is_refused(tmp_path: Path) -> None:
    if find_spec("wandb"):
        pytest.skip("wandb is installed here")
    with pytest.raises(ConfigError, match="pip install wandb"):
        run(tmp_path, report_to="wandb")


def test_tensorboard_gets_the_same_figures(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    result = run(tmp_path, report_to="tensorboard")
    events = EventAccumulator(str(tmp_path / "logs" / "textcentric"))
    events.Reload()
    assert [e.value for e in events.Scalars("loss")] == pytest.approx(losses(result))
    assert [e.step for e in events.Scalars("eval_loss")] == [6, 12]


def test_progress_has_rate_and_remaining_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("textcentric.training.log.PLAIN_SECONDS", 0.0)
    train(TinyMethod(), settings(tmp_path), ROWS, HELD_OUT)
    told = capsys.readouterr().err
    assert "step 6/12, epoch 1.00, loss 0." in told
    assert " rows/s, 0:00:0" in told
    assert "step 12: loss 0." in told


@pytest.mark.parametrize(
    "wrong",
    [
        {"learning_rat": 1e-4},
        {"learning_rate": 0},
        {"lr_scheduler_type": "cosin"},
        {"early_stopping_patience": 2},
        {"metric_for_best_model": "loss", "eval_strategy": "no"},
    ],
)
def test_settings_that_do_not_fit_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TrainConfig(output_dir=tmp_path, **wrong)


def test_the_folder_of_another_configuration_is_refused(tmp_path: Path) -> None:
    run(tmp_path, save_strategy="no")
    assert not checkpoint_folder(tmp_path).exists()
    with pytest.raises(RunError, match=r"fingerprint.colour: red -> blue"):
        run(tmp_path, TinyMethod(colour="blue"))


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    from textcentric.runs.lock import lock

    with lock(tmp_path), pytest.raises(RunError, match=f"in use by process {os.getpid()}"):
        run(tmp_path)


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_training_goes_on_to_the_same_weights(
    tmp_path: Path, kind: signal.Signals
) -> None:
    hear_interrupts()
    run(tmp_path / "undisturbed")

    class Interrupted(TinyMethod):
        def collate(self, rows: Any, epoch: int) -> dict[str, Tensor]:
            if len(self.seen) == 3:
                signal.raise_signal(kind)
            return super().collate(rows, epoch)

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "stopped", Interrupted())
    assert [one.name for one in checkpoint_folder(tmp_path / "stopped").iterdir()] == [
        "step-00000004"
    ]
    method = TinyMethod()
    run(tmp_path / "stopped", method)
    assert len(method.seen) == 12 - 4
    assert same(weights(tmp_path / "stopped"), weights(tmp_path / "undisturbed"))


def test_training_outside_the_main_thread_works(tmp_path: Path) -> None:
    found: list[TrainResult] = []
    thread = threading.Thread(target=lambda: found.append(run(tmp_path, max_steps=1)))
    thread.start()
    thread.join()
    assert found[0].step == 1


Steps = list[list[str]]  # the ids of the rows of each optimiser step


@pytest.mark.slow
def test_two_processes_make_the_steps_that_one_makes(tmp_path: Path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    port = ["--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0"]
    done = subprocess.run(
        [*launch, *port, str(SUPPORT / "ddp_worker.py"), str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    for name, (rows, changes) in CASES.items():
        told = [json.loads((tmp_path / f"{name}-{rank}.json").read_text()) for rank in (0, 1)]
        assert [one["world"] for one in told] == [2, 2]
        changes = {**changes, "per_device_train_batch_size": 2 * changes[SIZE]}
        config, method = settings(tmp_path / f"{name}-alone", **changes), TinyMethod(dropout=0)
        with rows_by_step(method) as steps:
            one = train(method, config, make_rows(rows), HELD_OUT, quiet=True)
        _check_shares(steps, *(one["steps"] for one in told))
        assert told[0]["losses"] == pytest.approx(losses(one), abs=1e-5)
        assert len(told[0]["losses"]) == one.step
        ours, theirs = weights(one.output_dir), weights(tmp_path / name)
        assert all(torch.allclose(ours[k], theirs[k], atol=1e-5, rtol=0) for k in ours), name
    assert [json.loads((tmp_path / f"resumed-{rank}.json").read_text()) for rank in (0, 1)] == [
        True,
        True,
    ]


def _check_shares(alone: Steps, first: Steps, second: Steps) -> None:
    """Assert that two processes read, step by step, different rows of those that one reads."""
    assert len(alone) == len(first) == len(second) > 0
    for whole, ours, theirs in zip(alone, first, second, strict=True):
        if len(whole) == 1:  # the process that has none takes part with a row that weighs nothing
            assert ours == theirs == whole
            continue
        assert not set(ours) & set(theirs)
        assert sorted(ours + theirs) == sorted(whole)
