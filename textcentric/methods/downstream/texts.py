"""From parts to tokens: which blocks, in which order, which variants, what is dropped, what is cut.

What training draws depends on (seed, epoch, row id, number of the text) only. A row that is too
long is cut block by block, each to a fair share, so that no block vanishes behind a long one.
Legend: T tokens.
"""

from __future__ import annotations

import random
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from textcentric.corruption.rows import corrupt_parts
from textcentric.errors import ConfigError, unknown
from textcentric.methods.downstream.config import DownstreamConfig
from textcentric.models.tokens import pad_id, special_tokens
from textcentric.rows import Example

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Parts = Mapping[str, str]
Block = tuple[str, str]  # name and text of a part
MOST_REMEMBERED = 200_000  # blocks whose tokens are kept


def check_parts(config: DownstreamConfig, examples: Iterable[Example]) -> frozenset[str]:
    """Return the names of the parts that the clean rows have.

    Raises ConfigError, with the nearest name, where `parts` names one that no row has.
    """
    present = frozenset(name for example in examples for name in example.parts)
    for name in config.parts or ():
        if name not in present:
            raise ConfigError(f"parts: {unknown('part', name, present)}; no training row has it")
    return present


def chosen(parts: Parts, names: Sequence[str] | None, known: frozenset[str] = frozenset()) -> Parts:
    """Return the parts of `names` that are there, in their order; without names all as they are.

    A part that is not `known`, such as one that an attack added, is kept and goes last.
    """
    if names is None:
        return parts
    kept = {name: parts[name] for name in names if name in parts}
    added = {k: text for k, text in parts.items() if known and k not in known and k not in names}
    return {**kept, **added}


def drawn_variants(example: Example, config: DownstreamConfig, epoch: int) -> list[Parts]:
    """Return up to K variants of a row, drawn for this epoch; none where it has no turn."""
    rng = _rng(config, epoch, example.id, "variants")
    if not example.variants or rng.random() >= config.variant_share:
        return []
    count = min(config.variants, len(example.variants))
    return [example.variants[at] for at in rng.sample(range(len(example.variants)), count)]


def training_parts(
    parts: Parts, config: DownstreamConfig, epoch: int, row_id: str, number: int
) -> Parts:
    """Return the parts of text `number` of a row (0 is the clean one) after dropping and order."""
    rng = _rng(config, epoch, row_id, f"text {number}")
    level = rng.choice(config.dropout_levels)
    if level:
        parts = corrupt_parts(parts, level, rng)
    if config.modality_dropout:
        parts = _some(parts, config.modality_dropout, rng)
    if config.order_shuffle:
        names = list(parts)
        rng.shuffle(names)
        parts = {name: parts[name] for name in names}
    return parts


def fair_shares(lengths: Sequence[int], budget: int) -> list[int]:
    """Return how many tokens each block keeps: short ones all, the others equally many.

    >>> fair_shares([3, 50, 20], 30)
    [3, 14, 13]
    """
    shares = [0] * len(lengths)
    left = budget
    by_length = sorted(range(len(lengths)), key=lambda at: (lengths[at], -at))
    for done, at in enumerate(by_length):
        shares[at] = min(lengths[at], left // (len(lengths) - done))
        left -= shares[at]
    return shares


class TextReader:
    """Turn parts into token ids, remembering the tokens of each block.

    Blocks are tokenised apart and joined between the model's own special tokens. A special token
    spelt out in a row's text is read as plain characters.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, *, max_length: int, headers: bool):
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.headers = headers
        self.before, self.after = special_tokens(tokenizer)
        self._known: dict[Block, np.ndarray] = {}

    @property
    def pad(self) -> int:
        """Return the id that fills short rows."""
        return pad_id(self.tokenizer)

    def read(self, rows: Sequence[Parts], *, remember: bool = True) -> list[np.ndarray]:
        """Return the token ids (T,) of each row, T at most `max_length` and at least 1.

        `remember` is for texts that will be read again: all but those made for one epoch.
        """
        if len(self._known) > MOST_REMEMBERED:
            self._known.clear()
        wanted = {block for row in rows for block in row.items()}
        new = self._tokenized(sorted(wanted - self._known.keys()))
        if remember:
            self._known.update(new)
        tokens = ChainMap(new, self._known)
        return [self._joined([tokens[block] for block in row.items()]) for row in rows]

    def text(self, parts: Parts) -> str | None:
        """Return the text that the tokenizer alone reads as `read` reads the row, cut as there.

        None where there is none: some tokenizers cannot end a block within a word.
        """
        blocks = [self._words(name, text) for name, text in parts.items()]
        (ids,) = self.read([parts], remember=False)
        whole = "".join(blocks)
        if len(ids) == self.max_length and self.tokenizer.is_fast:
            whole = "".join(self._cut(blocks))
        told = self.tokenizer(whole, split_special_tokens=True)["input_ids"]
        return whole if np.array_equal(told, ids) else None

    def _cut(self, blocks: Sequence[str]) -> Iterator[str]:
        """Yield what is left of each block: the words of as many tokens as its share."""
        ends = [
            [end for _, end in offsets]
            for offsets in self.tokenizer(
                list(blocks),
                add_special_tokens=False,
                split_special_tokens=True,
                return_offsets_mapping=True,
            )["offset_mapping"]
        ]
        shares = fair_shares([min(len(one), self.max_length) for one in ends], self._budget)
        for block, end, share in zip(blocks, ends, shares, strict=True):
            whole = share == len(end)
            yield block if whole else f"{block[: end[share - 1] if share else 0]}\n"

    @property
    def _budget(self) -> int:
        return max(self.max_length - len(self.before) - len(self.after), 1)

    def save(self, folder: Path) -> None:
        """Write a tokenizer that reads a text as it is read here: marks in it are plain words."""
        tokenizer = self.tokenizer
        tokenizer.split_special_tokens = tokenizer.init_kwargs["split_special_tokens"] = True
        if tokenizer.pad_token is None and tokenizer.eos_token is not None:
            tokenizer.pad_token = tokenizer.eos_token  # by which decoders find the last token
        tokenizer.save_pretrained(folder)

    def _tokenized(self, blocks: Sequence[Block]) -> dict[Block, np.ndarray]:
        if not blocks:
            return {}
        ids = self.tokenizer(
            [self._words(name, text) for name, text in blocks],
            add_special_tokens=False,
            split_special_tokens=True,
            truncation=True,
            max_length=self.max_length,
            return_attention_mask=False,
        )["input_ids"]
        return dict(zip(blocks, (np.array(one, np.int32) for one in ids), strict=True))

    def _words(self, name: str, text: str) -> str:
        if not text.strip():
            return ""
        return f"{name}: {text.strip()}\n" if self.headers else f"{text.strip()}\n"

    def _joined(self, blocks: Sequence[np.ndarray]) -> np.ndarray:
        lengths = [len(block) for block in blocks]
        if sum(lengths) > self._budget:
            shares = fair_shares(lengths, self._budget)
            blocks = [block[:share] for block, share in zip(blocks, shares, strict=True)]
        ids = np.concatenate([self.before, *blocks, self.after])
        return ids if len(ids) else np.array([self.pad], np.int32)


def _some(parts: Parts, share: float, rng: random.Random) -> Parts:
    """Leave out each part with probability `share`, never all of them."""
    kept = {name: text for name, text in parts.items() if rng.random() >= share}
    if kept or not parts:
        return kept
    name = rng.choice(list(parts))
    return {name: parts[name]}


def _rng(config: DownstreamConfig, epoch: int, row_id: str, what: str) -> random.Random:
    return random.Random(f"{config.seed}\0{epoch}\0{row_id}\0{what}")
