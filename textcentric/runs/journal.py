"""The journal: one SQLite file a run, the only truth from which everything else is built.

Answers are stored under the key of what decided them, and committed in groups: a killed run
loses at most the requests in flight and one group. A shard of finished rows is recorded in the
same file, after its parquet files are in place, so a row is either wholly finished or not at all.
"""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from pydantic_core import to_json

from textcentric.errors import RunError
from textcentric.runs import journal_file
from textcentric.runs.stored_keys import StoredKeys
from textcentric.runs.written import Shard, Written, as_text, parsed
from textcentric.values import Json

GROUP_SIZE = 256  # answers
GROUP_SECONDS = 0.05
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

    def __init__(self, path: Path, *, reuse: Iterable[Path] = (), to_read: bool = False):
        self.path = path = Path(path)
        self.to_read = to_read
        self._pending: dict[str, bytes] = {}
        self._due = 0.0
        opened = journal_file.open_to_read if to_read else journal_file.open_to_write
        with self._guarded():
            self._db = opened(path)
        self._look_ups = [(self._db, _look_up(self._db)), *map(_to_reuse, reuse)]
        self._stored = StoredKeys() if not self._look_ups[1:] and self._empty() else None

    @classmethod
    def reading(cls, path: Path) -> Self:
        """Open the journal at `path` to read it alone; its folder may be one that nobody writes.

        Raises RunError where there is none, or another file.
        """
        return cls(path, to_read=True)

    def get(self, key: str) -> Any | None:
        """Return what was stored under `key`, here or in a journal to reuse, else None.

        What was changed since it was stored counts as not stored, and is forgotten.
        """
        waiting = self._pending.get(key)
        if waiting is not None:
            return json.loads(waiting)
        if self._stored is not None and key not in self._stored:
            return None
        with self._guarded():
            for db, query in self._look_ups:
                if found := db.execute(query, (key,)).fetchone():
                    value = _value(key, *found)
                    if value is not None:
                        return value
                    if db is self._db:
                        self.forget(key)
        return None

    def forget(self, key: str) -> None:
        """Forget the answer under `key`, which is of no use."""
        self._pending.pop(key, None)
        if not self.to_read:
            with self._guarded():
                self._db.execute("DELETE FROM answers WHERE key = ?", (key,))

    def put(self, key: str, value: Json) -> None:
        """Store a JSON value; it is on disk after the group it belongs to is committed."""
        now = time.monotonic()
        if not self._pending:
            self._due = now + GROUP_SECONDS
        self._pending[key] = to_json(value)
        if len(self._pending) >= GROUP_SIZE or now >= self._due:
            self.commit()

    def commit(self) -> None:
        """Write the group that is waiting, if any."""
        if not self._pending:
            return
        with self._guarded(), self._transaction():
            self._db.executemany(
                "INSERT OR IGNORE INTO answers VALUES (?, ?, ?)",
                ((key, body.decode(), _sum(key, body)) for key, body in self._pending.items()),
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
        files: Mapping[str, Written] | None = None,
    ) -> None:
        """Record that shard `number` is in place, in `files`, with all outputs of `sources`."""
        self.commit()
        with self._guarded(), self._transaction():
            self._db.execute("INSERT INTO shards VALUES (?)", (number,))
            if files is not None:
                body = as_text(files, counts, details or {})
                self._db.execute("INSERT OR REPLACE INTO written VALUES (?, ?)", (number, body))
            self._db.executemany("INSERT INTO done VALUES (?, ?)", ((s, number) for s in sources))
            for table, added in (("counts", counts), ("details", details or {})):
                self._db.executemany(
                    f"INSERT INTO {table} VALUES (?, ?, ?, ?)"
                    " ON CONFLICT DO UPDATE SET n = n + excluded.n",
                    ((*count, n) for count, n in added.items()),
                )

    def finished(self, source_id: str) -> bool:
        """Say whether all outputs of a row are in a finished shard."""
        return bool(self._all("SELECT 1 FROM done WHERE source_id = ?", source_id))

    def finished_ids(self) -> frozenset[str]:
        """Return the ids of all finished rows (about 100 bytes each in memory)."""
        return frozenset(row_id for (row_id,) in self._all("SELECT source_id FROM done"))

    def finished_rows(self) -> int:
        """Return how many rows are finished."""
        return int(self._all("SELECT COUNT(*) FROM done")[0][0])

    def shards(self) -> set[int]:
        """Return the numbers of the shards that are in place."""
        return {int(number) for (number,) in self._all("SELECT number FROM shards")}

    def written(self) -> dict[int, Shard]:
        """Return what is known of the files of each shard; nothing of those of versions before."""
        rows = self._all("SELECT number, body FROM written")
        known = {int(number): parsed(body) for number, body in rows}
        return {number: shard for number, shard in known.items() if shard is not None}

    def counts(self) -> dict[Count, int]:
        """Return how many outputs have which status and reason, a prompt each."""
        rows = self._all("SELECT prompt, status, reason, n FROM counts")
        return {(str(p), str(status), str(reason)): _number(n) for p, status, reason, n in rows}

    def details(self) -> dict[Detail, int]:
        """Return what is counted within outputs: parts that were written or absent, pieces."""
        rows = self._all("SELECT prompt, what, reason, n FROM details")
        return {(str(p), str(what), str(reason)): _number(n) for p, what, reason, n in rows}

    def answers(self) -> int:
        """Return how many answers are stored, waiting ones included."""
        return int(self._all("SELECT COUNT(*) FROM answers")[0][0]) + len(self._pending)

    def _all(self, query: str, *values: str) -> list[Any]:
        with self._guarded():
            return self._db.execute(query, values).fetchall()

    def _empty(self) -> bool:
        return not self._all("SELECT 1 FROM answers LIMIT 1")

    def forget_outputs(self) -> None:
        """Forget which rows are finished, so that all outputs are built anew from the answers."""
        with self._guarded(), self._transaction():
            for table in ("done", "shards", "counts", "details", "written"):
                self._db.execute(f"DELETE FROM {table}")

    def forget_shard(self, number: int) -> None:
        """Forget shard `number`, so that its outputs are built anew from the answers.

        Where nothing says what was counted in it, all outputs are forgotten.
        """
        shard = self.written().get(number)
        if shard is None:
            self.forget_outputs()
            return
        with self._guarded(), self._transaction():
            for table in ("shards", "written"):
                self._db.execute(f"DELETE FROM {table} WHERE number = ?", (number,))
            self._db.execute("DELETE FROM done WHERE shard = ?", (number,))
            for table, what, counted in (
                ("counts", "status", shard.counts),
                ("details", "what", shard.details),
            ):
                self._db.executemany(
                    f"UPDATE {table} SET n = n - ? WHERE prompt = ? AND {what} = ? AND reason = ?",
                    ((n, *name) for *name, n in counted),
                )
                self._db.execute(f"DELETE FROM {table} WHERE n <= 0")

    def close(self) -> None:
        """Commit what waits and close the file."""
        try:
            self.commit()
        finally:
            for db, _ in self._look_ups:
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
        with journal_file.guarded(self.path, "read" if self.to_read else "written"):
            yield


def _sum(key: str, body: bytes) -> int:
    """Return the checksum of an answer, in which its key counts: another's is none of it."""
    return zlib.crc32(body, zlib.crc32(key.encode()))


def _value(key: str, body: bytes | None, total: object) -> Any | None:
    """Return a stored value; None of one that was changed, as its checksum or its form tells."""
    if body is None or (total is not None and total != _sum(key, body)):
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _look_up(db: sqlite3.Connection) -> str:
    """Return the query for an answer: as bytes, whatever stands there, and its checksum."""
    total = "sum" if journal_file.has_sums(db) else "NULL"
    return f"SELECT CAST(body AS BLOB), {total} FROM answers WHERE key = ?"


def _to_reuse(path: Path) -> tuple[sqlite3.Connection, str]:
    if not path.is_file():
        raise RunError(f"no journal to reuse at {path}; name a run directory that has one")
    with journal_file.guarded(path, "read"):
        db = journal_file.open_to_read(path)
    return db, _look_up(db)
