"""`textcentric retrieve`: search across modalities in a trained space."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from textcentric.cli.options import AsJson, Quiet, Verbose, configured
from textcentric.cli.terminal import columns, telling
from textcentric.errors import ConfigError, DataError, unknown
from textcentric.folders import write_text
from textcentric.machine import require
from textcentric.methods.align_vl.config import RetrieveConfig
from textcentric.training.processes import alone

if TYPE_CHECKING:
    import numpy as np

    from textcentric.methods.align_vl import AlignVl
    from textcentric.methods.align_vl.latents import Latents


@configured("methods.align_vl.config")
def retrieve(
    config: RetrieveConfig,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Folder of an aligned model.")],
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Find pictures by words, words by pictures, words by sounds; without a query, test how well.

    The test is R@1, 5 and 10 both ways, with intervals; an item may have several partners.

    Example: textcentric retrieve models/captions --latents latents/captions --text "a dog"
    """
    require("retrieve")
    if config.text or config.image or config.audio or config.queries:
        require("retrieve by a query")
    raise typer.Exit(retrieve_command(model, config, as_json=as_json, quiet=quiet, verbose=verbose))


def retrieve_command(
    model: str, config: RetrieveConfig, *, as_json: bool, quiet: bool, verbose: bool
) -> int:
    """Search, or test the search, and say what came of it; return the exit code."""
    from textcentric.methods.align_vl import AlignVl
    from textcentric.methods.align_vl.latents import open_latents
    from textcentric.methods.align_vl.method import PAPERS
    from textcentric.training.folder import find_model_folder

    if not alone():
        return 0
    with telling(quiet=quiet, verbose=verbose) as tell:
        latents = open_latents(config.latents)
        method = AlignVl.load(find_model_folder(model, PAPERS, "aligned model"), latents)
        wanted = {name: list(getattr(config, name)) for name in ("text", "image", "audio")}
        if config.queries is not None:
            wanted["text"] += _lines(config.queries)
        if not any(wanted.values()):
            told = _tested(method, latents, config.split or "test")
            print(json.dumps(told) if as_json else _recall_as_text(told))
            return 0
        found = list(_found(method, latents, wanted, config.split, config.top))
        if config.page is not None:
            root = Path(config.data_dir) if config.data_dir else latents.data_dir
            write_text(config.page, _page(model, found, root))
            tell(f"page     {config.page}")
    print(json.dumps(found, ensure_ascii=False) if as_json else _as_text(found))
    return 0


def _lines(file: Path) -> list[str]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--queries {file} cannot be read: {error}") from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def _found(
    method: AlignVl,
    latents: Latents,
    wanted: Mapping[str, Sequence[str]],
    split: str | None,
    top: int,
) -> Iterator[dict[str, Any]]:
    """Yield each query with its hits, those of the other modality."""
    from textcentric.methods.align_vl.search import Search

    for modality, values in wanted.items():
        if not values:
            continue
        if modality not in method.names:
            raise ConfigError(
                f"a query of {modality}: the model is of {' and '.join(method.names)}"
            )
        (target,) = [name for name in method.names if name != modality]
        places = None if split is None else _places(latents, split, target)
        search = Search(method, latents, target, places)
        for value, hits in zip(values, search.nearest(modality, values, top), strict=True):
            told = [asdict(hit) for hit in hits]
            yield {"modality": modality, "value": value, "target": target, "hits": told}


def _places(latents: Latents, split: str, modality: str) -> np.ndarray:
    import numpy as np

    rows = _rows(latents, split)
    return np.unique(np.asarray(rows.pairs)[:, latents.modalities.index(modality)])


def _rows(latents: Latents, split: str) -> Any:
    import numpy as np

    rows = latents.rows(split)
    if not len(rows):
        known = sorted({one.decode() for one in np.unique(latents.column("splits"))} - {""})
        raise DataError(unknown(f"split of {latents.folder}", split, known))
    return rows


def _tested(method: AlignVl, latents: Latents, split: str) -> dict[str, Any]:
    from textcentric.metrics.recall import recall_with_intervals

    rows = _rows(latents, split)
    groups = latents.column("groups")[latents.column("splits") == split.encode()]
    known = [one.decode() for one in groups] if any(groups) else None
    return {"split": split, **recall_with_intervals(method.searched(rows), known)}


def _recall_as_text(told: Mapping[str, Any]) -> str:
    ways = {name: of for name, of in told.items() if name != "split"}
    rows = [
        [name, f"{of['queries']:,}", f"{of['items']:,}"]
        + [_interval(of[k]) for k in ("R@1", "R@5", "R@10")]
        for name, of in ways.items()
    ]
    chance = [
        [f"  (chance, {name})", "", "", *(f"{value:.3f}" for value in of["chance"].values())]
        for name, of in ways.items()
    ]
    return columns(
        [*rows, *chance], [f"split {told['split']}", "queries", "items", "R@1", "R@5", "R@10"]
    )


def _interval(of: Mapping[str, Any]) -> str:
    low, high = of["interval"]
    return f"{of['value']:.3f} [{low:.3f}, {high:.3f}]"


def _as_text(found: Sequence[Mapping[str, Any]]) -> str:
    parts = []
    for query in found:
        lines = [f"{hit['rank']:>4}  {hit['cosine']:6.3f}  {hit['value']}" for hit in query["hits"]]
        parts.append("\n".join([query["value"], *lines]))
    return "\n\n".join(parts)


def _page(model: str, found: Sequence[Mapping[str, Any]], root: Path | None) -> str:
    from textcentric.data.pictures import open_picture
    from textcentric.report.search import search_page

    count = f"{len(found)} searches" if len(found) > 1 else "One search"
    title = f"{count}, model {Path(model).name}"
    return search_page(title, found, open_picture, partial(_opened, root=root))


def _opened(value: str, root: Path | None) -> Any:
    from textcentric.data.pictures import open_picture

    return open_picture(value if root is None else root / value, root)
