"""Private memory of a training on the latents of a million pairs; mapped pages do not count.

The training runs in a process of its own, which reads its anonymous memory as it goes; that of
the model (weights, gradients, both moments of AdamW) is taken off.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.figure import Bar, Figure
from benchmarks.processes import child

BAR = Bar("latents_memory", "<", 2048, "MB")
WIDTHS = {"image": 1280, "text": 384}
STATES = 4  # tensors as large as the weights
QUICK = {"pairs": 2000, "batch": 64}


def measure(pairs: int = 1_000_000, batch: int = 2048, steps: int = 4) -> Figure:
    """Write latents shard by shard, then train on them in a new process."""
    with tempfile.TemporaryDirectory(prefix="textcentric-bench-") as folder:
        _write(Path(folder) / "latents", pairs)
        found = child("latents_memory", folder, batch, steps)
    return BAR.figure(
        f"private memory of a training on {pairs:,} cached pairs, without the model's",
        found["peak"] - found["model"],
        raw={**found, "pairs": pairs, "batch": batch, "steps": steps, "widths": WIDTHS},
        notes=(
            f"peak {found['peak']:.0f} MB, {found['before']:.0f} after imports,"
            f" {found['model']:.0f} of the model; batches of {batch:,} pairs; latents"
            f" {found['disk']:.0f} MB on disk",
        ),
    )


def _write(folder: Path, pairs: int) -> None:
    """Write latents of which every shard is drawn anew."""
    import numpy as np

    from textcentric.methods.align_vl.latents import write_arrays

    class Drawn:
        """An array that is made when it is sliced."""

        dtype = np.dtype(np.float16)

        def __init__(self, width: int):
            self.shape = (pairs, width)

        def __len__(self) -> int:
            return pairs

        def __getitem__(self, at: slice) -> np.ndarray:
            count = min(at.stop, pairs) - at.start
            numbers = np.random.default_rng(at.start).random((count, self.shape[1]), np.float32)
            return numbers.astype(np.float16)

    arrays = {name: Drawn(width) for name, width in WIDTHS.items()}
    write_arrays(folder, arrays, encoders=dict.fromkeys(WIDTHS, "drawn"))  # type: ignore[arg-type]


class _Watch(threading.Thread):
    """The highest anonymous memory of this process, looked at all the time."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak, self.on = 0.0, True

    def run(self) -> None:
        while self.on:
            self.peak = max(self.peak, anonymous_mb())
            time.sleep(0.02)


def anonymous_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("RssAnon:")[1].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description="Train once; print private memory in MB.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("batch", type=int)
    parser.add_argument("steps", type=int)
    flags = parser.parse_args()
    import textcentric.training.loop
    from textcentric.methods.align_vl import AlignConfig, AlignVl
    from textcentric.methods.align_vl.latents import open_latents
    from textcentric.training.config import TrainConfig

    before = anonymous_mb()
    watch = _Watch()
    watch.start()
    latents = open_latents(flags.folder / "latents")
    rows = latents.rows("train")
    method = AlignVl(AlignConfig(), latents, rows)
    loop = TrainConfig(
        output_dir=flags.folder / "model",
        max_steps=flags.steps,
        per_device_train_batch_size=flags.batch,
        eval_strategy="no",
        save_strategy="no",
        use_cpu=True,
    )
    textcentric.training.loop.train(method, loop, rows, quiet=True)
    watch.on = False
    weights = sum(one.numel() * 4 for one in method.model.parameters()) / 2**20
    disk = sum(path.stat().st_size for path in (flags.folder / "latents").rglob("*.npy")) / 2**20
    told = {"peak": watch.peak, "before": before, "model": STATES * weights, "disk": disk}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
