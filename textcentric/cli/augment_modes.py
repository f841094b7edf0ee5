"""What `textcentric augment` does in each of its modes; and `describe`, which is its first step."""

from __future__ import annotations

import json
from typing import Any

from textcentric.cli.run_augment import run_config
from textcentric.cli.terminal import say, silence
from textcentric.config import AugmentConfig
from textcentric.session import load_rows


def augment_command(
    config: AugmentConfig,
    mode: str,
    *,
    preview: int | None = None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Run one mode of `augment`; return the exit code."""
    silence(verbose)
    if mode == "dry-run":
        from textcentric.cli.plan import show_plan

        return show_plan(config, as_json=as_json)
    if preview is not None:
        from textcentric.cli.preview import show_preview

        return show_preview(config, preview, as_json=as_json, quiet=quiet)
    return run_config(config, estimate=mode == "estimate", as_json=as_json, quiet=quiet)


def describe_command(config: AugmentConfig, *, as_json: bool) -> None:
    """Print rows in the experts' words."""
    from textcentric.cli.rows_in_words import in_words

    dataset = load_rows(config)
    for note in dataset.notes:
        say(note)
    for _, described in in_words(config, dataset):
        if described is not None:
            _print_row(described, as_json)


def _print_row(described: Any, as_json: bool) -> None:
    row = described.row
    if as_json:
        value = {"id": row.id, "parts": dict(row.parts), "experts": described.experts}
        print(json.dumps(value | {"notes": described.notes}, ensure_ascii=False))
        return
    print(f"\n== {row.id}")
    for name, text in row.parts.items():
        print(f"[{name}] {text}")
