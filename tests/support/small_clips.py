"""Small rows of pictures, sounds, texts and a table, in which every modality tells the class."""

from __future__ import annotations

import csv
import wave
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

CLASSES = ("low", "middle", "high")
HERTZ = (300, 1200, 3500)
SHADES = (30, 120, 220)
WORDS = ("calm dog", "bold cat", "shy bird")


def clips(folder: Path, each: int = 8) -> Path:
    """Write `each` rows of every class and split into `folder`; return the table."""
    (folder / "files").mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    for split in ("train", "validation", "test"):
        for at in range(each * len(CLASSES)):
            place = at % len(CLASSES)
            name = f"{split}{at}"
            pixels = rng.normal(SHADES[place], 25, (12, 12, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / "files" / f"{name}.png")
            write_sound(folder / "files" / f"{name}.wav", HERTZ[place], rng)
            rows.append(
                {
                    "id": name,
                    "class": CLASSES[place],
                    "split": split,
                    "picture": f"files/{name}.png",
                    "sound": f"files/{name}.wav",
                    "words": WORDS[place],
                    "age": place + round(float(rng.normal(0, 0.3)), 2),
                }
            )
    path = folder / "clips.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def schema(*modalities: str) -> dict[str, Any]:
    """Return the roles of the columns of the modalities that are wanted."""
    columns = {"image": "picture", "audio": "sound", "text": "words"}
    roles: dict[str, Any] = {name: columns[name] for name in modalities if name in columns}
    unused = [column for name, column in columns.items() if name not in modalities]
    roles |= {"id": "id", "target": "class", "split": "split", "task": "classification"}
    roles["table"] = ["age"] if "table" in modalities else []
    return roles | {"ignore": unused}


def write_sound(path: Path, hertz: int, rng: np.random.Generator, samples: int = 3200) -> None:
    """Write a noisy tone of so many samples, 16,000 a second."""
    time = np.arange(samples) / 16000
    wave_form = np.sin(2 * np.pi * hertz * time) + 0.2 * rng.normal(size=len(time))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes((wave_form * 8000).astype("<i2").tobytes())
