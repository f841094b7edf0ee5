"""From targets to what a model learns, and from its outputs back to predictions.

Ordinal classes have one latent score, and two questions are answered from it. Which class is named
is decided by cuts of the score that give the classes their shares of the training rows: that serves
quadratic kappa better than the most probable class does. How probable each class is comes from a
cumulative link over the score, cut between the classes: the scores of a weak model lie close
together, and by the first cuts its probabilities would be far too sure. So the class that is named
need not be the most probable one.
Legend: N rows, C classes, W outputs of a row.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from numbers import Real
from typing import Any

import numpy as np

from textcentric.data.schema import MOST_ORDINAL
from textcentric.errors import ConfigError, DataError, unknown
from textcentric.methods.downstream.config import DownstreamConfig
from textcentric.metrics.scores import cut_scores, quantile_cuts
from textcentric.rows import Example, Record, Target
from textcentric.runs.examples import labelled
from textcentric.values import Json

CUTS = "cuts of the score"  # what decides ordered classes, in files of predictions
LEAST_SHARE = 1e-3  # of a class that no training row has, where a logit of it is needed
Label = int | str
Transform = Callable[[np.ndarray], np.ndarray]
TRANSFORMS: dict[str, tuple[Transform, Transform]] = {
    "none": (lambda y: y, lambda z: z),
    "log": (np.log, np.exp),
    "log1p": (np.log1p, np.expm1),
}
LOWEST = {"none": -math.inf, "log": 0.0, "log1p": -1.0}  # targets must lie above
HIGHEST_EXPONENT = 700.0  # exp of more is not a float
LARGEST = {"none": math.inf, "log": HIGHEST_EXPONENT, "log1p": HIGHEST_EXPONENT}


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a model says of N rows.

    `values` are classes or numbers; `probabilities` (N, C) in the order of the classes, None for
    regression; `scores` (N,) are the latent score of ordinal classes, or the prediction on the
    transformed scale of regression, None for plain classes.
    """

    values: list[Target]
    probabilities: np.ndarray | None = None
    scores: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """How targets are encoded and outputs decided; all of it learnt from the training rows."""

    task: str
    link: str = ""
    classes: tuple[Label, ...] = ()
    counts: tuple[int, ...] = ()
    weights: tuple[float, ...] = ()
    transform: str = "none"
    mean: float = 0.0
    spread: float = 1.0
    cuts: tuple[float, ...] = ()
    noise: float = 1.0  # spread of the latent score's error, in its own units

    @property
    def kind(self) -> str:
        """Return what decides loss and outputs: the task, or the link of ordinal classes."""
        return self.link or self.task

    @property
    def width(self) -> int:
        """Return W, the number of outputs of a row."""
        return {"classification": len(self.classes), "cumulative": len(self.classes) - 1}.get(
            self.kind, 1
        )

    @property
    def rule(self) -> str:
        """Return what decides the class where that is not the highest probability, "" elsewhere."""
        return CUTS if self.task == "ordinal" else ""

    @property
    def shares(self) -> np.ndarray:
        """Return the share of each class among the training rows (C,)."""
        return np.asarray(self.counts, float) / sum(self.counts)

    @property
    def learnt(self) -> tuple[Label, ...]:
        """Return the classes that a training row has."""
        return tuple(label for label, n in zip(self.classes, self.counts, strict=True) if n)

    @property
    def ranks(self) -> dict[str, int]:
        """Return the rank of each ordinal class in words, nothing for other classes."""
        words = self.task == "ordinal" and isinstance(self.classes[0], str)
        return {str(label): rank for rank, label in enumerate(self.classes)} if words else {}

    @property
    def constant(self) -> Target:
        """Return the best constant prediction of the training rows.

        That is the most frequent class (of equals the first), or the mean on the scale of `scores`.
        """
        return self.classes[int(np.argmax(self.counts))] if self.classes else self.mean

    def labels(self) -> dict[str, Any]:
        """Return what a classifier of transformers is told of its outputs.

        Classes have their names; ordered ones and numbers are a regression to the score.
        """
        classes = self.task == "classification"
        names = list(map(str, self.classes)) if classes else ["score"]
        return {
            "id2label": dict(enumerate(names)),
            "label2id": {name: at for at, name in enumerate(names)},
            "problem_type": "single_label_classification" if classes else "regression",
        }

    def encode(self, examples: Sequence[Example]) -> np.ndarray:
        """Return the targets as the loss wants them (N,): class numbers or standardised values.

        Raises DataError, with the row, for a class that no training row has or a bad number.
        """
        labelled(examples)
        if self.classes:
            places = {label: place for place, label in enumerate(self.classes)}
            return np.array([_place(example, places) for example in examples], float)
        return (self.measured(examples) - self.mean) / self.spread

    def unseen(self, examples: Sequence[Example]) -> dict[Label, list[str]]:
        """Return the ids of the rows of each class that no training row has."""
        rows: dict[Label, list[str]] = {}
        for example in examples if self.classes else ():
            label = _label(example)
            if label not in self.learnt:
                rows.setdefault(label, []).append(example.id)
        return rows

    def measured(self, examples: Sequence[Example]) -> np.ndarray:
        """Return regression targets on the scale of `Predictions.scores` (N,)."""
        return TRANSFORMS[self.transform][0](_numbers(examples, self.transform))

    def latent(self, outputs: np.ndarray) -> np.ndarray:
        """Return the latent score (N,) of outputs (N, W) of ordinal classes or regression.

        Under the cumulative link an output is cut - score, so their mean falls as it rises.
        """
        return -outputs.mean(axis=1) if self.kind == "cumulative" else outputs[:, 0]

    def calibrated(self, outputs: np.ndarray, examples: Sequence[Example]) -> Decision:
        """Return this decision with quantile cuts that give `outputs` (N, W) the class shares.

        `examples` are the rows of the outputs; where all have targets, those of known classes
        also say how far off the score is.
        """
        if self.task != "ordinal":
            return self
        scores = self.latent(outputs).astype(float)
        cuts = quantile_cuts(scores, np.repeat(np.arange(len(self.classes)), self.counts))
        noise = self.noise
        if self.link == "rank" and all(example.target is not None for example in examples):
            noise = self._error(scores, examples)
        return replace(self, cuts=tuple(map(float, cuts)), noise=noise)

    def _error(self, scores: np.ndarray, examples: Sequence[Example]) -> float:
        """Return the spread of latent scores (N,) about the targets of rows of known classes."""
        at = [n for n, example in enumerate(examples) if _label(example) in self.classes]
        if not at:
            return self.noise
        known = (self.encode([examples[n] for n in at]) - self.mean) / self.spread
        return max(float(np.sqrt(np.mean((known - scores[at]) ** 2))), 1e-3)

    def decide(self, outputs: np.ndarray) -> Predictions:
        """Return predictions for outputs (N, W) of the model."""
        outputs = outputs.astype(np.float64)
        if self.task == "regression":
            scores = outputs[:, 0] * self.spread + self.mean
            bounded = np.minimum(scores, LARGEST[self.transform])
            numbers = TRANSFORMS[self.transform][1](bounded)
            return Predictions([float(value) for value in numbers], None, scores)
        if self.task == "classification":
            probabilities = _softmax(outputs)
            return Predictions(
                [self.classes[place] for place in probabilities.argmax(axis=1)], probabilities
            )
        scores = self.latent(outputs)
        return Predictions(self._cut(scores), self._ordinal_probabilities(outputs), scores)

    def _cut(self, scores: np.ndarray) -> list[Target]:
        if not self.cuts:
            raise DataError("the quantile cuts are not placed yet; call `calibrate` first")
        return cut_scores(scores, self.cuts, self.learnt) if len(scores) else []

    def _ordinal_probabilities(self, outputs: np.ndarray) -> np.ndarray:
        """Return P(class) (N, C) from P(class <= k) = sigmoid(cut_k - score)."""
        if self.link == "cumulative":
            logits = outputs
        else:  # a logistic error of the spread seen, about ranks cut halfway between the classes
            halfway = (np.arange(len(self.classes) - 1) + 0.5 - self.mean) / self.spread
            logits = (halfway[None] - outputs) * (math.pi / math.sqrt(3) / self.noise)
        below = 1 / (1 + np.exp(-np.clip(logits, -HIGHEST_EXPONENT, HIGHEST_EXPONENT)))
        edges = np.pad(below, ((0, 0), (1, 1)), constant_values=((0, 0), (0, 1)))
        return np.diff(edges, axis=1)  # (N, C)

    def to_json(self) -> dict[str, Json]:
        """Return plain values for a file."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Decision:
        """Return what `to_json` wrote."""
        listed: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
        }
        return cls(**listed)


def scaled(transform: str, record: Record) -> Record:
    """Return the row with its target on the scale on which it is learnt and scored.

    Raises ConfigError where the target has no such transform.
    """
    value = record.target
    if transform == "none" or value is None:
        return record
    if not isinstance(value, Real) or not value > LOWEST[transform]:
        raise ConfigError(
            f"row {record.id!r} has target {value!r}, which has no {transform}; leave the row out"
            " or take another target_transform"
        )
    # Not by numpy, whose last digit depends on the processor: kept trials are known by targets.
    log = math.log if transform == "log" else math.log1p
    return replace(record, target=log(value))


def learn_decision(
    config: DownstreamConfig,
    examples: Sequence[Example],
    declared: str | None = None,
    order: tuple[str, ...] = (),
) -> Decision:
    """Return the decision that the training rows call for.

    `declared` is the task by the schema of the rows, which holds whatever the values are. `order`
    are ordinal classes in words, the lowest first.
    Raises DataError for targets that are absent, NaN, of one value only or not in `classes`, and
    ConfigError where the task does not fit them.
    """
    labelled(examples)
    absent = next((example for example in examples if example.target is None), None)
    if absent is not None:
        raise DataError(
            f"row {absent.id!r} has no target; train on `labelled(examples)`, the rows that have",
            row_id=absent.id,
            field="target",
        )
    task = _task(config, examples, declared)
    if task == "regression":
        return _regression(config, examples)
    classes = _classes(config, task, examples, order)
    places = {label: place for place, label in enumerate(classes)}
    labels = [int(_place(example, places)) for example in examples]
    seen = Counter(labels)
    counts = tuple(seen[place] for place in range(len(classes)))
    if len(seen) < 2:
        raise DataError(
            f"all {len(examples)} training rows have the target {classes[labels[0]]!r}; expected"
            " two classes or more: is the right column named as target?"
        )
    decision = Decision(task, classes=classes, counts=counts, weights=_weights(config, counts))
    if task == "classification":
        return decision
    return replace(
        decision, link=config.ordinal, mean=float(np.mean(labels)), spread=float(np.std(labels))
    )


def _task(config: DownstreamConfig, examples: Sequence[Example], declared: str | None) -> str:
    if config.task != "auto":
        return config.task
    if declared is not None:
        return declared
    if any(isinstance(example.target, str) for example in examples):
        return "classification"
    values = {float(example.target or 0) for example in examples}
    whole = all(value.is_integer() for value in values)
    return "ordinal" if whole and len(values) <= MOST_ORDINAL else "regression"


def _classes(
    config: DownstreamConfig, task: str, examples: Sequence[Example], order: tuple[str, ...]
) -> tuple[Label, ...]:
    if config.classes is not None:
        return config.classes
    found = {_label(example) for example in examples}
    words = sum(isinstance(label, str) for label in found)
    if words and words < len(found):
        raise DataError(f"targets are partly words, partly numbers: {sorted(found, key=str)[:6]}")
    if words and task == "ordinal" and order:
        return order
    if words and task == "ordinal":
        raise ConfigError(
            f"ordinal classes in words need their order: give `classes`, the lowest first"
            f" (found: {', '.join(sorted(map(str, found)))})"
        )
    return tuple(sorted(found))


def _weights(config: DownstreamConfig, counts: Sequence[int]) -> tuple[float, ...]:
    """Return the weight of each class; balanced ones have mean 1 over the training rows."""
    if config.class_weights == "none":
        return ()
    present = sum(n > 0 for n in counts)
    return tuple(sum(counts) / (present * n) if n else 0.0 for n in counts)


def _regression(config: DownstreamConfig, examples: Sequence[Example]) -> Decision:
    if config.class_weights != "none":
        raise ConfigError("class_weights=balanced needs classes, and the task is regression")
    decision = Decision("regression", transform=config.target_transform)
    values = decision.measured(examples)
    spread = float(values.std())
    if spread <= 1e-12 * max(1.0, float(np.abs(values).max())):
        raise DataError(
            f"all {len(examples)} training rows have the target {examples[0].target!r}; a number"
            " that never changes cannot be learnt: is the right column named as target?"
        )
    return replace(decision, mean=float(values.mean()), spread=spread)


def _numbers(examples: Sequence[Example], transform: str) -> np.ndarray:
    lowest = LOWEST[transform]
    for example in examples:
        value = example.target
        if not isinstance(value, Real) or not math.isfinite(value) or not value > lowest:
            bound = "" if lowest == -math.inf else f" above {lowest:g} (transform {transform})"
            raise DataError(
                f"row {example.id!r} has target {value!r:.60}, expected a number{bound}",
                row_id=example.id,
                field="target",
            )
    return np.array([float(example.target) for example in examples])  # type: ignore[arg-type]


def _label(example: Example) -> Label:
    """Return the class of a row; whole numbers are one class, however they were stored."""
    value = example.target
    if isinstance(value, str):
        return value
    if isinstance(value, Real) and float(value).is_integer():
        return int(value)
    raise DataError(
        f"row {example.id!r} has target {value!r:.60}, expected a class (a word or a whole"
        " number); give task=regression for other numbers",
        row_id=example.id,
        field="target",
    )


def _place(example: Example, places: dict[Label, int]) -> int:
    label = _label(example)
    if label not in places:
        raise DataError(
            f"row {example.id!r}: {unknown('class', str(label), map(str, places))}; no training row"
            " has it: put such rows into the training split too, name it in `classes`, or leave"
            " the row out",
            row_id=example.id,
            field="target",
        )
    return places[label]


def _softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities (N, C) of logits (N, C)."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: np.ndarray = raised / raised.sum(axis=1, keepdims=True)
    return probabilities
