"""Whose word counts: what a folder brings has effect only where it was made or trusted here.

A run, a model or latents say how they were made: a server's address, an engine with its settings,
names of models, paths, leave to run code. To whoever made them here that is their own word, and to
everybody else a stranger's. A record on this machine holds the digests of folders that were made
here or that a person trusts (`--trust FOLDER`, `tc.trust`); a folder whose settings or code change
is a stranger's again.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

from textcentric.errors import TrustError, cut, said
from textcentric.security.files import check_real, entries, open_real, read_bytes

RECORD = "trusted"
INNER = "proxy"  # a reward model holds a model of its own
# The files of a folder that say what has effect beyond it; code is looked for at any depth. Nothing
# that is written later, such as figures and reports, is called so.
SETTINGS = frozenset(
    {
        *("run.yaml", "downstream.json", "reward.json", "crmt.json"),
        *("align.json", "latents.json", "config.json", "adapter_config.json"),
        *("tokenizer_config.json", "processor_config.json", "preprocessor_config.json"),
        *("modules.json", "config_sentence_transformers.json", "sentence_bert_config.json"),
        *("generation_config.json", "video_preprocessor_config.json"),
    }
)

NOTHING: tuple[object, ...] = (None, False, "", {}, (), [])


def need_word(folder: Path, brought: Mapping[str, object], instead: str = "") -> None:
    """Raise TrustError where `brought` holds anything and `folder` is neither ours nor trusted.

    `brought` is what the folder says and nobody else does: what a flag or the environment gives
    overrules it and is not among it. `instead` says how to give it oneself, such as "--base-url".
    """
    effects = {name: value for name, value in brought.items() if value not in NOTHING}
    if not effects or is_trusted(folder):
        return
    shown = "; ".join(f"{name}: {cut(value)}" for name, value in effects.items())
    itself = f"give your own ({instead}), or " if instead else ""
    raise TrustError(
        f"what {folder} brings was not said here, and has effect only by your word. It says"
        f" {shown}. If that is what you want: {itself}trust the folder once, as it stands:"
        f" {word_for(folder)}"
    )


def word_for(folder: Path) -> str:
    """Return how a person says that `folder` is trusted."""
    return said(f"--trust {shlex.quote(str(folder))}", f"tc.trust({str(folder)!r})")


def is_trusted(folder: Path) -> bool:
    """Say whether `folder`, as it stands, was made on this machine or is trusted."""
    mine = digest(folder)
    return any(line.split("\t")[0] == mine for line in _lines())


def trust(folder: Path) -> None:
    """Trust `folder` as it stands, from now on; raises RunError where it holds links or pipes."""
    check_real(folder)
    _record(folder)


def made_here(folder: Path) -> None:
    """Record that the settings in `folder` are our own; called whenever they have been written."""
    try:
        if not is_trusted(folder):
            _record(folder)
    except OSError as error:
        warnings.warn(
            f"{record_file()} cannot be written ({error.strerror}), so {folder} will need"
            f" {word_for(folder)} when it is opened again",
            stacklevel=2,
        )


def digest(folder: Path) -> str:
    """Return a digest of all files in `folder` that say what has effect beyond it."""
    whole = hashlib.sha256()
    for path in sorted(that_count(folder)):
        content = hashlib.sha256(read_bytes(path)).digest()
        whole.update(str(path.relative_to(folder)).encode("utf-8", "surrogateescape") + b"\0")
        whole.update(content)
    return whole.hexdigest()


def record_file() -> Path:
    """Return where trusted folders are recorded: `$XDG_STATE_HOME` or `~/.local/state`."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "textcentric" / RECORD


def that_count(folder: Path) -> Iterator[Path]:
    """Yield the files in `folder` that say what has effect beyond it, and its code."""
    for entry in entries(folder):
        path = Path(entry.path)
        says = path.name in SETTINGS and path.parent in (folder, folder / INNER)
        if says or path.suffix == ".py":
            yield path


def _lines() -> list[str]:
    try:
        return record_file().read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _record(folder: Path) -> None:
    path = record_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    line = f"{digest(folder)}\t{when}\t{str(folder.resolve())!r}\n"
    descriptor = open_real(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        file.write(line)
