"""Ids and groups of a table, 8 bytes a row: doubled ids or rows, groups in more than one split.

A row keeps a hash of its id. Only where two hashes are alike are the ids themselves read again.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

SPLITS = (("train", 0.8), ("validation", 0.9), ("test", 1.0))


def hashes(keys: Sequence[str]) -> Any:
    """Return the first 64 bits of a BLAKE2b digest of each key (n,), as unsigned integers."""
    digest = hashlib.blake2b
    parts = [digest(k.encode("utf-8", "surrogatepass"), digest_size=8).digest() for k in keys]
    return np.frombuffer(b"".join(parts), ">u8").astype(np.uint64)


def split_of(key: str) -> str:
    """Return "train" (80 %), "validation" (10 %) or "test" (10 %), always the same for `key`.

    >>> {split_of(str(n)) for n in range(50)} == {"train", "validation", "test"}
    True
    """
    digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    share = int.from_bytes(digest, "big") / 2**64
    return next(name for name, bound in SPLITS if share < bound)


def splits_of(hashed: Any) -> list[str]:
    """Return the splits of keys by their hashes (n,)."""
    bounds = np.array([bound for _, bound in SPLITS[:-1]])
    places = np.searchsorted(bounds, hashed / 2.0**64, side="right")
    names = [name for name, _ in SPLITS]
    return [names[place] for place in places.tolist()]


class Keys:
    """The hashes of the ids of all rows; with them, those of groups where splits are given."""

    def __init__(self) -> None:
        self._ids: list[Any] = []
        self._groups: list[Any] = []
        self._rows: list[Any] = []
        self._splits: dict[str | None, int] = {}

    def add_ids(self, hashed: Any) -> None:
        """Take the hashes (n,) of the ids of a batch into account."""
        self._ids.append(hashed)

    def add_groups(self, groups: Sequence[str | None], splits: Sequence[str | None]) -> None:
        """Take the groups of a batch and the splits of their rows into account."""
        pairs = {pair for pair in zip(groups, splits, strict=True) if pair[0] is not None}
        codes = [self._splits.setdefault(split, len(self._splits)) for _, split in pairs]
        hashed = hashes([group or "" for group, _ in pairs])
        self._groups.append(np.stack([hashed, np.array(codes, np.uint64)], axis=1))

    def add_rows(self, hashed: Any, usable: Any) -> None:
        """Take the hashes (n,) of whole rows into account, of those that are `usable` (n,)."""
        self._rows.append(np.where(usable, hashed, 0))

    def copies(self) -> list[tuple[int, int]]:
        """Return the number of each row that is a copy, from 1, and that of the row it is like."""
        hashed = np.concatenate(self._rows) if self._rows else np.empty(0, np.int64)
        order = np.argsort(hashed, kind="stable")
        ordered = hashed[order]
        alike = np.flatnonzero((ordered[1:] == ordered[:-1]) & (ordered[1:] != 0))
        copies, first = order[alike + 1] + 1, order[alike] + 1
        return sorted(zip(copies.tolist(), first.tolist(), strict=True))

    def doubled(self, ids: Iterable[Sequence[str | None]]) -> list[str]:
        """Return the ids that stand in more than one row; `ids` are read again if need be."""
        alike = _repeated(np.concatenate(self._ids)) if self._ids else set()
        counts: Counter[str] = Counter()
        for batch in ids if alike else ():
            there = [key for key in batch if key is not None]
            at = zip(there, hashes(there).tolist(), strict=True)
            counts.update(key for key, hashed in at if hashed in alike)
        return [key for key, count in counts.items() if count > 1]

    def straddling(self, rows: Iterable[Iterable[tuple[str | None, str | None]]]) -> list[str]:
        """Return the groups that have rows in more than one split.

        `rows` are their (group, split), read again if need be.
        """
        pairs = np.concatenate(self._groups) if self._groups else np.empty((0, 2), np.uint64)
        alike = _repeated(np.unique(pairs, axis=0)[:, 0])
        found: dict[str, set[str | None]] = {}
        for batch in rows if alike else ():
            for group, split in set(batch):
                if group is not None:
                    found.setdefault(group, set()).add(split)
        return [group for group, splits in found.items() if len(splits) > 1]


def _repeated(hashed: Any) -> set[int]:
    """Return the hashes that come more than once."""
    ordered = np.sort(hashed)
    return set(ordered[1:][ordered[1:] == ordered[:-1]].tolist())
