"""What `textcentric latents` does: rows in, a folder of latents out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textcentric.cli.launched import alone
from textcentric.cli.terminal import Tell, telling
from textcentric.command_line import command
from textcentric.data import load
from textcentric.data.dataset import Dataset
from textcentric.errors import ConfigError, DataError, unknown
from textcentric.latents import Latents, latent_encoder, write_latents
from textcentric.latents.config import LatentsConfig
from textcentric.latents.encoders import DEFAULTS


def latents_command(config: LatentsConfig, *, as_json: bool, quiet: bool, verbose: bool) -> int:
    """Encode the rows and say what came of it; return the exit code."""
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

    def __init__(self, tell: Tell):
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
