"""A run that somebody else made, with everything in it that should not work."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.faults.scene import Scene, Tried


def hostile(scene: Scene) -> Iterator[Tried]:
    """To come."""
    yield from ()
