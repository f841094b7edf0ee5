"""Training a reward model: on pairs of responses of which one is preferred."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from textcentric.augmentation.words import EXPERTS_ONLY
from textcentric.command_line import command
from textcentric.data.balance import balance_of
from textcentric.data.balance import left_out as by_reason
from textcentric.data.pairs import PairSet, PairsLike, read_pairs
from textcentric.data.pairs.loading import reasons
from textcentric.data.tables.left_out import LeftOut
from textcentric.errors import DataError, Say, option
from textcentric.methods.reward import Reward
from textcentric.methods.reward.config import RewardTraining
from textcentric.methods.reward.from_run import pairs_of_run
from textcentric.methods.reward.pairs import margins_in_words
from textcentric.methods.reward.parting import parted
from textcentric.methods.reward.words import shown_pictures
from textcentric.rows import Balance, Pair
from textcentric.runs.listing import find_run
from textcentric.training.config import TrainConfig
from textcentric.training.folder import TrainResult
from textcentric.training.plan import (
    Planned,
    Prepared,
    check_metric,
    figures,
    without_evaluation,
)
from textcentric.training.processes import first_process
from textcentric.values import Json

METRICS = ("loss", "accuracy", "margin")
OF_PROXY = ("proxy_loss", "proxy_accuracy", "proxy_wrong", "sfc_mean", "sfc_p10", "sfc_p90")


@dataclass(frozen=True)
class Pairs:
    """What is trained on and what is evaluated, where it is from, and what was left out.

    `source` says what the held-out pairs are, "" where there are none.
    """

    name: str
    train: list[Pair]
    held_out: list[Pair]
    left_out: LeftOut = field(default_factory=LeftOut)
    source: str = ""

    @property
    def balance(self) -> Balance:
        """How many pairs there are, how many are trained on or evaluated, the others by reason."""
        return balance_of(len(self.train) + len(self.held_out), by_reason(self.left_out))


def prepared(
    training: RewardTraining, say: Say, *, rows: PairsLike | None = None, writes: bool = True
) -> Prepared:
    """Return a training of which everything is checked; pictures are in words, models loaded.

    `rows` are pairs that stand in for those that the settings name.
    """
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    loop = training.loop()
    pairs = training_pairs(training, loop.output_dir if writes else None, say, rows)
    loop = _fitted(loop, training, pairs, say)
    method = Reward(training.method(), pairs.train, training.image_dir)
    proxied = OF_PROXY if method.config.proxied else ()
    check_metric(loop, "a reward model", (*METRICS, *proxied))
    pairs = _short_enough(method, pairs, say)
    method.balance = pairs.balance
    if pairs.held_out and loop.eval_strategy != "no":
        method.held_out = {"source": pairs.source}
    about = f"model {method.config.model}, objective {method.config.reward_objective}"
    if method.margins:
        say(margins_in_words(method.margins))
    counts = (len(pairs.train), len(pairs.held_out))
    return Prepared(
        pairs.name,
        method,
        loop,
        pairs.train,
        pairs.held_out,
        about,
        "pair",
        counts=counts,
        balance=pairs.balance,
    )


def training_pairs(
    training: RewardTraining, folder: Path | None, tell: Say, given: PairsLike | None = None
) -> Pairs:
    """Return the pairs of `training`, pictures in words; `folder` keeps what experts said."""
    if given is None:
        found = _read(training, str(training.run or training.dataset_name), tell)
    else:
        found = read_pairs(given, layout=training.layout)
    sets = [_in_words(found, training, folder, tell)]
    for name in training.eval_dataset:
        sets.append(_in_words(_read(training, name, tell), training, folder, tell))
    rows = sets[0].of_split("train")[: training.train_rows]
    if not rows:
        raise DataError(
            f"no pair of {found.name} is in the split train, so there is nothing to learn; its"
            f" splits are {sets[0].splits()}: name them train, validation and test"
        )
    rows, held_out, source = _held_out(training, sets, rows)
    held_out = held_out[: training.held_out_rows]
    if held_out:
        tell(f"held out: {len(held_out):,} pairs, {source}")
    left_out = LeftOut.sum(one.left_out for one in sets)
    if others := sum(len(one.pairs) for one in sets) - len(rows) - len(held_out):
        left_out.add("of other splits, or beyond the limits", lines=others)
    if shared := {pair.group for pair in rows} & {pair.group for pair in held_out} - {None}:
        tell(
            f"{sum(pair.group in shared for pair in held_out):,} held-out pairs are of a picture or"
            f" group that is trained on (first: {sorted(map(str, shared))[0]}): figures on them"
            " flatter the model"
        )
    return Pairs(found.name, rows, held_out, left_out, source)


def _held_out(
    training: RewardTraining, sets: Sequence[PairSet], rows: list[Pair]
) -> tuple[list[Pair], list[Pair], str]:
    """Return pairs to learn from, held-out ones, and what these are.

    They are a share of `rows` where the data name none and something is evaluated.
    """
    if training.eval_dataset:
        names = ", ".join(one.name for one in sets[1:])
        return rows, [pair for one in sets[1:] for pair in one.pairs], f"those of {names}"
    if named := [pair for pair in sets[0].pairs if pair.split == "validation"]:
        return rows, named, "those of the split validation"
    share = training.held_out_share
    if training.loop().eval_strategy == "no" or not share:
        return rows, [], ""
    kept, held_out = parted(rows, share, training.seed)
    source = f"a share of {share:g}, whole prompts or groups, drawn by seed {training.seed}"
    return kept, held_out, source if held_out else ""


def _read(training: RewardTraining, name: str, tell: Say) -> PairSet:
    if training.run is not None and name == training.run:
        return pairs_of_run(find_run(name), training.only, tell)
    return read_pairs(name, layout=training.layout)


def _in_words(found: PairSet, training: RewardTraining, folder: Path | None, tell: Say) -> PairSet:
    """Return the pairs with their pictures in words, or where the model sees them, with pictures.

    Tells what was left out; raises DataError where nothing is left.
    """
    journal = None
    if folder is not None and first_process():
        (folder / "words").mkdir(parents=True, exist_ok=True)
        journal = folder / "words" / EXPERTS_ONLY
    seeing = training.reward.get("vision_model") is not None
    shown = shown_pictures(
        found, training.image_dir, expert=training.image_expert, seeing=seeing, journal=journal
    )
    for note in shown.notes():
        tell(note)
    if not shown.pairs:
        raise DataError(f"no pair of {found.name} is left: {'; '.join(reasons(shown.left_out))}")
    return shown


def _short_enough(method: Reward, pairs: Pairs, tell: Say) -> Pairs:
    """Return the pairs without those of which a response would be cut."""
    limit = f"max_length={method.config.max_length}"
    long = [pair for pair in (*pairs.train, *pairs.held_out) if method.reader.too_long(pair)]
    if not long:
        return pairs
    tell(f"{len(long):,} pairs left out: a response is longer than {limit} tokens")
    gone = {id(pair) for pair in long}
    train, held_out = (
        [pair for pair in side if id(pair) not in gone] for side in (pairs.train, pairs.held_out)
    )
    if not train:
        raise DataError(f"every pair has a response that would be cut at {limit}; raise it")
    left_out = LeftOut.sum([pairs.left_out])
    for pair in long:
        left_out.add(f"a response is longer than {limit} tokens", text=f"pair {pair.id}")
    return replace(pairs, train=train, held_out=held_out, left_out=left_out)


def _fitted(loop: TrainConfig, training: RewardTraining, pairs: Pairs, tell: Say) -> TrainConfig:
    """Return the configuration without evaluation where there is nothing to evaluate."""
    if pairs.held_out or loop.eval_strategy == "no":
        return loop
    absent = f"no pair of {pairs.name} is in the split validation"
    if training.held_out_share:
        absent += (
            f", and no prompt or group is as small as {training.held_out_share:g} of the pairs"
        )
    return without_evaluation(
        loop,
        training.train,
        absent,
        tell,
        cure=f", or give pairs by {option('eval_dataset')}",
        so=f"nothing is evaluated (eval_strategy no); {option('eval_dataset')} names some",
    )


def then_do(result: TrainResult, training: RewardTraining) -> str:
    """Return the command that comes after the training."""
    words: dict[str, object] = {"input": "RESPONSES.jsonl", "image_dir": training.image_dir}
    if training.image_dir is not None and training.image_expert != "auto":
        words["image_expert"] = training.image_expert
    return command("score", result.output_dir, **words, output="scores.jsonl")


def planned(ready: Prepared) -> dict[str, Json]:
    """Return the figures of a training that has not begun."""
    loop, method = ready.loop, ready.method
    assert isinstance(method, Reward)
    config = method.config
    both = [[len(ids) for ids in method.reader.both(pair)] for pair in ready.train]
    lengths = [length for pair in both for length in pair]
    return {
        "pairs": ready.name,
        "train_pairs": len(ready.train),
        "held_out_pairs": len(ready.held_out),
        "held_out": method.held_out and method.held_out["source"],
        "margins": method.margins,
        "descriptions": sorted({name for pair in ready.train for name in pair.descriptions}),
        "pictures": len({file for pair in ready.train for file in pair.images}),
        "objective": config.reward_objective,
        "proxy_input": config.proxy_input if config.proxied else None,
        "model": config.model,
        "vision_model": config.vision_model,
        "tokens_a_text": round(sum(lengths) / len(lengths), 1),
        "longest": max(lengths),
        "full": sum(length >= config.max_length for length in lengths) / len(lengths),
        "max_length": config.max_length,
        **figures(method, loop, len(ready.train)),
    }


def plan_as_text(plan: Planned) -> str:
    """Return the figures as people read them."""
    how_long = f" ({plan['epochs']:g} epochs)" if plan["epochs"] else ""
    reads = plan["proxy_input"]  # None where the objective has no proxy
    proxy = f", proxy reads {reads}" if reads else ""
    beside = " with the proxy" if reads else ""
    described = ", ".join(plan["descriptions"]) or "none"
    lines = [
        f"pairs    {plan['train_pairs']:,} of {plan['pairs']}, {plan['held_out_pairs']:,} held"
        f" out; descriptions: {described}; pictures: {plan['pictures']:,}",
        f"reads    {plan['tokens_a_text']:,} tokens a text, longest {plan['longest']:,},"
        f" {plan['full']:.0%} at {option('max_length', plan['max_length'])}",
        f"learns   by {plan['objective']}{proxy}",
        *([f"held out {plan['held_out']}"] if plan["held_out"] else []),
        *([f"margins  {margins_in_words(plan['margins'])}"] if plan["margins"] else []),
        f"model    {plan['model']}: {plan['parameters']:,} parameters{beside},"
        f" {plan['trained']:,} of them trained",
        f"steps    {plan['steps']:,} of {plan['batch']} pairs{how_long}",
        f"device   {plan['device']}, processes: {plan['processes']}, mixed precision:"
        f" {plan['mixed_precision']}",
        f"into     {plan['output_dir']} (holds {plan['output_dir_holds']})",
    ]
    return "\n".join(lines)


def load(
    folder: Path, files: str | Path | None = None, *, trust_remote_code: bool = False
) -> Reward:
    """Return a trained model; one that sees pictures reads them in `files`."""
    return Reward.load(folder, files, trust_remote_code=trust_remote_code)
