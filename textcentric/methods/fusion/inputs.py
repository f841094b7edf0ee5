"""From the raw values of a row to tensors: pixels, log-mel values, token ids, a table's numbers.

Pictures, sounds and a table's numbers are normalised by mean and standard deviation of the training
rows, so that a radius of 1 is one standard deviation of one value; words of a table are 0 or 1, and
of texts the embeddings are as the encoder has them. A missing modality is zeros.
Legend: B rows, C channels, F frames, E mel bins, T tokens.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from torch import Tensor

from textcentric.data.media.pictures import open_picture
from textcentric.data.media.sounds import log_mel, open_sound
from textcentric.errors import ConfigError, DataError
from textcentric.methods.fusion.config import CrmtConfig
from textcentric.methods.fusion.encoders import DEFAULTS
from textcentric.methods.fusion.tables import TableNumbers
from textcentric.models.loading import PACKAGED, load_tokenizer, source
from textcentric.models.tokens import padded
from textcentric.rows import FILES, Record
from textcentric.values import Cells

TEXT = "text"
MOST_KEPT = 2**31  # bytes of rows that stay in memory
MEASURED = 2000  # training rows that give mean and standard deviation
Moments = dict[str, tuple[list[float], list[float]]]


class Senses:
    """Read the modalities of rows as arrays; files inside `root` alone.

    `moments` and `table` are of the training rows: `fitted` finds them. The rows read first stay in
    memory, up to `MOST_KEPT` bytes. Raises DataError, with the row's id, for a file that cannot
    be used.
    """

    def __init__(
        self,
        config: CrmtConfig,
        names: Sequence[str],
        *,
        root: str | Path | None = None,
        tokenizer: Any = None,
        eyes: Any = None,
        moments: Moments | None = None,
        table: TableNumbers | None = None,
    ):
        self.config, self.names, self.root = config, tuple(names), root
        self.tokenizer, self.eyes = tokenizer, eyes
        self.moments: Moments = moments or {}
        self.table = table or TableNumbers()
        self._kept: dict[tuple[str, str], tuple[object, np.ndarray]] = {}
        self._bytes = 0

    def fit(self, rows: Sequence[Record]) -> None:
        """Find the table's columns, and mean and deviation of what is measured and not known."""
        if "table" in self.names:
            self.table = TableNumbers.of(
                [row.inputs["table"] for row in rows if "table" in row.inputs]
            )
        for name in [one for one in self.names if one in FILES and one not in self.moments]:
            known = islice((row for row in rows if name in row.inputs), MEASURED)
            self.moments[name] = _moments([self.read(row)[name] for row in known], name)
        self._kept.clear()
        self._bytes = 0

    def size(self, name: str) -> int:
        """Return the channels of a modality, or the length of its vector."""
        if name == "image":
            return int(self.eyes.shape[1]) if self.eyes else self.config.image_channels
        return len(self.table) if name == "table" else 1

    def read(self, row: Record) -> dict[str, np.ndarray]:
        """Return the arrays of the modalities that a row has, normalised if moments are known."""
        return {name: self._known(name, row) for name in self.names if name in row.inputs}

    def batch(
        self, rows: Sequence[Record], without: Sequence[Collection[str]] = ()
    ) -> dict[str, Tensor]:
        """Return the modalities of B rows, `text_mask` (B, T) and which are `present` (B, M).

        Those that a row is to be read `without` are missing.
        """
        known = [self.read(row) for row in rows]
        for place, gone in enumerate(without):
            known[place] = {n: value for n, value in known[place].items() if n not in gone}
        batch: dict[str, Tensor] = {}
        for name in self.names:
            values = [one.get(name) for one in known]
            batch |= self._texts(values) if name == "text" else {name: self._stacked(name, values)}
        present = [[float(name in one) for name in self.names] for one in known]
        return batch | {"present": torch.tensor(present)}

    def box(self, name: str) -> tuple[Tensor, Tensor] | None:
        """Return the lowest and highest normalised value of a picture (C, 1, 1), None elsewhere."""
        if name != "image" or self.eyes is not None:
            return None
        mean, std = (np.array(one, np.float32)[:, None, None] for one in self.moments["image"])
        return torch.from_numpy((0 - mean) / std), torch.from_numpy((1 - mean) / std)

    def _known(self, name: str, row: Record) -> np.ndarray:
        """Return a modality of a row: the array that is kept, where it is of the same value."""
        value, (of, kept) = row.inputs[name], self._kept.get((row.id, name), (None, None))
        if kept is not None and of == value:
            return kept
        found = self._read(name, row)
        settled = name in self.moments or name not in FILES
        if settled and self._bytes + found.nbytes < MOST_KEPT:
            self._bytes += found.nbytes
            self._kept[row.id, name] = value, found
        return found

    def _read(self, name: str, row: Record) -> np.ndarray:
        try:
            value = getattr(self, f"_{name}")(row.inputs[name])
        except DataError as error:
            cure = "; leave the row out (`textcentric data check` names all such files)"
            said = f"row {row.id!r}: {error}{cure if name in FILES else ''}"
            raise DataError(said, row_id=row.id, field=name) from error
        return self._normal(name, value)

    def _image(self, paths: Sequence[str]) -> np.ndarray:
        if self.eyes is not None:
            features: np.ndarray = self.eyes.features([str(paths[0])]).mean(dim=0).numpy()
            return features
        side = self.config.image_side
        mode = "L" if self.config.image_channels == 1 else "RGB"
        picture = open_picture(paths[0], self.root).convert(mode).resize((side, side))
        pixels = np.asarray(picture, np.float32) / 255
        return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)  # (C, side, side)

    def _audio(self, paths: Sequence[str]) -> np.ndarray:
        sound = open_sound(paths[0], self.root)
        return log_mel(sound.samples, self.config.mel_bins, self.config.mel_frames)[None]

    def _text(self, text: str) -> np.ndarray:
        ids = self.tokenizer(text, truncation=True, max_length=self.config.max_length)["input_ids"]
        return np.array(ids, np.int32)

    def _table(self, values: Cells) -> np.ndarray:
        return self.table.vector(values)

    def _normal(self, name: str, value: np.ndarray) -> np.ndarray:
        if name not in self.moments:
            return value
        shape = (-1, *[1] * (value.ndim - 1))
        mean, std = (np.array(one, np.float32).reshape(shape) for one in self.moments[name])
        return (value - mean) / std

    def _texts(self, values: Sequence[np.ndarray | None]) -> dict[str, Tensor]:
        empty = self._text("")
        ids, mask = padded([empty if one is None else one for one in values], self._pad())
        return {"text": torch.from_numpy(ids), "text_mask": torch.from_numpy(mask)}

    def _pad(self) -> int:
        from textcentric.models.tokens import pad_id

        return pad_id(self.tokenizer)

    def _stacked(self, name: str, values: Sequence[np.ndarray | None]) -> Tensor:
        shape = self._shape(name)
        rows = [np.zeros(shape, np.float32) if one is None else one for one in values]
        return torch.from_numpy(np.stack(rows))

    def _shape(self, name: str) -> tuple[int, ...]:
        side = self.config.image_side
        if name == "audio":
            return 1, self.config.mel_frames, self.config.mel_bins
        if name == "image" and self.eyes is None:
            return self.config.image_channels, side, side
        return (self.size(name),)


def _moments(values: Sequence[np.ndarray], name: str) -> tuple[list[float], list[float]]:
    """Return mean and standard deviation of each channel; a sound has one."""
    if not values:
        raise DataError(
            f"no training row has the modality {name!r}; leave it out of crmt.modalities"
        )
    stacked = np.stack(values).astype(np.float64)  # (N, C, ...)
    over = tuple(axis for axis in range(stacked.ndim) if axis != 1)
    mean, std = stacked.mean(axis=over), stacked.std(axis=over)
    return mean.tolist(), np.maximum(std, 1e-6).tolist()


def modalities(config: CrmtConfig, rows: Sequence[Record]) -> tuple[str, ...]:
    """Return the modalities to read: those configured, else all that training rows have.

    Raises ConfigError where none is left, DataError for a configured one that no row has.
    """
    seen = {name for row in rows for name in row.inputs if name in DEFAULTS}
    wanted = config.modalities or tuple(name for name in DEFAULTS if name in seen)
    for name in wanted:
        if name not in DEFAULTS:
            raise ConfigError(
                f"crmt.modalities names {name!r}, expected some of {', '.join(DEFAULTS)}"
            )
        if name not in seen:
            raise DataError(
                f"no training row has the modality {name!r} (found: {', '.join(sorted(seen))});"
                " check the columns, or leave it out of crmt.modalities"
            )
    if not wanted:
        raise DataError("training rows have no picture, sound, text or table to learn from")
    return tuple(dict.fromkeys(wanted))


def left_out(names: Sequence[str], chance: float, rng: Random) -> set[str]:
    """Return which of `names` are left out: each with `chance`, never all of them."""
    gone = {name for name in names if rng.random() < chance}
    return gone - {rng.choice(names)} if len(gone) == len(names) > 0 else gone


def needs_eyes(config: CrmtConfig) -> bool:
    """Say whether pictures are read as features of the packaged encoder."""
    return config.encoders.get("image") == PACKAGED


def make_senses(
    config: CrmtConfig,
    names: Sequence[str],
    root: str | Path | None,
    saved: Path | None = None,
    moments: Any = None,
    table: TableNumbers | None = None,
) -> Senses:
    """Return what reads rows; a tokenizer comes from `saved`, where that is given."""
    tokenizer = eyes = None
    if TEXT in names:
        tokenizer = load_tokenizer(_Text(config), str(saved or _Text(config).source))
    if "image" in names and needs_eyes(config):
        from textcentric.experts.picture_features import Eyes

        eyes = Eyes(PACKAGED, root or Path.cwd().anchor)  # rows' files were checked when found
    return Senses(
        config, names, root=root, tokenizer=tokenizer, eyes=eyes, moments=moments, table=table
    )


class _Text:
    """The text encoder's name, as `load_tokenizer` asks for it."""

    revision, trust_remote_code = None, False

    def __init__(self, config: CrmtConfig):
        self.model = config.encoders.get(TEXT, PACKAGED)
        self.source = source(self.model)
