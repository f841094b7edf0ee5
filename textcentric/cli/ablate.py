"""`textcentric ablate`: what is lost where one piece of a method is taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import typer

from textcentric.cli.options import Shown, configured
from textcentric.cli.terminal import show, show_json, telling
from textcentric.machine import require
from textcentric.training.processes import alone

if TYPE_CHECKING:
    from textcentric.evaluation.ablation.config import AlignAblation, CrmtAblation


@configured("evaluation.ablation.config")
def crmt(ablation: CrmtAblation, **shown: Unpack[Shown]) -> None:
    """CRMT without explicit optimisation of its weights, and with a hinge for its margin.

    Nine metrics (clean, FGM, PGD, both on each modality, each modality missing) and the worst case.

    Example: textcentric ablate crmt --dataset clips.csv --schema clips.yaml -o runs/ablation
    """
    require("ablate crmt")
    ablation.check()
    raise typer.Exit(ablate_command("crmt", ablation, **shown))


@configured("evaluation.ablation.config")
def align_vl(ablation: AlignAblation, **shown: Unpack[Shown]) -> None:
    """Align-VL without mixing, and with uniform noise; or a grid of sigma and alpha.

    The grid is sigma in 0.01, 0.05, 0.1, 0.5 by alpha in 0.1, 0.2, 0.5, 0.8. R@1, 5 and 10.

    Example: textcentric ablate align-vl --latents latents/captions -o runs/ablation
    """
    require("ablate align-vl")
    ablation.check()
    raise typer.Exit(ablate_command("align-vl", ablation, **shown))


def ablate_command(
    method: str, config: CrmtAblation | AlignAblation, *, as_json: bool, quiet: bool, verbose: bool
) -> int:
    """Train and test every arm of a method, and print the table; return the exit code."""
    from textcentric.evaluation.ablation.ablation import ABLATIONS
    from textcentric.evaluation.ablation.summary import as_table

    if not alone():
        return 0
    with telling(quiet=quiet, verbose=verbose) as tell:
        ablated = ABLATIONS[method](config, say=tell)
    if as_json:
        show_json(ablated.summary)
        return 0
    seeds, first = ablated.summary["seeds"], next(iter(ablated.summary["arms"]))
    show(as_table(ablated.summary))
    show(f"\n{seeds} seeds; 95 % intervals over test rows; ↑ ↓ differ from {first} by them")
    show("\n".join(f"picture  {picture}" for picture in ablated.pictures))
    return 0
