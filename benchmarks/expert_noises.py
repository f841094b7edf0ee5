"""Sounds with pitch and rhythm in which nobody speaks: music, animals, engines, alarms.

They are drawn, so they are not recordings: what they share with those is what a voice detector
goes by, a level that rises and falls, a pitch in the range of voices, a spectrum that moves.
Legend: N samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.random import Generator
from scipy.signal import lfilter

from textcentric.data.media.sounds import RATE

Draw = Callable[[Generator, int], np.ndarray]  # samples (N,) of so many


def noises(seed: int, seconds: float) -> Iterator[tuple[str, np.ndarray]]:
    """Yield a sound of each kind, at a level drawn from `seed`, its samples within [-1, 1]."""
    for place, (name, draw) in enumerate(NOISES.items()):
        rng = np.random.default_rng((seed, place))
        samples = draw(rng, round(seconds * RATE))
        level = 10 ** rng.uniform(-1.5, -0.05)
        yield name, (samples / max(float(np.abs(samples).max()), 1e-9) * level).astype(np.float32)


def _times(n: int) -> np.ndarray:
    return np.arange(n) / RATE


def _note(pitch: np.ndarray | float, n: int, partials: int = 6, decay: float = 3.0) -> np.ndarray:
    """Return a plucked note (N,) whose higher partials fade sooner; `pitch` in Hz, also (N,)."""
    t = _times(n)
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(pitch, n)) / RATE
    note = np.zeros(n)
    for k in range(1, partials + 1):
        note += np.sin(k * phase) / k * np.exp(-decay * k * t / 2) * np.minimum(1, t / 0.01)
    return note


def _melody(rng: Generator, n: int) -> np.ndarray:
    pitches = 110 * 2 ** (rng.integers(0, 24, 8) / 12)
    pieces = np.array_split(np.zeros(n), 8)
    return np.concatenate([_note(float(p), len(q)) for p, q in zip(pitches, pieces, strict=True)])


def _chords(rng: Generator, n: int) -> np.ndarray:
    chords: np.ndarray = sum((_melody(rng, n) for _ in range(3)), np.zeros(n))
    return chords


def _drums(rng: Generator, n: int) -> np.ndarray:
    found, beat = np.zeros(n), RATE // 4
    for place, start in enumerate(range(0, n - beat, beat)):
        t = _times(beat)
        kick = np.sin(2 * np.pi * 60 * t * (1 + np.exp(-20 * t))) * np.exp(-12 * t)
        snare = rng.standard_normal(beat) * np.exp(-25 * t)
        found[start : start + beat] += kick if place % 2 == 0 else snare
    return found


def _strings(rng: Generator, n: int) -> np.ndarray:
    base = float(rng.uniform(150, 350))
    pitch = base * (1 + 0.02 * np.sin(2 * np.pi * 5.5 * _times(n)))
    note = _note(pitch, n, partials=12, decay=0.0)
    note *= np.sin(np.pi * _times(n) * RATE / n) ** 2
    return note


def _birds(rng: Generator, n: int) -> np.ndarray:
    found = np.zeros(n)
    for start in rng.integers(0, max(1, n - 3000), 8):
        t = _times(2400)
        chirp = np.sin(2 * np.pi * (rng.uniform(2000, 4000) * t + 6000 * t * t))
        found[start : start + 2400] += (chirp * np.hanning(2400))[: n - start]
    return found


def _barks(rng: Generator, n: int) -> np.ndarray:
    found = np.zeros(n)
    for start in range(0, max(1, n - 4000), RATE // 2):
        pitch = float(rng.uniform(180, 350)) * np.linspace(1.3, 0.7, 3200)
        buzz = np.sign(np.sin(2 * np.pi * np.cumsum(pitch) / RATE)) + rng.standard_normal(3200)
        found[start : start + 3200] += (_formant(buzz, 900) * np.hanning(3200))[: n - start]
    return found


def _meows(rng: Generator, n: int) -> np.ndarray:
    pitch = rng.uniform(300, 500) * (1 + 0.4 * np.sin(np.pi * _times(n) * 2) ** 2)
    buzz = np.sign(np.sin(2 * np.pi * np.cumsum(pitch) / RATE))
    low, high = _formant(buzz, 700), _formant(buzz, 1800)
    mouth = np.sin(np.pi * 2 * _times(n)) ** 2
    sound: np.ndarray = (low * (1 - mouth) + high * mouth) * mouth
    return sound


def _engine(rng: Generator, n: int) -> np.ndarray:
    pitch = rng.uniform(60, 90) * np.linspace(1, 3, n)
    buzz = np.sign(np.sin(2 * np.pi * np.cumsum(pitch) / RATE))
    return _formant(buzz + 0.3 * rng.standard_normal(n), 500)


def _ringing(rng: Generator, n: int) -> np.ndarray:
    t = _times(n)
    tone: np.ndarray = np.sin(2 * np.pi * 440 * t) + np.sin(2 * np.pi * 480 * t)
    tone[(np.sin(2 * np.pi * 20 * t) <= 0) | (t % 1.2 >= 0.8)] = 0.0
    return tone


def _siren(rng: Generator, n: int) -> np.ndarray:
    pitch = 600 + 300 * np.sin(2 * np.pi * rng.uniform(0.3, 2) * _times(n))
    siren: np.ndarray = np.sin(2 * np.pi * np.cumsum(pitch) / RATE)
    return siren


def _crackle(rng: Generator, n: int) -> np.ndarray:
    return np.where(rng.random(n) < 0.002, rng.standard_normal(n), 0) + 0.003 * rng.standard_normal(
        n
    )


def _footsteps(rng: Generator, n: int) -> np.ndarray:
    found = 0.002 * rng.standard_normal(n)
    for start in range(0, n - 3000, int(RATE * 0.55)):
        thud = lfilter([0.1], [1, -0.9], rng.standard_normal(3000)) * np.exp(-_times(3000) * 40)
        found[start : start + 3000] += thud
    return found


def _room(rng: Generator, n: int) -> np.ndarray:
    low: np.ndarray = lfilter([0.02], [1, -0.98], rng.standard_normal(n))
    low += 0.02 * np.sin(2 * np.pi * 50 * _times(n)) + 0.05 * _footsteps(rng, n)
    return low


def _formant(samples: np.ndarray, hertz: float) -> np.ndarray:
    turn = 2 * np.pi * hertz / RATE
    passed: np.ndarray = lfilter([1.0], [1, -1.94 * np.cos(turn), 0.94], samples)
    return passed


def _clipped(rng: Generator, n: int) -> np.ndarray:
    return np.clip(8 * _melody(rng, n), -1, 1)


NOISES: dict[str, Draw] = {
    "melody": _melody,
    "chords": _chords,
    "drums": _drums,
    "strings": _strings,
    "clipped melody": _clipped,
    "birds": _birds,
    "barks": _barks,
    "meows": _meows,
    "engine": _engine,
    "ringing": _ringing,
    "siren": _siren,
    "crackle": _crackle,
    "footsteps": _footsteps,
    "empty room": _room,
}
