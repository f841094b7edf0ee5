"""A sound file that is cut off is refused, whatever its format; whole ones are read."""

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
