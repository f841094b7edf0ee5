"""Noise in pictures and sounds: how much, where the copies lie, and that they are made once."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from textcentric.corruption.files import (
    SNRS,
    all_with_pixels,
    audio_noise,
    file_corruptions,
    image_noise,
)
from textcentric.corruption.rows import CORRUPTIONS, counts
from textcentric.data.media.photo_labels import PhotoLabels
from textcentric.data.media.sounds import RATE, open_sound
from textcentric.errors import ConfigError, StoppedError
from textcentric.experts.image import ImageExpert
from textcentric.rows import Record


@pytest.fixture
def photos(tmp_path: Path) -> Record:
    """Return a row of a grey and a coloured picture."""
    shade = np.arange(60 * 80 * 3, dtype=np.uint32).reshape(60, 80, 3) % 256
    Image.new("RGB", (200, 150), (128, 128, 128)).save(tmp_path / "1.png")
    Image.fromarray(shade.astype(np.uint8)).save(tmp_path / "2.jpg")
    return Record("r1", {"text": "a b c", "image": (tmp_path / "1.png", tmp_path / "2.jpg")}, 3)


@pytest.fixture
def sounds(tmp_path: Path) -> Record:
    """Return a row of one second of a tone at 16 kHz."""
    soundfile = pytest.importorskip("soundfile")
    wave = 0.1 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    soundfile.write(tmp_path / "1.wav", wave, RATE, subtype="PCM_24")
    return Record("r1", {"audio": (str(tmp_path / "1.wav"),)})


def pixels(path: str | Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture, dtype=np.float64) / 255


def test_noise_has_the_sigma_of_the_level(photos: Record, tmp_path: Path) -> None:
    copy = image_noise(photos, 0.1, 0, folder=tmp_path / "noise").inputs["image"][0]
    noise = pixels(copy) - 128 / 255
    assert noise.shape == (150, 200, 3)
    assert abs(noise.mean()) < 0.002
    assert abs(noise.std() - 0.1) < 0.002


def test_noise_is_clipped_at_black_and_white(photos: Record, tmp_path: Path) -> None:
    copy = image_noise(photos, 0.9, 0, folder=tmp_path / "noise").inputs["image"][0]
    noisy = pixels(copy)
    # P(|0.9 z| > 0.5) = 0.578
    assert abs(np.isin(noisy, [0.0, 1.0]).mean() - 0.578) < 0.01


def test_copies_are_lossless_pngs_and_the_originals_stay(photos: Record, tmp_path: Path) -> None:
    before = [path.read_bytes() for path in photos.inputs["image"]]
    damaged = image_noise(photos, 0.3, 0, folder=tmp_path / "noise")
    for path in damaged.inputs["image"]:
        assert path.parent == tmp_path / "noise"
        with Image.open(path) as picture:
            assert (picture.format, picture.mode) == ("PNG", "RGB")
    assert [path.read_bytes() for path in photos.inputs["image"]] == before
    assert damaged.inputs["text"] == "a b c"
    assert (damaged.id, damaged.target) == ("r1", 3)
    assert photos.inputs["image"] == (tmp_path / "1.png", tmp_path / "2.jpg")


def test_the_same_noise_grows_with_the_level(photos: Record, tmp_path: Path) -> None:
    small, large = (
        pixels(image_noise(photos, level, 0, folder=tmp_path / "noise").inputs["image"][0])
        for level in (0.05, 0.1)
    )
    small, large = small - 128 / 255, large - 128 / 255
    assert np.abs(large - 2 * small).max() < 2 / 255


def test_a_copy_is_made_once_and_named_by_content(photos: Record, tmp_path: Path) -> None:
    folder = tmp_path / "noise"
    first = image_noise(photos, 0.3, 0, folder=folder).inputs["image"]
    times = [path.stat().st_mtime_ns for path in first]
    assert image_noise(photos, 0.3, 0, folder=folder).inputs["image"] == first
    moved = tmp_path / "moved.png"
    moved.write_bytes(photos.inputs["image"][0].read_bytes())
    again = Record("r1", {"image": (str(moved), photos.inputs["image"][1])})
    assert image_noise(again, 0.3, 0, folder=folder).inputs["image"] == first
    assert [path.stat().st_mtime_ns for path in first] == times
    assert sorted(folder.iterdir()) == sorted(first)


def test_another_level_seed_row_place_or_content_is_another_copy(
    photos: Record, tmp_path: Path
) -> None:
    def names(record: Record, level: float = 0.3, seed: int = 0) -> list[str]:
        return [p.name for p in image_noise(record, level, seed, folder=tmp_path).inputs["image"]]

    grey = photos.inputs["image"][0]
    twice = Record("r1", {"image": (grey, grey)})
    other = Record("r2", photos.inputs)
    seen = [*names(twice), names(photos, 0.5)[0], names(photos, seed=1)[0], names(other)[0]]
    assert len(set(seen)) == 5
    before = names(photos)
    Image.new("RGB", (200, 150), "red").save(grey)
    assert names(photos)[0] != before[0]
    assert names(photos)[1] == before[1]


def test_the_bytes_of_a_copy_follow_from_the_row_alone(photos: Record, tmp_path: Path) -> None:
    one, two = (
        [p.read_bytes() for p in image_noise(photos, 0.5, 4, folder=tmp_path / f).inputs["image"]]
        for f in ("one", "two")
    )
    assert one == two


def test_level_0_and_a_row_without_pictures_stay_the_row_itself(
    photos: Record, tmp_path: Path
) -> None:
    assert image_noise(photos, 0, 0, folder=tmp_path / "noise") is photos
    row = Record("r1", {"text": "a"})
    assert image_noise(row, 0.5, 0, folder=tmp_path / "noise") is row
    assert audio_noise(row, 10, 0, folder=tmp_path / "noise") is row
    assert not (tmp_path / "noise").exists()


def test_a_level_outside_0_to_1_is_refused(photos: Record, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"level is 1\.5, expected a share"):
        image_noise(photos, 1.5, 0, folder=tmp_path)


def test_a_broken_picture_stays_what_it_is_and_leaves_nothing_behind(
    photos: Record, tmp_path: Path
) -> None:
    broken, absent = tmp_path / "broken.jpg", tmp_path / "absent.jpg"
    broken.write_bytes(b"<html>not found</html>")
    row = Record("r1", {"image": (broken, photos.inputs["image"][0], absent)})
    left = image_noise(row, 0.3, 0, folder=tmp_path / "noise").inputs["image"]
    assert (left[0], left[2]) == (broken, absent)
    assert list((tmp_path / "noise").iterdir()) == [left[1]]
    told = ImageExpert("pixels", "1").describe([left])[0]
    assert told.text.startswith("3 photos, 1 of them described.")


def test_a_picture_outside_the_root_is_not_read(photos: Record, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    folder = tmp_path / "noise"
    damaged = image_noise(photos, 0.3, 0, folder=folder, root=tmp_path / "data")
    assert damaged == photos
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_stops_clearly(photos: Record, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoppedError, match="cannot write"):
        image_noise(photos, 0.3, 0, folder=tmp_path / "file")


@pytest.mark.parametrize("snr", SNRS)
def test_white_noise_has_the_asked_ratio(sounds: Record, tmp_path: Path, snr: float) -> None:
    clean = open_sound(sounds.inputs["audio"][0]).samples
    copy = audio_noise(sounds, snr, 0, folder=tmp_path / "noise").inputs["audio"][0]
    noise = open_sound(copy).samples - clean
    assert noise.shape == clean.shape
    ratio = 10 * np.log10((clean.astype(np.float64) ** 2).mean() / (noise**2).mean())
    assert abs(ratio - snr) < 0.2
    power = np.abs(np.fft.rfft(noise)) ** 2
    assert abs(power[: len(power) // 2].mean() / power[len(power) // 2 :].mean() - 1) < 0.1


def test_sounds_are_made_once_and_are_the_same_bytes_anywhere(
    sounds: Record, tmp_path: Path
) -> None:
    first, again, elsewhere = (
        Path(audio_noise(sounds, 10, 0, folder=tmp_path / folder).inputs["audio"][0])
        for folder in ("one", "one", "two")
    )
    assert first == again
    assert first.read_bytes() == elsewhere.read_bytes()
    assert list((tmp_path / "one").iterdir()) == [first]


def test_a_loud_or_silent_or_broken_sound_stays_within_bounds(
    sounds: Record, tmp_path: Path
) -> None:
    import soundfile

    soundfile.write(tmp_path / "loud.wav", np.sign(np.sin(np.arange(8000.0))), 8000)
    soundfile.write(tmp_path / "silent.wav", np.zeros(800), 8000)
    (tmp_path / "broken.wav").write_bytes(b"nothing")
    paths = [str(tmp_path / f"{name}.wav") for name in ("loud", "silent", "broken")]
    row = Record("r1", {"audio": tuple(paths)})
    loud, silent, broken = audio_noise(row, 0, 0, folder=tmp_path / "noise").inputs["audio"]
    assert np.abs(open_sound(loud).samples).max() <= 1
    assert not open_sound(silent).samples.any()
    assert broken == paths[2]


@pytest.mark.parametrize("snr", [float("nan"), float("inf"), -float("inf")])
def test_a_ratio_that_is_not_finite_is_refused(sounds: Record, tmp_path: Path, snr: float) -> None:
    with pytest.raises(ConfigError, match="signal-to-noise ratio is"):
        audio_noise(sounds, snr, 0, folder=tmp_path)


def test_all_with_pixels_damages_what_the_image_expert_may_read(
    photos: Record, tmp_path: Path
) -> None:
    labels = (PhotoLabels("1.png", tuple((f"l{i}", 0.9) for i in range(50))),)
    row = Record("r1", {**photos.inputs, "table": {"A": 1, "B": 2}, "image_labels": labels})
    damaged = all_with_pixels(row, 0.5, 0, folder=tmp_path / "noise")
    words = CORRUPTIONS["all"](row, 0.5, 0)
    assert words.inputs["image"] == row.inputs["image"]
    assert {**damaged.inputs, "image": ()} == {**words.inputs, "image": ()}
    assert counts([(row, damaged)])["pictures"] == (2, 2)
    assert (
        damaged.inputs["image"]
        == image_noise(row, 0.5, 0, folder=tmp_path / "noise").inputs["image"]
    )


def test_the_corruptions_with_files_take_their_folder_along(
    photos: Record, sounds: Record, tmp_path: Path
) -> None:
    table = file_corruptions(tmp_path / "noise")
    assert sorted(table) == ["all", "audio-noise", "image-noise"]
    assert table["image-noise"](photos, 0.3, 0) == image_noise(
        photos, 0.3, 0, folder=tmp_path / "noise"
    )
    assert table["audio-noise"](sounds, 10, 0).inputs["audio"] != sounds.inputs["audio"]
    assert table["all"](photos, 0, 0) is photos
