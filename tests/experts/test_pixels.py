"""What pixels say: colours, light, sharpness, size."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from textcentric.experts.pixels import Look, describe_looks, look_at, name_colour


def disc(
    size: tuple[int, int] = (320, 240), ground: str = "#c8dcff", ink: str = "#784020"
) -> Image.Image:
    image = Image.new("RGB", size, ground)
    ImageDraw.Draw(image).ellipse((60, 40, 200, 180), fill=ink)
    return image


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("000000", "black"),
        ("808080", "grey"),
        ("ffffff", "white"),
        ("c81e1e", "red"),
        ("f08020", "orange"),
        ("f5dd30", "yellow"),
        ("2f8f2f", "green"),
        ("20b8b8", "turquoise"),
        ("2850c8", "blue"),
        ("7828b0", "purple"),
        ("f590b8", "pink"),
        ("784828", "brown"),
        ("e0ccaa", "beige"),
    ],
)
def test_plain_colours_have_their_everyday_names(code: str, name: str) -> None:
    assert name_colour(code) == name


def test_colours_are_ordered_by_share() -> None:
    image = Image.new("RGB", (100, 100), "#2850c8")
    ImageDraw.Draw(image).rectangle((0, 0, 99, 29), fill="#c81e1e")
    look = look_at(image)
    assert sorted(look.colours, key=lambda name: look.colours[name]) == ["red", "blue"]
    assert look.colours["red"] == pytest.approx(0.3, abs=0.02)
    assert describe_looks([look_at(image)]).startswith("Colours: mainly blue, then red.")


@pytest.mark.parametrize(
    ("level", "light"),
    [(10, "very dark"), (50, "dark"), (128, "normal"), (210, "bright"), (250, "very bright")],
)
def test_light_follows_mean_luma(level: int, light: str) -> None:
    assert look_at(Image.new("RGB", (64, 64), (level, level, level))).light == light


@pytest.mark.parametrize(("radius", "word"), [(0, "sharp"), (1, "soft"), (3, "blurred")])
def test_blur_is_seen_on_a_flat_drawing(radius: int, word: str) -> None:
    image = disc((256, 256)).filter(ImageFilter.GaussianBlur(radius))
    assert look_at(image).sharpness == word


@pytest.mark.parametrize(("radius", "word"), [(0, "sharp"), (3, "blurred")])
def test_blur_is_seen_on_a_busy_picture_and_in_the_dark(radius: int, word: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    busy = Image.fromarray(noise).resize((240, 180), Image.Resampling.NEAREST)
    for image in (busy, busy.point(lambda value: value // 3)):
        assert look_at(image.filter(ImageFilter.GaussianBlur(radius))).sharpness == word


def test_a_picture_without_contrast_gets_no_word_for_sharpness() -> None:
    assert describe_looks([look_at(Image.new("RGB", (1200, 800), "white"))]) == (
        "Colours: mainly white. Light: very bright. Size: 1200 by 800 pixels, large."
    )


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (2000, 2)])
def test_odd_sizes_are_described_too(size: tuple[int, int]) -> None:
    assert f"Size: {size[0]} by {size[1]} pixels" in describe_looks(
        [look_at(Image.new("RGB", size))]
    )


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_pixel_format_is_described(mode: str) -> None:
    assert describe_looks([look_at(Image.new(mode, (40, 30)))]).startswith("Colours: mainly ")


def test_transparent_pixels_count_as_white() -> None:
    assert look_at(Image.new("RGBA", (20, 20), (0, 0, 0, 0))).colours == {"white": 1.0}


def test_several_looks_are_told_once_where_they_agree() -> None:
    dark = Look({"brown": 1.0}, "dark", "sharp", 200, 100)
    light = Look({"white": 1.0}, "bright", "sharp", 200, 100)
    assert describe_looks([dark, dark, light]) == (
        "Colours: mainly brown, then white. Light: dark (2); bright (1). Sharpness: sharp."
        " Size: 200 by 100 pixels, small."
    )


def test_of_several_frames_the_number_is_told() -> None:
    moving = Image.new("RGB", (200, 100), "white")
    moving.info["frames"] = 3
    assert describe_looks([look_at(moving)]).endswith(
        "Size: 200 by 100 pixels, small. Frames: 3, of which the first is described."
    )
