"""Damaged pictures and sounds: each is read, or is that file's named problem; nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.mutated import BOUNDED, exif, flipped, picture, sound
from textcentric.data.media.pictures import PictureError, open_picture
from textcentric.data.media.sounds import SoundError, open_sound

pytestmark = pytest.mark.slow
PICTURES = ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "AVIF", "JPEG2000", "PPM")
WITH_EXIF = ("JPEG", "PNG", "WEBP")  # into which Pillow writes it as it is
SOUNDS = {"WAV": "PCM_16", "FLAC": "PCM_16", "OGG": "VORBIS", "MP3": "MPEG_LAYER_III"}
SOUNDS |= {"AIFF": "PCM_24", "AU": "FLOAT"}


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        yield Path(folder) / "file"


def look(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with suppress(PictureError):
        assert open_picture(path).mode == "RGB"


@pytest.mark.parametrize("kind", WITH_EXIF)
@BOUNDED
@given(said=exif())
def test_a_picture_with_any_exif_is_read(kind: str, said: bytes, place: Path) -> None:
    place.write_bytes(picture(kind, said))
    assert sorted(open_picture(place).size) == [16, 24]


@pytest.mark.parametrize("kind", WITH_EXIF)
@BOUNDED
@given(data=st.data(), said=exif())
def test_a_picture_whose_exif_is_damaged_is_read_or_named(
    kind: str, data: st.DataObject, said: bytes, place: Path
) -> None:
    look(place, data.draw(flipped(picture(kind, said), first=300)))


@pytest.mark.parametrize("kind", PICTURES)
@BOUNDED
@given(data=st.data())
def test_a_damaged_picture_is_read_or_named(kind: str, data: st.DataObject, place: Path) -> None:
    mode = data.draw(st.sampled_from(["RGB", "L"] if kind != "GIF" else ["P", "L"]))
    look(place, data.draw(flipped(picture(kind, mode=mode), first=60)))


@pytest.mark.parametrize("kind", SOUNDS)
@BOUNDED
@given(data=st.data())
def test_a_damaged_sound_is_read_or_named(kind: str, data: st.DataObject, place: Path) -> None:
    place.write_bytes(data.draw(flipped(sound(kind, SOUNDS[kind]), first=60)))
    with suppress(SoundError):
        assert abs(open_sound(place).samples).max() < 10
