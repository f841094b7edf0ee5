"""A run of many outputs, made quickly, for the browser of the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.fake_run import DATA, write_shard

SHARD = 4_000  # outputs
STORY = "A calm dog who sleeps by the door, walks well on a lead and greets everyone. " * 6


def write_many_rows(folder: Path, outputs: int) -> Path:
    """Write a clean row and four variants of each source; one text says `needle`."""
    for number, start in enumerate(range(0, outputs, SHARD)):
        rows = [_row(place, outputs) for place in range(start, min(start + SHARD, outputs))]
        write_shard(folder / "data" / f"part-{number:05}.parquet", rows, DATA)
    return folder


def _row(place: int, outputs: int) -> dict[str, Any]:
    source, sample = f"row{place // 5}", place % 5
    prompt = f"adversarial/kind-{sample}" if sample else "clean"
    last = " needle" if place == outputs - 1 else ""
    text = f"{STORY.replace('calm', 'clam') if sample else STORY}Number {place // 5}.{last}"
    return {
        "id": f"{source}/{prompt}/0",
        "source_id": source,
        "split": "train",
        "target": float(place // 5 % 5),
        "prompt": prompt,
        "source_text": STORY,
        "text": text,
        "parts": json.dumps({"table": f"Type: dog. Fee: {place // 5}.", "text": text}),
        "scores": json.dumps({"similarity": 1 - place / outputs} if sample else {}),
    }
