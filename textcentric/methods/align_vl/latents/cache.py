"""Read cached latents: memory-mapped shards, of which only the rows asked for are touched.

Legend: N pairs, B places, D width of a modality's latents.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypedDict, overload

import numpy as np

from textcentric.data.balance import balance_of
from textcentric.errors import DataError, RunError, unknown
from textcentric.methods.align_vl.latents.layout import (
    COLUMNS,
    DONE,
    FORMAT,
    PLAN,
    SHARD,
    shard_path,
    shards,
)
from textcentric.rows import Balance
from textcentric.security.files import check_real, read_text
from textcentric.security.foreign import foreign

if TYPE_CHECKING:
    import pyarrow as pa


class Encoded(TypedDict, total=False):
    """The latents of a modality: who made them, of how many items, how wide."""

    encoder: str
    version: str
    items: int
    width: int


class Papers(TypedDict, total=False):
    """What `latents.json` says; `left_out` are items that could not be read, and why.

    `digest` changes with rows, their splits and the encoders, `items` with the items alone.
    `balance` counts all rows: the pairs, and what was left out by reason. Earlier versions lack
    these two.
    """

    format: int
    dataset: str
    digest: str | None
    items: str
    modalities: dict[str, Encoded]
    pairs: int
    data_dir: str | None
    left_out: dict[str, dict[str, str]]
    balance: Balance


class PairRow(NamedTuple):
    """One pair: the places of its items, in the order of the modalities."""

    id: str
    places: tuple[int, ...]


class PairRows(Sequence[PairRow]):
    """Pairs made when they are asked for: `ids` (N,) as bytes, `pairs` (N, 2)."""

    def __init__(self, ids: np.ndarray, pairs: np.ndarray):
        if len(ids) != len(pairs):
            raise DataError(f"{len(ids)} ids of {len(pairs)} pairs; expected one a pair")
        self.ids, self.pairs = ids, pairs

    def __len__(self) -> int:
        return len(self.pairs)

    @overload
    def __getitem__(self, at: int) -> PairRow: ...
    @overload
    def __getitem__(self, at: slice) -> PairRows: ...
    def __getitem__(self, at: int | slice) -> PairRow | PairRows:
        if isinstance(at, slice):
            return PairRows(self.ids[at], self.pairs[at])
        return PairRow(self.ids[at].decode(), tuple(self.pairs[at].tolist()))

    def __iter__(self) -> Iterator[PairRow]:
        return (self[at] for at in range(len(self)))


class Latents:
    """The latents of a folder that `write_latents` finished; see `open_latents`."""

    def __init__(self, folder: Path, papers: Papers):
        self.folder, self.papers = folder, papers
        self.modalities: tuple[str, ...] = tuple(papers["modalities"])
        self.pairs = _mapped(folder / "pairs.npy")
        self._shards: dict[tuple[str, int], np.ndarray] = {}
        self._values: dict[str, pa.ChunkedArray] = {}

    @property
    def name(self) -> str:
        """Return what the rows are called."""
        return str(self.papers["dataset"])

    @property
    def digest(self) -> str:
        """Return what changes with rows, their splits, and encoders."""
        return str(self.papers["digest"])

    @property
    def data_dir(self) -> Path | None:
        """Return the folder that files lie in."""
        folder = self.papers.get("data_dir")
        return Path(folder) if folder else None

    def facts(self) -> dict[str, object]:
        """Return what there is, and how many items could not be encoded, as JSON values."""
        return {
            "path": str(self.folder),
            "pairs": len(self.pairs),
            "modalities": self.papers["modalities"],
            "left_out": {name: len(of) for name, of in self.papers["left_out"].items()},
            "balance": self.papers.get("balance"),
        }

    def balance(self, used: int) -> Balance:
        """Return how many rows there were, of how many the pairs are used, and the others."""
        left = dict(self.papers.get("balance", balance_of(0, {}))["left_out"])
        if others := len(self.pairs) - used:
            left["pair(s) of other splits, or beyond the numbers asked for"] = {
                "rows": others,
                "examples": [],
            }
        return balance_of(used, left)

    def width(self, modality: str) -> int:
        """Return D of a modality."""
        return int(self._of(modality)["width"])

    def count(self, modality: str) -> int:
        """Return how many items a modality has."""
        return int(self._of(modality)["items"])

    def encoder(self, modality: str) -> tuple[str, str]:
        """Return name and version of the encoder that made a modality's latents."""
        of = self._of(modality)
        return str(of["encoder"]), str(of["version"])

    def column(self, name: str) -> np.ndarray:
        """Return `ids`, `groups` or `splits` (N,) of the pairs, as bytes; empty where unknown."""
        return _mapped(self.folder / f"{name}.npy")

    def rows(self, split: str | None = None) -> PairRows:
        """Return the pairs of a split, or all."""
        ids = self.column("ids")
        if split is None:
            return PairRows(ids, self.pairs)
        wanted = np.flatnonzero(self.column("splits") == split.encode())
        return PairRows(ids[wanted], self.pairs[wanted])

    def read(self, modality: str, places: np.ndarray) -> np.ndarray:
        """Return latents (B, D) in float32 of the items at `places` (B,).

        Raises DataError for latents that are not finite, and for places that there are not.
        """
        found = np.empty((len(places), self.width(modality)), np.float32)
        numbers = places // SHARD
        for number in np.unique(numbers):
            at = np.flatnonzero(numbers == number)
            found[at] = self._shard(modality, int(number))[places[at] % SHARD]
        if not np.isfinite(found).all():
            wrong = int(places[np.flatnonzero(~np.isfinite(found).all(axis=1))[0]])
            raise DataError(
                f"the {modality} latent of {self.values(modality, [wrong])[0]!r}, item {wrong} of"
                f" {self.folder}, is not finite; remove the shard"
                f" {shard_path(self.folder, modality, wrong // SHARD)} and make the latents again"
            )
        return found

    def values(self, modality: str, places: Sequence[int]) -> list[str]:
        """Return the items at `places`: a path inside the data folder, or a text."""
        import pyarrow.parquet as pq

        if modality not in self._values:
            path = self.folder / f"{modality}.parquet"
            if not path.is_file():
                return [f"{modality} {place}" for place in places]
            with foreign(str(path), RunError, cure="; make the latents again"):
                self._values[modality] = pq.read_table(path).column("value").cast("string")
        column = self._values[modality]
        return [column[int(place)].as_py() for place in places]

    def _of(self, modality: str) -> Encoded:
        if modality not in self.papers["modalities"]:
            raise DataError(unknown(f"modality of {self.folder}", modality, self.modalities))
        return self.papers["modalities"][modality]

    def _shard(self, modality: str, number: int) -> np.ndarray:
        """Return a mapped shard, checked when it is first opened."""
        if (modality, number) not in self._shards:
            path = shard_path(self.folder, modality, number)
            shard = _mapped(path)
            last = number == shards(self.count(modality)) - 1
            items = self.count(modality) - number * SHARD if last else SHARD
            if shard.shape != (items, self.width(modality)):
                raise RunError(
                    f"the shard {path} has shape {shard.shape}, expected"
                    f" {(items, self.width(modality))}; remove it and make the latents again"
                )
            self._shards[modality, number] = shard
        return self._shards[modality, number]


def open_latents(folder: str | Path) -> Latents:
    """Return the latents of a folder.

    Raises RunError where there are none, where they are not finished, where files disagree or are
    links.

    >>> open_latents("latents/flickr8k").width("image")                         # doctest: +SKIP
    1280
    """
    folder = Path(folder)
    if not (folder / DONE).is_file():
        begun = (folder / PLAN).is_file()
        raise RunError(
            f"the latents in {folder} are not finished; give the same command again"
            if begun
            else f"no latents in {folder}; make them with `textcentric latents`"
        )
    check_real(folder)
    found = Latents(folder, _papers(folder / DONE))
    if found.pairs.shape[1:] != (len(found.modalities),) or found.pairs.dtype.kind not in "iu":
        raise RunError(
            f"{folder}: pairs of shape {found.pairs.shape} and {found.pairs.dtype}, expected whole"
            f" numbers, {len(found.modalities)} a pair; make the latents again"
        )
    lengths = {name: len(found.column(name)) for name in COLUMNS}
    if set(lengths.values()) != {len(found.pairs)}:
        raise RunError(f"{folder}: {len(found.pairs)} pairs, but {lengths}; make the latents again")
    for at, name in enumerate(found.modalities):
        places = found.pairs[:, at]
        least, most = int(places.min(initial=0)), int(places.max(initial=-1))
        if least < 0 or most >= found.count(name):
            wrong = least if least < 0 else most
            raise RunError(
                f"{folder}: a pair names {name} item {wrong} and there are {found.count(name)};"
                " make the latents again"
            )
    return found


def _papers(path: Path) -> Papers:
    """Return what `latents.json` says; raises RunError where it is none of this version."""
    with foreign(str(path), RunError, cure="; make the latents again"):
        papers: Papers = json.loads(read_text(path))
        version = papers.get("format")
        if version != FORMAT:
            raise RunError(
                f"the latents in {path.parent} have format {version}, expected {FORMAT}; make them"
                " again"
            )
        for name, of in papers["modalities"].items():
            refuse_path(name)
            of["items"], of["width"] = int(of["items"]), int(of["width"])
        for name in papers["left_out"]:
            refuse_path(name)
    return papers


def refuse_path(name: str) -> None:
    """Raise RunError for the name of a modality that leads out of the folder of latents."""
    if not name.replace("-", "").replace("_", "").isalnum():
        raise RunError(f"{name!r} is no modality of latents; expected one such as image")


def _mapped(path: Path) -> np.ndarray:
    with foreign(str(path), RunError, cure="; make the latents again: what is whole is kept"):
        found: object = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(found, np.ndarray) or found.ndim == 0 or found.dtype.kind not in "iufS":
        raise RunError(f"{path} holds no numbers; make the latents again: what is whole is kept")
    return found
