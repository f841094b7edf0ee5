"""Whose word counts: what a folder brings has effect only where it was made or trusted here.

A run, a model or latents say how they were made: a server's address, an engine with its settings,
names of models, paths, leave to run code. To whoever made them here that is their own word, and to
everybody else a stranger's. A record on this machine holds a digest of each file of settings or
code that was written here, or that stood in a folder when a person trusted it (`--trust FOLDER`,
`tc.trust`). A folder is trusted where all such files in it are recorded: one that changes or comes
beside them makes it a stranger's again, and what a command writes vouches for no other file.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shlex
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from textcentric.errors import TrustError
from textcentric.errors import said as by_flag_or_call
from textcentric.security.effects import by_weight, effects
from textcentric.security.files import check_real, entries, open_real, read_bytes
from textcentric.security.visible import in_line

RECORD = "trusted"
# The files of a folder that say what has effect beyond it, at any depth (a reward model holds a
# proxy, an encoder of sentences its modules), and every `*config*.json`: libraries find some by
# names in others. Nothing that is written later, such as figures and reports, is called so.
SETTINGS = frozenset(
    "run.yaml downstream.json reward.json crmt.json align.json latents.json modules.json".split()
)

NOTHING: tuple[object, ...] = (None, False, "", {}, (), [])
MOST_SHOWN = 100  # settings of a refusal


def need_word(folder: Path, brought: Mapping[str, object], instead: str = "") -> None:
    """Raise TrustError where `brought` holds anything and `folder` is neither ours nor trusted.

    `brought` is what the folder says and nobody else does: what a flag or the environment gives
    overrules it and is not among it. `instead` says how to give it oneself, such as "--base-url".
    """
    said = {name: value for name, value in brought.items() if value not in NOTHING}
    if not said or is_trusted(folder):
        return
    shown = "".join(f"\n  {line}" for line in _lines_of(said))
    itself = f"give your own ({instead}), or " if instead else ""
    raise TrustError(
        f"what {folder} brings was not said here, and has effect only by your word. It says"
        f"{shown}\nIf that is what you want: {itself}trust the folder once, as it stands:"
        f" {word_for(folder)}"
    )


def _lines_of(said: Mapping[str, object]) -> Iterator[str]:
    """Yield what a folder says, hosts and variables first."""
    try:
        asked, others = by_weight(effects(said, all_act=True))
    except RecursionError:
        yield f"{', '.join(map(in_line, said))}, nested without end"
        return
    for effect in [*asked, *others][:MOST_SHOWN]:
        yield from effect.lines()
    if len(asked) + len(others) > MOST_SHOWN:
        yield f"and {len(asked) + len(others) - MOST_SHOWN} more"


def word_for(folder: Path) -> str:
    """Return how a person says that `folder` is trusted."""
    return by_flag_or_call(f"--trust {shlex.quote(str(folder))}", f"tc.trust({str(folder)!r})")


def is_trusted(folder: Path) -> bool:
    """Say whether all that `folder` says was written on this machine or is trusted.

    A folder that says nothing is not: there is nothing in it to trust.
    """
    recorded = {line.split("\t")[0] for line in _lines()}
    marks = [_marks(folder, path) for path in that_count(folder)]
    return bool(marks) and all(not recorded.isdisjoint(of) for of in marks)


def trust(folder: Path) -> None:
    """Trust `folder` as it stands, from now on; raises RunError where it holds links or pipes."""
    check_real(folder)
    _record(folder, that_count(folder))


@contextmanager
def writing_ours(folder: Path, ours: bool = True) -> Iterator[None]:
    """Record the settings and the code that are written to `folder` inside, where they are `ours`.

    What lay there before and is not written again is vouched for by nobody.
    """
    before = _standing(folder)
    yield
    now = _standing(folder)
    if ours:
        made_here(folder, [path for path, state in now.items() if before.get(path) != state])


def made_here(folder: Path, files: Iterable[Path]) -> None:
    """Record that these `files` in `folder`, and no others, are our own: just written here."""
    try:
        _record(folder, files)
    except OSError as error:
        warnings.warn(
            f"what is made here cannot be recorded ({error}), so {folder} will need"
            f" {word_for(folder)} when it is opened again",
            stacklevel=2,
        )


def record_file() -> Path:
    """Return where what is trusted is recorded: `$XDG_STATE_HOME` or `~/.local/state`."""
    base = os.environ.get("XDG_STATE_HOME")
    try:
        return Path(base or Path.home() / ".local" / "state") / "textcentric" / RECORD
    except RuntimeError as error:  # in some containers nobody has a home
        raise OSError(errno.ENOENT, "no home folder is known; set XDG_STATE_HOME") from error


def that_count(folder: Path) -> Iterator[Path]:
    """Yield the files in `folder` that say what has effect beyond it, and its code."""
    for entry in entries(folder):
        path = Path(entry.path)
        if is_settings(path.name) or path.suffix == ".py":
            yield path


def is_settings(name: str) -> bool:
    """Say whether a file of this name says what has effect beyond its folder."""
    return name in SETTINGS or ("config" in name and name.endswith(".json"))


def _standing(folder: Path) -> dict[Path, tuple[int, ...]]:
    """Return the files that count in `folder`, with what changes whenever one is written."""
    if not folder.is_dir():
        return {}
    found = {path: os.lstat(path) for path in that_count(folder)}
    return {p: (s.st_dev, s.st_ino, s.st_ctime_ns, s.st_size) for p, s in found.items()}


def _marks(folder: Path, path: Path) -> list[str]:
    """Return the digests under which a file of `folder` may be recorded.

    They are of its content with its name there, and in each folder in between: a model inside a
    run's folder was written as that model's.
    """
    content = hashlib.sha256(read_bytes(path)).digest()
    parts = path.relative_to(folder).parts
    names = (os.path.join(*parts[start:]) for start in range(len(parts)))
    return [
        hashlib.sha256(name.encode("utf-8", "surrogateescape") + b"\0" + content).hexdigest()
        for name in names
    ]


def _lines() -> list[str]:
    try:
        return record_file().read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _record(folder: Path, files: Iterable[Path]) -> None:
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    recorded = {line.split("\t")[0] for line in _lines()}
    marks = {path: _marks(folder, path)[0] for path in sorted(files)}
    new = [
        f"{mark}\t{when}\t{str(path.resolve())!r}\n"
        for path, mark in marks.items()
        if mark not in recorded
    ]
    if not new:
        return
    record = record_file()
    record.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = open_real(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        file.writelines(new)
