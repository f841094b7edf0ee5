"""The file of a journal: made for its owner alone, and opened only where it is one of ours.

A run may have come from somebody else. So links are not followed, what is no table of ours (a view
that never ends, a trigger) is refused, and who only reads changes nothing in the folder.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from textcentric.errors import RunError, StoppedError
from textcentric.security.files import need_real, open_real

ANSWERS = "CREATE TABLE answers (key TEXT PRIMARY KEY, body TEXT NOT NULL, sum INTEGER)"
TABLES = {
    "answers": f"{ANSWERS} WITHOUT ROWID",
    "done": "CREATE TABLE done (source_id TEXT PRIMARY KEY, shard INTEGER NOT NULL) WITHOUT ROWID",
    "shards": "CREATE TABLE shards (number INTEGER PRIMARY KEY)",
    "counts": "CREATE TABLE counts (prompt TEXT, status TEXT, reason TEXT, n INTEGER NOT NULL,"
    " PRIMARY KEY (prompt, status, reason)) WITHOUT ROWID",
    "details": "CREATE TABLE details (prompt TEXT, what TEXT, reason TEXT, n INTEGER NOT NULL,"
    " PRIMARY KEY (prompt, what, reason)) WITHOUT ROWID",
    "written": "CREATE TABLE written (number INTEGER PRIMARY KEY, body TEXT NOT NULL)",
}
COLUMNS = {
    "answers": {"key", "body", "sum"},
    "done": {"source_id", "shard"},
    "shards": {"number"},
    "counts": {"prompt", "status", "reason", "n"},
    "details": {"prompt", "what", "reason", "n"},
    "written": {"number", "body"},
}
BESIDE = ("", "-wal", "-shm", "-journal")  # what SQLite opens by their names
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def open_to_write(path: Path) -> sqlite3.Connection:
    """Open the journal at `path`, made where there is none, with all tables of today."""
    _make(path)
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA trusted_schema=OFF")
    known = _tables(db, path)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=NORMAL")
    for name, made in TABLES.items():
        if name not in known:
            db.execute(made)
    if "answers" in known and "sum" not in known["answers"]:
        db.execute("ALTER TABLE answers ADD COLUMN sum INTEGER")  # of versions before
    return db


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open the journal at `path` and change nothing: neither its file nor the folder.

    Raises RunError where there is none.
    """
    try:
        for beside in BESIDE[1:]:
            if os.path.lexists(f"{path}{beside}"):
                need_real(Path(f"{path}{beside}"))
        need_real(path)
    except OSError as error:
        raise RunError(f"no journal at {path} ({error.strerror})") from error
    db = _connected(path)
    known = _tables(db, path)
    for name, made in TABLES.items():
        if name not in known:  # a version before had none
            db.execute(made.replace("CREATE TABLE", "CREATE TEMP TABLE", 1))
    db.execute("PRAGMA query_only=ON")
    return db


def has_sums(db: sqlite3.Connection) -> bool:
    """Say whether the answers in `db` have checksums."""
    return any(row[1] == "sum" for row in db.execute("PRAGMA table_info(answers)"))


@contextmanager
def guarded(path: Path, doing: str = "written") -> Iterator[None]:
    """Say clearly what is wrong with the journal at `path`, as StoppedError."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)  # none: no UTF-8
        if code & 0xFF in DAMAGED:
            raise StoppedError(
                f"the journal {path} is damaged ({error}); put a copy of it in its place, or move"
                " it away: then the same command asks again for every answer"
            ) from error
        raise StoppedError(_cannot(path, doing, error)) from error
    except OSError as error:
        raise StoppedError(_cannot(path, doing, error.strerror or error)) from error


def _cannot(path: Path, doing: str, why: object) -> str:
    if doing == "read":
        return (
            f"the journal {path} cannot be read ({why}); it is readable for its owner alone, and"
            " a folder that cannot be written is read where nothing writes to it"
        )
    return (
        f"the journal {path} cannot be {doing} ({why}); free space on the disk or"
        " check the folder's permissions, then run the same command again to go on"
    )


def _make(path: Path) -> None:
    """Make an empty file that its owner alone may read, unless a real file lies there."""
    for beside in BESIDE[1:]:
        if os.path.lexists(f"{path}{beside}"):
            need_real(Path(f"{path}{beside}"))
    try:
        file = open_real(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        need_real(path)
        return
    os.fchmod(file, 0o600)  # whatever the umask
    os.close(file)


def _connected(path: Path) -> sqlite3.Connection:
    """Connect so that what a writer has not yet moved into the file is seen, where there is one.

    Without that the file is opened as one that cannot change: SQLite then makes no files beside it.
    """
    wal = Path(f"{path}-wal")
    if wal.exists() and wal.stat().st_size:
        try:
            return _read_only(path, "mode=ro")
        except sqlite3.OperationalError:
            pass  # the folder cannot be written
    return _read_only(path, "immutable=1")


def _read_only(path: Path, how: str) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?{how}"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        for pragma in ("trusted_schema=OFF", "temp_store=MEMORY"):
            db.execute(f"PRAGMA {pragma}")
        db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except sqlite3.Error:
        db.close()
        raise
    return db


def _tables(db: sqlite3.Connection, path: Path) -> dict[str, set[str]]:
    """Return the columns of each table; raises RunError for anything that we do not write."""
    found: dict[str, set[str]] = {}
    for kind, name, made in db.execute("SELECT type, name, sql FROM sqlite_master").fetchall():
        if kind == "index" and made is None:
            continue  # SQLite's own, for a primary key
        plain = kind == "table" and name in COLUMNS and not str(made).startswith("CREATE VIRTUAL")
        columns = db.execute(f"PRAGMA table_xinfo({name})").fetchall() if plain else []
        names = {column[1] for column in columns}
        if not names or names - COLUMNS[name] or any(column[6] for column in columns):
            db.close()
            raise RunError(
                f"{path} is no journal of ours: it holds {str(kind)!r:.20} {str(name)!r:.40}, which"
                " we do not write"
            )
        found[name] = names
    return found
