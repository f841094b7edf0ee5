"""A training step of each fusion variant over one of joint training, in turn, on drawn rows."""

from __future__ import annotations

import tempfile
import time
import wave
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.digits import MODEL
from benchmarks.figure import Bar, Figure, median
from textcentric.rows import Record

BAR = Bar("step_time", "<=", 3, more=" for the slowest that is not adversarial")
QUICK = {"rows": 8, "repeats": 1, "variants": ("jt", "mixup", "mmat", "heads-only")}
CLASSES, RATE, SAMPLES = 4, 8000, 4800  # sounds of 0.6 s
Step = Callable[[], float]


def measure(rows: int = 64, repeats: int = 7, variants: tuple[str, ...] | None = None) -> Figure:
    """Take a step of each variant after one of `jt`, `repeats` times after one to warm up."""
    from textcentric.methods.fusion import VARIANTS

    named = [name for name in variants or VARIANTS if VARIANTS[name].trains != "nothing"]
    with tempfile.TemporaryDirectory(prefix="textcentric-bench-") as folder:
        given = drawn_rows(Path(folder), rows)
        starts = single_models(given, Path(folder))
        steps = {name: step_of(name, given, starts) for name in named}
        for step in steps.values():
            step()
        readings: dict[str, list[float]] = {name: [] for name in named}
        for _ in range(repeats):
            for name, step in steps.items():
                base = steps["jt"]()
                readings[name].append(step() / base)
    ratios = {name: median(found) for name, found in readings.items()}
    gentle = [name for name in named if VARIANTS[name].inputs != "adversarial" and name != "jt"]
    slowest = max(gentle, key=lambda name: ratios[name][0])
    lines = [f"{n} {v:.2f} [{low:.2f}, {high:.2f}]" for n, (v, (low, high)) in ratios.items()]
    return BAR.figure(
        f"a training step over one of jt, {rows} rows of a picture and a sound: {slowest}",
        ratios[slowest],
        raw={"ratios": readings, "rows": rows},
        notes=("; ".join(lines),),
    )


def drawn_rows(folder: Path, rows: int) -> list[Record]:
    """Write a drawn picture and sound for each of `rows` rows."""
    import numpy as np
    from PIL import Image

    drawn = np.random.default_rng(0)
    found = []
    for at in range(rows):
        picture, sound = folder / f"{at}.png", folder / f"{at}.wav"
        Image.fromarray(drawn.integers(0, 255, (28, 28), np.uint8)).save(picture)
        with wave.open(str(sound), "wb") as file:
            file.setparams((1, 2, RATE, SAMPLES, "NONE", ""))
            file.writeframes(drawn.integers(-9999, 9999, SAMPLES).astype("<i2").tobytes())
        inputs = {"image": (str(picture),), "audio": (str(sound),)}
        found.append(Record(str(at), inputs, f"class {at % CLASSES}", split="train"))
    return found


def single_models(rows: list[Record], folder: Path) -> dict[str, str]:
    """Return the folders of untrained models of each modality, for the variants that need them."""
    from textcentric.methods.fusion import Crmt, CrmtConfig

    for name in ("image", "audio"):
        config = CrmtConfig.of(MODEL | {"variant": "jt", "modalities": (name,)})
        Crmt(config, rows, folder).save(folder / name)
    return {name: str(folder / name) for name in ("image", "audio")}


def step_of(variant: str, rows: list[Record], starts: Mapping[str, str]) -> Step:
    """Return what takes a step of a variant and tells its seconds."""
    import torch

    from textcentric.methods.fusion import VARIANTS, Crmt, CrmtConfig

    values: dict[str, Any] = {"start": dict(starts)} if VARIANTS[variant].starts else {}
    method = Crmt(CrmtConfig.of(MODEL | values | {"variant": variant}), rows)
    method.model.train()
    learning = [one for one in method.model.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=1e-4)

    def step() -> float:
        began = time.perf_counter()
        method.loss(method.model, method.collate(rows, 0)).mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        return time.perf_counter() - began

    return step
