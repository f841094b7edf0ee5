"""PAL's head: seconds to add rows of new classes to what is kept of those before."""

from __future__ import annotations

import time

from benchmarks.figure import Bar, Figure, median

BAR = Bar("recursive_ridge", "<", 10, "s", " on 2 cores")
QUICK = {"rows": 300, "width": 60, "repeats": 1}


def measure(rows: int = 10_000, classes: int = 10, width: int = 800, repeats: int = 5) -> Figure:
    """Add rows of new classes to as many of others; then compare with all rows solved at once."""
    import torch

    from textcentric.methods.fusion.ridge import Ridge

    drawn = torch.Generator().manual_seed(0)
    x = torch.randn(2 * rows, width, generator=drawn, dtype=torch.float64).relu()
    y = torch.eye(2 * classes, dtype=torch.float64)[torch.arange(2 * rows) * classes // rows]
    ids = [str(row) for row in range(2 * rows)]
    before = Ridge.begin(width, classes, 10.0).added(x[:rows], y[:rows, :classes], ids[:rows])
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        after = before.widened(2 * classes).added(x[rows:], y[rows:], ids[rows:])
        seconds.append(time.perf_counter() - began)
    at_once = torch.linalg.solve(x.T @ x + 10 * torch.eye(width, dtype=torch.float64), x.T @ y)
    apart = float((after.weights - at_once).abs().max())
    return BAR.figure(
        f"PAL's head: {rows:,} rows of {classes} new classes added, width {width}",
        median(seconds),
        raw={"seconds": seconds, "apart": apart, "threads": torch.get_num_threads()},
        notes=(f"weights at most {apart:.0e} from those of all rows solved at once",),
    )
