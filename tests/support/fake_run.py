"""A run directory as `augment` leaves it, with invented rows, some of them hostile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

DATA = pa.schema(
    [(name, pa.string()) for name in ("id", "source_id", "dataset", "split", "group")]
    + [("target", pa.float64()), ("prompt", pa.string()), ("sample", pa.int64())]
    + [(name, pa.string()) for name in ("source_text", "text", "parts", "model")]
    + [(name, pa.string()) for name in ("model_revision", "prompt_digest", "sampling")]
    + [("seed", pa.int64())]
    + [(name, pa.string()) for name in ("request_key", "experts", "scores", "notes")]
)
REJECTED = DATA.append(pa.field("reason", pa.string()))
ERRORS = pa.schema(
    [(name, pa.string()) for name in ("id", "source_id", "prompt")]
    + [("sample", pa.int64())]
    + [(name, pa.string()) for name in ("stage", "error_type", "message")]
    + [("attempts", pa.int64())]
)

SCRIPT = "<script>alert(1)</script><img src=x onerror=\"document.title='owned'\">"
JINJA = "{{ 7*7 }} {% for x in range(9) %}{{ x }}{% endfor %}"
RTL = "كلبة هادئة عمرها سنتان، تحب المشي في المساء."
CONTROL = "a\x00b\x07c \u202edesrever\u202c \x1b[31mred"

STORIES = {
    "row-1": "Biscuit is a calm two-year-old who sleeps by the door and greets everyone. He walks"
    " well on a lead, has had his first vaccination, and would suit a flat.",
    "row-2": "Two sisters found behind the bakery in Mill Lane. Plum is the bold one; Pear hides"
    " until the food comes. They must stay together. Call after 6 pm, ask for Ines.",
    "row-3": f"Good with children. {SCRIPT} Ask for the brown one.",
    "row-4": f"Template lover: {JINJA} and nothing else.",
    "row-5": RTL,
    "row-6": "Loves balls 🐕‍🦺🎾, hates baths 🛁!! 10:30 walks only, weighs 3.5 kg.",
    "row-7": "Very long. " + "The old cat sat in the sun and thought of fish. " * 400,
    "row-8": f"Control: {CONTROL} end.",
    'row-9"><b>': "Quiet tortoiseshell, nine months, neutered. Needs a garden & a patient person.",
}
REWRITES = {
    "adversarial/noise": lambda text: text.replace("the", "teh").replace("and", "adn"),
    "adversarial/dropout": lambda text: " ".join(text.split()[::2]),
    "adversarial/paraphrase": lambda text: (
        "Someone patient with a little room would be right for this animal, which has been easy"
        " to live with so far."
    ),
    "adversarial/style-shift": lambda text: text.replace(".", ", honestly.") + " Please share!",
}


def write_run(folder: Path, status: str = "finished") -> Path:
    """Write a whole run directory with nine sources, four prompts and all three outcomes."""
    rows = [row for source in STORIES for row in _outputs(source)]
    by_status: dict[str, list[dict[str, Any]]] = {"accepted": [], "rejected": [], "failed": []}
    for row in rows:
        by_status[row.pop("status")].append(row)
    accepted = by_status["accepted"]
    write_shard(folder / "data" / "part-00000.parquet", accepted[:20], DATA)
    write_shard(folder / "data" / "part-00001.parquet", accepted[20:], DATA)
    write_shard(folder / "rejected" / "part-00000.parquet", by_status["rejected"], REJECTED)
    write_shard(folder / "errors" / "part-00000.parquet", by_status["failed"], ERRORS)
    manifest = _manifest(by_status, status)
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))
    lines = [json.dumps(_reading(t)) for t in range(0, 193)]
    (folder / "metrics.jsonl").write_text("\n".join(lines) + '\n{"t": 193, "row')
    (folder / "run.yaml").write_text("dataset: petfinder\nprompts: adversarial\nseed: 7\n")
    return folder


def write_shard(path: Path, rows: list[dict[str, Any]], schema: pa.Schema) -> None:
    """Write one shard; columns that a row lacks are null."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)


def _outputs(source: str) -> list[dict[str, Any]]:
    number = list(STORIES).index(source)
    table = f"Type: Dog. Age: {3 * number + 2} months. Fee: {'free' if number % 2 else '50'}."
    parts = {"table": table, "text": STORIES[source], "image": "Mostly brown, bright, sharp."}
    clean = _row(source, "clean", parts, parts, "accepted")
    variants = []
    for order, (prompt, rewrite) in enumerate(REWRITES.items()):
        changed = {**parts, "text": rewrite(STORIES[source])}
        if prompt == "adversarial/dropout":
            del changed["image"]
        status = "rejected" if (order + number) % 5 == 4 else "accepted"
        if number == 5 and order == 3:
            status = "failed"
        variants.append(_row(source, prompt, parts, changed, status))
    return [clean, *variants]


def _row(
    source: str, prompt: str, parts: dict[str, str], changed: dict[str, str], status: str
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "status": status,
        "id": source if prompt == "clean" else f"{source}:{prompt}:0",
        "source_id": source,
        "prompt": prompt,
        "sample": 0,
    }
    if status == "failed":
        return row | {
            "stage": "adversarial",
            "error_type": "timeout",
            "message": "the server at port 8000 gave no answer within 60 s <b>",
            "attempts": 3,
        }
    reason = "similarity: 0.31 is below 0.5, the text has drifted from its source"
    return row | {
        "dataset": "petfinder",
        "split": "train",
        "group": "rescuer-12",
        "target": 2.0,
        "source_text": "\n\n".join(parts.values()),
        "text": "\n\n".join(changed.values()),
        "parts": json.dumps(changed),
        "model": "SmolLM2-135M-Instruct",
        "model_revision": "4f1c",
        "prompt_digest": "9b2e11",
        "sampling": json.dumps({"temperature": 0.8, "top_p": 0.95}),
        "seed": 8_812_345,
        "request_key": "5d" * 16,
        "experts": json.dumps({"image": {"name": "efficientnet-lite0", "confidence": 0.71}}),
        "scores": json.dumps({} if prompt == "clean" else {"similarity": 0.8312, "facts": 1.0}),
        "notes": "cut a preamble of 4 words" if prompt.endswith("noise") else "",
        **({"reason": reason} if status == "rejected" else {}),
    }


def _manifest(by_status: dict[str, list[dict[str, Any]]], status: str) -> dict[str, Any]:
    counts: dict[str, dict[str, int]] = {}
    for outcome, rows in by_status.items():
        for row in rows:
            line = counts.setdefault(
                row["prompt"],
                dict.fromkeys(("requested", "accepted", "rejected", "failed", "pending"), 0),
            )
            line["requested"] += 1
            line[outcome] += 1
    totals = {key: sum(line[key] for line in counts.values()) for key in counts["clean"]}
    reasons: dict[str, dict[str, int]] = {}
    for row in by_status["rejected"]:
        by = reasons.setdefault(row["prompt"], {})
        by["similarity too low"] = by.get("similarity too low", 0) + 1
    return {
        "fingerprint": "1f3a9c02",
        "status": status,
        "started": "2025-03-04T10:15:00+00:00",
        "seconds": 192.4,
        "versions": {"textcentric": "0.1.0", "vllm": "0.33.0", "python": "3.11.9"},
        "git": "abc1234",
        "machine": {"cpu": "2 cores", "memory": "8 GB", "gpu": None},
        "seed": 7,
        "dataset": {
            "name": "petfinder",
            "path": "data/petfinder",
            "digest": "77aa01",
            "origin": "sample",
            "rows": len(STORIES),
        },
        "engine": {
            "engine": "vllm",
            "model": "models/SmolLM2-135M-Instruct",
            "model_revision": "4f1c",
            "template_digest": "c0ffee",
        },
        "prompts": {
            name: {"version": 1, "digest": "9b2e11", "label": "keep", "stage": "adversarial"}
            for name in REWRITES
        },
        "counts": counts,
        "totals": totals,
        "reasons": reasons,
        "errors": {"timeout": 1},
        "tokens": {"prompt": 30_000, "cached": 18_600, "output": 9_200},
        "requests": {"sent": 33, "reused": 3},
        "bottleneck": "engine",
    }


def _reading(t: int) -> dict[str, float]:
    """One second of a run that warms up, stalls for a while and empties at the end."""
    busy = 0 if t < 8 else 6 if 90 <= t < 105 else max(0, 193 - t) * 2 if t > 177 else 31
    done = max(0, t - 8) * 45 / 184
    return {
        "t": float(t),
        "rows": int(done / 5),
        "accepted": int(done * 0.8),
        "rejected": int(done * 0.18),
        "failed": int(done * 0.02),
        "sent": int(done),
        "reused": 3,
        "in_flight": busy,
        "capacity": 32,
        "prompt_tokens": int(done * 660),
        "cached_tokens": int(done * 410),
        "output_tokens": int(done * 204 + 40 * ((t * 7919) % 5)) if t > 8 else 0,
    }
