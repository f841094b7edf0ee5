"""The rows that a training saw, as digests: an evaluation asks whether it is given any of them.

Legend: N rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from textcentric.errors import RunError
from textcentric.rows import Example
from textcentric.security.foreign import foreign

FILE = "rows.npy"
SAID = ("table", "text")  # parts that say the same whenever they are made


def digests(examples: Sequence[Example], *, rewritten: bool = False) -> np.ndarray:
    """Return a digest of the id and one of the words of each row (N, 2), as uint64.

    The second is 0 where an LLM has `rewritten` the words: then a row is known by its id alone.
    """
    pairs = [(_digest(row.id), 0 if rewritten else _words(row)) for row in examples]
    return np.array(pairs, np.uint64).reshape(-1, 2)


def seen(rows: Iterable[Example], known: np.ndarray) -> list[bool]:
    """Say of each row whether it is among the `known` ones (N, 2): the same id, the same words."""
    words: dict[int, set[int]] = {}
    for row_id, said in known.tolist():
        words.setdefault(row_id, set()).add(said)
    return [not {0, _words(row)}.isdisjoint(words.get(_digest(row.id), ())) for row in rows]


def alike(rows: Iterable[Example], known: np.ndarray) -> int:
    """Return how many rows have the words of a `known` one (N, 2), whatever their ids are."""
    words = {*known[:, 1].tolist()} - {0}
    return sum(any(row.parts.get(m) for m in SAID) and _words(row) in words for row in rows)


def read_digests(folder: Path) -> np.ndarray | None:
    """Return the digests that a training kept in `folder`, None where it kept none.

    Raises RunError for what holds anything else.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    with foreign(str(path), RunError, cure="; copy the folder again"):
        known: np.ndarray = np.load(path, allow_pickle=False)
    if known.dtype != np.uint64 or known.ndim != 2 or known.shape[1] != 2:
        raise RunError(f"{path} holds no digests of rows; copy the folder again")
    return known


def _words(row: Example) -> int:
    return _digest("\0".join(row.parts.get(name, "") for name in SAID))


def _digest(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") or 1
