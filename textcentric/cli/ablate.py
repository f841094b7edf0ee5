"""`textcentric ablate`: what is lost where one piece of a method is taken away."""

from __future__ import annotations

import typer

from textcentric.cli.ablate_settings import AlignAblation, CrmtAblation
from textcentric.cli.options import AsJson, Panels, Quiet, Verbose, configured
from textcentric.extras import require

app = typer.Typer(
    help="Take a method apart: seeds, intervals, a table and a picture; resumable.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def ablate() -> None:
    """Take a method apart: seeds, intervals, a table and a picture; resumable."""


@app.command("crmt", cls=Panels)
@configured()
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
    from textcentric.cli.run_ablate import ablate_crmt

    ablation.check()
    raise typer.Exit(ablate_crmt(ablation, as_json=as_json, quiet=quiet, verbose=verbose))


@app.command("align-vl", cls=Panels)
@configured()
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
    from textcentric.cli.run_ablate import ablate_align

    ablation.check()
    raise typer.Exit(ablate_align(ablation, as_json=as_json, quiet=quiet, verbose=verbose))
