"""The journal: one SQLite file a run, the only truth from which everything else is built.

Answers are stored under the key of what decided them, and committed in groups: a killed run
loses at most the requests in flight and one group. A shard of finished rows is recorded in the
same file, after its parquet files are in place, so a row is either wholly finished or not at all.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from textcentric.errors import RunError, StoppedError
from textcentric.values import Json

GROUP_SIZE = 256  # answers
GROUP_SECONDS = 0.05
TABLES = """
CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS done (source_id TEXT PRIMARY KEY, shard INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS shards (number INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS counts (
    prompt TEXT, status TEXT, reason TEXT, n INTEGER NOT NULL, PRIMARY KEY (prompt, status, reason)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS details (
    prompt TEXT, what TEXT, reason TEXT, n INTEGER NOT NULL, PRIMARY KEY (prompt, what, reason)
) WITHOUT ROWID;
"""
Count = tuple[str, str, str]  # prompt, status, reason
# Within an output: prompt; WRITTEN or ABSENT of a part of a clean row, PIECE of a refused one; why.
Detail = tuple[str, str, str]
WRITTEN, ABSENT, PIECE = "written", "absent", "piece"


class Journal:
    """Answers by key, and which rows are finished.

    >>> journal = Journal(tmp / "journal.sqlite")
    >>> journal.put("k", {"text": "hello"})
    >>> journal.get("k")
    {'text': 'hello'}
    """

    def __init__(self, path: Path, *, reuse: Iterable[Path] = ()):
        self.path = path
        self._pending: dict[str, str] = {}
        self._due = 0.0
        with self._guarded():
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(TABLES)
        self._others = [_read_only(other) for other in reuse]
        self._stored = _Stored() if not self._others and self._empty() else None

    def get(self, key: str) -> Any | None:
        """Return what was stored under `key`, here or in a journal to reuse, else None."""
        body = self._pending.get(key)
        if body is None and (self._stored is None or key in self._stored):
            body = self._look_up(key)
        return None if body is None else json.loads(body)

    def _look_up(self, key: str) -> str | None:
        query = "SELECT body FROM answers WHERE key = ?"
        with self._guarded():
            for db in (self._db, *self._others):
                found = db.execute(query, (key,)).fetchone()
                if found:
                    return str(found[0])
        return None

    def put(self, key: str, value: Json) -> None:
        """Store a JSON value; it is on disk after the group it belongs to is committed."""
        now = time.monotonic()
        if not self._pending:
            self._due = now + GROUP_SECONDS
        self._pending[key] = to_json(value).decode()
        if len(self._pending) >= GROUP_SIZE or now >= self._due:
            self.commit()

    def commit(self) -> None:
        """Write the group that is waiting, if any."""
        if not self._pending:
            return
        with self._guarded(), self._transaction():
            self._db.executemany(
                "INSERT OR IGNORE INTO answers VALUES (?, ?)", self._pending.items()
            )
        if self._stored is not None:
            for key in self._pending:
                self._stored.add(key)
        self._pending.clear()

    def finish_shard(
        self,
        number: int,
        sources: Iterable[str],
        counts: Mapping[Count, int],
        details: Mapping[Detail, int] | None = None,
    ) -> None:
        """Record that shard `number` is in place and holds all outputs of `sources`."""
        self.commit()
        with self._guarded(), self._transaction():
            self._db.execute("INSERT INTO shards VALUES (?)", (number,))
            self._db.executemany("INSERT INTO done VALUES (?, ?)", ((s, number) for s in sources))
            for table, added in (("counts", counts), ("details", details or {})):
                self._db.executemany(
                    f"INSERT INTO {table} VALUES (?, ?, ?, ?)"
                    " ON CONFLICT DO UPDATE SET n = n + excluded.n",
                    ((*count, n) for count, n in added.items()),
                )

    def finished(self, source_id: str) -> bool:
        """Say whether all outputs of a row are in a finished shard."""
        query = "SELECT 1 FROM done WHERE source_id = ?"
        return self._db.execute(query, (source_id,)).fetchone() is not None

    def finished_ids(self) -> frozenset[str]:
        """Return the ids of all finished rows (about 100 bytes each in memory)."""
        return frozenset(row_id for (row_id,) in self._db.execute("SELECT source_id FROM done"))

    def finished_rows(self) -> int:
        """Return how many rows are finished."""
        return int(self._db.execute("SELECT COUNT(*) FROM done").fetchone()[0])

    def shards(self) -> set[int]:
        """Return the numbers of the shards that are in place."""
        return {number for (number,) in self._db.execute("SELECT number FROM shards")}

    def counts(self) -> dict[Count, int]:
        """Return how many outputs have which status and reason, a prompt each."""
        rows = self._db.execute("SELECT prompt, status, reason, n FROM counts")
        return {(prompt, status, reason): n for prompt, status, reason, n in rows}

    def details(self) -> dict[Detail, int]:
        """Return what is counted within outputs: parts that were written or absent, pieces."""
        rows = self._db.execute("SELECT prompt, what, reason, n FROM details")
        return {(prompt, what, reason): n for prompt, what, reason, n in rows}

    def answers(self) -> int:
        """Return how many answers are stored, waiting ones included."""
        return int(self._db.execute("SELECT COUNT(*) FROM answers").fetchone()[0]) + len(
            self._pending
        )

    def _empty(self) -> bool:
        return self._db.execute("SELECT 1 FROM answers LIMIT 1").fetchone() is None

    def forget_outputs(self) -> None:
        """Forget which rows are finished, so that all outputs are built anew from the answers."""
        with self._guarded(), self._transaction():
            for table in ("done", "shards", "counts", "details"):
                self._db.execute(f"DELETE FROM {table}")

    def close(self) -> None:
        """Commit what waits and close the file."""
        try:
            self.commit()
        finally:
            for db in (self._db, *self._others):
                db.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise StoppedError(
                f"the journal {self.path} cannot be written ({error}); free space on the disk or"
                " check the folder's permissions, then run the same command again to go on"
            ) from error


class _Stored:
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


def _read_only(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise RunError(f"no journal to reuse at {path}; name a run directory that has one")
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)
