"""Edits of known truth as people read them.

python -m benchmarks.show_edits --show 40
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.edit_rows import passages
from benchmarks.edits import KnownEdit, make_edits


def show(edits: Sequence[KnownEdit]) -> Iterator[str]:
    """Yield each edit as people read it."""
    for edit in edits:
        yield f"{edit.kind} ({edit.passage.origin}, {edit.half or 'no word'})"
        yield f"  {edit.passage.text}\n  {edit.variant}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--show", type=int, default=40, metavar="N", help="edits to print")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, help="folder of real rows: petfinder, airbnb")
    flags = parser.parse_args()
    print("\n".join(show(make_edits(passages(flags.data), flags.show, flags.seed))))


if __name__ == "__main__":
    main()
