"""The pictures of a row of pairs: names of files, or pictures that the row itself holds.

A picture in a cell (bytes, base64, a data URI, one that a program holds) is written into the
cache once, as those of tables are, and goes by its path from there on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from textcentric.data.media.files import named_file
from textcentric.data.named import embedded_folder, is_embedded
from textcentric.data.pairs.messages import PICTURES, is_conversation
from textcentric.data.pairs.notation import as_list
from textcentric.errors import DataError
from textcentric.values import Cell, Cells

IMAGES = ("images", "image", "img_path", "image_path", "Image")
TURNS = ("conversations", "prompt", "messages", "chosen", "rejected")  # columns of messages
BROKEN_URI = "its picture is a data URI whose base64 cannot be read"
URL = "its picture is a URL; fetch the pictures, and give their files and their folder"


def pictures_of(row: Cells) -> tuple[str, ...]:
    """Return the pictures of a row, in order, as files; raises DataError for what is none."""
    values = next((row[n] for n in IMAGES if row.get(n) is not None and row[n] != ""), None)
    pictures = as_list(values) or list(_in_messages(row))
    return tuple(map(file_of, pictures))


def file_of(picture: object) -> str:
    """Return the file of a picture, by its name; raises DataError for what is none."""
    name = named_file(picture, embedded_folder())
    if not isinstance(name, str) or not name:
        raise DataError(f"its picture is of type {type(picture).__name__}, which is not read")
    if name.startswith(("http://", "https://")):
        raise DataError(URL)
    if name.startswith("data:"):
        raise DataError(BROKEN_URI)
    return name


def root_of(file: str, folder: str | Path | None) -> Path | None:
    """Return the folder that a picture must lie in: the cache where a cell held it, or `folder`."""
    if is_embedded(file):
        return embedded_folder()
    return None if folder is None else Path(folder)


def _in_messages(row: Cells) -> Iterator[Cell]:
    """Yield the pictures that stand in messages; both responses may repeat those of a prompt."""
    seen = []
    for name in TURNS:
        value = row.get(name)
        for message in value if is_conversation(value) else []:
            content = message.get("content")
            for block in content if isinstance(content, list) else []:
                picture = _in_block(block)
                if picture is not None and picture not in seen:
                    seen.append(picture)
                    yield picture


def _in_block(block: Cell) -> Cell:
    """Return the picture of a block, None where it only says where one stands."""
    if not isinstance(block, Mapping) or block.get("type") not in PICTURES:
        return None
    picture = next((block[n] for n in ("image", "image_url", "url", "path") if block.get(n)), None)
    return picture.get("url") if isinstance(picture, Mapping) and "url" in picture else picture
