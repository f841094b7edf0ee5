"""Files with changed bytes and odd values: what a library makes of them is that row's affair."""

from __future__ import annotations

import io
import json
import random
import struct
import time
import warnings
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.faults.scene import Scene, Tried, counted
from textcentric.data import load
from textcentric.data.media.pictures import open_picture
from textcentric.data.media.sounds import open_sound
from textcentric.errors import TextCentricError
from textcentric.models.languages import card_languages
from textcentric.runs.listing import list_runs, summary
from textcentric.settings import read_keys

SEED = 22
Make = Callable[[random.Random], bytes]
Open = Callable[[Path], object]
LETTERS = "[](){}'\",:; \\abc019-+._\x00\u202e\n"


def mutated(scene: Scene, seconds: float) -> Iterator[Tried]:
    """Open mutated files of each kind for `seconds` in this process."""
    folder = scene.folder / "mutated"
    folder.mkdir()
    kinds: dict[str, tuple[str, Make, Open]] = {
        "pictures with EXIF": ("one.jpg", picture, lambda path: open_picture(path).load()),
        "sounds": ("one.wav", sound, open_sound),
        "Parquet tables": ("one.parquet", parquet, _rows),
        "JSON tables": ("one.jsonl", json_lines, _rows),
        "printed lists": ("one.csv", printed_lists, _lists),
        "YAML": ("one.yaml", yaml_text, read_keys),
        "model cards": ("README.md", card, card_languages),
        "manifests": ("manifest.json", manifest, _looked_at),
    }
    for kind, (name, make, look) in kinds.items():
        yield _tried(kind, folder / name, make, look, seconds)


def _tried(kind: str, path: Path, make: Make, look: Open, seconds: float) -> Tried:
    draw, outcomes = random.Random(SEED), []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        path.write_bytes(make(draw))
        outcomes.append(_outcome(path, look))
    return counted(f"mutated: {kind}", outcomes)


def _outcome(path: Path, look: Open) -> str:
    """Return what was raised that is no error of ours, "" where nothing was."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            look(path)
    except TextCentricError:
        return ""
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def changed(draw: random.Random, content: bytes, most: int = 8) -> bytes:
    """Return `content` with some bytes changed, cut or doubled."""
    found = bytearray(content)
    for _ in range(draw.randint(0, most)):
        at = draw.randrange(len(found))
        if draw.random() < 0.8:
            found[at] = draw.randrange(256)
        else:
            found[at:at] = found[at : at + draw.randint(1, 16)]
    return bytes(found[: draw.randint(1, len(found))] if draw.random() < 0.1 else found)


def picture(draw: random.Random) -> bytes:
    """Return a small turned JPEG, its EXIF of random tags, types, counts and values."""
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (12, 8), (draw.randrange(256), 90, 60)).save(out, "JPEG", exif=_exif(draw))
    return changed(draw, out.getvalue(), most=draw.choice((0, 0, 4)))


def _exif(draw: random.Random) -> bytes:
    turned = struct.pack("<HHIHH", 0x0112, 3, 1, draw.randint(2, 8), 0)
    tags = [turned]
    for _ in range(draw.randint(1, 6)):
        tag = draw.choice((0x010E, 0x0110, 0x0132, 0x8769, 0x8825, 0x9003, draw.randrange(65536)))
        kind, count = draw.randint(0, 14), draw.choice((0, 1, 2, 9, 2**31))
        tags.append(struct.pack("<HHI4s", tag, kind, count, draw.randbytes(4)))
    body = struct.pack("<H", len(tags)) + b"".join(tags) + struct.pack("<I", 0)
    return b"Exif\0\0II*\0\x08\0\0\0" + body + draw.randbytes(draw.randint(0, 40))


def sound(draw: random.Random) -> bytes:
    """Return a short WAV with changed bytes."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(draw.choice((1, 2)))
        file.setsampwidth(draw.choice((1, 2, 3, 4)))
        file.setframerate(draw.choice((1, 8000, 16000, 2**28)))
        file.writeframes(draw.randbytes(960))
    return changed(draw, out.getvalue())


def parquet(draw: random.Random) -> bytes:
    """Return a small Parquet table with odd values, or changed bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = pa.array([_text(draw) for _ in range(4)])
    others: list[pa.Array] = [
        pa.array([draw.randbytes(5), None, b"", b"\xff"]),
        pa.array([[1], [], None, [2, None]]),
        pa.array([draw.randrange(2**62) for _ in range(4)], pa.timestamp("us")),
        pa.array([{"a": 1}, None, {"a": None}, {"a": 2}]),
        pa.array([1.5, float("nan"), float("inf"), None]),
        texts.dictionary_encode(),
        pa.array([draw.randrange(2**31) for _ in range(4)], pa.duration("s")),
    ]
    out = io.BytesIO()
    names = ["id", "text", "target", "more"]
    columns = [pa.array(["a", "b", "c", "d"]), texts, draw.choice(others), draw.choice(others)]
    pq.write_table(pa.table(dict(zip(names, columns, strict=True))), out)
    return changed(draw, out.getvalue(), most=draw.choice((0, 8)))


def json_lines(draw: random.Random) -> bytes:
    """Return lines of JSON with values of any kind, or changed bytes."""
    rows = [{"id": f"r{n}", "text": _value(draw), "target": _value(draw)} for n in range(4)]
    lines = "\n".join(json.dumps(row) for row in rows)
    return changed(draw, lines.encode(), most=draw.choice((0, 4)))


def _value(draw: random.Random, depth: int = 0) -> Any:
    plain = (None, True, -1, 10**400, 1.5, _text(draw), float("nan"), "2001-99-99", "\ud800")
    if depth > 3 or draw.random() < 0.6:
        return draw.choice(plain)
    if draw.random() < 0.5:
        return [_value(draw, depth + 1) for _ in range(draw.randint(0, 3))]
    return {_text(draw): _value(draw, depth + 1) for _ in range(draw.randint(0, 3))}


def _text(draw: random.Random) -> str:
    return "".join(draw.choices(LETTERS, k=draw.randint(0, 24)))


def printed_lists(draw: random.Random) -> bytes:
    """Return a table whose cells look like lists as Python prints them."""
    deep = draw.choice(("", "[" * 300, "{[]: 1}", "(" * 99, "-" * 5000, "9" * 5000))
    cells = [f"[{_text(draw)}]", deep + _text(draw), f"{{{_text(draw)}}}"]
    quoted = (cell.replace('"', '""').replace("\n", " ") for cell in cells)
    rows = "".join(f'r{n},"{cell}",{n}\n' for n, cell in enumerate(quoted))
    return f"id,tags,target\n{rows}".encode()


def yaml_text(draw: random.Random) -> bytes:
    """Return YAML of a schema with odd values, aliases and changed bytes."""
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"
    value = draw.choice(("2001-99-99", "9" * 5000, "[" * 200, "!!python/name:os.system", "&a *a"))
    return changed(draw, f"id: id\n{bomb}target: {value}\ntext: [a]\n".encode(), most=6)


def card(draw: random.Random) -> bytes:
    """Return a model card with an odd front matter."""
    said = draw.choice(("en", "[en, 5]", "{a: 1}", "2001-99-99", "[" * 100, "null", "\ud800"))
    text = f"---\nlanguage: {said}\n---\n# A model\n"
    return changed(draw, text.encode("utf-8", "surrogatepass"))


def manifest(draw: random.Random) -> bytes:
    """Return a manifest with odd values in the place of some."""
    keys = "name status started seconds dataset engine prompts totals counts tokens errors reasons"
    values = {key: _value(draw) for key in keys.split() if draw.random() < 0.7}
    return changed(draw, json.dumps(values).encode(), most=draw.choice((0, 3)))


def _rows(path: Path) -> object:
    return list(load(path, schema={"id": "id", "text": ["text"], "target": "target"}))


def _lists(path: Path) -> object:
    columns = {"tags": {"reads": "list"}}
    return list(load(path, schema={"id": "id", "target": "target", "columns": columns}))


def _looked_at(path: Path) -> object:
    """List the run, whatever its manifest says; what it comes to may be an error of ours."""
    list_runs(path.parent.parent)
    return summary(path.parent)
