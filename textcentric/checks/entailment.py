"""Entailment: whether a variant follows from its source, by any inference cross-encoder by name.

After SummaC (Laban et al., 2022): premise and hypothesis are read in both directions. Off unless
a model is named; none comes as a package here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from textcentric.checks.edit import Edit, Facts
from textcentric.errors import ConfigError, option
from textcentric.machine import require

if TYPE_CHECKING:
    from collections.abc import Callable

    from transformers import PreTrainedModel, PreTrainedTokenizerBase

LABELS = ("entailment", "neutral", "contradiction")
HALF = 0.5  # probability from which a label counts
BATCH = 32


class Entailed(NamedTuple):
    """Probabilities: that the variant follows, that the source does, that they contradict."""

    follows: float
    covers: float
    contradicts: float


Entail: TypeAlias = "Callable[[Sequence[Edit]], list[Entailed]]"


def label_places(model: str, labels: Mapping[int, str]) -> list[int]:
    """Return where a model's configuration has entailment, neutral and contradiction.

    Raises ConfigError, which names what it has, where these three are not its labels.
    """
    named = {str(label).lower().strip(): at for at, label in labels.items()}
    places = [named[label] for label in LABELS if label in named]
    if len(places) != len(LABELS):
        raise ConfigError(
            f"model {model!r} has the labels {', '.join(map(str, labels.values())) or 'none'};"
            f" expected {', '.join(LABELS)}: give an inference cross-encoder for"
            f" {option('entailment_model')}"
        )
    return places


class CrossEncoder:
    """Read pairs with a model of three labels; `name` is OWNER/NAME or a folder.

    Raises ConfigError where it cannot be loaded, or has other labels.
    """

    def __init__(self, name: str):
        require("--entailment-model")
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        from textcentric.models.loading import found, quiet

        with quiet():
            self.network: PreTrainedModel = found(AutoModelForSequenceClassification, name, name)
            self.tokenizer: PreTrainedTokenizerBase = found(AutoTokenizer, name, name)
        self.network.eval()
        self.places = label_places(name, self.network.config.id2label or {})

    def __call__(self, edits: Sequence[Edit]) -> list[Entailed]:
        """Return what the model says of each edit, read in both directions."""
        pairs = [(edit.source, edit.variant) for edit in edits]
        there, back = self._read(pairs), self._read([(b, a) for a, b in pairs])
        return [
            Entailed(round(one[0], 4), round(other[0], 4), round(max(one[2], other[2]), 4))
            for one, other in zip(there, back, strict=True)
        ]

    def _read(self, pairs: Sequence[tuple[str, str]]) -> list[list[float]]:
        """Return the probabilities of the labels, in the order of LABELS, for each pair."""
        import torch

        held: list[list[float]] = []
        for start in range(0, len(pairs), BATCH):
            batch = pairs[start : start + BATCH]
            inputs = self.tokenizer(
                [one for one, _ in batch],
                [other for _, other in batch],
                padding=True,
                truncation=True,
                return_tensors="pt",
            )
            with torch.no_grad():
                probabilities = self.network(**inputs).logits.softmax(dim=-1)  # (B, 3)
            held += probabilities[:, self.places].tolist()
        return held


def entailment_reason(said: Entailed, facts: Facts) -> str:
    """Return why the model does not believe an edit, empty where it does."""
    if said.contradicts >= HALF:
        return "contradicts the source"
    if said.follows < HALF:
        return "does not follow from the source"
    return "says less" if facts == "same" and said.covers < HALF else ""
