"""Rounds a minute of a federation: six clients of noise, three of pictures and three of sounds.

A round is the local epoch of every client, one after another, and the server's average. Seconds of
the processors stand beside it, for machines that do other work meanwhile.
"""

from __future__ import annotations

import tempfile
import time
import wave
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure, median
from textcentric.rows import Record

MODEL: dict[str, Any] = {"encoders": {"image": "conv", "audio": "conv"}, "width": 128}
MODEL |= {"image_side": 28, "image_channels": 1, "mel_bins": 40, "mel_frames": 64}
CLASSES = 10
QUICK = {"rows": 8, "rounds": 1}


def measure(rows: int = 64, rounds: int = 3) -> Figure:
    """Run some rounds after one that is not counted, with `rows` rows a client."""
    import numpy as np
    import torch

    from textcentric.methods.fusion.federated.clients import Member
    from textcentric.methods.fusion.federated.config import FederatedConfig
    from textcentric.methods.fusion.federated.rounds import one_round
    from textcentric.methods.fusion.federated.server import next_state
    from textcentric.methods.fusion.federated.training import federated

    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory(prefix="textcentric-bench-") as folder:
        members = [
            Member(f"{name}{at}", (name,), noise(Path(folder), f"{name}{at}", name, rows, rng))
            for name in ("image", "audio")
            for at in range(3)
        ]
        federation = federated(FederatedConfig.of(MODEL), members)
        state, told = federation.begin(), []
        for number in range(rounds + 1):
            began, busy = time.perf_counter(), time.process_time()
            updates = one_round(federation.clients, state, number).updates
            state = next_state(state, updates, federation.config)
            told.append((time.perf_counter() - began, time.process_time() - busy))
    minutes = [60 / wall for wall, _ in told[1:]]
    busy_seconds, _ = median([one for _, one in told[1:]])
    return Figure(
        name="federated_rounds",
        what="rounds a minute of six clients, FedAvg",
        bar="",
        value=median(minutes)[0],
        unit="rounds a minute",
        met=None,
        interval=median(minutes)[1],
        raw={"seconds": told, "rows": rows},
        notes=(
            f"{rows} rows a client, conv encoders, batch 32, {torch.get_num_threads()} threads:"
            f" {busy_seconds:.2f} s of the processors a round",
        ),
    )


def noise(folder: Path, client: str, modality: str, rows: int, rng: Any) -> list[Record]:
    """Return rows of noise whose files lie in `folder`."""
    import numpy as np
    from PIL import Image

    found = []
    for at in range(rows):
        path = folder / f"{client}-{at}.{'png' if modality == 'image' else 'wav'}"
        if modality == "image":
            Image.fromarray(rng.integers(0, 256, (28, 28)).astype(np.uint8)).save(path)
        else:
            with wave.open(str(path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(8000)
                file.writeframes(rng.integers(-8000, 8000, 4000).astype("<i2").tobytes())
        found.append(Record(f"{client}: {at}", {modality: (str(path),)}, target=f"c{at % CLASSES}"))
    return found
