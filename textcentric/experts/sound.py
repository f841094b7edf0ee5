"""Sound files read safely, and what their samples alone say: length, loudness, share of speech."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np

from textcentric.data.pictures import is_inside
from textcentric.errors import ConfigError, DataError

RATE = 16_000  # Hz: what speech models want
LONGEST = 600.0  # seconds
_FRAME = 0.02  # seconds
_FAINTEST = -50.0  # dBFS: below it nothing counts as speech
_BELOW_LOUDEST = 25.0  # dB under the loudest frames that still count as speech
_LOUDNESS = ((-60, "silent"), (-40, "very quiet"), (-28, "quiet"), (-12, "normal"))
_SHARES = ((0.05, "hardly any"), (0.35, "some"), (0.65, "about half"), (0.9, "most"))


@dataclass(frozen=True, slots=True)
class Sound:
    """One recording: mono samples in [-1, 1] at `RATE`, and its length in seconds."""

    samples: np.ndarray
    seconds: float


def open_sound(path: str | Path, root: str | Path | None = None) -> Sound:
    """Read a sound file as 16 kHz mono.

    With `root`, a path that leaves that folder is refused. Raises DataError (field "audio") if
    the file is absent, empty, not a sound file, cut off, or longer than `LONGEST` seconds, and
    ConfigError without the package soundfile.
    """
    soundfile = _soundfile()
    path = Path(path)
    _refuse_unfit_file(path, root)
    try:
        with soundfile.SoundFile(path) as file:
            _refuse_unfit_length(path, file.frames, file.samplerate)
            samples = file.read(dtype="float32", always_2d=True).mean(axis=1)
            rate = file.samplerate
    except (soundfile.SoundFileError, OSError) as error:
        raise _fault(path, f"is not a readable sound file ({error})") from None
    if samples.size == 0:
        raise _fault(path, "holds no sound (0 samples)")
    samples = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0).clip(-1, 1)
    return Sound(_resample(samples, rate), samples.size / rate)


def describe_sound(sound: Sound) -> str:
    """Describe a recording's length, loudness and share of speech.

    >>> describe_sound(Sound(np.zeros(16_000, np.float32), 1.0))
    'Length: 1.0 seconds. Loudness: silent. Speech: hardly any of it.'
    """
    return (
        f"Length: {sound.seconds:.1f} seconds. Loudness: {_loudness_words(loudness(sound))}."
        f" Speech: {_share_words(speech_share(sound))} of it."
    )


def loudness(sound: Sound) -> float:
    """Return the root mean square in dBFS, -120 for digital silence."""
    return float(_decibels(np.square(sound.samples, dtype=np.float64).mean()))


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
    return word if word == "silent" else f"{word} ({level:.0f} dBFS)"


def _share_words(share: float) -> str:
    return next((word for limit, word in _SHARES if share < limit), "nearly all")


def _resample(samples: np.ndarray, rate: int) -> np.ndarray:
    if rate == RATE:
        return samples
    from math import gcd

    from scipy.signal import resample_poly

    shared = gcd(RATE, rate)
    resampled: np.ndarray = resample_poly(samples, RATE // shared, rate // shared)
    return resampled.astype(np.float32)


def _soundfile() -> ModuleType:
    try:
        return import_module("soundfile")
    except ImportError:
        raise ConfigError(
            "sound files need the package 'soundfile'; install it with"
            " `pip install 'textcentric[experts]'`"
        ) from None


def _refuse_unfit_file(path: Path, root: str | Path | None) -> None:
    if root is not None and not is_inside(path, (os.path.realpath(root),)):
        raise _fault(path, f"leaves the data folder {str(root)!r}; move it inside")
    if not path.is_file():
        raise _fault(path, "does not exist")
    if path.stat().st_size == 0:
        raise _fault(path, "is empty (0 bytes)")


def _refuse_unfit_length(path: Path, frames: int, rate: int) -> None:
    if frames > LONGEST * rate:
        raise _fault(path, f"is {frames / rate:,.0f} seconds long, more than {LONGEST:.0f}; cut it")


def _fault(path: Path, what: str) -> DataError:
    return DataError(f"sound {str(path)!r} {what}", field="audio")
