"""Sounds of known content: digits, read sentences, synthetic voices, and where nobody speaks.

What Debian's packages espeak-ng, flite and pocketsphinx-testdata bring is used where it is there.
"""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from random import Random

import numpy as np

from benchmarks.expert_noises import noises
from textcentric.data.media.sounds import RATE, Sound, open_sound

NUMBERS = "zero one two three four five six seven eight nine ten".split()
VOICES = ("en-us", "en-gb", "en-us+f3", "en-us+m3", "en-gb+f2")
SPEED = "140"  # words a minute
FLITE_VOICES = ("slt", "rms", "awb", "kal")
READ = Path("/usr/share/pocketsphinx/test/data")  # of the package pocketsphinx-testdata
TRANSCRIPTS = ("librivox/transcription", "cards/cards.transcription")


@dataclass(frozen=True, slots=True)
class Known:
    """A sound and the words said in it, () where nobody speaks."""

    origin: str
    sound: Sound
    words: tuple[str, ...] = ()


def digits(data: Path, most: int) -> Iterator[Known]:
    """Yield spoken digits, five speakers in turn."""
    files = sorted((data / "av_digits/recordings").glob("*.wav"))
    Random(0).shuffle(files)
    for file in files[:most]:
        yield Known("digits", open_sound(file), (NUMBERS[int(file.name[0])],))


def sentences(data: Path, folder: Path, most: int) -> Iterator[Known]:
    """Yield captions read by synthetic voices; none where no synthesiser is installed."""
    captions = data / "flickr8k/captions.csv"
    if not captions.is_file():
        return
    with captions.open(encoding="utf-8") as lines:
        texts = [row["caption"] for row in csv.DictReader(lines)]
    Random(0).shuffle(texts)
    for place, text in enumerate(texts[: 2 * most]):
        file, turn = folder / f"{place}.wav", place // 2
        flite = ["flite", "-voice", FLITE_VOICES[turn % 4], "-t", text, "-o", str(file)]
        espeak = ["espeak-ng", "-v", VOICES[turn % 5], "-s", SPEED, "-w", str(file), text]
        command = (espeak, flite)[place % 2]
        if shutil.which(command[0]):
            subprocess.run(command, check=True)
            yield Known(command[0], open_sound(file), words_of(text))


def recordings() -> Iterator[Known]:
    """Yield sentences read by people; none where the package of them is not installed."""
    for name in TRANSCRIPTS:
        file = READ / name
        lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
        for words, sound in re.findall(r"<s>(.+)</s> *\((.+)\)", "\n".join(lines)):
            yield Known("read", open_sound(file.parent / f"{sound}.wav"), words_of(words))


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text, in lower case, and its figures as words.

    >>> words_of("Two dogs, running: 2 of 10.")
    ('two', 'dogs', 'running', 'two', 'of', 'ten')
    """
    found = re.findall(r"[a-z']+|10|[0-9]", text.casefold())
    return tuple(NUMBERS[int(word)] if word.isdigit() else word for word in found)


def right_words(said: tuple[str, ...], known: tuple[str, ...]) -> int:
    """Return how many of the words said stand in the same order among the known ones.

    >>> right_words(("two", "docks", "run"), ("two", "dogs", "run"))
    2
    """
    blocks = SequenceMatcher(None, known, said, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks)


def noisy(known: Known, decibels: float, seed: int) -> Known:
    """Return the sound in white noise, so many decibels below its own level."""
    samples = known.sound.samples
    level = float(np.sqrt(np.square(samples).mean())) * 10 ** (-decibels / 20)
    noise = np.random.default_rng(seed).standard_normal(samples.size).astype(np.float32) * level
    mixed = Sound((samples + noise).clip(-1, 1).astype(np.float32), known.sound.seconds)
    return Known(f"{known.origin} at {decibels:.0f} dB SNR", mixed, known.words)


def voiceless(seed: int, seconds: float = 2.0) -> Iterator[Known]:
    """Yield sounds in which nobody speaks: silence, hiss, hum, tones, knocks, wind."""
    rng = np.random.default_rng(seed)
    n = round(seconds * RATE)
    t = np.arange(n) / RATE
    gain = float(10 ** rng.uniform(-2.5, -0.5))
    white = rng.standard_normal(n)
    low, high = float(rng.uniform(45, 65)), float(rng.uniform(200, 1200))
    spectrum, place = np.fft.rfft(white), np.arange(n // 2 + 1) + 1
    knock = np.exp(-np.arange(400) / 60) * rng.standard_normal(400)
    beats = np.zeros(n)
    beats[rng.integers(0, n, 6)] = 1.0
    sounds = {
        "silence": np.zeros(n),
        "faint hiss": white * 1e-3,
        "white noise": white * 0.3,
        "pink noise": _unit(np.fft.irfft(spectrum / np.sqrt(place), n)) * 0.3,
        "brown noise": _unit(np.fft.irfft(spectrum / place, n)) * 0.3,
        "hum": np.sum([np.sin(2 * np.pi * low * k * t) / k for k in range(1, 8)], axis=0),
        "hum in hiss": np.sin(2 * np.pi * low * t) + white * 0.1,
        "tone": np.sin(2 * np.pi * high * t),
        "beeps": np.sin(2 * np.pi * high * t) * (np.sin(2 * np.pi * 2 * t) > 0),
        "sweep": np.sin(2 * np.pi * (high * t + 300 * t * t)),
        "waves of hiss": white * 0.3 * (1 + 0.9 * np.sin(2 * np.pi * rng.uniform(0.5, 4) * t)),
        "burst of hiss": white * 0.3 * ((t > 0.7) & (t < 1.0)),
        "knocks": np.convolve(beats, knock)[:n],
    }
    for origin, samples in noises(seed, seconds):
        yield Known(origin, Sound(samples, seconds))
    for origin, samples in sounds.items():
        loud = samples if origin in ("silence", "faint hiss") else np.asarray(samples) * gain
        yield Known(origin, Sound(np.clip(loud, -1, 1).astype(np.float32), seconds))


def _unit(samples: np.ndarray) -> np.ndarray:
    unit: np.ndarray = samples / samples.std()
    return unit
