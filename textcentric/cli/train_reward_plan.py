"""`train reward --dry-run`: pairs, tokens, steps and device, before anything is written."""

from __future__ import annotations

import json
import math
from typing import Any

from textcentric.cli.launched import first_process, processes
from textcentric.cli.reward_settings import RewardTraining
from textcentric.cli.run_train_reward import Prepared, prepared
from textcentric.cli.terminal import Tell
from textcentric.cli.train_plan import device, holds
from textcentric.training.start import total_steps


def show_reward_training(training: RewardTraining, tell: Tell, *, as_json: bool) -> int:
    """Print what a training would do; the model is built, nothing is written."""
    shown = planned(prepared(training, tell, writes=False))
    if first_process():
        print(json.dumps(shown, ensure_ascii=False) if as_json else _as_text(shown))
    return 0


def planned(ready: Prepared) -> dict[str, Any]:
    """Return the figures of a training that has not begun."""
    loop, method, pairs = ready.loop, ready.method, ready.pairs
    config = method.config
    both = [[len(ids) for ids in method.reader.both(pair)] for pair in pairs.train]
    lengths = [length for pair in both for length in pair]
    batch = loop.per_device_train_batch_size * processes() * loop.gradient_accumulation_steps
    return {
        "pairs": pairs.name,
        "train_pairs": len(pairs.train),
        "held_out_pairs": len(pairs.held_out),
        "descriptions": sorted({name for pair in pairs.train for name in pair.descriptions}),
        "pictures": len({file for pair in pairs.train for file in pair.images}),
        "objective": config.reward_objective,
        "proxy_input": config.proxy_input if config.proxied else None,
        "model": config.model,
        "vision_model": config.vision_model,
        "parameters": sum(one.numel() for one in method.model.parameters()),
        "trained": sum(one.numel() for one in method.model.parameters() if one.requires_grad),
        "tokens_a_text": round(sum(lengths) / len(lengths), 1),
        "longest": max(lengths),
        "full": sum(length >= config.max_length for length in lengths) / len(lengths),
        "max_length": config.max_length,
        "batch": batch,
        "processes": processes(),
        "device": device(loop),
        "mixed_precision": loop.mixed_precision,
        "steps": total_steps(loop, math.ceil(len(pairs.train) / batch)),
        "epochs": loop.num_train_epochs if loop.max_steps < 1 else None,
        "eval_strategy": loop.eval_strategy,
        "output_dir": str(loop.output_dir),
        "output_dir_holds": holds(loop),
    }


def _as_text(shown: dict[str, Any]) -> str:
    how_long = f" ({shown['epochs']:g} epochs)" if shown["epochs"] else ""
    proxy = f", proxy reads {shown['proxy_input']}" if shown["proxy_input"] else ""
    described = ", ".join(shown["descriptions"]) or "none"
    lines = [
        f"pairs    {shown['train_pairs']:,} of {shown['pairs']}, {shown['held_out_pairs']:,} held"
        f" out; descriptions: {described}; pictures: {shown['pictures']:,}",
        f"reads    {shown['tokens_a_text']:,} tokens a text, longest {shown['longest']:,},"
        f" {shown['full']:.0%} at --max-length {shown['max_length']}",
        f"learns   by {shown['objective']}{proxy}",
        f"model    {shown['model']}: {shown['parameters']:,} parameters with the proxy,"
        f" {shown['trained']:,} of them trained",
        f"steps    {shown['steps']:,} of {shown['batch']} pairs{how_long}",
        f"device   {shown['device']}, processes: {shown['processes']}, mixed precision:"
        f" {shown['mixed_precision']}",
        f"into     {shown['output_dir']} (holds {shown['output_dir_holds']})",
    ]
    return "\n".join(lines)
