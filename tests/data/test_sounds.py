"""A sound file that is cut off is refused, whatever its format; whole ones are read."""

import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile

from textcentric.data.media.sounds import SoundError, open_sound

RATE = 16_000
FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "float.wav": ("WAV", "FLOAT"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "aiff": ("AIFF", "PCM_16"),
    "au": ("AU", "PCM_16"),
}


@pytest.fixture(params=FORMATS)
def sound(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A noise of two seconds."""
    path = tmp_path / f"noise.{request.param}"
    noise = np.random.default_rng(0).uniform(-0.2, 0.2, 2 * RATE)
    kind, subtype = FORMATS[request.param]
    soundfile.write(path, noise, RATE, format=kind, subtype=subtype)
    return path


def test_a_whole_sound_is_read_and_one_that_is_cut_off_is_refused(sound: Path) -> None:
    assert open_sound(sound).seconds == pytest.approx(2, abs=0.1)
    content = sound.read_bytes()
    sound.write_bytes(content[: len(content) * 3 // 5])
    with pytest.raises(SoundError, match="is cut off or damaged") as error:
        open_sound(sound)
    assert error.value.reason == "is cut off or damaged"


def test_a_sound_that_was_written_before_its_length_was_known_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "stream.wav"
    soundfile.write(path, np.full(RATE, 0.1), RATE)
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + 4
    content[4:8] = content[at : at + 4] = b"\xff" * 4
    path.write_bytes(content)
    assert open_sound(path).seconds == 1


def test_a_sample_rate_that_nothing_has_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "noise.wav"
    soundfile.write(path, np.full(RATE, 0.1), RATE)
    content = bytearray(path.read_bytes())
    for rate in (0xFFFF_FFFF, 4_000_000, 999, 1):
        content[24:28] = rate.to_bytes(4, "little")
        path.write_bytes(content)
        with pytest.raises(SoundError, match=r"no sane sample rate|not a readable sound file"):
            open_sound(path)


def test_a_rate_that_fits_no_other_is_resampled_in_few_steps(tmp_path: Path) -> None:
    path = tmp_path / "noise.wav"
    soundfile.write(path, np.full(655_349, 0.1), 655_349)  # a prime
    assert open_sound(path).seconds == 1
    assert len(open_sound(path).samples) == pytest.approx(RATE, rel=1e-3)


def test_a_header_that_claims_more_samples_than_memory_holds_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "noise.wav"
    soundfile.write(path, np.zeros((2, 1000)), 768_000)
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = (4000 * 400_000).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(SoundError, match=r"too large|cut off"):
        open_sound(path)


def test_the_decoder_of_mp3_writes_nothing_to_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "noise.mp3"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.2, 0.2, RATE), RATE, format="MP3")
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :: 7] = b"\xff" * len(content[len(content) // 2 :: 7])
    path.write_bytes(content)
    with suppress(SoundError):
        open_sound(path)
    assert capfd.readouterr() == ("", "")
    os.write(2, b"as before")
    assert capfd.readouterr().err == "as before"


def test_whatever_a_decoder_raises_is_that_sounds_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "noise.wav"
    soundfile.write(path, np.full(RATE, 0.1), RATE)

    def chokes(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(soundfile.SoundFile, "read", chokes)
    with pytest.raises(SoundError, match="MemoryError"):
        open_sound(path)
