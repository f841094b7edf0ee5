"""Trust for Python: a folder that somebody else made, whose settings and code may have effect."""

from __future__ import annotations

from pathlib import Path

from textcentric.api.given import place
from textcentric.api.progress import logged
from textcentric.api.results import Result, Run
from textcentric.errors import Caution
from textcentric.security.brought import trust_folder


def trust(folder: str | Path | Result | Run) -> list[str]:
    """Trust a folder as it stands, from now on, and return what it brings, a line each.

    What a run or model that somebody else made says of servers, engines, models, paths and code
    has effect only then. Trust ends where its settings or its code change. Raises ConfigError
    where there is no such folder, RunError where it holds links.

    >>> trust("models/received")                                                # doctest: +SKIP
    """
    lines = trust_folder(Path(place(folder)))
    for line in lines:
        logged(Caution(line))
    return lines
