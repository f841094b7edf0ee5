"""`textcentric ablate`: what is lost where one piece of a method is taken away."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from textcentric.cli.options import AsJson, Quiet, Verbose, configured
from textcentric.cli.terminal import telling
from textcentric.errors import DataError
from textcentric.folders import write_text
from textcentric.machine import require
from textcentric.training.processes import alone

if TYPE_CHECKING:
    from textcentric.evaluation.ablation.cells import Found
    from textcentric.evaluation.ablation.config import AlignAblation, CrmtAblation
    from textcentric.evaluation.ablation.summary import Groups

RESULTS, TABLE = "ablation.json", "ablation.md"


@configured("evaluation.ablation.config")
def crmt(
    ablation: CrmtAblation,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """CRMT without explicit optimisation of its weights, and with a hinge for its margin.

    Nine metrics (clean, FGM, PGD, both on each modality, each modality missing) and the worst case.

    Example: textcentric ablate crmt --dataset clips.csv --schema clips.yaml -o runs/ablation
    """
    require("ablate crmt")
    ablation.check()
    raise typer.Exit(ablate_crmt(ablation, as_json=as_json, quiet=quiet, verbose=verbose))


@configured("evaluation.ablation.config")
def align_vl(
    ablation: AlignAblation,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Align-VL without mixing, and with uniform noise; or a grid of sigma and alpha.

    The grid is sigma in 0.01, 0.05, 0.1, 0.5 by alpha in 0.1, 0.2, 0.5, 0.8. R@1, 5 and 10.

    Example: textcentric ablate align-vl --latents latents/captions -o runs/ablation
    """
    require("ablate align-vl")
    ablation.check()
    raise typer.Exit(ablate_align(ablation, as_json=as_json, quiet=quiet, verbose=verbose))


def ablate_crmt(training: CrmtAblation, *, as_json: bool, quiet: bool, verbose: bool) -> int:
    """Train and attack every arm of CRMT; return the exit code."""
    from transformers.utils.logging import disable_progress_bar

    from textcentric.data import load
    from textcentric.evaluation.ablation import arms as ablation_arms
    from textcentric.evaluation.ablation.cells import cells_of, measured
    from textcentric.methods.fusion.training import training_rows

    if not alone():
        return 0
    disable_progress_bar()
    with telling(quiet=quiet, verbose=verbose) as tell:
        rows = training_rows(training, tell)
        told = load(
            training.dataset,
            data_dir=training.data_dir,
            schema=training.table_schema,
            split=training.split,
        )
        known = {str(row.target) for row in rows.train}
        test = [row for row in told if row.target is not None and str(row.target) in known]
        test = test[: training.limit]
        if not test:
            raise DataError(f"no row of split {training.split} has a class that training rows have")
        plan = {
            "ablation": "crmt",
            "rows": [told.digest, len(rows.train), [row.id for row in test][:50], len(test)],
            "train": training.train,
            "crmt": training.crmt,
            "radius": training.radius,
        }
        work = partial(
            ablation_arms.crmt_cell,
            rows=rows.train,
            held_out=rows.held_out,
            test=test,
            root=training.data_dir,
            loop=training.train,
            model=training.crmt,
            radius=training.radius,
        )
        output = training.output_dir
        cells = cells_of(ablation_arms.CRMT_ARMS, training.seeds)
        found = measured(cells, output, plan, work, tell)
        groups = _groups([row.group for row in test])
        return _told(found, dict.fromkeys(next(iter(found.values())), groups), output, as_json)


def ablate_align(training: AlignAblation, *, as_json: bool, quiet: bool, verbose: bool) -> int:
    """Train and test every arm of Align-VL; return the exit code."""
    from transformers.utils.logging import disable_progress_bar

    from textcentric.evaluation.ablation import arms as ablation_arms
    from textcentric.evaluation.ablation.cells import cells_of, measured
    from textcentric.methods.align_vl.training import training_pairs

    split, grid, output = training.split, training.grid, training.output_dir
    if not alone():
        return 0
    disable_progress_bar()
    with telling(quiet=quiet, verbose=verbose) as tell:
        latents, rows, _ = training_pairs(training)
        test = latents.rows(split)
        if not len(test):
            raise DataError(f"no pair of {latents.folder} is in the split {split}")
        loop = training.loop_values()
        arms = ablation_arms.GRID if grid else ablation_arms.ALIGN_ARMS
        plan = {
            "ablation": "align-vl grid" if grid else "align-vl",
            "latents": latents.digest,
            "pairs": [len(rows), split],
            "train": loop,
            "align_vl": training.align_vl,
        }
        work = partial(
            ablation_arms.align_cell,
            latents=latents,
            rows=rows,
            test=test,
            loop=loop,
            model=training.align_vl,
        )
        found = measured(cells_of(arms, training.seeds), output, plan, work, tell)
        column = latents.column("groups")[latents.column("splits") == split.encode()]
        known = [one.decode() for one in column]
        groups = ablation_arms.query_groups(latents.modalities, test, known) if any(known) else {}
        return _told(found, groups, output, as_json, grid=grid)


def _groups(groups: Sequence[str | None]) -> Sequence[str | None] | None:
    """Return groups where there are enough to be drawn, else None: rows are drawn."""
    return groups if len(set(groups)) > 2 else None


def _told(found: Found, groups: Groups, output: Path, as_json: bool, *, grid: bool = False) -> int:
    """Write table, figures and pictures, and print the table."""
    from textcentric.evaluation.ablation.summary import as_table, summary
    from textcentric.report import pictures

    told = summary(found, groups)
    write_text(output / RESULTS, json.dumps(told, indent=2) + "\n")
    table = as_table(told)
    write_text(output / TABLE, table + "\n")
    drawn = _grids(told) if grid else {"ablation.svg": pictures.dots(told["arms"])}
    for name, picture in drawn.items():
        write_text(output / name, picture.decode())
    if as_json:
        print(json.dumps(told))
        return 0
    first = next(iter(told["arms"]))
    print(table)
    print(
        f"\n{told['seeds']} seeds; 95 % intervals over test rows; ↑ ↓ differ from {first} by them"
    )
    print("\n".join(f"picture  {output / name}" for name in drawn))
    return 0


def _grids(told: Mapping[str, Any]) -> dict[str, bytes]:
    """Return a picture of each R@1, sigma down and alpha across."""
    from textcentric.evaluation.ablation import arms as ablation_arms
    from textcentric.report import pictures

    sigmas, alphas = ablation_arms.SIGMAS, ablation_arms.ALPHAS
    arms = list(told["arms"].values())
    found = {}
    for metric in [name for name in arms[0] if name.endswith("R@1")]:
        values = [
            [arms[row * len(alphas) + at][metric]["value"] for at in range(len(alphas))]
            for row in range(len(sigmas))
        ]
        name = f"grid-{metric.replace(' ', '-').replace('@', '')}.svg"
        title = f"{metric}, per cent"
        found[name] = pictures.grid(values, ("sigma", sigmas), ("alpha", alphas), title)
    return found
