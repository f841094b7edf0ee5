"""Noise in pictures and sounds: damaged copies on disk, and rows that point to them.

A copy is named by a digest of what decides its content (the original's bytes, the row, the
place, the level, the seed), so it is made once, whatever the original is called. The noise
itself is the same at every level, only scaled. A file that cannot be read stays what it is: the
expert says why.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textcentric.corruption.rows import Corruption, all_at_once, check_level, seed_of
from textcentric.data.media.digests import digest_files, digest_value
from textcentric.data.media.pictures import open_picture
from textcentric.errors import ConfigError, DataError
from textcentric.folders import writing, written
from textcentric.rows import Record

if TYPE_CHECKING:
    from numpy.random import Generator

SNRS = (20.0, 10.0, 0.0)  # dB


def file_corruptions(folder: Path, root: Path | None = None) -> dict[str, Corruption]:
    """Return the corruptions that write files into `folder`; the level of `audio-noise` is in dB.

    They take the place of those of the same name in `CORRUPTIONS`.
    """
    options: dict[str, Any] = {"folder": folder, "root": root}
    return {
        "image-noise": partial(image_noise, **options),
        "audio-noise": partial(audio_noise, **options),
        "all": partial(all_with_pixels, **options),
    }


def image_noise(
    record: Record, level: float, seed: int, *, folder: Path, root: Path | None = None
) -> Record:
    """Add Gaussian noise of sigma = `level` to the pixels in [0, 1], clipped; copies are PNG.

    Pictures are read inside `root` alone, if given; the experts must be let into `folder`.
    Raises ConfigError for a level outside [0, 1] and StoppedError if `folder` cannot be written.
    """
    check_level(level)
    if level == 0:
        return record
    return _with_noise(record, "image", _Noise("image-noise", level, seed, folder, root))


def audio_noise(
    record: Record, level: float, seed: int, *, folder: Path, root: Path | None = None
) -> Record:
    """Add white noise at a signal-to-noise ratio of `level` dB; copies are 16 kHz mono WAV.

    That is what the experts hear of any recording, so the ratio holds for what is heard. The
    signal's power is its mean square: digital silence stays silent. Paths as in `image_noise`.
    Raises ConfigError for a ratio that is not finite.
    """
    if not isfinite(level):
        raise ConfigError(f"signal-to-noise ratio is {level} dB, expected one such as 20, 10 or 0")
    return _with_noise(record, "audio", _Noise("audio-noise", level, seed, folder, root))


def all_with_pixels(
    record: Record, level: float, seed: int, *, folder: Path, root: Path | None = None
) -> Record:
    """Drop words and columns and damage the image: its words, and its pixels where there are any.

    Whichever of the two the image expert reads, it reads damaged content.
    """
    damaged = all_at_once(record, level, seed)
    return image_noise(damaged, level, seed, folder=folder, root=root)


@dataclass(frozen=True, slots=True)
class _Noise:
    name: str
    level: float
    seed: int
    folder: Path
    root: Path | None

    def path(self, original: str | Path, owner: str) -> Path:
        """Return where the copy of `original` lies; `owner` names the row and the place in it."""
        content = digest_files([original], self.root)
        key = digest_value([content, self.name, float(self.level), int(self.seed), owner])
        return self.folder / f"{key}{_SUFFIXES[self.name]}"


def _with_noise(record: Record, modality: str, noise: _Noise) -> Record:
    """Return `record` with a noisy copy in place of every readable file of `modality`."""
    files = record.inputs.get(modality)
    if not files:
        return record
    copies = tuple(_copy(file, noise, f"{record.id}\0{i}") for i, file in enumerate(files))
    return replace(record, inputs={**record.inputs, modality: copies})


def _copy(original: str | Path, noise: _Noise, owner: str) -> str | Path:
    """Return the noisy copy of `original`, made if it is not there; an unreadable one as it is."""
    from numpy.random import default_rng

    copy = noise.path(original, owner)
    if copy.exists():
        return copy
    rng = default_rng(seed_of(noise.seed, owner, noise.name))
    with writing(copy):
        noise.folder.mkdir(parents=True, exist_ok=True)
        try:
            with written(copy) as draft:
                _WRITERS[noise.name](original, noise, rng, draft)
        except DataError:
            return original
    return copy


def _write_picture(original: str | Path, noise: _Noise, rng: Generator, copy: Path) -> None:
    import numpy as np
    from PIL import Image

    picture = open_picture(original, noise.root)
    pixels = np.asarray(picture, dtype=np.float32) / 255  # (height, width, 3)
    noisy = pixels + np.float32(noise.level) * rng.standard_normal(pixels.shape, dtype=np.float32)
    copied = Image.fromarray((noisy.clip(0, 1) * 255).round().astype(np.uint8))
    copied.save(copy, format="PNG", compress_level=1)


def _write_sound(original: str | Path, noise: _Noise, rng: Generator, copy: Path) -> None:
    import numpy as np

    from textcentric.data.media.sounds import RATE, open_sound

    samples = open_sound(original, noise.root).samples  # (samples,)
    power = np.square(samples, dtype=np.float64).mean()
    scale = np.sqrt(power / 10 ** (noise.level / 10))  # SNR = 10 log10(signal / noise power)
    noisy = (samples + scale * rng.standard_normal(samples.shape)).clip(-1, 1)

    import soundfile  # after `open_sound`, which says how to install it

    # Not as floats: libsndfile would write the time of day into the file.
    soundfile.write(copy, noisy, RATE, subtype="PCM_24", format="WAV")


_WRITERS = {"image-noise": _write_picture, "audio-noise": _write_sound}
_SUFFIXES = {"image-noise": ".png", "audio-noise": ".wav"}
