"""`textcentric latents`: what frozen encoders make of a data set, kept on disk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from textcentric.cli.options import AsJson, Quiet, Verbose, configured
from textcentric.cli.terminal import telling
from textcentric.errors import ConfigError, DataError, Say, unknown
from textcentric.machine import require
from textcentric.methods.align_vl.latents.config import LatentsConfig
from textcentric.training.processes import alone

if TYPE_CHECKING:
    from textcentric.data.dataset import Dataset
    from textcentric.methods.align_vl.latents import Latents


@configured("methods.align_vl.latents.config")
def latents(
    config: LatentsConfig,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Encode pictures, texts or sounds once; a folder that `train align-vl` and `retrieve` read.

    Each row is a pair. The same command goes on where it was stopped.

    Example: textcentric latents --dataset captions.csv --data-dir images --group image
    """
    require("latents")
    raise typer.Exit(latents_command(config, as_json=as_json, quiet=quiet, verbose=verbose))


def latents_command(config: LatentsConfig, *, as_json: bool, quiet: bool, verbose: bool) -> int:
    """Encode the rows and say what came of it; return the exit code."""
    from textcentric.data import load
    from textcentric.methods.align_vl.latents import latent_encoder, write_latents

    if not alone():
        return 0
    with telling(quiet=quiet, verbose=verbose) as tell:
        found = load(
            config.dataset,
            data_dir=config.data_dir,
            schema=config.table_schema,
            split=config.split,
            limit=config.limit,
        )
        for note in found.notes:
            tell(note)
        names = chosen_modalities(found, config.modalities)
        encoders = config.encoders()
        for name, encoder in encoders.items():
            if encoder is not None and name not in names:
                raise ConfigError(
                    f"--{name}-encoder {encoder}: the pairs are of {' and '.join(names)}"
                )
        opened = {name: latent_encoder(name, encoders[name]) for name in names}
        folder = config.output_dir or Path("latents") / found.name
        made = write_latents(
            found,
            folder,
            opened,
            dataset=found.name,
            data_dir=config.data_dir or found.path.parent,
            note=_Progress(tell),
        )
    for name, of in made.papers["left_out"].items():
        first = next(iter(of.values()))
        tell(f"{len(of):,} {name} items left out with their pairs, the first: {first}")
    print(json.dumps(_facts(made)) if as_json else _as_text(made))
    return 0


def chosen_modalities(found: Dataset, wanted: Sequence[str] | None) -> list[str]:
    """Return the two modalities of the pairs: those wanted, else those that the schema names."""
    from textcentric.methods.align_vl.latents.encoders import DEFAULTS

    for name in wanted or ():
        if name not in DEFAULTS:
            raise ConfigError(unknown("modality of --modalities", name, DEFAULTS))
    first = next(iter(found), None)
    if first is None:
        raise DataError(f"{found.name} has no row to encode")
    names = list(wanted or ()) or [
        name
        for name in DEFAULTS
        if (name == "text" and found.schema.text) or name in found.schema.files()
    ]
    if len(names) != 2:
        raise ConfigError(
            f"pairs of {', '.join(names) or 'nothing'}; expected two modalities: name two of"
            f" {', '.join(DEFAULTS)} by --modalities, or their columns by --image, --text, --audio"
        )
    return names


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


def _facts(made: Latents) -> dict[str, Any]:
    left_out = made.papers["left_out"]
    return {
        "path": str(made.folder),
        "pairs": len(made.pairs),
        "modalities": made.papers["modalities"],
        "left_out": {name: len(of) for name, of in left_out.items()},
    }


def _as_text(made: Latents) -> str:
    from textcentric.command_line import command

    lines = [f"pairs    {len(made.pairs):,} of {made.name}"]
    for name in made.modalities:
        encoder, version = made.encoder(name)
        width = made.width(name)
        lines.append(f"{name:<9}{made.count(name):,} items, {width} wide, by {encoder} ({version})")
    lines += [
        f"folder   {made.folder}",
        f"next     {command('train', 'align-vl', latents=made.folder)}",
    ]
    return "\n".join(lines)
