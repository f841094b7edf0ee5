"""Sounds: opened within bounds, resampled, and their log-mel spectrogram."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np

from textcentric.data.media.pictures import is_inside
from textcentric.data.media.signatures import kind_of
from textcentric.data.media.silence import without_stderr
from textcentric.data.media.whole_sounds import missing_bytes
from textcentric.errors import ConfigError, DataError, TextCentricError
from textcentric.security.foreign import reason, trace

WINDOW, HOP = 400, 160  # samples: 25 ms, 10 ms
BINS = 1024  # samples of the Fourier transform: fewer leave some of 128 mel bins empty
LOWEST = 20.0  # Hz
PREEMPHASIS = 0.97
FLOOR = 1e-6  # of mel power
RATE = 16_000  # Hz: what speech models want
LONGEST = 600.0  # seconds
RATES = (1_000, 768_000)  # Hz: what is beyond is a damaged header
MOST_SAMPLES = 2**27  # of all channels: half a gigabyte
CUT_OFF = "is cut off or damaged"
_PADDING = 1  # bytes at the end of an odd chunk, which some writers leave out
_PRIMING = 0.1  # seconds that an encoder adds at both ends, and a decoder may drop
_FINEST = 1_000  # parts of a ratio of rates: those in use are exact, odd ones take no minutes
_READ = ("WAV", "FLAC", "Ogg", "MP3")
_UNREAD = ("M4A (AAC)", "AAC", "AMR", "MP4 or QuickTime", "Matroska or WebM", "WMA or WMV")
_LEAST_KEPT = 0.6  # of the loudest channel's level: two that have nothing in common keep 0.7


class SoundError(DataError):
    """A sound that cannot be used; `reason` is the kind of fault in a few words."""

    def __init__(self, path: Path, reason: str, details: str = ""):
        super().__init__(f"sound {str(path)!r} {reason}{details}", field="audio")
        self.reason = reason


def log_mel(samples: np.ndarray, bins: int, frames: int | None = None) -> np.ndarray:
    """Return log-mel values (F, E) of mono samples at 16 kHz, Hann windows of 25 ms every 10 ms.

    With `frames`, cut or filled with silence to so many; without, as many as there are.
    """
    most = len(samples) if frames is None else HOP * (frames - 1) + WINDOW
    needed = max(WINDOW, most)
    samples = np.pad(samples[:needed], (0, max(0, needed - len(samples))))
    pieces = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]  # (F, WINDOW)
    pieces = pieces - pieces.mean(axis=1, keepdims=True)
    pieces[:, 1:] -= PREEMPHASIS * pieces[:, :-1]
    pieces[:, 0] *= 1 - PREEMPHASIS
    power = np.abs(np.fft.rfft(pieces * _window(), BINS)) ** 2  # (F, BINS / 2 + 1)
    found: np.ndarray = np.log(np.maximum(power @ _filters(bins), FLOOR)).astype(np.float32)
    return found


@lru_cache(maxsize=4)
def _filters(bins: int) -> np.ndarray:
    from transformers.audio_utils import mel_filter_bank

    return mel_filter_bank(
        num_frequency_bins=BINS // 2 + 1,
        num_mel_filters=bins,
        min_frequency=LOWEST,
        max_frequency=RATE / 2,
        sampling_rate=RATE,
        mel_scale="kaldi",
        triangularize_in_mel_space=True,
    )


@lru_cache(maxsize=1)
def _window() -> np.ndarray:
    return np.hanning(WINDOW)


@dataclass(frozen=True, slots=True)
class Sound:
    """One recording: mono samples in [-1, 1] at `RATE`, and its length in seconds."""

    samples: np.ndarray
    seconds: float


def open_sound(path: str | Path, root: str | Path | None = None) -> Sound:
    """Read a sound file as 16 kHz mono.

    With `root`, a path that leaves that folder is refused. Raises SoundError, a DataError, if
    the file is absent, empty, not a sound file, cut off, or longer than `LONGEST` seconds, and
    ConfigError without the package soundfile.
    """
    path = Path(path)
    channels, rate = read_sound(path, root)
    np.nan_to_num(channels, copy=False, nan=0.0, posinf=1.0, neginf=-1.0)
    samples = _mono(channels.clip(-1, 1, out=channels))
    return Sound(_resample(samples, rate), samples.size / rate)


def read_sound(path: Path, root: str | Path | None = None) -> tuple[np.ndarray, int]:
    """Return the samples (N, C) of a whole sound file and their rate in Hz, as in the file."""
    soundfile = _soundfile()
    _refuse_unfit_file(path, root)
    with _decoding(path), without_stderr(), soundfile.SoundFile(path) as file:
        rate, announced = file.samplerate, file.frames
        _refuse_unfit_length(path, announced, rate, file.channels)
        channels = file.read(dtype="float32", always_2d=True)  # (N, C)
    _refuse_cut_off(path, channels, rate, announced)
    return channels, rate


@contextmanager
def _decoding(path: Path) -> Iterator[None]:
    """Turn whatever a decoder raises into what is wrong with the sound."""
    try:
        yield
    except TextCentricError:
        raise
    except Exception as error:  # decoders promise no list of exceptions
        trace(path, error)
        raise _unreadable(path, error) from error


def _mono(channels: np.ndarray) -> np.ndarray:
    """Return the mean of channels (N, C), or the loudest where the mean loses most of it.

    Channels may cancel, or all but one may be silent.
    """
    mixed: np.ndarray = channels.mean(axis=1)
    if channels.shape[1] == 1:
        return mixed
    levels = channels.std(axis=0)
    kept = mixed.std() > _LEAST_KEPT * levels.max()
    return mixed if kept else channels[:, int(levels.argmax())]


def _resample(samples: np.ndarray, rate: int) -> np.ndarray:
    if rate == RATE:
        return samples
    from scipy.signal import resample_poly

    ratio = Fraction(RATE, rate).limit_denominator(_FINEST)
    resampled: np.ndarray = resample_poly(samples, ratio.numerator, ratio.denominator)
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
        raise SoundError(path, "leaves the data folder", f" {str(root)!r}; move it inside")
    if not path.is_file():
        raise SoundError(path, "does not exist")
    if path.stat().st_size == 0:
        raise SoundError(path, "is empty (0 bytes)")


def _refuse_unfit_length(path: Path, frames: int, rate: int, channels: int) -> None:
    if not RATES[0] <= rate <= RATES[1]:
        told = f": its header says {rate:,} Hz, expected {RATES[0]:,} to {RATES[1]:,}"
        raise SoundError(path, "has no sane sample rate", told)
    if frames > LONGEST * rate:
        long = f": {frames / rate:,.0f} seconds, more than {LONGEST:.0f}; cut it"
        raise SoundError(path, "is too long", long)
    if frames * channels > MOST_SAMPLES:
        large = f": {frames:,} samples in {channels} channels, more than {MOST_SAMPLES:,} in all"
        raise SoundError(path, "is too large", f"{large}; give fewer channels or a lower rate")


def _refuse_cut_off(path: Path, channels: np.ndarray, rate: int, announced: int) -> None:
    missing = missing_bytes(path)
    if missing > _PADDING or announced - len(channels) > _PRIMING * rate:
        left = len(channels) / rate
        announced = max(announced, len(channels))
        of = f" of {announced / rate:.3g}" if announced > len(channels) else ""
        raise SoundError(path, CUT_OFF, f": {left:.3g}{of} seconds are left; copy it again")
    if channels.size == 0:
        raise SoundError(path, "holds no sound", " (0 samples)")


def _unreadable(path: Path, error: Exception) -> SoundError:
    kind = kind_of(path)
    if kind in _UNREAD:
        remedy = ", which is not read here; convert it to WAV, FLAC or MP3"
        return SoundError(path, f"is {kind}", remedy)
    if kind in ("", *_READ):
        cut = kind and (missing_bytes(path) > _PADDING or "lost sync" in str(error))
        what = CUT_OFF if cut else "is not a readable sound file"
        return SoundError(path, what, f" ({reason(error)})")
    return SoundError(path, f"is {kind}, not a sound file")
