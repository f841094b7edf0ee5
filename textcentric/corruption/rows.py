"""Damage on purpose: words, columns, labels and whole modalities taken from a row.

Level p in [0, 1] is the share that goes: 0 leaves the row as it is, 1 takes everything. Every
piece (a word, a column that holds a value, a label or colour of the photos) draws u in [0, 1)
and goes where u < p. The draws follow from (seed, row id, corruption) alone, so what is gone at
0.3 is gone at 0.5 too, and `all` takes just what the three single corruptions take.

A row has to stay one that can be described. Where everything that an expert has words for would
go, the one piece with the largest draw stays: at level 1 too, and the same one at every level. A
modality that is left empty becomes an absent key. Only a row of which no expert could say
anything before may lose all.

Words are misspelt by the same draws: each that may be touched is where u < p.

Pictures and sounds are damaged in `corrupt_files`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from numbers import Real
from random import Random
from typing import Any, TypeVar

from textcentric.corruption.misspelling import misread, mistyped
from textcentric.corruption.pieces import (
    Keep,
    Sift,
    sift_columns,
    sift_labels,
    sift_sentences,
    sift_sights,
    sift_statements,
    sift_words,
)
from textcentric.errors import ConfigError, DataError, check_known
from textcentric.experts.clean import clean_text
from textcentric.experts.table import TableExpert
from textcentric.rows import MODALITIES, Inputs, Record

Corruption = Callable[[Record, float, int], Record]  # (row, level in [0, 1], seed)
Misspelling = Callable[[str, float, Random], str]  # of a text, with probability `level` a word
Value = TypeVar("Value")
Last = tuple[str, int]  # the name of a value and the place of a piece in it


def word_dropout(record: Record, level: float, seed: int) -> Record:
    """Drop each word of the text with probability `level`; lines stay lines.

    >>> row = Record("r1", {"table": {"Age": "3 months"}, "text": "A calm and friendly dog."})
    >>> word_dropout(row, 0.5, seed=0).inputs["text"]
    'A and'
    """
    return _drop(record, ("text",), level, seed)


def feature_dropout(record: Record, level: float, seed: int) -> Record:
    """Make each column of the table missing (None) with probability `level`."""
    return _drop(record, ("table",), level, seed)


def image_words(record: Record, level: float, seed: int) -> Record:
    """Drop each label, and each named colour, of the photos with probability `level`.

    A label counts once for all photos of a row, as the expert says it once. Pixels stay.
    """
    return _drop(record, ("image_labels",), level, seed)


def all_at_once(record: Record, level: float, seed: int) -> Record:
    """Drop words, columns and image words together; `corrupt_files` does it with pixels."""
    return _drop(record, ("table", "text", "image_labels"), level, seed)


def dropping(record: Record, level: float, seed: int) -> Record:
    """Drop each whole sentence of the text and each column of the table with probability `level`.

    What is left still reads as it was written, where dropped words would leave a telegram.

    >>> row = Record("r1", {"text": "A calm dog. He likes walks. Call after six."})
    >>> dropping(row, 0.5, seed=1).inputs["text"]
    'He likes walks.'
    """
    return _drop(record, ("table", "text"), level, seed, _WHOLE_SIFTS)


def typing(record: Record, level: float, seed: int) -> Record:
    """Misspell each word of the text with probability `level`, as a hurried hand types.

    Names, numbers and short words stay: see `misspelling`.
    """
    return _misspelt(record, level, seed, "typing", mistyped)


def recognition(record: Record, level: float, seed: int) -> Record:
    """Misspell each word of the text with probability `level`, as a scan is misread."""
    return _misspelt(record, level, seed, "recognition", misread)


CORRUPTIONS: dict[str, Corruption] = {
    "word-dropout": word_dropout,
    "feature-dropout": feature_dropout,
    "image-words": image_words,
    "all": all_at_once,
    "dropping": dropping,
    "typing": typing,
    "recognition": recognition,
}
MISSPELLING = ("typing", "recognition")  # takes no piece away
_STREAMS = {"text": "word-dropout", "table": "feature-dropout", "image_labels": "image-words"}


def without(record: Record, modalities: Sequence[str]) -> Record:
    """Return `record` without `modalities`; `image` takes the photos' labels with it.

    Raises ConfigError for an unknown modality and DataError where nothing would be left.
    """
    for modality in modalities:
        check_known("modality", modality, MODALITIES)
    gone = _keys(modalities)
    left = {key: value for key, value in record.inputs.items() if key not in gone}
    check_absent(left, modalities, record.id)
    if not left:
        raise DataError(
            f"row {record.id!r} has nothing but {', '.join(record.inputs) or 'nothing'}: without"
            f" {', '.join(modalities)} nothing is left of it; leave the row out of this cell",
            row_id=record.id,
        )
    return replace(record, inputs=left)


def check_absent(contents: Inputs, modalities: Sequence[str], row_id: str) -> None:
    """Raise DataError if inputs or parts still hold one of the removed `modalities`."""
    kept = [key for key in contents if key in _keys(modalities) and contents[key]]
    if kept:
        raise DataError(
            f"row {row_id!r} still holds {', '.join(kept)} where {', '.join(modalities)} must be"
            " missing; its score would not count as one without them",
            row_id=row_id,
        )


def missing_subsets(modalities: Sequence[str]) -> list[tuple[str, ...]]:
    """Return every proper non-empty subset of `modalities`, small ones first.

    >>> missing_subsets(["table", "text"])
    [('table',), ('text',)]
    """
    refuse_doubles("modalities", modalities)
    return [s for size in range(1, len(modalities)) for s in combinations(modalities, size)]


def corrupt_parts(parts: Mapping[str, str], level: float, rng: Random) -> dict[str, str]:
    """Drop from a row in words: statements of `table`, listed words of `image`, words elsewhere.

    An emptied part is left out; where all would be, one piece stays: see the head of this file.

    >>> corrupt_parts({"table": "Type: cat. Age: 3 months.", "text": "Calm."}, 0.5, Random(1))
    {'table': 'Age: 3 months.', 'text': 'Calm.'}
    """
    check_level(level)
    if level == 0:
        return dict(parts)
    sifts = {name: _PART_SIFTS.get(name, sift_words) for name in parts}
    draws = {name: _draw(text, sifts[name], rng) for name, text in parts.items()}
    return _thin(parts, sifts, draws, level, lambda left: any(map(str.strip, left.values())))


def counts(pairs: Iterable[tuple[Record, Record]]) -> dict[str, tuple[int, int]]:
    """Return {kind of piece: (removed or damaged, total)} over (row, damaged row) pairs."""
    gone: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for before, after in pairs:
        for key, value in before.inputs.items():
            kind, size = _KINDS.get(key, key), _size(key, value)
            total[kind] += size
            gone[kind] += size - _size(key, after.inputs.get(key), value)
    kinds = dict.fromkeys((*_KINDS.values(), *total))
    return {kind: (gone[kind], total[kind]) for kind in kinds if total[kind]}


def say_counts(counted: Mapping[str, tuple[int, int]]) -> str:
    """Return `counts` in words.

    >>> say_counts({"columns": (3, 9), "words": (70, 100)})
    'columns 3 of 9, words 70 of 100'
    """
    return ", ".join(f"{kind} {gone} of {total}" for kind, (gone, total) in counted.items())


def check_level(level: float) -> None:
    """Raise ConfigError if `level` is not a number in [0, 1]."""
    if not (isinstance(level, Real) and 0 <= level <= 1):
        raise ConfigError(
            f"corruption level is {level!r}, expected a share from 0 (nothing goes) to 1 (all of"
            " it); for 70 % give 0.7"
        )


def rng_of(seed: int, row_id: str, name: str) -> Random:
    """Return the draws of one row and corruption, the same on every machine."""
    return Random(seed_of(seed, row_id, name))


def seed_of(seed: int, row_id: str, name: str) -> int:
    """Return 64 bits that follow from the seed, the row and the corruption, nothing else."""
    words = f"{seed}\0{row_id}\0{name}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(words, digest_size=8).digest(), "big")


_SIFTS: dict[str, Sift] = {
    "table": sift_columns,
    "text": sift_words,
    "image_labels": sift_labels,
}
_PART_SIFTS: dict[str, Sift] = {"table": sift_statements, "image": sift_sights}
_WHOLE_SIFTS: dict[str, Sift] = {"table": sift_columns, "text": sift_sentences}
_KINDS = {
    "table": "columns",
    "text": "words",
    "image_labels": "image words",
    "image": "pictures",
    "audio": "recordings",
}


def _drop(
    record: Record,
    names: Sequence[str],
    level: float,
    seed: int,
    sifts: Mapping[str, Sift] = _SIFTS,
) -> Record:
    check_level(level)
    if level == 0:
        return record
    draws = {
        name: _draw(record.inputs[name], sifts[name], rng_of(seed, record.id, _STREAMS[name]))
        for name in names
        if name in record.inputs
    }
    worded = "image_labels" in record.inputs
    left = _thin(record.inputs, sifts, draws, level, lambda left: _says(left, worded))
    return replace(record, inputs=left)


def _misspelt(record: Record, level: float, seed: int, name: str, misspell: Misspelling) -> Record:
    check_level(level)
    if level == 0 or "text" not in record.inputs:
        return record
    text = clean_text(record.inputs["text"])  # as its expert reads it: no tag is taken for a word
    misspelt = misspell(text, level, rng_of(seed, record.id, name))
    return replace(record, inputs={**record.inputs, "text": misspelt})


def _says(inputs: Inputs, worded: bool) -> bool:
    """Say whether an expert has words for `inputs`.

    Photos that came with labels (`worded`) count by these: the expert may read nothing else.
    """
    if TableExpert().describe([inputs.get("table", {})])[0].text:
        return True
    if clean_text(inputs.get("text", "")) or inputs.get("audio"):
        return True
    if not worded:
        return bool(inputs.get("image"))
    from textcentric.experts.labels import LabelsExpert

    return bool(LabelsExpert(guesses=True).describe([inputs.get("image_labels", ())])[0].text)


def _thin(
    values: Inputs,
    sifts: Mapping[str, Sift],
    draws: Mapping[str, Sequence[float]],
    level: float,
    says: Callable[[Inputs], bool],
) -> dict[str, Any]:
    """Return what is left of `values`; if that says nothing, with the last piece that does."""
    left = _left(values, sifts, draws, level)
    if says(left) or not says(values):
        return left
    pieces = [(u, name, place) for name, us in draws.items() for place, u in enumerate(us)]
    for _, name, place in sorted(pieces, reverse=True):
        alone = _sift(values[name], sifts[name], [i == place for i in range(len(draws[name]))])
        if says({name: alone}):
            return _left(values, sifts, draws, level, (name, place))
    return left


def _left(
    values: Inputs,
    sifts: Mapping[str, Sift],
    draws: Mapping[str, Sequence[float]],
    level: float,
    last: Last | None = None,
) -> dict[str, Any]:
    """Sift the `values` that have draws; `last` stays whatever it drew, empty ones go."""
    left = dict(values)
    for name, us in draws.items():
        stays = [u >= level or (name, place) == last for place, u in enumerate(us)]
        left[name] = _sift(values[name], sifts[name], stays)
    return {name: value for name, value in left.items() if value}


def _draw(value: object, sift: Sift, rng: Random) -> list[float]:
    """Return u in [0, 1) for each piece of `value`."""
    draws: list[float] = []

    def keep() -> bool:
        draws.append(rng.random())
        return True

    sift(value, keep)
    return draws


def _sift(value: Value, sift: Callable[[Value, Keep], Value], stays: Sequence[bool]) -> Value:
    return value if all(stays) else sift(value, iter(stays).__next__)


def _size(key: str, value: Any, among: Any = None) -> int:
    """Return how many pieces `value` has; of files, those that are `among` the first ones."""
    if not value:
        return 0
    if key in _SIFTS:
        return len(_draw(value, _SIFTS[key], Random(0)))
    return sum(path in among for path in value) if among else len(value)


def _keys(modalities: Sequence[str]) -> set[str]:
    """Return the keys of inputs or parts that hold `modalities`."""
    return {*modalities, *(["image_labels"] if "image" in modalities else [])}


def refuse_doubles(what: str, names: Sequence[str]) -> None:
    """Raise ConfigError where one of `names` stands twice."""
    double = [name for name, times in Counter(names).items() if times > 1]
    if double:
        raise ConfigError(f"{what} {list(names)} name {', '.join(double)} twice; name each once")
