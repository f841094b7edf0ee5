"""CRMT's second step on cached scores: seconds of all its full-batch steps."""

from __future__ import annotations

import time

from benchmarks.figure import Bar, Figure, median

BAR = Bar("step_two", "<", 5, "s", " on 2 cores")
QUICK = {"rows": 200, "steps": 5, "repeats": 1}


def measure(
    rows: int = 20_000, classes: int = 31, modalities: int = 2, steps: int = 400, repeats: int = 5
) -> Figure:
    """Take the step `repeats` times on scores drawn once.

    A tenth of the rows guard it, so easy to tell that they never end it early.
    """
    import torch

    from textcentric.methods.fusion.crmt.radius import Head
    from textcentric.methods.fusion.crmt.step_two import Cached, step_two

    drawn = torch.Generator().manual_seed(0)
    labels = torch.arange(rows) % classes
    scores = torch.randn(rows, modalities, classes, generator=drawn)
    scores[torch.arange(rows), :, labels] += 3
    known = Cached(scores, labels)
    easy = scores[: rows // 10].clone()
    easy[torch.arange(len(easy)), :, labels[: len(easy)]] += 1000
    guard = Cached(easy, labels[: len(easy)])
    head = Head(torch.full((modalities, classes), 0.1), torch.zeros(classes))
    tau = 0.5 + torch.rand(modalities, classes, generator=drawn)
    seconds, gains = [], []
    for _ in range(repeats):
        began = time.perf_counter()
        found = step_two(known, head, tau, held_out=guard, steps=steps)
        seconds.append(time.perf_counter() - began)
        gains.append((found.before, found.after))
    return BAR.figure(
        f"CRMT's second step: {rows:,} rows, {classes} classes, {steps} full-batch steps",
        median(seconds),
        raw={"seconds": seconds, "radius": gains, "threads": torch.get_num_threads()},
        notes=(f"mean radius {gains[0][0]:.3f} before, {gains[0][1]:.3f} after",),
    )
