"""Voice activity: is there anything in a recording that can be a voice?

Silence, hiss, hum and tones are told from speech by what they lack: a level that rises and falls,
a pitch in the range of voices, a spectrum that moves. All three must be there. Energy and SNR as
in Sohn et al. 1999 (https://doi.org/10.1109/97.736233), without its model of noise.

Measured by `python -m benchmarks experts` on sounds of known content: see docs/experts.md. The
bounds were set by hand on sounds of the same kinds, so the figures are not of unseen ones.
Legend: N samples, F frames, L lags, B bands.
"""

from __future__ import annotations

import numpy as np

FAINTEST = -50.0  # dBFS of the loudest frames: below it nothing counts as a voice
LEAST_SPREAD = 6.0  # dB between loud and soft frames
LEAST_VOICED = 0.5  # of full correlation with the sound one pitch period before
LEAST_MOVEMENT = 4.0  # dB: standard deviation of the bands' shape over time
_PITCH = (70, 400)  # Hz
_FRAME, _LONG = 0.02, 0.04  # seconds: of level and spectrum, of pitch
_WINDOW = 3.0  # seconds: a word in a long silence is found too
_BANDS = 20
_DEPTH = 25.0  # dB below the loudest frames: softer ones do not count


def has_voice(samples: np.ndarray, rate: int) -> bool:
    """Say whether mono samples (N,) hold something that can be a voice, in any three seconds.

    >>> has_voice(np.zeros(32_000, np.float32), 16_000)
    False
    """
    width = round(_WINDOW * rate)
    starts = range(0, max(1, samples.size - width // 2), width // 2)
    return any(_is_voice(samples[start : start + width], rate) for start in starts)


def _is_voice(samples: np.ndarray, rate: int) -> bool:
    levels = frame_levels(samples, rate)
    loud, soft = np.percentile(levels, [95, 10])
    if loud < FAINTEST or loud - soft < LEAST_SPREAD:
        return False
    return voiced(samples, rate) >= LEAST_VOICED and movement(samples, rate) >= LEAST_MOVEMENT


def frame_levels(samples: np.ndarray, rate: int) -> np.ndarray:
    """Return the level of each 20 ms frame in dBFS (F,)."""
    power = np.square(_frames(samples, rate, _FRAME), dtype=np.float64).mean(axis=1)
    levels: np.ndarray = 10 * np.log10(np.maximum(power, 1e-12))
    return levels


def voiced(samples: np.ndarray, rate: int) -> float:
    """Return how nearly the most periodic tenth of frames repeat at a voice's pitch, 0 to 1."""
    frames = _frames(samples, rate, _LONG).astype(np.float64)  # (F, N)
    frames = frames - frames.mean(axis=1, keepdims=True)
    width = frames.shape[1]
    lags = np.arange(rate // _PITCH[1], min(rate // _PITCH[0] + 1, width))
    if not lags.size:
        return 0.0
    spectra = np.abs(np.fft.rfft(frames, 2 * width, axis=1)) ** 2
    products = np.fft.irfft(spectra, axis=1)  # (F, 2 N)
    energy = products[:, :1]
    shares = products[:, lags] / np.maximum(energy, 1e-9) * width / (width - lags)  # (F, L)
    best = np.where(energy[:, 0] > 1e-6, shares.max(axis=1), 0.0)
    return float(np.percentile(best.clip(0, 1), 90))


def movement(samples: np.ndarray, rate: int) -> float:
    """Return how far the spectrum's shape moves over the frames that are not silent, in dB."""
    frames = _frames(samples, rate, _FRAME)
    levels = frame_levels(samples, rate)
    heard = levels > max(FAINTEST, float(np.percentile(levels, 95)) - _DEPTH)
    inside = heard[1:-1] & heard[:-2] & heard[2:]  # no edges: those of a beep move as well
    loud = frames[1:-1][inside]
    if len(loud) < 2:
        return 0.0
    power = np.abs(np.fft.rfft(loud * np.hanning(loud.shape[1]), axis=1)) ** 2
    edges = np.geomspace(2, power.shape[1] // 2, _BANDS + 1).round().astype(int)
    edges = np.unique(edges)
    bands = 10 * np.log10(np.add.reduceat(power, edges[:-1], axis=1) + 1e-9)  # (F, B)
    shape = bands - bands.mean(axis=1, keepdims=True)
    return float(shape.std(axis=0).mean())


def _frames(samples: np.ndarray, rate: int, seconds: float) -> np.ndarray:
    """Return whole frames of so many seconds; a shorter recording is one frame."""
    width = round(seconds * rate)
    count = max(1, samples.size // width)
    frames: np.ndarray = samples[: count * width].reshape(count, -1)
    return frames
