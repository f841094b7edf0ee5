"""Pictures that nobody photographed: nothing is recognised in them, and how they look is true."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from textcentric.experts import classifier, open_experts
from textcentric.experts.image import ImageExpert

Draw = Callable[[ImageDraw.ImageDraw], None]
GRID = np.indices((300, 300))
RNG = np.random.default_rng(0)


def sheet(ground: str, draw: Draw, size: tuple[int, int] = (400, 300)) -> Image.Image:
    picture = Image.new("RGB", size, ground)
    draw(ImageDraw.Draw(picture))
    return picture


def grey(values: np.ndarray) -> Image.Image:
    return Image.fromarray(np.broadcast_to(values, (300, 300)).astype(np.uint8)).convert("RGB")


def page(pen: ImageDraw.ImageDraw) -> None:
    for line in range(40):
        pen.text((20, 14 * line), f"The quick brown fox jumps over line {line} of a page.", "black")


def code(pen: ImageDraw.ImageDraw) -> None:
    for line in range(50):
        colour = ("#9cdcfe", "#ce9178", "#dcdcaa")[line % 3]
        pen.text((40, 15 * line), f"def function_{line}(self, value): return value", colour)


def settings(pen: ImageDraw.ImageDraw) -> None:
    pen.rectangle((0, 0, 900, 60), fill="#3b5998")
    for row in range(5):
        pen.rectangle((40, 90 + 110 * row, 860, 180 + 110 * row), "white", "#cccccc")
        pen.text((60, 110 + 110 * row), f"Privacy {row}", "black")
        pen.ellipse((780, 115 + 110 * row, 820, 155 + 110 * row), "#4caf50")


def bars(pen: ImageDraw.ImageDraw) -> None:
    for place in range(8):
        top = 280 - 30 * (place * 5 % 8 + 1)
        pen.rectangle(
            (20 + 45 * place, top, 55 + 45 * place, 280), ("#1f77b4", "#ff7f0e")[place % 2]
        )


def pie(pen: ImageDraw.ImageDraw) -> None:
    for start, colour in ((0, "#1f77b4"), (120, "#ff7f0e"), (250, "#2ca02c")):
        pen.pieslice((100, 50, 300, 250), start, start + 130, colour)


def face(pen: ImageDraw.ImageDraw) -> None:
    pen.ellipse((100, 30, 300, 230), outline="black", width=4)
    pen.ellipse((150, 90, 170, 110), "black")
    pen.ellipse((230, 90, 250, 110), "black")
    pen.arc((150, 120, 250, 190), 0, 180, "black", 4)


def cat(pen: ImageDraw.ImageDraw) -> None:
    pen.ellipse((120, 120, 280, 220), outline="black", width=3)
    pen.ellipse((80, 80, 160, 160), outline="black", width=3)
    pen.polygon([(90, 90), (95, 50), (120, 80)], outline="black")
    pen.polygon([(130, 80), (150, 50), (155, 95)], outline="black")


def house(pen: ImageDraw.ImageDraw) -> None:
    pen.rectangle((0, 200, 400, 300), "#2e8b57")
    pen.ellipse((320, 20, 380, 80), "yellow")
    pen.polygon([(100, 200), (160, 120), (220, 200)], "#a52a2a")
    pen.rectangle((110, 200, 210, 270), "#deb887")


def stripes(pen: ImageDraw.ImageDraw) -> None:
    for left in range(0, 400, 20):
        pen.rectangle((left, 0, left + 9, 300), "white")


def squares(pen: ImageDraw.ImageDraw) -> None:
    for place in range(48):
        left, top = 50 * (place % 8), 50 * (place // 8)
        pen.rectangle(
            (left, top, left + 49, top + 49), ("black", "white")[(place + place // 8) % 2]
        )


def map_of_roads(pen: ImageDraw.ImageDraw) -> None:
    for place in range(9):
        pen.line((0, 40 * place, 400, 30 * place + 60), "#ffd54f", 6)
        pen.line((50 * place, 0, 40 * place + 30, 300), "white", 4)


def odd() -> Iterator[tuple[str, Image.Image]]:
    """Yield pictures in which nothing is to be recognised, with the names of their kinds."""
    for ground in ("white", "black", "#808080", "#39ff14"):
        yield f"plain {ground}", Image.new("RGB", (300, 200), ground)
    yield "one pixel", Image.new("RGB", (1, 1), "red")
    yield "a thin one", Image.new("RGB", (1, 3000), "blue")
    yield "a large one", Image.new("RGB", (5000, 3000), "#204060")
    yield "gradient", grey(np.linspace(0, 255, 300)[None])
    yield "steep gradient", grey(np.linspace(-400, 600, 300)[:, None].clip(0, 255))
    yield "noise", Image.fromarray(RNG.integers(0, 256, (256, 256, 3), dtype=np.uint8))
    yield "grey noise", grey(RNG.integers(0, 256, (300, 300)))
    yield "salt", grey(np.where(RNG.random((300, 300)) < 0.02, 255, 0))
    yield "waves", grey(127 + 127 * np.sin(GRID[0] / 5) * np.sin(GRID[1] / 7))
    yield "rings", grey(127 + 127 * np.sin(np.hypot(GRID[0] - 150, GRID[1] - 150) / 4))
    yield "a page", sheet("white", page, (800, 600))
    yield "code", sheet("#1e1e1e", code, (1280, 800))
    yield "settings", sheet("#f0f0f0", settings, (900, 700))
    for ground, draw in (
        ("white", bars), ("white", pie), ("white", face), ("white", cat), ("#87ceeb", house),
        ("black", stripes), ("white", squares), ("#c8e6c9", map_of_roads),
    ):  # fmt: skip
        yield draw.__name__, sheet(ground, draw)
    blobs = Image.fromarray(RNG.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    yield "blobs", blobs.resize((400, 300), Image.Resampling.BICUBIC)
    yield "large pixels", blobs.resize((400, 300), Image.Resampling.NEAREST)
    yield "a shape cut out", Image.new("RGBA", (300, 200), (200, 30, 30, 0))
    yield "palette", sheet("white", pie).quantize(4)
    yield "cmyk", sheet("#204060", house).convert("CMYK")
    yield "bits", sheet("white", cat).convert("1")


def save(picture: Image.Image, folder: Path, name: str) -> str:
    path = folder / f"{name.replace(' ', '_')}{'.tif' if picture.mode == 'CMYK' else '.png'}"
    picture.save(path)
    return str(path)


def test_nothing_is_recognised_in_what_nobody_photographed(tmp_path: Path) -> None:
    for package in classifier.PACKAGES:
        pytest.importorskip(package)
    expert = open_experts(["image"])["image"]
    assert isinstance(expert, ImageExpert)
    pictures = dict(odd())
    assert len(pictures) >= 30
    told = expert.describe([(save(one, tmp_path, name),) for name, one in pictures.items()])
    seen = {name: one.text for name, one in zip(pictures, told, strict=True) if "Seen" in one.text}
    assert seen == {}
    assert all(one.text.startswith("1 photo. Colours: ") for one in told)


@pytest.mark.parametrize(
    ("name", "colours", "light"),
    [
        ("plain white", "mainly white", "very bright"),
        ("plain black", "mainly black", "very dark"),
        ("gradient", "mainly grey, then white and black", "normal"),
        ("a page", "mainly white", "very bright"),
        ("a shape cut out", "mainly white", "very bright"),
        ("house", "mainly blue, then green", "normal"),
        ("cmyk", "mainly blue, then green", "dark"),
    ],
)
def test_what_is_measured_is_how_it_looks(
    tmp_path: Path, name: str, colours: str, light: str
) -> None:
    picture = dict(odd())[name]
    told = ImageExpert("pixels", "1").describe([(save(picture, tmp_path, name),)])[0]
    assert told.text.startswith(f"1 photo. Colours: {colours}")
    assert f" Light: {light}." in told.text
