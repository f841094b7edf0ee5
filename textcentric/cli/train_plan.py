"""`train downstream --dry-run`: rows, tokens, steps and device, before anything is written."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from textcentric.cli.launched import first_process, processes
from textcentric.cli.train_rows import (
    TrainingRows,
    check_classes,
    check_metric,
    fitted,
    training_rows,
)
from textcentric.cli.train_settings import Training
from textcentric.methods.downstream import Downstream
from textcentric.training.checkpoints import checkpoint_folder
from textcentric.training.config import TrainConfig
from textcentric.training.folder import FACTS
from textcentric.training.start import total_steps


def show_training(training: Training, tell: Callable[[str], None], *, as_json: bool) -> int:
    """Print what a training would do; the model is built, nothing is written."""
    rows = training_rows(training, None)
    loop = fitted(training.loop(), training, rows, tell)
    method = Downstream(
        training.method(), rows.train, calibrate_on=rows.held_out or None, origin=rows.origin
    )
    check_metric(loop, method.decision.task)
    check_classes(loop, method, rows, tell)
    shown = planned(method, loop, rows)
    if first_process():
        print(json.dumps(shown, ensure_ascii=False) if as_json else _as_text(shown))
    return 0


def planned(method: Downstream, loop: TrainConfig, rows: TrainingRows) -> dict[str, Any]:
    """Return the figures of a training that has not begun."""
    lengths = method.lengths(rows.train)
    config, decision = method.config, method.decision
    train, held_out = rows.counts
    batch = loop.per_device_train_batch_size * processes() * loop.gradient_accumulation_steps
    read = sum(min(config.variants, len(row.variants)) for row in rows.train)
    texts = 1 + config.variant_share * read / len(rows.train)  # of a row in an epoch
    mean = sum(lengths) / len(lengths)
    return {
        "rows": rows.name,
        "train_rows": train,
        "held_out_rows": held_out,
        "variants": sum(len(row.variants) for row in rows.train),
        "parts": sorted(method.known),
        "task": decision.task,
        "classes": dict(zip(map(str, decision.classes), decision.counts, strict=True)),
        "model": config.model,
        "parameters": sum(one.numel() for one in method.model.parameters()),
        "trained": sum(one.numel() for one in method.model.parameters() if one.requires_grad),
        "tokens_a_row": round(mean, 1),
        "longest": max(lengths),
        "full": sum(length >= config.max_length for length in lengths) / len(lengths),
        "max_length": config.max_length,
        "tokens_an_epoch": round(mean * train * texts),
        "batch": batch,
        "processes": processes(),
        "device": device(loop),
        "mixed_precision": loop.mixed_precision,
        "steps": total_steps(loop, math.ceil(train / batch)),
        "epochs": loop.num_train_epochs if loop.max_steps < 1 else None,
        "eval_strategy": loop.eval_strategy,
        "output_dir": str(loop.output_dir),
        "output_dir_holds": holds(loop),
    }


def device(loop: TrainConfig) -> str:
    """Return where the training would run."""
    import torch

    if loop.use_cpu or not torch.accelerator.is_available():
        return "cpu"
    return str(torch.accelerator.current_accelerator())


def holds(loop: TrainConfig) -> str:
    """Return what the folder of the training holds already."""
    folder = loop.output_dir
    if (folder / FACTS).is_file():
        return "a trained model"
    begun = any(checkpoint_folder(folder).glob("step-*"))
    return "a training, to go on with" if begun else "nothing yet"


def _as_text(shown: dict[str, Any]) -> str:
    classes = ", ".join(f"{label}: {count}" for label, count in shown["classes"].items())
    how_long = f" ({shown['epochs']:g} epochs)" if shown["epochs"] else ""
    lines = [
        f"rows     {shown['train_rows']:,} of {shown['rows']} with {shown['variants']:,} variants,"
        f" {shown['held_out_rows']:,} held out",
        f"task     {shown['task']}" + (f" ({classes})" if classes else ""),
        f"reads    {', '.join(shown['parts'])}: {shown['tokens_a_row']:,} tokens a row,"
        f" longest {shown['longest']:,}, {shown['full']:.0%} at --max-length"
        f" {shown['max_length']}",
        f"model    {shown['model']}: {shown['parameters']:,} parameters,"
        f" {shown['trained']:,} of them trained",
        f"steps    {shown['steps']:,} of {shown['batch']} rows{how_long}, about"
        f" {shown['tokens_an_epoch']:,} tokens an epoch",
        f"device   {shown['device']}, processes: {shown['processes']}, mixed precision:"
        f" {shown['mixed_precision']}",
        f"into     {shown['output_dir']} (holds {shown['output_dir_holds']})",
    ]
    return "\n".join(lines)
