"""Pictures: found by column or pattern, kept inside the folder, opened safely."""

import base64
import os
import struct
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageOps

from textcentric.data import load, open_picture
from textcentric.data.media.pictures import PictureError
from textcentric.errors import ConfigError, DataError
from textcentric.rows import Record

FEW = {"image": "photo", "allow_missing": "image"}
BY_ID = {"image": {"folder": "photos", "pattern": "{id}-*.jpg"}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    for name in ("a-1", "a-2", "a-10", "b-c-1"):
        Image.new("RGB", (20, 10), "red").save(tmp_path / "photos" / f"{name}.jpg")
    return tmp_path


def table(folder: Path, text: str) -> Path:
    path = folder / "rows.csv"
    path.write_text(text)
    return path


def photos(row: Record) -> list[str]:
    return [path.name for path in row.inputs.get("image", ())]


def entry(tag: int, kind: int, value: bytes) -> bytes:
    """Return one entry of EXIF: a tag, the type of its value, one value of four bytes."""
    return struct.pack("<HHI4s", tag, kind, 1, value)


def exif(*entries: bytes) -> bytes:
    count = struct.pack("<H", len(entries))
    return b"Exif\0\0II*\0\x08\0\0\0" + count + b"".join(entries) + bytes(4)


SIDEWAYS = entry(0x0112, 3, struct.pack("<HH", 6, 0))
FLOAT, SIGNED, SHORT = 11, 9, 3  # types of values


@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
@pytest.mark.parametrize(
    "odd",
    [
        entry(0x0100, FLOAT, struct.pack("<f", 2.5)),
        entry(0x010E, FLOAT, struct.pack("<f", 2.5)),
        entry(0x0111, SIGNED, struct.pack("<i", -7)),
        entry(0x8769, FLOAT, struct.pack("<f", 2.5)),
        entry(0x8825, SHORT, struct.pack("<HH", 65535, 0)),
    ],
)
def test_a_turned_picture_with_odd_exif_is_turned(tmp_path: Path, ending: str, odd: bytes) -> None:
    path = tmp_path / f"photo.{ending}"
    Image.new("RGB", (30, 20), "red").save(path, exif=exif(SIDEWAYS, odd))
    assert open_picture(path).size == (20, 30)


def test_a_picture_whose_exif_cannot_be_read_lies_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    Image.new("RGB", (30, 20), "red").save(path, exif=b"Exif\0\0II*\0" + b"\xff" * 20)
    assert open_picture(path).size == (30, 20)


def test_all_orientations_are_turned_as_pillow_turns_them(tmp_path: Path) -> None:
    drawn = Image.fromarray(np.arange(6 * 4 * 3, dtype=np.uint8).reshape(6, 4, 3) * 3)
    for orientation in range(10):
        tag = entry(0x0112, 3, struct.pack("<HH", orientation, 0))
        drawn.save(tmp_path / "photo.png", exif=exif(tag))
        with Image.open(tmp_path / "photo.png") as stored:
            expected = ImageOps.exif_transpose(stored)
        opened = open_picture(tmp_path / "photo.png")
        assert np.array_equal(np.asarray(opened), np.asarray(expected))
        assert opened.getexif().get(0x0112, 1) == 1 or orientation in (0, 9)


def test_whatever_a_decoder_raises_is_that_pictures_problem(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error in (MemoryError(), RecursionError("deep"), ZeroDivisionError(), struct.error("few")):

        def chokes(*_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(Image.Image, "convert", chokes)
        with pytest.raises(PictureError, match="cut off or damaged") as raised:
            open_picture(folder / "photos" / "a-1.jpg")
        assert type(error).__name__ in str(raised.value)


def test_decoders_write_nothing_to_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "photo.tif"
    Image.effect_noise((64, 48), 50).convert("RGB").save(path, compression="tiff_lzw")
    whole, broken = path.read_bytes(), 0
    for at in range(0, len(whole), len(whole) // 40):
        path.write_bytes(whole[:at] + bytes(9 * [255]) + whole[at + 9 :])
        with suppress(PictureError):
            broken += 1
            open_picture(path)
            broken -= 1
    assert broken > 10
    assert capfd.readouterr() == ("", "")


def test_all_pictures_of_a_row_come_in_numeric_order(folder: Path) -> None:
    rows = list(load(table(folder, "id,w\na,x\nb-c,x\nb,x\n"), schema=BY_ID))
    assert [photos(row) for row in rows] == [["a-1.jpg", "a-2.jpg", "a-10.jpg"], ["b-c-1.jpg"], []]


def test_a_path_of_windows_is_found(folder: Path) -> None:
    path = table(folder, "id,photo\n1,photos\\a-1.jpg\n")
    assert [photos(row) for row in load(path, schema={"image": "photo"})] == [["a-1.jpg"]]


@pytest.mark.parametrize("kind", ["PNG", "AVIF", "TIFF", "JPEG2000"])
@pytest.mark.parametrize("form", ["bytes", "base64", "uri"])
def test_a_picture_in_a_cell_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, kind: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    drawn = BytesIO()
    Image.new("RGB", (20, 10), "red").save(drawn, kind)
    text = base64.b64encode(drawn.getvalue()).decode()
    cells = {"bytes": drawn.getvalue(), "base64": text, "uri": f"data:image/png;base64,{text}"}
    pq.write_table(pa.table({"id": ["a"], "photo": [cells[form]]}), tmp_path / "rows.parquet")
    (row,) = load(tmp_path / "rows.parquet", schema={"image": "photo"})
    assert open_picture(row.inputs["image"][0]).size == (20, 10)


def test_a_long_name_of_a_file_is_cut_in_messages(folder: Path) -> None:
    name = "../" + "far/" * 60
    note = load(table(folder, f"id,w,photo\n1,x,{name}\n"), schema=FEW).notes[0]
    assert len(note) < 200


def test_a_column_names_the_picture_and_an_absent_file_is_a_missing_modality(folder: Path) -> None:
    path = table(folder, "id,photo\n1,photos/a-1.jpg\n2,photos/none.jpg\n3,\n")
    rows = load(path, schema=FEW)
    assert [photos(row) for row in rows] == [["a-1.jpg"]]
    assert (rows.rows, rows.count(), rows.faulty) == (1, 1, 2)
    assert "row '2' has nothing in any modality" in rows.notes[0]


def test_a_pattern_completes_the_value_of_a_column(folder: Path) -> None:
    rule = {"image": {"column": "photo", "folder": "photos", "pattern": "{value}.jpg"}}
    (row,) = load(table(folder, "id,photo\n1,a-2\n"), schema=rule)
    assert photos(row) == ["a-2.jpg"]


def test_paths_and_links_that_leave_the_folder_are_refused_and_counted(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.jpg"
    Image.new("RGB", (20, 10)).save(outside)
    (folder / "photos" / "d-1.jpg").symlink_to(outside)
    (folder / "photos" / "d-2.jpg").symlink_to(folder / "photos" / "a-1.jpg")
    rows = load(table(folder, "id,w\na,x\nd,x\n"), schema=BY_ID)
    assert [photos(row) for row in rows] == [["a-1.jpg", "a-2.jpg", "a-10.jpg"], ["d-2.jpg"]]
    assert rows.notes[0].startswith("refused 1 image file outside the data folder")
    named = (
        f"id,w,photo\n1,x,../{outside.parent.name}/secret.jpg\n2,x,{outside}\n3,x,photos/a-1.jpg\n"
    )
    rows = load(table(folder, named), schema=FEW)
    assert [photos(row) for row in rows] == [[], [], ["a-1.jpg"]]
    assert rows.notes[0].startswith("refused 2 image files")


@pytest.mark.parametrize("way", ["{outside}", "../{name}", "photos/../../{name}"])
@pytest.mark.parametrize(
    "rule", [{"pattern": "{id}.jpg"}, {"pattern": "{id}*.jpg"}, {"column": "w"}]
)
def test_no_schema_chooses_a_folder_outside_the_data(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, way: str, rule: dict[str, str]
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    Image.new("RGB", (20, 10)).save(outside / "a.jpg")
    place = way.format(outside=outside, name=os.path.relpath(outside, folder.parent))
    schema = {"image": {"folder": place, **rule}, "allow_missing": "image"}
    with pytest.raises(ConfigError, match=r"leads out of the data folder .* holds both"):
        load(table(folder, "id,w\na,a.jpg\n"), schema=schema)


def test_no_way_leads_out_through_a_link(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    Image.new("RGB", (20, 10)).save(outside / "a.jpg")
    (outside / "deeper").mkdir()
    (folder / "linked").symlink_to(outside / "deeper")
    schema = {"image": {"folder": "linked/..", "pattern": "{id}.jpg"}, "allow_missing": "image"}
    (row,) = load(table(folder, "id,w\na,x\n"), schema=schema)
    assert photos(row) == []


def test_a_folder_inside_may_be_named_as_a_whole_and_may_be_a_link(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    disk = tmp_path_factory.mktemp("disk")
    Image.new("RGB", (20, 10)).save(disk / "a.jpg")
    (folder / "linked").symlink_to(disk)
    schema = {"image": {"folder": str(folder / "linked"), "pattern": "{id}.jpg"}}
    (row,) = load(table(folder, "id,w\na,x\n"), schema=schema)
    assert photos(row) == ["a.jpg"]


def test_a_name_that_no_file_can_have_is_refused(folder: Path) -> None:
    (folder / "rows.jsonl").write_text('{"id": "1", "w": "x", "photo": "a\\u0000b/c.jpg"}\n')
    rows = load(folder / "rows.jsonl", schema=FEW)
    assert [photos(row) for row in rows] == [[]]
    assert rows.notes[0].startswith("refused 1 image file")


def test_an_id_cannot_climb_out_of_the_folder(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "x.jpg"
    Image.new("RGB", (20, 10)).save(outside)
    rule = {"image": {"folder": "photos", "pattern": "{id}.jpg"}, "allow_missing": "image"}
    path = table(folder, f"id,w\n../../{outside.parent.name}/x,x\n")
    (row,) = load(path, schema=rule)
    assert "image" not in row.inputs


def test_a_picture_opens_as_rgb_and_upright(tmp_path: Path) -> None:
    picture = Image.new("L", (40, 20), 90)
    exif = picture.getexif()
    exif[0x0112] = 6  # rotate by a quarter turn
    picture.save(tmp_path / "turned.jpg", exif=exif)
    opened = open_picture(tmp_path / "turned.jpg", root=tmp_path)
    assert (opened.mode, opened.size) == ("RGB", (20, 40))


def broken(folder: Path) -> None:
    whole = folder / "whole.jpg"
    Image.effect_noise((200, 200), 60).convert("RGB").save(whole)
    (folder / "cut.jpg").write_bytes(whole.read_bytes()[:3000])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "page.jpg").write_text("<!DOCTYPE html><html><body>404</body></html>")
    (folder / "head.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))
    (folder / "noise.jpg").write_bytes(bytes(range(256)) * 4)
    Image.new("L", (20_001, 2)).save(folder / "wide.png")
    Image.new("1", (12_000, 12_000)).save(folder / "bomb.png")
    whole.unlink()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cut.jpg", "is cut off or damaged"),
        ("head.png", "is cut off or damaged (it begins as PNG)"),
        ("empty.jpg", "is empty (0 bytes)"),
        ("page.jpg", "is an HTML page, not an image"),
        ("noise.jpg", "is not an image"),
        ("wide.png", "is too large: 20,001 by 2 pixels"),
        ("bomb.png", "is too large: 12,000 by 12,000 pixels"),
        ("none.jpg", "does not exist"),
        ("../outside.jpg", "leaves the data folder"),
    ],
)
def test_a_picture_that_cannot_be_used_says_why(tmp_path: Path, name: str, message: str) -> None:
    broken(tmp_path)
    with pytest.raises(DataError) as error:
        open_picture(tmp_path / name, root=tmp_path)
    assert message in str(error.value)
    assert error.value.field == "image"


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_parts_are_white(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "clear.png"
    picture = Image.new("RGBA", (4, 4), (0, 0, 0, 0)).convert(mode)
    if mode == "P":
        picture.info["transparency"] = 0
    picture.save(path)
    assert open_picture(path).getpixel((1, 1)) == (255, 255, 255)


RAMP = np.linspace(0, 1, 5)[None].repeat(3, axis=0)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ramp.png", (RAMP * 65535).astype(np.uint16)),
        ("ramp.tif", (RAMP * 65535).astype(np.uint16)),
        ("big.tif", (RAMP * 65535).astype(">u2")),
        ("whole.tif", (RAMP * 65535).astype(np.int32)),
        ("shares.tif", RAMP.astype(np.float32)),
        ("bytes.tif", (RAMP * 255).astype(np.float32)),
    ],
)
def test_more_than_8_bits_are_scaled_and_not_cut(
    tmp_path: Path, name: str, values: np.ndarray
) -> None:
    path = tmp_path / name
    Image.fromarray(values).save(path)
    greys = np.asarray(open_picture(path))[1, :, 0]
    assert greys.tolist() == pytest.approx([0, 63, 127, 191, 255], abs=1)


def test_a_dark_picture_of_16_bits_stays_dark(tmp_path: Path) -> None:
    path = tmp_path / "dim.png"
    Image.fromarray(np.full((3, 3), 8191, np.uint16)).save(path)
    assert open_picture(path).getpixel((0, 0)) == (31, 31, 31)


def test_values_that_are_not_numbers_are_black(tmp_path: Path) -> None:
    path = tmp_path / "gaps.tif"
    Image.fromarray(np.array([[np.nan, np.inf, 1.0]], np.float32)).save(path)
    assert np.asarray(open_picture(path))[0, :, 0].tolist() == [0, 0, 255]


def test_the_clear_value_of_a_picture_of_16_bits_is_white(tmp_path: Path) -> None:
    path = tmp_path / "clear.png"
    Image.fromarray(np.array([[0, 30_000]], np.uint16)).save(path, transparency=0)
    assert np.asarray(open_picture(path))[0, :, 0].tolist() == [255, 116]


@pytest.mark.parametrize("name", ["web.avif", "web.jpg", "scan.jp2", "camera.ppm"])
def test_newer_formats_are_read_under_any_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    Image.new("RGB", (20, 10), "red").save(path, "AVIF" if name == "web.jpg" else None)
    assert open_picture(path).getpixel((5, 5)) == pytest.approx((255, 0, 0), abs=2)


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr"])
def test_colours_of_another_space_are_converted(tmp_path: Path, mode: str) -> None:
    picture = Image.new("RGB", (4, 4), (200, 40, 40))
    picture.convert(mode).save(tmp_path / "print.tif")
    colour = open_picture(tmp_path / "print.tif").getpixel((1, 1))
    assert colour == pytest.approx((200, 40, 40), abs=3)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "is HEIC, which is not read here"),
        (b'<?xml version="1.0"?>\n<svg width="9"/>', "is SVG, which is not read here"),
        (b"%PDF-1.7", "is a PDF, which is not read here"),
        (b'{"error": "no such key"}', "is JSON, not an image"),
        (b"PK\x03\x04" + bytes(30), "is a zip archive, not an image"),
        (b"\0\0\0\x18ftypisom" + bytes(30), "is MP4 or QuickTime, not an image"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "is a pointer of Git LFS"),
        (b"no such picture", "is a text, not an image"),
    ],
)
def test_what_is_no_picture_is_named_as_what_it_is(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "photo.jpg").write_bytes(content)
    with pytest.raises(PictureError) as error:
        open_picture(tmp_path / "photo.jpg")
    assert error.value.reason.startswith(reason)


@pytest.mark.parametrize("name", ["moving.gif", "moving.webp", "moving.png", "pages.tif"])
def test_of_several_frames_the_first_is_opened_and_all_are_counted(
    tmp_path: Path, name: str
) -> None:
    first, *others = (Image.new("RGB", (20, 10), colour) for colour in ("red", "green", "blue"))
    first.save(tmp_path / name, save_all=True, append_images=others)
    opened = open_picture(tmp_path / name)
    assert opened.getpixel((5, 5)) == pytest.approx((255, 0, 0), abs=3)
    assert opened.info["frames"] == 3


def test_the_second_image_of_a_phones_picture_is_no_frame(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    first = Image.new("RGB", (20, 10), "red")
    first.save(path, "MPO", save_all=True, append_images=[first])
    assert open_picture(path).info["frames"] == 1
