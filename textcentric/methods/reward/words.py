"""Pictures of pairs: in the words of the experts that describe rows for `augment`, or as files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from textcentric.augmentation.words import describe_examples
from textcentric.data.pairs.candidates import Candidates
from textcentric.data.pairs.loading import PairSet
from textcentric.data.pictures import PictureError, is_inside, open_picture
from textcentric.experts import open_experts
from textcentric.rows import Pair, Record

ABSENT = "its picture is not in the image folder"
BROKEN = "its picture cannot be read"


def described(
    found: PairSet, image_dir: str | Path, *, expert: str = "auto", journal: Path | None = None
) -> PairSet:
    """Return the pairs with their first picture in words; those that have words keep them.

    Pictures are looked for in `image_dir` and nowhere else; pairs whose picture is not there are
    left out and counted. `journal` remembers what the expert said.
    """
    folder = Path(image_dir).resolve()
    dropped = Counter(found.dropped)
    kept, files = [], {}
    for pair in found.pairs:
        if not pair.descriptions and pair.images:
            file = _file(pair.images, folder)
            if file is None:
                dropped[ABSENT] += 1
                continue
            files[pair.id] = file
        kept.append(pair)
    words = _words(files.values(), folder, expert, journal)
    pairs = [_with(pair, words.get(files.get(pair.id, Path()), "")) for pair in kept]
    return replace(found, pairs=pairs, dropped=dropped)


def pictured(found: PairSet, image_dir: str | Path) -> PairSet:
    """Return the pairs whose pictures are all in `image_dir` and can be read, the rest counted."""
    folder, dropped, kept = Path(image_dir).resolve(), Counter(found.dropped), []
    faults: dict[str, str] = {}
    for pair in found.pairs:
        if not pair.images or _file(pair.images, folder) is None:
            dropped[ABSENT] += 1
        elif any(_faulty(str(name), folder, faults) for name in pair.images):
            dropped[BROKEN] += 1
        else:
            kept.append(pair)
    return replace(found, pairs=kept, dropped=dropped)


def _faulty(name: str, folder: Path, known: dict[str, str]) -> str:
    """Return why the picture cannot be used, "" where it can; each is opened once."""
    if name not in known:
        try:
            open_picture(folder / name, folder)
            known[name] = ""
        except PictureError as error:
            known[name] = error.reason
    return known[name]


def candidates_in_words(
    prompts: Sequence[Candidates], image_dir: str | Path, *, expert: str = "auto"
) -> list[Candidates]:
    """Return the prompts with their first picture in words; those that have words keep them."""
    albums = [() if one.descriptions else one.images for one in prompts]
    words = describe_files(albums, image_dir, expert)
    return [
        replace(one, descriptions={"image": told}) if told else one
        for one, told in zip(prompts, words, strict=True)
    ]


def describe_files(
    albums: Sequence[Sequence[object]], image_dir: str | Path, expert: str = "auto"
) -> list[str]:
    """Return the first picture of each of `albums` in words, "" where it is not in `image_dir`."""
    folder = Path(image_dir).resolve()
    files = [_file(images, folder) if images else None for images in albums]
    words = _words([file for file in files if file is not None], folder, expert, None)
    return [words.get(file, "") if file is not None else "" for file in files]


def _file(images: Sequence[object], folder: Path) -> Path | None:
    name = images[0]
    if not isinstance(name, str):
        return None
    path = folder / name
    return path if path.is_file() and is_inside(path, (str(folder),)) else None


def _words(
    files: Iterable[Path], folder: Path, expert: str, journal: Path | None
) -> dict[Path, str]:
    once: Sequence[Path] = list(dict.fromkeys(files))
    if not once:
        return {}
    records = [Record(str(path), {"image": (str(path),)}) for path in once]
    experts = dict(open_experts(["image"], image=expert, root=folder))
    told = describe_examples(records, experts, journal=journal)
    return {Path(one.id): one.parts.get("image", "") for one in told}


def _with(pair: Pair, words: str) -> Pair:
    return replace(pair, descriptions={"image": words}) if words else pair
