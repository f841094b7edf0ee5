"""Inference models: their labels in whatever order, both directions, and others refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.support.tiny_models import SMALL, tiny_tokenizer
from textcentric.checks.edit import Edit
from textcentric.checks.entailment import CrossEncoder, Entailed, entailment_reason, label_places
from textcentric.checks.verdict import judge
from textcentric.errors import ConfigError


def tiny(folder: Path, *labels: str) -> str:
    """Write an inference model with random weights and these labels."""
    from transformers import BertConfig, BertForSequenceClassification

    tokenizer = tiny_tokenizer()
    names = dict(enumerate(labels))
    config = BertConfig(vocab_size=len(tokenizer), id2label=names, **SMALL["bert"])
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def test_labels_are_found_by_name_in_any_order_and_case() -> None:
    assert label_places("m", {0: "CONTRADICTION", 1: "Entailment", 2: "neutral"}) == [1, 2, 0]
    with pytest.raises(ConfigError, match="'m' has the labels LABEL_0, LABEL_1; expected entailm"):
        label_places("m", {0: "LABEL_0", 1: "LABEL_1"})


def test_a_pair_is_read_in_both_directions(tmp_path: Path) -> None:
    model = CrossEncoder(tiny(tmp_path, "neutral", "contradiction", "entailment"))
    one, other = model([Edit("a calm dog", "a bold cat"), Edit("a bold cat", "a calm dog")])
    assert (one.follows, one.covers) == (other.covers, other.follows)
    assert 0 < one.follows < 1
    assert one.contradicts == other.contradicts


def test_a_model_without_the_three_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has the labels yes, no; expected entailment, neutral"):
        CrossEncoder(tiny(tmp_path, "yes", "no"))


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        CrossEncoder(str(tmp_path / "nowhere"))


def test_what_a_model_says_may_refuse() -> None:
    assert entailment_reason(Entailed(0.9, 0.9, 0.0), "same") == ""
    assert entailment_reason(Entailed(0.9, 0.1, 0.0), "fewer") == ""
    assert entailment_reason(Entailed(0.9, 0.1, 0.0), "same") == "says less"
    assert entailment_reason(Entailed(0.1, 0.9, 0.0), "fewer") == "does not follow from the source"
    assert entailment_reason(Entailed(0.9, 0.9, 0.7), "fewer") == "contradicts the source"


def test_the_verdict_holds_what_the_model_said() -> None:
    edit = Edit("He is a calm dog.", "He's a calm dog.")
    (agreed,) = judge([edit], "same", entailment=lambda edits: [Entailed(0.9, 0.8, 0.0)])
    (refused,) = judge([edit], "same", entailment=lambda edits: [Entailed(0.2, 0.8, 0.6)])
    assert (agreed.true, agreed.parts["follows"], agreed.parts["covers"]) == (True, 0.9, 0.8)
    assert (refused.true, refused.reason) == (False, "contradicts the source")
