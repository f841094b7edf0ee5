"""`textcentric train`: fine-tune on rows in words, or learn rewards from pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from textcentric.cli.options import AsJson, DryRun, Quiet, Verbose, configured
from textcentric.machine import require

if TYPE_CHECKING:
    from textcentric.methods.align_vl.config import AlignTraining
    from textcentric.methods.downstream.config import Training
    from textcentric.methods.fusion.config import CrmtTraining
    from textcentric.methods.reward.config import RewardTraining


@configured("methods.downstream.config")
def downstream(
    training: Training,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Fine-tune a transformer on text rows and their variants; a model folder.

    Rows of split train are trained on, those of split validation are evaluated.
    The same as: accelerate launch pipelines/train.py downstream ...

    Example: textcentric train downstream --run runs/first -o models/first
    """
    require("train downstream")
    from textcentric.cli.training import train_command

    training.check()
    raise typer.Exit(
        train_command(training, dry_run=dry_run, as_json=as_json, quiet=quiet, verbose=verbose)
    )


@configured("methods.reward.config")
def reward(
    training: RewardTraining,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Train a reward model on pairs of responses of which one is preferred; a model folder.

    Layouts of TRL, RLHF-V, RLAIF-V, VLFeedback, ms-swift and LLaMA-Factory are known.
    The same as: accelerate launch pipelines/train.py reward ...

    Example: textcentric train reward --dataset-name pairs.jsonl --reward-objective sfc
    """
    require("train reward")
    from textcentric.cli.training import train_reward_command

    training.check()
    raise typer.Exit(
        train_reward_command(
            training, dry_run=dry_run, as_json=as_json, quiet=quiet, verbose=verbose
        )
    )


@configured("methods.fusion.config")
def crmt(
    training: CrmtTraining,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Train a fusion model of pictures, sounds, texts and tables that is harder to attack.

    CRMT (Yang et al. 2024), its variants and rivals; split validation guards its second step.
    The same as: accelerate launch pipelines/train.py crmt ...

    Example: textcentric train crmt --dataset clips.csv --target class --variant crmt-jt
    """
    require("train crmt")
    from textcentric.cli.training import train_crmt_command

    training.check()
    raise typer.Exit(
        train_crmt_command(training, dry_run=dry_run, as_json=as_json, quiet=quiet, verbose=verbose)
    )


@configured("methods.align_vl.config")
def align_vl(
    training: AlignTraining,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Bring two frozen encoders into one space by what is learnt between them.

    Align-VL; --noise-sigma 0 --smoothing 0 makes it FuseMix (Vouitsis et al. 2024).
    The same as: accelerate launch pipelines/train.py align-vl ...

    Example: textcentric train align-vl --latents latents/captions -o models/captions
    """
    require("train align-vl")
    from textcentric.cli.training import train_align_command

    training.check()
    raise typer.Exit(
        train_align_command(
            training, dry_run=dry_run, as_json=as_json, quiet=quiet, verbose=verbose
        )
    )
