"""`textcentric train`: fine-tune on rows in words, or learn rewards from pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from textcentric.cli import flags as flag
from textcentric.cli.augment import table_schema
from textcentric.cli.loop_flags import LOOP, Flags, taking
from textcentric.extras import require

Real = float | None
Switch = bool | None

app = typer.Typer(
    help="Train a model on a run directory, or on raw rows.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"token_normalize_func": lambda name: name.replace("_", "-")},
)


@app.callback()
def train() -> None:
    """Train a model on a run directory, or on raw rows."""


@app.command("downstream")
@taking(LOOP)
def downstream(
    run: Annotated[
        flag.Text, typer.Option("--run", help="Run directory to train on, or its name in runs/.")
    ] = None,
    output_dir: Annotated[
        flag.Text, typer.Option("-o", "--output-dir", help="Folder of the trained model.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "-c", "--config", help="YAML of these names, with sections train, downstream."
        ),
    ] = None,
    labels: Annotated[
        flag.Text,
        typer.Option(
            "--labels", help="Effects on the label that variants may have: keep (default)."
        ),
    ] = None,
    train_rows: Annotated[
        flag.Number, typer.Option("--train-rows", help="At most so many of split train.")
    ] = None,
    held_out_rows: Annotated[
        flag.Number, typer.Option("--held-out-rows", help="At most so many of split validation.")
    ] = None,
    dataset: flag.Dataset = None,
    data_dir: flag.DataDir = None,
    schema: flag.SchemaFile = None,
    id_column: flag.IdColumn = None,
    target_column: flag.TargetColumn = None,
    text_column: flag.TextColumn = None,
    image_column: flag.ImageColumn = None,
    audio_column: flag.AudioColumn = None,
    group_column: flag.GroupColumn = None,
    ignore_column: flag.IgnoreColumn = None,
    image_expert: flag.ImageExpert = None,
    audio_expert: flag.AudioExpert = None,
    missing_values: flag.MissingValues = None,
    model: Annotated[
        flag.Text,
        typer.Option("--model", help="packaged (MiniLM, default), a folder or OWNER/NAME."),
    ] = None,
    task: Annotated[
        flag.Text, typer.Option("--task", help="auto, classification, ordinal or regression.")
    ] = None,
    target_transform: Annotated[
        flag.Text, typer.Option("--target-transform", help="Of regression: none, log or log1p.")
    ] = None,
    class_weights: Annotated[
        flag.Text, typer.Option("--class-weights", help="none, or balanced for rare classes.")
    ] = None,
    parts: Annotated[
        flag.Text, typer.Option("--parts", help="Blocks to read, in order: text,table,summary.")
    ] = None,
    max_length: Annotated[
        flag.Number, typer.Option("--max-length", help="Tokens of a row at most.")
    ] = None,
    lora_rank: Annotated[
        flag.Number, typer.Option("--lora-rank", help="Train a LoRA adapter of this rank.")
    ] = None,
    variants: Annotated[
        flag.Number, typer.Option("--variants", help="Perturbed texts of a row in an epoch (K).")
    ] = None,
    variant_weight: Annotated[
        Real, typer.Option("--variant-weight", help="Weight of the variants' loss (lambda).")
    ] = None,
    variant_share: Annotated[
        Real, typer.Option("--variant-share", help="Share of the rows that bring variants.")
    ] = None,
    objective: Annotated[
        flag.Text, typer.Option("--objective", help="Over the variants: mean or worst.")
    ] = None,
    consistency: Annotated[
        Real, typer.Option("--consistency", help="Weight of agreeing with the clean text.")
    ] = None,
    dropout_levels: Annotated[
        flag.Text,
        typer.Option("--dropout-levels", help="Shares of words and columns dropped: 0,0.3,0.6."),
    ] = None,
    modality_dropout: Annotated[
        Real, typer.Option("--modality-dropout", help="Chance that a block is left out.")
    ] = None,
    order_shuffle: Annotated[
        Switch, typer.Option("--order-shuffle/--no-order-shuffle", help="Permute the blocks.")
    ] = None,
    seed: flag.Seed = None,
    set_: Annotated[
        flag.Texts,
        typer.Option("--set", help="train.KEY=VALUE or downstream.KEY=VALUE for the rest."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show rows, tokens, steps, device; write nothing.")
    ] = False,
    as_json: flag.AsJson = False,
    quiet: flag.Quiet = False,
    verbose: flag.Verbose = False,
    **loop: Any,
) -> None:
    """Fine-tune a transformer on text rows and their variants; a model folder.

    Rows of split train are trained on, those of split validation are evaluated.
    The same as: accelerate launch pipelines/train.py downstream ...

    Example: textcentric train downstream --run runs/first -o models/first
    """
    given = {**locals(), **loop}
    require("train downstream")
    from textcentric.cli.run_train import train_command
    from textcentric.cli.train_settings import read_training, sorted_flags

    flags: dict[str, Any] = sorted_flags(given, set_ or [])
    flags["table_schema"] = table_schema(schema, given)
    training = read_training(config, flags)
    raise typer.Exit(
        train_command(training, dry_run=dry_run, as_json=as_json, quiet=quiet, verbose=verbose)
    )


REWARD: Flags = {
    "model_name_or_path": (str, "packaged (MiniLM, default), a folder or OWNER/NAME."),
    "max_length": (int, "Tokens of a text at most; a response is never cut."),
    "vision_model": (str, "See the pictures: packaged (EfficientNet), a folder or OWNER/NAME."),
    "reward_objective": (str, "bt (Bradley-Terry) or sfc (shortcut-aware)."),
    "center_rewards_coefficient": (float, "Keeps the sum of a pair's rewards near 0."),
    "use_peft": (bool, "Train a LoRA adapter and the head."),
    "lora_r": (int, "Rank of the adapter."),
    "lora_alpha": (int, "Its scale, over the rank."),
    "lora_dropout": (float, "Dropout before it."),
    "gradient_checkpointing": (bool, "Less memory, more time."),
    "proxy_model_name_or_path": (str, "Start of the proxy; default: that of the model."),
    "proxy_fields": (str, "Descriptions that the proxy lacks: image,table (default: all)."),
    "proxy_input": (str, "In their place: placeholder, drop or blank_image."),
    "proxy_schedule": (str, "joint, or frozen for a finished proxy."),
    "sfc_eps": (float, "Epsilon of the weights."),
    "sfc_normalize": (bool, "Divide weights by their mean."),
    "sfc_ema": (float, "Smooth a pair's losses over epochs."),
    "save_proxy": (bool, "Keep the proxy beside the model."),
}


@app.command("reward")
@taking({**LOOP, **REWARD})
def reward(
    dataset_name: Annotated[
        flag.Text, typer.Option("--dataset-name", help="Pairs: a file, a folder or OWNER/NAME.")
    ] = None,
    run: Annotated[
        flag.Text, typer.Option("--run", help="Run whose clean texts are preferred to variants.")
    ] = None,
    layout: Annotated[
        flag.Text, typer.Option("--layout", help="Of the pairs; default: told from the columns.")
    ] = None,
    eval_dataset: Annotated[
        flag.Text, typer.Option("--eval-dataset", help="Held-out pairs: FILE,FILE.")
    ] = None,
    image_dir: Annotated[
        flag.Text,
        typer.Option("--image-dir", help="Folder of the pictures, seen or put into words."),
    ] = None,
    image_expert: flag.ImageExpert = None,
    output_dir: Annotated[
        flag.Text, typer.Option("-o", "--output-dir", help="Folder of the trained model.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option("-c", "--config", help="YAML of these names.")
    ] = None,
    train_rows: Annotated[
        flag.Number, typer.Option("--train-rows", help="At most so many pairs to learn from.")
    ] = None,
    eval_rows: Annotated[
        flag.Number, typer.Option("--eval-rows", help="At most so many held-out pairs.")
    ] = None,
    seed: flag.Seed = None,
    set_: Annotated[
        flag.Texts, typer.Option("--set", help="train.KEY=VALUE or reward.KEY=VALUE for the rest.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show pairs, tokens, steps, device; write nothing.")
    ] = False,
    as_json: flag.AsJson = False,
    quiet: flag.Quiet = False,
    verbose: flag.Verbose = False,
    **settings: Any,
) -> None:
    """Train a reward model on pairs of responses of which one is preferred; a model folder.

    Layouts of TRL, RLHF-V, RLAIF-V, VLFeedback, ms-swift and LLaMA-Factory are known.
    The same as: accelerate launch pipelines/train.py reward ...

    Example: textcentric train reward --dataset-name pairs.jsonl --reward-objective sfc
    """
    given = {**locals(), **settings}
    require("train reward")
    from textcentric.cli.reward_settings import read_reward_training, sorted_reward_flags
    from textcentric.cli.run_train_reward import train_reward_command

    training = read_reward_training(config, sorted_reward_flags(given, set_ or []))
    raise typer.Exit(
        train_reward_command(
            training, dry_run=dry_run, as_json=as_json, quiet=quiet, verbose=verbose
        )
    )


CRMT: Flags = {
    "variant": (str, "crmt-jt (default), crmt-at, crmt-mix, crmt-step-1, ojt, jt, mmat, ..."),
    "modalities": (str, "Those to read: image,audio (default: all there are)."),
    "width": (int, "Features of a modality, where the encoder leaves it open."),
    "image_side": (int, "Pixels a side that pictures are brought to."),
    "mel_bins": (int, "Log-mel bins of sounds."),
    "mel_frames": (int, "Frames of 10 ms."),
    "max_length": (int, "Tokens of a text at most."),
    "orthogonality": (str, "own (paper), rownorm (released code) or none."),
    "rho": (float, "Weight of the margin loss."),
    "margin": (str, "logsumexp, or hinge."),
    "bound": (str, "Of the second step: minimum, or runner-up as released."),
    "attack_radius": (float, "Of adversarial inputs, in standard deviations."),
    "attack_steps": (int, "Of gradient ascent."),
}


@app.command("crmt")
@taking({**LOOP, **CRMT})
def crmt(
    dataset: flag.Dataset = None,
    data_dir: flag.DataDir = None,
    schema: flag.SchemaFile = None,
    id_column: flag.IdColumn = None,
    target_column: flag.TargetColumn = None,
    text_column: flag.TextColumn = None,
    image_column: flag.ImageColumn = None,
    audio_column: flag.AudioColumn = None,
    group_column: flag.GroupColumn = None,
    ignore_column: flag.IgnoreColumn = None,
    image_encoder: Annotated[
        flag.Text, typer.Option("--image-encoder", help="resnet18 (default), conv or packaged.")
    ] = None,
    audio_encoder: Annotated[
        flag.Text, typer.Option("--audio-encoder", help="resnet18 (default) or conv.")
    ] = None,
    text_encoder: Annotated[
        flag.Text, typer.Option("--text-encoder", help="packaged, a folder or OWNER/NAME.")
    ] = None,
    output_dir: Annotated[
        flag.Text, typer.Option("-o", "--output-dir", help="Folder of the trained model.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option("-c", "--config", help="YAML of these names.")
    ] = None,
    train_rows: Annotated[
        flag.Number, typer.Option("--train-rows", help="At most so many of split train.")
    ] = None,
    held_out_rows: Annotated[
        flag.Number, typer.Option("--held-out-rows", help="At most so many of split validation.")
    ] = None,
    seed: flag.Seed = None,
    set_: Annotated[
        flag.Texts, typer.Option("--set", help="train.KEY=VALUE or crmt.KEY=VALUE for the rest.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show rows, model, steps, device; write nothing.")
    ] = False,
    as_json: flag.AsJson = False,
    quiet: flag.Quiet = False,
    verbose: flag.Verbose = False,
    **settings: Any,
) -> None:
    """Train a fusion model of pictures, sounds, texts and tables that is harder to attack.

    CRMT (Yang et al. 2024), its variants and rivals; split validation guards its second step.
    The same as: accelerate launch pipelines/train.py crmt ...

    Example: textcentric train crmt --dataset clips.csv --target class --variant crmt-jt
    """
    given = {**locals(), **settings}
    require("train crmt")
    from textcentric.cli.crmt_settings import read_crmt_training, sorted_crmt_flags
    from textcentric.cli.run_train_crmt import train_crmt_command

    flags = sorted_crmt_flags(given, set_ or [])
    flags["table_schema"] = table_schema(schema, given)
    training = read_crmt_training(config, flags)
    raise typer.Exit(
        train_crmt_command(training, dry_run=dry_run, as_json=as_json, quiet=quiet, verbose=verbose)
    )


ALIGN: Flags = {
    "mixing": (bool, "FuseMix: mix pairs two by two."),
    "noise": (str, "Random Perturbation: gaussian or uniform."),
    "noise_sigma": (float, "Its standard deviation; 0: off."),
    "noise_place": (str, "before or after the adapters."),
    "noise_relative": (bool, "Sigma in standard deviations of each dimension."),
    "smoothing": (float, "Embedding Smoothing (alpha); 0: off."),
    "smoothing_off_diagonal": (str, "Spread over all the batch, or over the others."),
    "smoothing_schedule": (str, "constant, linear, cosine or per-pair."),
    "blocks": (int, "Residual blocks of an adapter."),
    "width": (int, "Of the shared space."),
    "dropout": (float, "In the adapters."),
    "temperature": (float, "Its start."),
    "learn_temperature": (bool, "Or keep it."),
}


@app.command("align-vl")
@taking({**LOOP, **ALIGN})
def align_vl(
    latents: Annotated[
        flag.Text, typer.Option("--latents", help="Folder that `textcentric latents` made.")
    ] = None,
    output_dir: Annotated[
        flag.Text, typer.Option("-o", "--output-dir", help="Folder of the trained model.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option("-c", "--config", help="YAML of these names.")
    ] = None,
    train_pairs: Annotated[
        flag.Number, typer.Option("--train-pairs", help="At most so many of split train.")
    ] = None,
    seed: flag.Seed = None,
    set_: Annotated[
        flag.Texts, typer.Option("--set", help="train.KEY=VALUE or align_vl.KEY=VALUE for others.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show pairs, model, steps, device; write nothing.")
    ] = False,
    as_json: flag.AsJson = False,
    quiet: flag.Quiet = False,
    verbose: flag.Verbose = False,
    **settings: Any,
) -> None:
    """Bring two frozen encoders into one space by what is learnt between them.

    Align-VL; --noise-sigma 0 --smoothing 0 makes it FuseMix (Vouitsis et al. 2024).
    The same as: accelerate launch pipelines/train.py align-vl ...

    Example: textcentric train align-vl --latents latents/captions -o models/captions
    """
    given = {**locals(), **settings}
    require("train align-vl")
    from textcentric.cli.align_settings import KEYS, read_align_training
    from textcentric.cli.run_train_align import train_align_command

    training = read_align_training(config, KEYS.flags(given, set_ or []))
    raise typer.Exit(
        train_align_command(
            training, dry_run=dry_run, as_json=as_json, quiet=quiet, verbose=verbose
        )
    )
