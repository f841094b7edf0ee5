"""How fast this machine describes, learns, predicts and embeds the rows of a comparison."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from textcentric.augmentation.opening import make_experts
from textcentric.augmentation.words import describe_examples
from textcentric.data.memory import InHand
from textcentric.errors import DataError
from textcentric.evaluation.comparison.comparison import Comparison
from textcentric.experts.protocol import AnyExpert
from textcentric.rows import FILES, Example
from textcentric.training.config import train_config

SECONDS = 3.0  # of learning, and of predicting
SAMPLE = 64  # rows


@dataclass(frozen=True)
class Rates:
    """Files looked at a second, and texts learnt, predicted and embedded.

    They are guesses where not `measured`, which is about learning and predicting.
    """

    described: float = 10.0
    trained: float = 20.0
    predicted: float = 60.0
    embedded: float = 60.0
    measured: bool = False
    why: str = "assumed 20 and 60 a second (not measured)"

    def as_dict(self) -> dict[str, object]:
        """Return the rates as plain values."""
        return {k: round(v, 1) if isinstance(v, float) else v for k, v in asdict(self).items()}


def measure(comparison: Comparison, *, files: bool = True, embeds: bool = False) -> Rates:
    """Return the rates on rows spread over the training rows; nothing is written.

    `files` says whether experts have any to look at, `embeds` whether an arm embeds texts.
    """
    rows = comparison.train_rows
    chosen = rows.records[:: max(1, len(rows.records) // SAMPLE)][:SAMPLE]
    sample = InHand(chosen, rows.schema, name=rows.name, path=rows.path)
    experts = make_experts(comparison.config.augment_config(), sample)
    described, examples = _described(sample, experts, files)
    rates = Rates(described=described)
    if embeds:
        rates = replace(rates, embedded=_embedding_rate(examples))
    if all(arm.baseline for arm in comparison.arms.values()):
        return replace(rates, why="no arm trains a transformer")
    try:
        return _model_rates(comparison, examples, rates)
    except DataError as error:  # such as one class only in so few rows
        return replace(rates, why=f"{rates.why}: {error}")


def _model_rates(comparison: Comparison, examples: Sequence[Example], rates: Rates) -> Rates:
    import torch

    from textcentric.methods.downstream import Downstream, DownstreamConfig
    from textcentric.training.start import make_optimizer

    config = comparison.config
    loop = train_config({**config.training, "output_dir": config.output_dir})
    values = {**config.downstream, "target_transform": "none", "variants": 0}
    method = Downstream(DownstreamConfig.of(values), examples)
    accelerator = None if loop.use_cpu else torch.accelerator.current_accelerator()
    device = accelerator or torch.device("cpu")
    method.model.to(device).train()
    optimizer = make_optimizer(method.model, loop, device)
    rows = list(examples)[: loop.per_device_train_batch_size]

    def learn() -> int:
        batch = {name: one.to(device) for name, one in method.collate(rows, 0).items()}
        method.loss(method.model, batch).mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        return len(rows)

    def tell() -> int:
        return len(
            method.predict([row.parts for row in rows], loop.per_device_eval_batch_size).values
        )

    trained, predicted = _rate(learn), _rate(tell)
    return replace(rates, trained=trained, predicted=predicted, measured=True, why="measured")


def _described(
    sample: InHand, experts: Mapping[str, AnyExpert], files: bool
) -> tuple[float, list[Example]]:
    """Return how many files experts look at in a second, and what they say of the sample.

    A row is described before, so that the loading of models is no part of it.
    """
    held = [row for row in sample if any(row.inputs.get(name) for name in FILES)]
    if not files or not held:
        return Rates.described, [e for e in describe_examples(sample, experts) if e.parts]
    describe_examples(held[:1], experts)
    started = time.monotonic()
    examples = [e for e in describe_examples(sample, experts) if e.parts]
    seconds = max(time.monotonic() - started, 1e-9)
    return sum(bool(row.inputs.get(name)) for row in held for name in FILES) / seconds, examples


def _embedding_rate(examples: Sequence[Example]) -> float:
    """Return how many texts a sentence encoder embeds in a second."""
    from textcentric.evaluation.comparison.baselines import sentence_embedding

    texts = list(dict.fromkeys(text for row in examples for text in row.parts.values()))
    if not texts:
        return Rates.embedded
    embed = sentence_embedding()
    embed(texts[:1])
    started = time.monotonic()
    embed(texts[1:] or texts)
    return len(texts[1:] or texts) / max(time.monotonic() - started, 1e-9)


def _rate(work: Callable[[], int]) -> float:
    """Return units a second of `work`, after a first call that warms up."""
    work()
    done, started = 0, time.monotonic()
    while not done or time.monotonic() - started < SECONDS:
        done += work()
    return done / (time.monotonic() - started)
