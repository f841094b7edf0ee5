"""A file of scores that is gone on with: one command at a time, and only where it is ours.

It is read and judged first. Half a line, which a kill or a full disk leaves, is cut off only behind
lines that are scores of the same weights.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from textcentric.errors import RunError, option
from textcentric.folders import writing
from textcentric.security.files import open_real
from textcentric.security.outputs import not_ours, take_lock
from textcentric.values import Json

LONGEST = 1 << 20  # bytes of a line of ours, at the very most
KEYS = {"id", "key", "weights"}


class ScoresFile:
    """The file at `path` with scores by `weights`; `done` are the keys of what stands there.

    `failed` of them have an error in the place of a score.
    """

    def __init__(self, path: Path, descriptor: int, weights: str) -> None:
        self._path, self._descriptor = path, descriptor
        self.failed = 0
        self.done, self._end = self._read(weights)

    def add(self, line: Mapping[str, Json]) -> None:
        """Append a line, whole or not at all."""
        data = (json.dumps(line, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")
        with writing(self._path):
            try:
                at = 0
                while at < len(data):
                    at += os.pwrite(self._descriptor, data[at:], self._end + at)
            except OSError:
                os.ftruncate(self._descriptor, self._end)
                raise
        self._end += len(data)

    def close(self) -> None:
        """Let others have the file."""
        os.close(self._descriptor)

    def _read(self, weights: str) -> tuple[set[str], int]:
        """Return the keys of whole lines and where they end; cut off half a line behind them."""
        done: set[str] = set()
        end = 0
        with open(self._descriptor, "rb", closefd=False) as file:
            while line := file.readline(LONGEST):
                if not line.endswith(b"\n") and done:
                    os.ftruncate(self._descriptor, end)
                    break
                done.add(self._key(line, weights))
                end += len(line)
        return done, end

    def _key(self, line: bytes, weights: str) -> str:
        try:
            said = json.loads(line) if line.endswith(b"\n") else None
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict) or not said.keys() >= KEYS:
            raise RunError(not_ours(self._path, "a file of scores"))
        if said["weights"] != weights:
            raise RunError(
                f"{self._path} holds scores of another model or image expert; choose another"
                f" {option('output')}, or remove it"
            )
        self.failed += "error" in said
        return str(said["key"])


def open_scores(path: Path, weights: str) -> ScoresFile:
    """Open the scores at `path`, held against other commands, to go on with them.

    Raises RunError where it is not a file of scores by `weights`, where another command writes it,
    and where its disk has no locks; StoppedError where it cannot be written.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = open_real(path, os.O_RDWR | os.O_CREAT)
    try:
        if not take_lock(descriptor, path):
            raise RunError(
                f"{path} lies on a file system that has no locks, so two commands could both"
                f" write there; choose an {option('output')} on another, and copy it"
            )
        return ScoresFile(path, descriptor, weights)
    except BaseException:
        os.close(descriptor)
        raise
