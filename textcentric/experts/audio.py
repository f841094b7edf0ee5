"""The audio expert: all recordings of a row as one short text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from textcentric.data.media.digests import digest_files
from textcentric.data.media.sounds import RATE, Sound, open_sound
from textcentric.errors import DataError
from textcentric.experts.clean import clean_line
from textcentric.experts.protocol import GUESSED, MEASURED, Description, silence
from textcentric.experts.voice import has_voice
from textcentric.security.foreign import foreign

MOST_SOUNDS = 4  # described of a row; the rest is counted
_FRAME = 0.02  # seconds
_FAINTEST = -50.0  # dBFS: below it nothing counts as speech
_BELOW_LOUDEST = 25.0  # dB under the loudest frames that still count as speech
_LOUDNESS = (
    (-90, "silent"),
    (-60, "nearly silent"),
    (-40, "very quiet"),
    (-28, "quiet"),
    (-12, "normal"),
)
_SHARES = ((0.05, "hardly any"), (0.35, "some"), (0.65, "about half"), (0.9, "most"))


class Listener(Protocol):
    """Turn a recording into the words said in it ("" if none) and a confidence in [0, 1].

    What is longer than `longest` seconds is handed over in pieces.
    """

    @property
    def name(self) -> str: ...

    @property
    def longest(self) -> float | None: ...

    @property
    def version(self) -> str: ...

    def hear(self, sound: Sound) -> tuple[str, float | None]: ...


class AudioExpert:
    """Say what `listener` hears in a row's recordings, and their length, loudness and speech.

    What cannot be a voice is not given to the listener, and of what it hears nothing is said below
    the confidence `least`. Without words only the sound itself is described: what can be a voice
    may be music. With `guesses` everything is said, as earlier versions did.
    Paths are read inside `root` alone.
    """

    modality = "audio"

    def __init__(
        self,
        listener: Listener | None = None,
        root: str | Path | None = None,
        *,
        least: float = 0.0,
        guesses: bool = False,
    ):
        self.name = listener.name if listener else "sound"
        words = GUESSED if guesses else MEASURED
        self.version = f"{listener.version if listener else 1}-{words}"
        self._listener = listener
        self._root = root
        self._least = least
        self._guesses = guesses

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
        if self._listener and not self._guesses and not any("Heard" in one.text for one in told):
            notes.append(silence("audio"))
        return Description(_join(told, len(paths)), min(sure, default=None), tuple(notes))

    def _tell(self, sound: Sound) -> Description:
        said, confidence = self._heard(sound)
        words = clean_line(said, longest=1000)
        measure = "" if confidence is None else f" ({confidence:.2f})"
        heard = f'Heard: "{words}"{measure}. ' if words else ""
        look = describe_sound(sound) if words or self._guesses else describe_noise(sound)
        return Description(heard + look, confidence if words else None)

    def _heard(self, sound: Sound) -> tuple[str, float | None]:
        """Return what the listener heard and may say, and the least confidence in it."""
        if self._listener is None:
            return "", None
        heard = []
        for piece in _pieces(sound, self._listener.longest):
            if self._guesses or has_voice(piece.samples, RATE):
                with foreign(f"what is said, by {self._listener.name},"):
                    heard.append(self._listener.hear(piece))
        said = [(words, sure) for words, sure in heard if words and self._may_say(sure)]
        known = [sure for _, sure in said if sure is not None]
        return " ".join(words for words, _ in said), min(known, default=None)

    def _may_say(self, confidence: float | None) -> bool:
        return self._guesses or confidence is None or confidence >= self._least


def _pieces(sound: Sound, longest: float | None) -> list[Sound]:
    if longest is None:
        return [sound]
    width = round(longest * RATE)
    pieces = (sound.samples[start : start + width] for start in range(0, sound.samples.size, width))
    return [Sound(piece, piece.size / RATE) for piece in pieces]


def _join(told: Sequence[Description], total: int) -> str:
    if total == 1:
        return f"1 recording. {told[0].text}"
    count = f"{total} recordings" + (f", {len(told)} of them described" * (len(told) < total))
    parts = [f"Recording {i}: {one.text}" for i, one in enumerate(told, 1)]
    return " ".join([f"{count}.", *parts])


def describe_sound(sound: Sound) -> str:
    """Describe a recording's length, loudness and share of speech.

    >>> describe_sound(Sound(np.zeros(16_000, np.float32), 1.0))
    'Length: 1.0 seconds. Loudness: silent. Speech: hardly any of it.'
    """
    return f"{describe_noise(sound)} Speech: {_share_words(speech_share(sound))} of it."


def describe_noise(sound: Sound) -> str:
    """Describe a recording without a voice: its length and loudness."""
    loud = _loudness_words(loudness(sound))
    length = f"{sound.seconds:.1f}" if sound.seconds >= 0.05 else "less than 0.1"
    return f"Length: {length} seconds. Loudness: {loud}."


def loudness(sound: Sound) -> float:
    """Return the root mean square in dBFS, -120 for digital silence; a constant is no sound."""
    return float(_decibels(sound.samples.var(dtype=np.float64)))


def speech_share(sound: Sound) -> float:
    """Return the share of 20 ms frames loud enough to be speech, in [0, 1].

    A frame counts within `_BELOW_LOUDEST` dB of the loudest frames and above `_FAINTEST` dBFS;
    steady noise counts too: this measures energy, it does not know words.
    """
    width = round(_FRAME * RATE)
    count = max(1, sound.samples.size // width)
    frames = sound.samples[: count * width].reshape(count, -1)
    levels = _decibels(np.square(frames, dtype=np.float64).mean(axis=1))
    least = max(_FAINTEST, float(np.percentile(levels, 95)) - _BELOW_LOUDEST)
    return float((levels > least).mean())


def _decibels(power: np.ndarray | float) -> np.ndarray:
    decibels: np.ndarray = 10 * np.log10(np.maximum(power, 1e-12))
    return decibels


def _loudness_words(level: float) -> str:
    word = next((word for limit, word in _LOUDNESS if level < limit), "loud")
    return word if word == "silent" else f"{word} ({round(level)} dBFS)"


def _share_words(share: float) -> str:
    return next((word for limit, word in _SHARES if share < limit), "nearly all")
