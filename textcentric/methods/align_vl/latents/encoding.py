"""Rows by name or in hand, each a pair, sent through the two encoders that settings choose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from textcentric.data.memory import named_or
from textcentric.data.rows import Rows, RowsLike, tell_notes
from textcentric.errors import ConfigError, DataError, Say, check_known, option
from textcentric.methods.align_vl.latents.cache import Latents
from textcentric.methods.align_vl.latents.captions import paired
from textcentric.methods.align_vl.latents.config import LatentsConfig
from textcentric.methods.align_vl.latents.encoders import DEFAULTS, latent_encoder
from textcentric.methods.align_vl.latents.gone import Gone
from textcentric.methods.align_vl.latents.writing import write_latents


def encode(
    config: LatentsConfig,
    rows: RowsLike | None = None,
    *,
    say: Say = lambda line: None,
    note: Callable[[str, int, int], None] = lambda modality, done, items: None,
) -> Latents:
    """Encode each item once into the folder that settings name; what lies there is kept.

    `rows` stand in for those that settings name; `note` is told how many items are done.
    """
    dataset = named_or(rows, config)
    tell_notes(dataset, say)
    names = chosen_modalities(dataset, config.modalities)
    encoders = config.encoders()
    for name, encoder in encoders.items():
        if encoder is not None and name not in names:
            said = option(f"{name}_encoder", encoder)
            raise ConfigError(f"{said}: the pairs are of {' and '.join(names)}")
    folder = dataset.path if dataset.origin == "memory" else dataset.path.parent
    gone = Gone()
    return write_latents(
        paired(dataset, names, gone),
        config.output_dir or Path("latents") / dataset.name,
        {
            name: latent_encoder(name, encoders[name], trust_remote_code=config.trust_remote_code)
            for name in names
        },
        dataset=dataset.name,
        data_dir=config.data_dir or folder,
        note=note,
        gone=gone,
    )


def chosen_modalities(dataset: Rows, wanted: Sequence[str] | None) -> list[str]:
    """Return the two modalities of the pairs: those wanted, else those that the schema names."""
    for name in wanted or ():
        check_known(f"modality of {option('modalities')}", name, DEFAULTS)
    first = next(iter(dataset), None)
    if first is None:
        raise DataError(f"{dataset.name} has no row to encode")
    names = list(wanted or ()) or [
        name
        for name in DEFAULTS
        if (name == "text" and dataset.schema.text) or name in dataset.schema.files()
    ]
    if len(names) != 2:
        raise ConfigError(
            f"pairs of {', '.join(names) or 'nothing'}; expected two modalities: name two of"
            f" {', '.join(DEFAULTS)} by {option('modalities')}, or their columns by"
            f" {', '.join(map(option, ('image', 'text', 'audio')))}"
        )
    return names
