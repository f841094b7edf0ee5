"""A `results.json` as a comparison leaves it, invented from a seed, with hostile names in it."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.fake_run import JINJA, SCRIPT

MODALITIES = ("table", "text", "image")
LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)
CONSTANT = 0.0
# name: (what, LLM, clean score, what is lost at level 1)
ARMS = {
    "constant": ("The commonest class.", False, 0.0, 0.0),
    "table-boost": ("Gradient boosting on the table.", False, 0.352, 0.26),
    "late-fusion": ("Frozen features, one head.", False, 0.28, 0.24),
    "plain-text": ("Everything as text, no LLM.", False, 0.305, 0.25),
    "dropout-train": ("plain-text with dropping in training.", False, 0.348, 0.17),
    "aligned": ("Summary and reasoning, no perturbation.", True, 0.312, 0.21),
    "perturbed": ("Perturbation, no alignment.", True, 0.318, 0.20),
    "text-centric": ("All of it.", True, 0.331, 0.16),
    "text-centric+dropout": ("All of it, with dropping in training.", True, 0.357, 0.13),
}
TEXTS = {
    "table": "Type: Dog. Age: 3 months. Fee: free. Colour: brown. Vaccinated: yes.",
    "text": "Biscuit is a calm puppy who sleeps by the door and greets everyone. He walks well on"
    " a lead and would suit a flat.",
    "image": "Mostly brown, bright, sharp. Words: dog, grass, puppy, snout.",
}


def results(seed: int = 0) -> dict[str, Any]:
    """Return results of nine arms, three corruptions, all subsets, orders and changed rows."""
    rng = np.random.default_rng(seed)
    subsets = [list(some) for size in (1, 2) for some in combinations(MODALITIES, size)]
    return {
        "title": "Robustness on PetFinder",
        "dataset": {"name": "petfinder", "path": "data/petfinder", "origin": "sample"},
        "task": "ordinal",
        "metric": "quadratic_kappa",
        "higher_is_better": True,
        "rows": {"train": 1000, "test": 600},
        "seeds": [0, 1, 2],
        "classes": [0, 1, 2, 3, 4],
        "arms": {name: _arm(name) for name in ARMS},
        "cells": _cells(rng, subsets),
        "areas": _areas(),
        "orders": [
            {"arm": name, "mean": 0.3, "worst": 0.27, "flips": 0.08, "orders": 6}
            for name in ("plain-text", "text-centric")
        ],
        "differences": _differences(),
        "changed": _changed(rng),
        "verdict": {
            "shown": True,
            "sentence": "Shown: text-centric+dropout keeps 0.041 more area under kappa against"
            " level than plain-text (95 % interval 0.018 to 0.066; 600 rows, 3 seeds).",
            "cheap_wins": "",
        },
        "reproduce": ["textcentric compare --config compare.yaml", "textcentric report runs/c"],
        "versions": {"textcentric": "0.2.0", "torch": "2.13.0"},
        "machine": "2 cores",
    }


def write_results(folder: Path, content: Any = None) -> Path:
    """Write `results.json` into `folder` and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "results.json"
    path.write_text(json.dumps(results() if content is None else content))
    return path


def _arm(name: str) -> dict[str, Any]:
    what, llm, _, _ = ARMS[name]
    return {
        "what": what,
        "llm": llm,
        "train_seconds": 0.0 if name == "constant" else 312.5,
        "llm_requests": 9_800 if llm else 0,
        "llm_tokens": 2_410_000 if llm else 0,
        "llm_seconds": 11_520.0 if llm else 0,
    }


def _cells(rng: np.random.Generator, subsets: list[list[str]]) -> list[dict[str, Any]]:
    cells = [_cell(name, "clean", 0.0, clean) for name, (_, _, clean, _) in ARMS.items()]
    for name, (_, llm, clean, loss) in ARMS.items():
        for corruption, part in (("all", 1.0), ("word-dropout", 0.5), ("image-words", 0.3)):
            levels = LEVELS if not llm else (0.3, 0.5, 0.7) if corruption == "all" else ()
            for level in levels:
                score = clean - part * loss * level + 0.006 * float(rng.normal()) * (clean > 0)
                cells.append(_cell(name, corruption, level, score))
        for subset in subsets:
            score = clean * (1 - 0.28 * len(subset)) + 0.01 * float(rng.normal()) * (clean > 0)
            cells.append(_cell(name, "missing", None, score) | {"missing": subset})
    return cells


def _cell(arm: str, corruption: str, level: float | None, score: float) -> dict[str, Any]:
    clean = ARMS[arm][2]
    near = clean - CONSTANT < 0.05
    ratio = None if near or corruption == "clean" else (clean - score) / clean
    return {
        "arm": arm,
        "corruption": corruption,
        "level": level,
        "missing": None,
        "n": 600,
        "seeds": 3,
        "score": score,
        "interval": [score - 0.04, score + 0.04] if clean else [0.0, 0.0],
        "seed_scores": [score - 0.01, score, score + 0.01],
        "other": {"accuracy": 0.31},
        "constant": CONSTANT,
        "drop_ratio": ratio,
        "drop_interval": None if ratio is None else [ratio - 0.07, ratio + 0.08],
        "undefined": "the clean score is within 0.05 of the constant's" if near else "",
    }


def _areas() -> list[dict[str, Any]]:
    areas = []
    for name, (_, _, clean, loss) in ARMS.items():
        area = clean - 0.42 * loss
        low_high = [area - 0.03, area + 0.03]
        where = {"arm": name, "corruption": "all", "levels": [0.0, 0.3, 0.5, 0.7]}
        areas.append({**where, "area": area, "mean": area / 0.7, "interval": low_high})
    return areas


def _differences() -> list[dict[str, Any]]:
    rivals = (
        ("text-centric", "plain-text", 0.041, 0.018, 0.066, 1.0),
        ("text-centric+dropout", "dropout-train", 0.009, -0.012, 0.031, 0.79),
        ("perturbed", "dropout-train", -0.021, -0.045, 0.003, 0.05),
    )
    return [
        {
            "arm": arm,
            "against": against,
            "corruption": "all",
            "levels": [0.0, 0.3, 0.5, 0.7],
            "difference": difference,
            "mean": difference / 0.7,
            "interval": [low, high],
            "smallest_detectable": 0.028,
            "p_positive": above,
        }
        for arm, against, difference, low, high, above in rivals
    ]


def _changed(rng: np.random.Generator) -> list[dict[str, Any]]:
    rows = []
    for arm in ("plain-text", "text-centric"):
        for corruption in ("all", "word-dropout", "missing"):
            for position in range(3):
                rows.append(_row(rng, arm, corruption, f"row-{position}"))
    rows[0]["clean_parts"] = TEXTS | {"text": f"Good with children. {SCRIPT} {JINJA}"}
    return rows


def _row(rng: np.random.Generator, arm: str, corruption: str, name: str) -> dict[str, Any]:
    words = TEXTS["text"].split()
    kept = " ".join(word for word in words if rng.random() > 0.3)
    parts = TEXTS | {"text": kept}
    if corruption == "missing":
        parts = {part: TEXTS[part] for part in ("table", "text")}
    if corruption == "all":
        parts = parts | {"table": "Type: Dog. Colour: brown.", "image": "Words: grass, snout."}
    return {
        "arm": arm,
        "id": name,
        "corruption": corruption,
        "level": None if corruption == "missing" else 0.3,
        "target": 2,
        "clean_prediction": 2,
        "corrupted_prediction": 4,
        "clean_parts": dict(TEXTS),
        "corrupted_parts": parts,
    }
