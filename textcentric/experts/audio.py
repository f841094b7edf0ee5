"""The audio expert: all recordings of a row as one short text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from textcentric.errors import DataError
from textcentric.experts.clean import clean_line
from textcentric.experts.digest import digest_files
from textcentric.experts.protocol import Description
from textcentric.experts.sound import Sound, describe_sound, open_sound

MOST_SOUNDS = 4  # described of a row; the rest is counted


class Listener(Protocol):
    """Turn a recording into the words said in it ("" if none) and a confidence in [0, 1]."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def hear(self, sound: Sound) -> tuple[str, float | None]: ...


class AudioExpert:
    """Say what `listener` hears in a row's recordings, and their length, loudness and speech.

    Without a listener only the sound itself is described. Paths are read inside `root` alone.
    """

    modality = "audio"

    def __init__(self, listener: Listener | None = None, root: str | Path | None = None):
        self.name = listener.name if listener else "sound"
        self.version = f"{listener.version}-words1" if listener else "1-words1"
        self._listener = listener
        self._root = root

    def describe(self, values: Sequence[Sequence[str]]) -> list[Description]:
        """Return one description a row of sound paths; broken recordings become notes."""
        return [self._describe(paths) for paths in values]

    def digest(self, value: Sequence[str]) -> str:
        """Return a digest of the files' bytes."""
        return digest_files(value, self._root)

    def _describe(self, paths: Sequence[str]) -> Description:
        told: list[Description] = []
        notes: list[str] = []
        for path in paths:
            if len(told) == MOST_SOUNDS:
                break
            try:
                told.append(self._tell(open_sound(path, self._root)))
            except DataError as error:
                notes.append(str(error))
        if not told:
            return Description("", notes=tuple(notes) or ("the row has no recording",))
        sure = [one.confidence for one in told if one.confidence is not None]
        return Description(_join(told, len(paths)), min(sure, default=None), tuple(notes))

    def _tell(self, sound: Sound) -> Description:
        said, confidence = self._listener.hear(sound) if self._listener else ("", None)
        words = clean_line(said, longest=1000)
        measure = "" if confidence is None else f" ({confidence:.2f})"
        heard = f'Heard: "{words}"{measure}. ' if words else ""
        return Description(heard + describe_sound(sound), confidence if words else None)


def _join(told: Sequence[Description], total: int) -> str:
    if total == 1:
        return f"1 recording. {told[0].text}"
    count = f"{total} recordings" + (f", {len(told)} of them described" * (len(told) < total))
    parts = [f"Recording {i}: {one.text}" for i, one in enumerate(told, 1)]
    return " ".join([f"{count}.", *parts])
