"""What summaries are worth to a model that reads nothing else, beside summaries without a model.

    python -m benchmarks summaries
    python -m benchmarks.summaries runs/pets

A run over ordered classes is taken as it is, or one is made on the built-in sample. One model (the
packaged sentence embeddings and a ridge regression, cut into classes) learns each kind of text on
the same folds, which keep groups whole. Intervals are of groups drawn again, the same ones for all.
Legend: N rows.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sklearn.model_selection import GroupKFold

import textcentric as tc
from benchmarks.figure import Bar, Figure, keep, show
from textcentric.augmentation.config import ROWS, AugmentConfig
from textcentric.augmentation.opening import load_rows
from textcentric.augmentation.picks.statements import Table
from textcentric.augmentation.picks.summary import by_rule, summary
from textcentric.cli.terminal import columns
from textcentric.data import write_sample
from textcentric.errors import DataError
from textcentric.evaluation.comparison.baselines import Embed, LateFusion, sentence_embedding
from textcentric.experts.table import statements
from textcentric.folders import read_yaml
from textcentric.metrics.intervals import Estimate, Resampled
from textcentric.rows import DERIVED, Example, Target, TextRow
from textcentric.runs.directory import CONFIG
from textcentric.runs.examples import labelled, read_examples

METRIC, ALSO = "quadratic_kappa", "accuracy"
BAR = Bar("summaries", ">=", 0.0, unit="kappa")
PICKED, FIRST, COLUMNS = "summary of the run", "first sentence", "first two columns"
BOTH, DRAWN, WHOLE = "both of these", "picked at random", "whole row"
WITHOUT = (FIRST, COLUMNS, BOTH, DRAWN)  # summaries that ask no model
FOLDS, SEEDS = 5, 3
QUICK = {"rows": 40, "seeds": 1}
Texts = dict[str, list[Mapping[str, str]]]  # kind of text -> parts of each row (N,)
Predictions = list[list[Target]]  # of each seed, of each row


def measure(
    run: Path | None = None, *, rows: int = 300, seeds: int = SEEDS, embed: Embed | None = None
) -> Figure:
    """Measure the summaries of `run`, or of a run over `rows` rows of the sample.

    `embed` stands in for the packaged sentence encoder.
    """
    with tempfile.TemporaryDirectory(prefix="textcentric-bench-") as folder:
        examples, texts = texts_of(run or sample_run(Path(folder), rows))
    targets = [example.target for example in examples]
    groups = [example.group for example in examples]
    embed = embed or sentence_embedding()
    told = {kind: predictions(of, targets, groups, embed, seeds) for kind, of in texts.items()}
    drawn = Resampled(len(targets), groups=groups)
    kappas = {kind: drawn.estimate(METRIC, targets, of) for kind, of in told.items()}
    right = {kind: drawn.estimate(ALSO, targets, of) for kind, of in told.items()}
    better = max((FIRST, COLUMNS), key=lambda kind: kappas[kind].value)
    gain = kappas[PICKED] - kappas[better]
    return BAR.figure(
        f"summaries alone over the {better}, {len(targets)} rows, {seeds} x {FOLDS} folds",
        (gain.value, gain.interval),
        raw={kind: kappas[kind].figure() | {ALSO: right[kind].figure()} for kind in told},
        notes=("", *lines(texts, kappas, right)),
    )


def sample_run(folder: Path, rows: int, **settings: Any) -> Path:
    """Make a run of summaries alone over `rows` rows of the sample; return its folder."""
    pets = write_sample("petfinder", folder / "pets", rows=rows, seed=5)
    run = tc.augment(
        "petfinder",
        data_dir=str(pets),
        prompts="summarize",
        output_dir=folder / "run",
        **settings,
    )
    return run.path


def texts_of(run: Path) -> tuple[list[Example], Texts]:
    """Return the labelled rows of `run` and what is read of each, by kind of text.

    A row without a summary keeps its place, with the empty text. Raises DataError where no row
    has one.
    """
    saved = read_yaml(run / CONFIG)
    data = load_rows(AugmentConfig(**{key: saved[key] for key in ROWS if key in saved}))
    cells = {record.id: record.inputs.get("table") or {} for record in data}
    examples = labelled(read_examples(run))
    if not any("summary" in example.parts for example in examples):
        raise DataError(f"run {run} has no summaries; make one with `--prompts summarize`")
    rows = [kinds(example, Table(statements(cells[example.id]))) for example in examples]
    return examples, {kind: [row[kind] for row in rows] for kind in rows[0]}


def kinds(example: Example, table: Table) -> dict[str, Mapping[str, str]]:
    """Return what is read of one row, by kind of text, each as parts."""
    own = {name: text for name, text in example.parts.items() if name not in DERIVED}
    row = TextRow(example.id, own)
    sentence, facts = (by_rule(f"first-{name}", row, table) for name in ("sentence", "columns"))
    alone = {
        PICKED: example.parts.get("summary", ""),
        FIRST: sentence,
        COLUMNS: facts,
        BOTH: f"{facts} {sentence}".strip(),
        DRAWN: at_random(row, table),
    }
    return {**{kind: {"summary": text} for kind, text in alone.items()}, WHOLE: own}


def at_random(row: TextRow, table: Table) -> str:
    """Return a summary under the bounds of a picked one, each choice drawn by the row's id."""
    rng = random.Random(row.id)
    drawn = [
        question.carry({key: rng.choice(texts) for key, texts in question.choices.items()})[0]
        for question in summary(row, table)
    ]
    return " ".join(drawn)


def predictions(
    parts: Sequence[Mapping[str, str]],
    targets: Sequence[Target],
    groups: Sequence[str | None],
    embed: Embed,
    seeds: int,
) -> Predictions:
    """Return what a model that saw no row of the group predicts of each row, by seed."""
    units = [group or f"row {place}" for place, group in enumerate(groups)]
    found: Predictions = []
    for seed in range(seeds):
        told: list[Target] = [None] * len(parts)
        folds = GroupKFold(FOLDS, shuffle=True, random_state=seed)
        for learnt, asked in folds.split(parts, groups=units):
            model = LateFusion("ordinal", seed=seed, embed=embed)
            model.fit([], *([of[n] for n in learnt] for of in (parts, targets, groups)))
            for place, one in zip(asked, model.predict([], [parts[n] for n in asked]), strict=True):
                told[place] = one
        found.append(told)
    return found


def lines(texts: Texts, kappas: Mapping[str, Estimate], right: Mapping[str, Estimate]) -> list[str]:
    """Return the table of what each kind of text is worth, as lines."""
    rows: list[list[str | int | float]] = [
        [
            kind,
            f"{statistics.median(len(' '.join(of.values()).split()) for of in texts[kind]):g}",
            in_words(kappas[kind]),
            in_words(right[kind]),
            "" if kind == PICKED else in_words(kappas[PICKED] - kappas[kind], signed=True),
        ]
        for kind in texts
    ]
    header = ["text", "words", "kappa", "accuracy", "summary over it, kappa"]
    return columns(rows, header).splitlines()


def in_words(estimate: Estimate, *, signed: bool = False) -> str:
    """Return a figure with its 95 % interval."""
    form = "{:+.3f} [{:+.3f}, {:+.3f}]" if signed else "{:.3f} [{:.3f}, {:.3f}]"
    return form.format(estimate.value, *estimate.interval)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="a finished run with summaries")
    figure = measure(parser.parse_args().run)
    keep([figure])
    show([figure])


if __name__ == "__main__":
    main()
