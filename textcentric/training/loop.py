"""The one training loop, for every method: Accelerate, read from top to bottom.

The same code runs in one process on a CPU and under `accelerate launch` or `torchrun` on many.
The loss of an optimiser step is the sum of the row losses of all processes and micro-batches,
divided by the number of rows in that step, so the number of processes changes nothing.

Legend: B rows of a micro-batch.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace

import torch
from accelerate import Accelerator
from accelerate.utils import send_to_device, set_seed
from torch import Tensor
from transformers import get_scheduler

from textcentric.errors import ConfigError, DataError
from textcentric.folders import writing
from textcentric.runs.counters import Steps
from textcentric.runs.lock import lock
from textcentric.training.batches import batches, micro_batches, share
from textcentric.training.checkpoints import Checkpoints
from textcentric.training.config import TrainConfig, When
from textcentric.training.constant import no_better
from textcentric.training.folder import (
    TrainResult,
    refuse_other_model,
    usage_of,
    write_metadata,
    write_model,
)
from textcentric.training.held_out import (
    best_metric,
    held_out_metrics,
    in_words,
    judge,
    last_metrics,
)
from textcentric.training.log import TrainLog
from textcentric.training.processes import Interrupts
from textcentric.training.protocol import Identified, Method, Row
from textcentric.training.start import (
    check_rows,
    make_optimizer,
    open_accelerator,
    row_id,
    total_steps,
    trackers,
    training_identity,
    warmup_steps,
)


def train(
    method: Method[Row],
    config: TrainConfig,
    train_rows: Sequence[Row],
    eval_rows: Sequence[Row] = (),
    *,
    quiet: bool = False,
    steps: Steps | None = None,
) -> TrainResult:
    """Train `method.model` and write model, card and curve into `output_dir`.

    Unless it is `quiet`, people are shown how far it is, and `steps` is told.
    Checkpoints lie beside it, in `<output_dir>-checkpoints`, and a training goes on from the newest
    one, bit for bit. Ctrl-C or SIGTERM leaves one and raises KeyboardInterrupt. Raises DataError
    where there are no rows or a loss is not finite, RunError where the folder belongs to another
    configuration, ConfigError for what cannot be done here.

    >>> train(method, TrainConfig(output_dir="runs/first"), rows, held_out)    # doctest: +SKIP
    """
    check_rows(config, train_rows, eval_rows)
    accelerator = open_accelerator(config)
    main = accelerator.is_main_process
    with (
        lock(config.output_dir) if main else nullcontext(),
        trackers(accelerator, config),
        Interrupts() as interrupts,
        TrainLog(
            config.output_dir, active=main, quiet=quiet, track=accelerator.log, steps=steps
        ) as log,
    ):
        try:
            return _train(method, config, train_rows, eval_rows, accelerator, interrupts, log)
        finally:  # the model goes back to its method as it came
            accelerator.unwrap_model(method.model, keep_fp32_wrapper=False)
            method.model.__dict__.pop("_is_accelerate_prepared", None)
            accelerator.free_memory()


def _train(
    method: Method[Row],
    config: TrainConfig,
    train_rows: Sequence[Row],
    eval_rows: Sequence[Row],
    accelerator: Accelerator,
    interrupts: Interrupts,
    log: TrainLog,
) -> TrainResult:
    """Run the training from its first step, or from the newest checkpoint, to its end."""
    set_seed(config.seed, device_specific=True)
    rank, world = accelerator.process_index, accelerator.num_processes
    size, device = config.per_device_train_batch_size, accelerator.device
    batch_size = size * world * config.gradient_accumulation_steps
    lengths = method.lengths(train_rows)
    steps = total_steps(config, math.ceil(len(train_rows) / batch_size))

    optimizer = make_optimizer(method.model, config, device)
    scheduler = get_scheduler(
        config.lr_scheduler_type, optimizer, warmup_steps(config, steps), steps
    )
    model, optimizer, scheduler = accelerator.prepare(method.model, optimizer, scheduler)
    parameters = [one for one in model.parameters() if one.requires_grad]

    identity = training_identity(method, config, train_rows, eval_rows, lengths, accelerator)
    checkpoints = Checkpoints(
        accelerator, config.output_dir, identity, limit=config.save_total_limit
    )
    refuse_other_model(config.output_dir, identity)
    state = checkpoints.begin(config.resume, model, optimizer, scheduler)
    log.begin(state.step, steps)
    if state.step:
        log.say(f"going on from step {state.step} of {steps}, in {checkpoints.folder}")
    began = time.monotonic() - state.seconds
    sum_loss, sum_rows = 0.0, 0

    model.train()
    while state.step < steps and not state.stopped:
        order = batches(
            lengths, batch_size, config.seed, state.epoch, config.train_sampling_strategy
        )
        for batch in order[state.position :]:
            # Forward and backward: gradients add up over micro-batches, processes average theirs.
            # A process without rows in an uneven last batch takes part with a row of weight 0.
            mine = share(batch, rank, world)
            weight = world / len(batch) if mine else 0.0
            pieces = micro_batches(mine or batch[:1], size)
            row_losses = []
            for number, piece in enumerate(pieces, start=1):
                rows = [train_rows[i] for i in piece]
                with nullcontext() if number == len(pieces) else accelerator.no_sync(model):
                    inputs = send_to_device(method.collate(rows, state.epoch), device)
                    losses = _checked(method.loss(model, inputs), rows)  # (B,)
                    accelerator.backward(losses.sum() * weight)
                row_losses.append(losses.detach())

            # One look at the device a step, shared by all processes: is the loss finite, has
            # anyone been interrupted?
            norm = accelerator.clip_grad_norm_(parameters, config.max_grad_norm or math.inf)
            seen = torch.cat(row_losses)
            loss = seen.sum() if mine else seen.sum() * 0
            sums = accelerator.reduce(
                torch.stack([loss, loss.new_tensor(float(interrupts.asked))]), "sum"
            )
            total, asked, grad_norm = torch.cat([sums, norm.reshape(1).to(sums)]).tolist()
            scaled = accelerator.scaler is not None  # fp16: the scaler skips steps that overflow
            if not math.isfinite(total) or not (scaled or math.isfinite(grad_norm)):
                raise _not_finite(train_rows, batch, mine, seen, state.step + 1)
            learning_rate = scheduler.get_last_lr()[0]
            optimizer.step()
            if not accelerator.optimizer_step_was_skipped:
                scheduler.step()
            optimizer.zero_grad(set_to_none=True)

            # Where are we?
            state.step += 1
            state.position += 1
            epoch = state.epoch + state.position / len(order)
            end_of_epoch = state.position == len(order)
            if end_of_epoch:
                state.epoch, state.position = state.epoch + 1, 0
            state.seconds = time.monotonic() - began
            sum_loss, sum_rows = sum_loss + total, sum_rows + len(batch)
            log.show(state.step, epoch, total / len(batch), len(batch))
            if state.step % config.logging_steps == 0 or state.step == steps:
                log.note(
                    state.step,
                    epoch=epoch,
                    loss=sum_loss / sum_rows,
                    learning_rate=learning_rate,
                    grad_norm=grad_norm,
                    rows_per_second=log.rate,
                    seconds=state.seconds,
                )
                sum_loss, sum_rows = 0.0, 0

            # Evaluate, save, stop.
            best_before, last = state.best_step, state.step == steps
            if _due(config.eval_strategy, config.eval_steps, state.step, end_of_epoch, last):
                metrics = held_out_metrics(method, config, eval_rows, accelerator)
                judge(metrics, config, state, accelerator)
                log.note(state.step, epoch=epoch, **{f"eval_{k}": v for k, v in metrics.items()})
                log.say(f"step {state.step}: " + in_words(metrics))
            state.seconds = time.monotonic() - began
            save = _due(config.save_strategy, config.save_steps, state.step, end_of_epoch, last)
            stopping = bool(state.stopped) and config.save_strategy != "no"
            if save or stopping or asked or state.best_step != best_before:
                with writing(checkpoints.folder):
                    path = checkpoints.save(state)
            if asked and not (last or state.stopped):
                log.say(f"interrupted; the same command goes on from {path}")
                raise KeyboardInterrupt
            if last or state.stopped:
                break

    # Keep the best weights, and write what people and `load` need.
    accelerator.wait_for_everyone()
    if state.best_step is not None:
        checkpoints.restore(model, state.best_step)
    if config.save_strategy == "no":
        checkpoints.clear()
    result = TrainResult(
        output_dir=config.output_dir,
        step=state.step,
        metrics=last_metrics(log, state.best_step or state.step),
        best_step=state.best_step,
        stopped=state.stopped,
        train_seconds=state.seconds,
        history=log.lines(),
        metric=best_metric(config),
    )
    if accelerator.is_main_process:
        result.metrics.update(
            method.finish(train_rows, eval_rows, config.per_device_eval_batch_size)
        )
        if not steps and config.eval_strategy != "no":
            result.metrics.update(held_out_metrics(method, config, eval_rows, accelerator))
        beside = no_better(result.metrics, result.metric)
        result = replace(result, notes=(*method.notes, *([beside] if beside else [])))
        with writing(config.output_dir):
            write_model(method, config.output_dir)
            usage = usage_of(method, config.output_dir)
            write_metadata(method.name, identity, result, usage=usage)
    accelerator.wait_for_everyone()
    return result


def _checked(losses: Tensor, rows: Sequence[Identified]) -> Tensor:
    if losses.shape != (len(rows),):
        raise ConfigError(
            f"the method's loss has shape {tuple(losses.shape)}, expected one a row: {len(rows)}"
        )
    return losses.float()


def _not_finite(
    rows: Sequence[Identified], batch: Sequence[int], mine: Sequence[int], losses: Tensor, step: int
) -> DataError:
    """Say which rows of the batch, on this process, have a loss that is no number."""
    finite = torch.isfinite(losses).tolist()
    bad = [row_id(rows[i]) for i, ok in zip(mine, finite, strict=False) if not ok]
    what = f"the loss of {', '.join(map(repr, bad))}" if bad else "the loss or its gradient"
    names = ", ".join(repr(row_id(rows[i])) for i in batch)
    return DataError(
        f"step {step}: {what} is not finite, so the step was not made; the rows of its batch:"
        f" {names}. Look at their targets, or lower learning_rate",
        row_id=bad[0] if bad else None,
    )


def _due(when: When, every: int, step: int, end_of_epoch: bool, last: bool) -> bool:
    if when == "no":
        return False
    return last or (end_of_epoch if when == "epoch" else step % every == 0)
