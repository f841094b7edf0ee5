"""Pictures of pairs: in the words of the experts that describe rows for `augment`, or as files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from textcentric.augmentation.words import describe_examples
from textcentric.data.media.pictures import PictureError, is_inside, open_picture
from textcentric.data.pairs.candidates import Candidates
from textcentric.data.pairs.loading import PairSet
from textcentric.data.pairs.pictures import root_of
from textcentric.data.tables.left_out import LeftOut
from textcentric.errors import ConfigError, option
from textcentric.experts import open_experts
from textcentric.rows import Pair, Record

ABSENT = "its picture is not in the image folder"
BROKEN = "its picture cannot be read"
NONE = "it has no picture"

ImageDir = str | Path | None


def shown_pictures(
    found: PairSet,
    image_dir: ImageDir,
    *,
    expert: str = "auto",
    seeing: bool = False,
    journal: Path | None = None,
) -> PairSet:
    """Return pairs as a model reads them: their pictures as files where it sees them, or in words.

    Without `image_dir` only pictures that the rows hold themselves can be shown; `told` says of
    the others that they are not. Raises ConfigError where `image_dir` is no folder or is needed.
    """
    if image_dir is not None and not Path(image_dir).is_dir():
        raise ConfigError(f"image_dir={str(image_dir)!r} is no folder; expected that of pictures")
    named = [pair for pair in found.pairs if pair.images and not shown(pair.images, None)]
    if image_dir is None and named:
        if seeing:
            raise ConfigError(
                f"vision_model needs pictures: give {option('image_dir')}, their folder"
            )
        note = (
            f"{len(named):,} pairs name pictures that are not shown (first: {named[0].images[0]});"
            f" {option('image_dir')} is their folder"
        )
        return replace(found, told=(*found.told, note))
    if seeing:
        return pictured(found, image_dir)
    return described(found, image_dir, expert=expert, journal=journal)


def shown(images: Sequence[str], image_dir: ImageDir) -> Sequence[str]:
    """Return the pictures where each has a folder that it is looked for in, else none."""
    return images if all(root_of(name, image_dir) for name in images) else ()


def described(
    found: PairSet, image_dir: ImageDir, *, expert: str = "auto", journal: Path | None = None
) -> PairSet:
    """Return the pairs with their first picture in words; those that have words keep them.

    Pictures are looked for in `image_dir` and, where a cell held them, in the cache; pairs whose
    picture is not there are left out and counted. `journal` remembers what the expert said.
    """
    files = {
        id(pair): _file(pair.images, image_dir)
        for pair in found.pairs
        if pair.images and not pair.descriptions
    }
    kept = found.without((p, ABSENT) for p in found.pairs if files.get(id(p), "") is None)
    words = _words([file for file in files.values() if file], image_dir, expert, journal)
    told = {id(pair): words.get(files.get(id(pair)) or "", "") for pair in kept.pairs}
    if expert != "none":
        kept = kept.without((p, BROKEN) for p in kept.pairs if id(p) in files and not told[id(p)])
    return replace(kept, pairs=[_with(pair, told[id(pair)]) for pair in kept.pairs])


def pictured(found: PairSet, image_dir: ImageDir) -> PairSet:
    """Return the pairs whose pictures are all there and can be read, the rest counted."""
    return found.without(_unseen(found.pairs, image_dir))


def _unseen(pairs: Sequence[Pair], image_dir: ImageDir) -> Iterator[tuple[Pair, str]]:
    """Yield the pairs of which a picture cannot be seen, and why; each picture is opened once."""
    faults: dict[str, str] = {}
    for pair in pairs:
        if not pair.images:
            yield pair, NONE
        for name in pair.images:
            if name not in faults:
                faults[name] = _fault(name, image_dir)
            if faults[name]:
                yield pair, faults[name]
                break


def _fault(name: str, image_dir: ImageDir) -> str:
    file = _file([name], image_dir)
    if file is None:
        return ABSENT
    try:
        open_picture(file, root_of(name, image_dir))
    except PictureError:
        return BROKEN
    return ""


def candidates_in_words(
    prompts: Sequence[Candidates], left_out: LeftOut, image_dir: ImageDir, *, expert: str = "auto"
) -> list[Candidates]:
    """Return the prompts with their first picture in words; those that have words keep them.

    Prompts whose picture is not to be found, or cannot be read, are counted in `left_out`.
    """
    albums = [() if one.descriptions else one.images for one in prompts]
    kept = []
    for one, album, told in zip(
        prompts, albums, describe_files(albums, image_dir, expert), strict=True
    ):
        if album and not told and expert != "none":
            left_out.add(why_unseen(album, image_dir), text=f"prompt {one.id}, picture {album[0]}")
        else:
            kept.append(replace(one, descriptions={"image": told}) if told else one)
    return kept


def describe_files(
    albums: Sequence[Sequence[str]], image_dir: ImageDir, expert: str = "auto"
) -> list[str]:
    """Return the first picture of each of `albums` in words, "" where there are none of it."""
    files = [_file(images, image_dir) if images else None for images in albums]
    words = _words([file for file in files if file], image_dir, expert, None)
    return [words.get(file or "", "") for file in files]


def why_unseen(images: Sequence[str], image_dir: ImageDir) -> str:
    """Return why there are no words of the first picture: it is absent, or cannot be read."""
    return ABSENT if _file(images, image_dir) is None else BROKEN


def _file(images: Sequence[str], image_dir: ImageDir) -> str | None:
    """Return the path of the first picture, None where it is not in its folder."""
    root = root_of(images[0], image_dir)
    if root is None:
        return None
    root = root.resolve()
    path = root / images[0]
    return str(path) if path.is_file() and is_inside(path, (str(root),)) else None


def _words(
    files: Iterable[str], image_dir: ImageDir, expert: str, journal: Path | None
) -> dict[str, str]:
    """Return the words for each file; experts look into one folder, so each folder has its own."""
    by_root: dict[Path, list[str]] = {}
    for file in dict.fromkeys(files):
        root = root_of(file, image_dir)
        assert root is not None
        by_root.setdefault(root.resolve(), []).append(file)
    words: dict[str, str] = {}
    for root, paths in by_root.items():
        records = [Record(path, {"image": (path,)}) for path in paths]
        experts = dict(open_experts(["image"], image=expert, root=root))
        told = describe_examples(records, experts, journal=journal)
        words |= {one.id: one.parts.get("image", "") for one in told}
    return words


def _with(pair: Pair, words: str) -> Pair:
    return replace(pair, descriptions={"image": words}) if words else pair
