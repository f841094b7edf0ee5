"""Which keys a journal has stored, in little memory: a Bloom filter."""

from __future__ import annotations


class StoredKeys:
    """A Bloom filter of the keys stored: on a fresh journal it spares nearly every look-up.

    4 MiB, whatever the run's length; beside 1 million keys, 1 in 250 others looks stored.
    """

    bits = 1 << 25

    def __init__(self) -> None:
        self._field = bytearray(self.bits // 8)

    def add(self, key: str) -> None:
        for at in self._places(key):
            self._field[at >> 3] |= 1 << (at & 7)

    def __contains__(self, key: str) -> bool:
        return all(self._field[at >> 3] >> (at & 7) & 1 for at in self._places(key))

    def _places(self, key: str) -> tuple[int, ...]:
        digest = hash(key)
        return digest % self.bits, (digest >> 32) % self.bits
