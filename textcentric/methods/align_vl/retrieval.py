"""Searching across modalities by the name of a model and a folder of latents, and testing it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textcentric.data.pairs.pictures import root_of
from textcentric.errors import ConfigError, DataError, option, unknown
from textcentric.folders import write_text
from textcentric.methods.align_vl.config import RetrieveConfig
from textcentric.methods.align_vl.latents import Latents, PairRows, open_latents
from textcentric.methods.align_vl.method import PAPERS, AlignVl
from textcentric.methods.align_vl.search import Search
from textcentric.metrics.recall import recall_with_intervals
from textcentric.report.page import is_page
from textcentric.security.outputs import only_writer
from textcentric.security.trust import need_word
from textcentric.training.folder import find_model_folder

if TYPE_CHECKING:
    from PIL import Image


def retrieve(model: str | Path, config: RetrieveConfig) -> list[dict[str, Any]]:
    """Return each query of `config` with its hits, of the other modality, and write the page.

    Raises RunError where something else than a page of hits lies there, or another command writes
    it.
    """
    with only_writer(config.page, "a page", is_page) if config.page else nullcontext():
        return _retrieved(model, config)


def _retrieved(model: str | Path, config: RetrieveConfig) -> list[dict[str, Any]]:
    method, latents = _opened(model, config)
    queries = {name: list(getattr(config, name)) for name in ("text", "image", "audio")}
    if config.queries is not None:
        queries["text"] += _lines(config.queries)
    if not all(text.strip() for text in queries["text"]):
        raise ConfigError(f"{option('text', '')}: the query is empty; say what to look for")
    hits = list(_hits(method, latents, queries, config))
    if config.page is not None:
        root = Path(config.data_dir) if config.data_dir else latents.data_dir
        if not config.data_dir and root is not None:
            need_word(latents.folder, {"data_dir": str(root)}, option("data_dir"))
        write_text(config.page, _page(model, hits, root))
    return hits


def recall(model: str | Path, config: RetrieveConfig) -> dict[str, Any]:
    """Return R@1, 5 and 10 both ways, with intervals, among the pairs of a split."""
    method, latents = _opened(model, config)
    split = config.split or "test"
    rows = _rows(latents, split)
    groups = latents.column("groups")[latents.column("splits") == split.encode()]
    names = [group.decode() for group in groups] if any(groups) else None
    measured = recall_with_intervals(method.searched(rows), names)
    return {"split": split, "balance": latents.balance(len(rows)), **measured}


def _opened(model: str | Path, config: RetrieveConfig) -> tuple[AlignVl, Latents]:
    latents = open_latents(config.latents)
    folder = find_model_folder(str(model), PAPERS, "aligned model")
    return AlignVl.load(folder, latents), latents


def _lines(file: Path) -> list[str]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the queries {file} cannot be read: {error}") from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def _hits(
    method: AlignVl,
    latents: Latents,
    wanted: Mapping[str, Sequence[str]],
    config: RetrieveConfig,
) -> Iterator[dict[str, Any]]:
    """Yield each query with its hits, those of the other modality."""
    for modality, values in wanted.items():
        if not values:
            continue
        if modality not in method.names:
            raise ConfigError(
                f"a query of {modality}: the model is of {' and '.join(method.names)}"
            )
        (target,) = [name for name in method.names if name != modality]
        places = None if config.split is None else _places(latents, config.split, target)
        code = config.trust_remote_code
        search = Search(method, latents, target, places, trust_remote_code=code)
        for value, hits in zip(values, search.nearest(modality, values, config.top), strict=True):
            told = [asdict(hit) for hit in hits]
            yield {"modality": modality, "value": value, "target": target, "hits": told}


def _places(latents: Latents, split: str, modality: str) -> np.ndarray:
    rows = _rows(latents, split)
    return np.unique(np.asarray(rows.pairs)[:, latents.modalities.index(modality)])


def _rows(latents: Latents, split: str) -> PairRows:
    rows = latents.rows(split)
    if not len(rows):
        known = sorted({one.decode() for one in np.unique(latents.column("splits"))} - {""})
        raise DataError(unknown(f"split of {latents.folder}", split, known))
    return rows


def _page(model: str | Path, queries: Sequence[Mapping[str, Any]], root: Path | None) -> str:
    from textcentric.data.media.pictures import open_picture
    from textcentric.report.search import search_page

    count = f"{len(queries)} searches" if len(queries) > 1 else "One search"
    title = f"{count}, model {Path(model).name}"
    return search_page(title, queries, open_picture, partial(_picture, root=root))


def _picture(value: str, root: Path | None) -> Image.Image:
    from textcentric.data.media.pictures import open_picture

    root = root_of(value, root)
    return open_picture(value if root is None else root / value, root)
