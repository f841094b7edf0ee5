"""What a folder brings, as a person is shown it when they trust the folder."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from textcentric.errors import ConfigError, cut
from textcentric.security.files import read_text
from textcentric.security.trust import that_count, trust
from textcentric.security.visible import visible

# Names of settings that act beyond a folder.
ACTING = re.compile(
    r"(?:^|\.)(?:auto_map|engine_settings|encoders)\.|(?:^|\.)(?:trust_remote_code|engine|model"
    r"|dataset|data_dir|prompt_dir|table_schema|reuse|use_kernels|encoder"
    r"|\w*_(?:url|expert|model|engine|implementation|name_or_path))$"
)
MOST = 20  # settings of a file


def trust_folder(folder: Path) -> list[str]:
    """Trust `folder` as it stands, from now on; return lines that say what it brings.

    Raises ConfigError where there is no such folder, RunError where it holds links or pipes.
    """
    if not folder.is_dir():
        raise ConfigError(f"there is no folder {folder} to trust")
    trust(folder)
    return [f"{folder} is trusted as it stands", *(f"  {line}" for line in brought(folder))]


def brought(folder: Path) -> list[str]:
    """Return a line for each setting that acts beyond `folder`, and for each file of code."""
    lines = []
    for path in sorted(that_count(folder)):
        name = path.relative_to(folder)
        if path.suffix == ".py":
            lines.append(f"{name}: code, which runs where a model needs it")
            continue
        said = list(_said(_values(path)))
        lines += [f"{name}: {key} = {value}" for key, value in said[:MOST]]
        lines += [f"{name}: and {len(said) - MOST} more"] if len(said) > MOST else []
    return [visible(line) for line in lines]


def _values(path: Path) -> object:
    """Return what a file of settings says, its lines of YAML as they stand."""
    text = read_text(path)
    if path.suffix == ".json":
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return {"": "not JSON"}
    pairs = (line.partition(": ") for line in text.splitlines() if not line.startswith((" ", "-")))
    return {name: value for name, colon, value in pairs if colon}


def _said(values: object, before: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield settings by their whole names, those that act and say something."""
    if not isinstance(values, dict) or depth > 6:
        return
    for name, value in values.items():
        whole = f"{before}{name}"
        if isinstance(value, dict) and value:
            yield from _said(value, f"{whole}.", depth + 1)
        elif ACTING.search(whole) and value not in (None, "", False, {}, [], "null", "{}", "[]"):
            yield whole, cut(value)
