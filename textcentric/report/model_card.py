"""The model card of a trained folder: what was trained, on what, with what, how well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from textcentric.folders import write_text
from textcentric.report.run_card import plain
from textcentric.values import Json


def write_train_card(
    folder: Path,
    *,
    method: str,
    facts: Mapping[str, Json],
    metrics: Mapping[str, float],
    settings: Mapping[str, Json],
    notes: Sequence[str] = (),
    usage: str = "",
) -> Path:
    """Write README.md, the model card of `folder`, and return its path.

    `facts` say what the model is and what it saw, `metrics` are those of the held-out rows,
    `settings` the configuration of the loop, `notes` what else to know, in sentences. Names come
    from outside and are shown literally.
    `usage` is Markdown that says how the model is loaded.
    """
    from huggingface_hub import ModelCard, ModelCardData

    front = ModelCardData(
        license="unknown",
        library_name="transformers",
        tags=["textcentric", method, "robustness"],
        metrics=sorted(metrics) or None,
    ).to_yaml()
    scores = {name: f"{value:.4f}" for name, value in metrics.items()}
    curve = "![loss and metric against steps](learning_curve.png)\n"
    sections = [
        f"# A `{plain(method)}` model, trained by textcentric\n",
        "Weights are safetensors and the configuration is JSON: loading them executes nothing.\n",
        usage,
        _table("Held-out rows", ("metric", "value"), scores),
        "".join(f"- {plain(note)}\n" for note in notes),
        curve if (folder / "learning_curve.png").is_file() else "",
        _table("What it is", ("fact", "value"), _flat(facts)),
        _table("How it was trained", ("setting", "value"), _flat(settings)),
    ]
    body = "\n".join(section for section in sections if section)
    card = ModelCard(f"---\n{front}\n---\n\n{body}", ignore_metadata_errors=False)
    path = folder / "README.md"
    write_text(path, str(card))
    return path


def _table(title: str, head: tuple[str, str], rows: Mapping[str, Json]) -> str:
    if not rows:
        return ""
    lines = [f"## {title}\n", f"| {head[0]} | {head[1]} |", "|---|---|"]
    lines += [f"| {plain(name)} | {plain(value)} |" for name, value in rows.items()]
    return "\n".join(lines) + "\n"


def _flat(values: Mapping[str, Json], prefix: str = "") -> dict[str, Json]:
    """Return nested keys joined by dots; what was not set is left out."""
    found: dict[str, Json] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{name}.")
        elif value not in (None, ""):
            found[f"{prefix}{name}"] = value
    return found
