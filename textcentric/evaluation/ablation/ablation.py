"""A method taken apart: every arm and seed trained and tested, a table and pictures in the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from textcentric.data.memory import in_hand
from textcentric.data.rows import RowsLike
from textcentric.errors import ConfigError, DataError, Say, option
from textcentric.evaluation.ablation.arms import (
    ALIGN_ARMS,
    ALPHAS,
    CRMT_ARMS,
    GRID,
    SIGMAS,
    align_cell,
    crmt_cell,
    query_groups,
)
from textcentric.evaluation.ablation.cells import Found, cells_of, measured
from textcentric.evaluation.ablation.config import AlignAblation, CrmtAblation
from textcentric.evaluation.ablation.summary import Groups, Summary, as_table, summary
from textcentric.folders import write_text
from textcentric.methods.align_vl.config import AlignConfig
from textcentric.methods.align_vl.training import training_pairs
from textcentric.methods.fusion.config import CrmtConfig
from textcentric.methods.fusion.training import training_rows
from textcentric.report import pictures
from textcentric.rows import Record
from textcentric.settings import Given, Settings

RESULTS, TABLE = "ablation.json", "ablation.md"


@dataclass(frozen=True)
class Ablated:
    """What an ablation came to, and the pictures of it."""

    summary: Summary
    folder: Path
    pictures: tuple[Path, ...]


def ablate_crmt(
    config: CrmtAblation, rows: RowsLike | None = None, *, say: Say = lambda line: None
) -> Ablated:
    """Train and attack every arm of CRMT; `rows` stand in for those that settings name."""
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    if config.add_to is not None:
        raise ConfigError(f"{option('add_to')}: an ablation trains every arm anew; leave it out")
    _refuse_pieces(config.crmt, CRMT_ARMS, CrmtConfig)
    split = training_rows(config, say, rows)
    digest, test = _test_rows(config, rows, {str(row.target) for row in split.train})
    plan = {
        "ablation": "crmt",
        "rows": [digest, len(split.train), [row.id for row in test][:50], len(test)],
        "train": config.train,
        "crmt": config.crmt,
        "radius": config.radius,
    }
    work = partial(
        crmt_cell,
        rows=split.train,
        held_out=split.held_out,
        test=test,
        root=config.data_dir,
        loop=config.train,
        model=config.crmt,
        radius=config.radius,
    )
    cells = measured(cells_of(CRMT_ARMS, config.seeds), config.output_dir, plan, work, say)
    groups = _groups([row.group for row in test])
    return _written(cells, dict.fromkeys(next(iter(cells.values())), groups), config.output_dir)


def ablate_align(
    config: AlignAblation, rows: object = None, *, say: Say = lambda line: None
) -> Ablated:
    """Train and test every arm of Align-VL on the latents that settings name."""
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    arms = GRID if config.grid else ALIGN_ARMS
    _refuse_pieces(config.align_vl, arms, AlignConfig)
    split = config.split
    latents, pairs, _ = training_pairs(config)
    test = latents.rows(split)
    if not len(test):
        raise DataError(f"no pair of {latents.folder} is in the split {split}")
    loop = config.loop_values()
    plan = {
        "ablation": "align-vl grid" if config.grid else "align-vl",
        "latents": latents.digest,
        "pairs": [len(pairs), split],
        "train": loop,
        "align_vl": config.align_vl,
    }
    work = partial(
        align_cell, latents=latents, rows=pairs, test=test, loop=loop, model=config.align_vl
    )
    cells = measured(cells_of(arms, config.seeds), config.output_dir, plan, work, say)
    column = latents.column("groups")[latents.column("splits") == split.encode()]
    names = [group.decode() for group in column]
    groups = query_groups(latents.modalities, test, names) if any(names) else {}
    return _written(cells, groups, config.output_dir, grid=config.grid)


ABLATIONS: Mapping[str, Callable[..., Ablated]] = {"crmt": ablate_crmt, "align-vl": ablate_align}


def _refuse_pieces(given: Given, arms: Mapping[str, Given], model: type[Settings]) -> None:
    """Raise ConfigError for a setting that arms differ in: they are called by what they have."""
    for name in dict.fromkeys(name for changes in arms.values() for name in changes):
        if name in given and given[name] != model.model_fields[name].default:
            raise ConfigError(
                f"{option(name, given[name])}: arms of this ablation ({', '.join(arms)}) differ in"
                f" {name}; leave it out"
            )


def _test_rows(
    config: CrmtAblation, given: RowsLike | None, classes: set[str]
) -> tuple[str, list[Record]]:
    """Return the digest of the rows of the split, and those of them that can be attacked."""
    rows = in_hand(
        str(config.dataset) if given is None else given,
        config.table_schema,
        data_dir=config.data_dir,
        split=config.split,
    )
    test = [row for row in rows if row.target is not None and str(row.target) in classes]
    if not test:
        raise DataError(f"no row of split {config.split} has a class that training rows have")
    return rows.digest, test[: config.limit]


def _groups(groups: Sequence[str | None]) -> Sequence[str | None] | None:
    """Return groups where there are enough to be drawn, else None: rows are drawn."""
    return groups if len(set(groups)) > 2 else None


def _written(cells: Found, groups: Groups, folder: Path, *, grid: bool = False) -> Ablated:
    """Write table, figures and pictures."""
    figures = summary(cells, groups)
    write_text(folder / RESULTS, json.dumps(figures, indent=2) + "\n")
    write_text(folder / TABLE, as_table(figures) + "\n")
    drawn = _grids(figures) if grid else {"ablation.svg": pictures.dots(figures["arms"])}
    for name, picture in drawn.items():
        write_text(folder / name, picture.decode())
    return Ablated(figures, folder, tuple(folder / name for name in drawn))


def _grids(figures: Summary) -> dict[str, bytes]:
    """Return a picture of each R@1, sigma down and alpha across."""
    arms = list(figures["arms"].values())
    drawn = {}
    for metric in [name for name in arms[0] if name.endswith("R@1")]:
        values = [
            [arms[row * len(ALPHAS) + at][metric]["value"] for at in range(len(ALPHAS))]
            for row in range(len(SIGMAS))
        ]
        name = f"grid-{metric.replace(' ', '-').replace('@', '')}.svg"
        title = f"{metric}, per cent"
        drawn[name] = pictures.grid(values, ("sigma", SIGMAS), ("alpha", ALPHAS), title)
    return drawn
