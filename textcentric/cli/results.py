"""What an evaluation or a comparison found, as `evaluate` and `compare` print it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textcentric.cli.terminal import show, show_json


def tell_results(results: Mapping[str, Any], folder: Path, *, as_json: bool) -> None:
    """Print the verdict, what to beware of, and where everything lies; or all of it as JSON."""
    if as_json:
        show_json(results)
        return
    show(results["verdict"]["sentence"])
    if results["verdict"].get("cheap_wins"):
        show(results["verdict"]["cheap_wins"])
    for line in results.get("warnings", ()):
        show(line)
    show(f"results  {folder / 'results.json'}")
    show(f"report   {results['report']}")
