"""What an evaluation or a comparison found, as `evaluate` and `compare` print it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def tell_results(results: Mapping[str, Any], folder: Path, *, as_json: bool) -> None:
    """Print the verdict, and where everything lies; or all of it as JSON."""
    if as_json:
        print(json.dumps(results, ensure_ascii=False))
        return
    print(results["verdict"]["sentence"])
    if results["verdict"].get("cheap_wins"):
        print(results["verdict"]["cheap_wins"])
    print(f"results  {folder / 'results.json'}")
    print(f"report   {results['report']}")
