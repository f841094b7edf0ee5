"""`textcentric retrieve`: search across modalities in a trained space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Unpack

import typer

from textcentric.cli.options import Shown, configured
from textcentric.cli.terminal import columns, show, show_json, telling
from textcentric.machine import require
from textcentric.methods.align_vl.config import RetrieveConfig
from textcentric.security.visible import in_line
from textcentric.training.processes import alone


@configured("methods.align_vl.config")
def retrieve(
    config: RetrieveConfig,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Folder of an aligned model.")],
    **shown: Unpack[Shown],
) -> None:
    """Find pictures by words, words by pictures, words by sounds; without a query, test how well.

    The test is R@1, 5 and 10 both ways, with intervals; an item may have several partners.

    Example: textcentric retrieve models/captions --latents latents/captions --text "a dog"
    """
    require("retrieve")
    if config.wanted():
        require("retrieve by a query")
    raise typer.Exit(retrieve_command(model, config, **shown))


def retrieve_command(
    model: str, config: RetrieveConfig, *, as_json: bool, quiet: bool, verbose: bool
) -> int:
    """Search, or test the search, and say what came of it; return the exit code."""
    from textcentric.methods.align_vl.retrieval import recall, retrieve

    if not alone():
        return 0
    with telling(quiet=quiet, verbose=verbose) as tell:
        if not config.wanted():
            measured = recall(model, config)
            if as_json:
                show_json(measured)
            else:
                show(_recall_as_text(measured))
            return 0
        queries = retrieve(model, config)
        if config.page is not None:
            tell(f"page     {config.page}")
    if as_json:
        show_json(queries)
    else:
        show(_as_text(queries))
    return 0


def _recall_as_text(told: Mapping[str, Any]) -> str:
    from textcentric.data.balance import in_words

    ways = {name: of for name, of in told.items() if name not in ("split", "balance")}
    rows = [
        [name, f"{of['queries']:,}", f"{of['items']:,}"]
        + [_interval(of[k]) for k in ("R@1", "R@5", "R@10")]
        for name, of in ways.items()
    ]
    chance = [
        [f"  (chance, {name})", "", "", *(f"{value:.3f}" for value in of["chance"].values())]
        for name, of in ways.items()
    ]
    heads = [f"split {told['split']}", "queries", "items", "R@1", "R@5", "R@10"]
    return f"{columns([*rows, *chance], heads)}\n{in_words(told['balance'], 'searched')}"


def _interval(of: Mapping[str, Any]) -> str:
    low, high = of["interval"]
    return f"{of['value']:.3f} [{low:.3f}, {high:.3f}]"


def _as_text(found: Sequence[Mapping[str, Any]]) -> str:
    parts = []
    for query in found:
        hits = [f"{hit['rank']:>4}  {hit['cosine']:6.3f}  {hit['value']}" for hit in query["hits"]]
        parts.append("\n".join(map(in_line, [query["value"], *hits])))
    return "\n\n".join(parts)
