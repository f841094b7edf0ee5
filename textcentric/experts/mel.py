"""Log-mel values of a sound, by Kaldi's mel scale.

Legend: F frames, E mel bins.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from textcentric.experts.sound import RATE

WINDOW, HOP = 400, 160  # samples: 25 ms, 10 ms
BINS = 1024  # samples of the Fourier transform: fewer leave some of 128 mel bins empty
LOWEST = 20.0  # Hz
PREEMPHASIS = 0.97
FLOOR = 1e-6  # of mel power


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
