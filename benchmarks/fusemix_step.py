"""A FuseMix step of the training loop, from cached shards, against a bare PyTorch loop.

The bare loop has the same layers, loss and optimiser, and its latents as tensors in memory; it
does nothing else. What reading the shards adds is read inside our own loop.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.figure import Bar, Figure, median

LOADING = 0.05  # of our step without it
BAR = Bar("fusemix_step", "<=", 1.1, more=f"; loading < {LOADING:.0%}")  # over the bare loop
WIDTHS = {"image": 1280, "text": 384}
MODEL: dict[str, Any] = {"noise_sigma": 0.0, "smoothing": 0.0, "dropout": 0.6, "width": 512}
QUICK = {"positives": 16, "steps": 2, "repeats": 1, "items": 200, "blocks": 1}


def measure(
    positives: int = 2048, steps: int = 3, repeats: int = 5, items: int = 20_000, blocks: int = 4
) -> Figure:
    """Run both loops in turn, `steps` steps each; two pairs are mixed into a positive."""
    import numpy as np
    from transformers.utils.logging import disable_progress_bar

    from textcentric.methods.align_vl.latents import write_arrays

    disable_progress_bar()
    drawn = np.random.default_rng(0)
    arrays = {n: drawn.normal(size=(items, w)).astype(np.float16) for n, w in WIDTHS.items()}
    with tempfile.TemporaryDirectory(prefix="textcentric-bench-") as folder:
        place = Path(folder)
        latents = write_arrays(place / "latents", arrays, encoders=dict.fromkeys(WIDTHS, "drawn"))
        model = MODEL | {"blocks": blocks}
        rounds = []
        for number in range(repeats):
            ours = _ours(latents, model, place / f"model{number}", 2 * positives, steps)
            rounds.append({**ours, "bare": _bare(arrays, model, 2 * positives, steps)})
    loading, bounds = median([one["loading"] / (one["ours"] - one["loading"]) for one in rounds])
    seconds = {name: median([one[name] for one in rounds])[0] for name in ("ours", "bare")}
    return BAR.figure(
        "a FuseMix step of our loop from cached shards, over a bare loop in memory",
        median([one["ours"] / one["bare"] for one in rounds]),
        also=loading < LOADING,
        raw={"seconds": rounds, "positives": positives, "steps": steps, "items": items},
        notes=(
            f"{positives:,} positives of {2 * positives:,} pairs, {WIDTHS} wide, {blocks} blocks:"
            f" {seconds['ours']:.2f} s a step against {seconds['bare']:.2f}",
            f"loading adds {loading:.2%} [{bounds[0]:.2%}, {bounds[1]:.2%}]",
        ),
    )


def _ours(latents: Any, model: dict[str, Any], place: Path, batch: int, steps: int) -> Any:
    """Train; return seconds of a step, and of reading its latents."""
    from textcentric.methods.align_vl import AlignConfig, AlignVl
    from textcentric.training.config import TrainConfig
    from textcentric.training.loop import train

    rows = latents.rows("train")
    method = AlignVl(AlignConfig.of(model), latents, rows)
    inner, loading = method.collate, []

    def collate(rows: Any, epoch: int) -> Any:
        began = time.perf_counter()
        found = inner(rows, epoch)
        loading.append(time.perf_counter() - began)
        return found

    method.collate = collate  # type: ignore[method-assign]
    loop = TrainConfig(
        output_dir=place,
        max_steps=steps,
        per_device_train_batch_size=batch,
        learning_rate=1e-3,
        weight_decay=0.1,
        eval_strategy="no",
        save_strategy="no",
        use_cpu=True,
    )
    done = train(method, loop, rows, quiet=True)
    return {"ours": done.train_seconds / steps, "loading": sum(loading) / steps}


def _bare(arrays: Any, model: dict[str, Any], batch: int, steps: int) -> float:
    """Return the seconds of a step of the same training, written down."""
    import torch
    from torch.nn.functional import cross_entropy, normalize

    from textcentric.methods.align_vl import AlignConfig
    from textcentric.methods.align_vl.model import Adapters

    torch.manual_seed(0)
    held = {name: torch.from_numpy(one).float() for name, one in arrays.items()}
    adapters = Adapters(WIDTHS, AlignConfig.of(model)).train()
    optimizer = torch.optim.AdamW(adapters.parameters(), lr=1e-3, weight_decay=0.1, fused=True)
    order = torch.randperm(len(held["image"]))
    half = batch // 2
    places = torch.arange(half)
    began = time.perf_counter()
    for step in range(steps):
        chosen = order.roll(step * batch)[:batch]
        share = torch.rand(())
        image, text = (held[name][chosen] for name in WIDTHS)
        u = adapters.of("image")(share * image[:half] + (1 - share) * image[half:])
        v = adapters.of("text")(share * text[:half] + (1 - share) * text[half:])
        logits = normalize(u, dim=1) @ normalize(v, dim=1).T / adapters.temperature
        loss = (cross_entropy(logits, places) + cross_entropy(logits.T, places)) / 2
        loss.backward()
        torch.nn.utils.clip_grad_norm_(adapters.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        adapters.clamped_temperature()
    return (time.perf_counter() - began) / steps
