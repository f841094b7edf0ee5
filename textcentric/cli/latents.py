"""`textcentric latents`: what frozen encoders make of a data set, kept on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import typer

from textcentric.cli.options import Shown, configured
from textcentric.cli.terminal import show, show_json, telling
from textcentric.errors import Say
from textcentric.machine import require
from textcentric.methods.align_vl.latents.config import LatentsConfig
from textcentric.training.processes import alone

if TYPE_CHECKING:
    from textcentric.methods.align_vl.latents import Latents


@configured("methods.align_vl.latents.config")
def latents(config: LatentsConfig, **shown: Unpack[Shown]) -> None:
    """Encode pictures, texts or sounds once; a folder that `train align-vl` and `retrieve` read.

    Each row is a pair. The same command goes on where it was stopped.

    Example: textcentric latents --dataset captions.csv --data-dir images --group image
    """
    require("latents")
    raise typer.Exit(latents_command(config, **shown))


def latents_command(config: LatentsConfig, *, as_json: bool, quiet: bool, verbose: bool) -> int:
    """Encode the rows and say what came of it; return the exit code."""
    from textcentric.methods.align_vl.latents.encoding import encode

    if not alone():
        return 0
    with telling(quiet=quiet, verbose=verbose) as tell:
        made = encode(config, say=tell, note=_Progress(tell))
    for name, of in made.papers["left_out"].items():
        first = next(iter(of.values()))
        tell(f"{len(of):,} {name} items left out with their pairs, the first: {first}")
    if as_json:
        show_json(made.facts())
    else:
        show(_as_text(made))
    return 0


class _Progress:
    """Tell of each tenth of the items of a modality."""

    def __init__(self, tell: Say):
        self.tell = tell
        self._told: dict[str, int] = {}

    def __call__(self, modality: str, done: int, items: int) -> None:
        tenth = 10 * done // items
        if tenth > self._told.get(modality, 0):
            self._told[modality] = tenth
            self.tell(f"{modality}: {done:,} of {items:,} items")


def _as_text(made: Latents) -> str:
    from textcentric.command_line import command
    from textcentric.data.balance import in_words

    lines = [f"pairs    {len(made.pairs):,} of {made.name}"]
    if balance := made.papers.get("balance"):
        lines.append(f"rows     {in_words(balance, 'pairs')}")
    for name in made.modalities:
        encoder, version = made.encoder(name)
        width = made.width(name)
        lines.append(f"{name:<9}{made.count(name):,} items, {width} wide, by {encoder} ({version})")
    lines += [
        f"folder   {made.folder}",
        f"next     {command('train', 'align-vl', latents=made.folder)}",
    ]
    return "\n".join(lines)
