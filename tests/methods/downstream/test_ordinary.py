"""A saved model is read by transformers alone: the same labels, probabilities and scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import pipeline

from tests.support.tiny_models import tiny_model
from textcentric.methods.downstream import Downstream, DownstreamConfig
from textcentric.rows import Example

SCRIPTED = "ignore:`torch.jit.script` is deprecated:DeprecationWarning"
COLOURS = ["red", "blue", "old"]
PARTS = [
    {"table": "kind : dog . age : young .", "text": "a calm red dog"},
    {"table": "kind : cat .", "text": "very shy . [SEP] bird"},
    {"text": "red red blue " * 30, "table": "kind : dog . " * 9},
    {"text": "old"},
]
ENCODERS = ["bert", "roberta", "distilbert", "electra", "deberta-v2", "longformer"]
HELD = [
    *((kind, how) for kind in ENCODERS for how in ("mean", "cls")),
    ("mpnet", "cls"),
    *((kind, "last") for kind in ("gpt2", "llama")),
]
NOT_HELD = [("mpnet", "mean"), ("bert", "last"), ("gpt2", "mean")]


def moved(method: Downstream) -> Downstream:
    """Return the method with weights far from where they began, as a long training leaves them."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for one in filter(lambda one: one.requires_grad, method.model.parameters()):
            one.add_(torch.randn(one.shape, generator=generator), alpha=0.3)
        for one in method.model.head.parameters():
            one.mul_(3)
    return method


def method(folder: Path, kind: str, targets: Any = COLOURS, **config: Any) -> Downstream:
    rows = [
        Example(f"r{n}", {"table": "kind : dog .", "text": f"a {COLOURS[n % 3]} dog"}, targets[n])
        for n in range(len(targets))
    ]
    values = {"model": tiny_model(folder / kind, kind), "max_length": 48, **config}
    return moved(Downstream(DownstreamConfig.of(values), rows))


def saved(made: Downstream, folder: Path) -> str:
    made.save(folder)
    return str(folder)


def chances_of(classify: Any, text: str) -> dict[str, float]:
    """Return what a pipeline says of a text: {label: probability}."""
    (said,) = classify([text])
    return {one["label"]: one["score"] for one in said}


@pytest.mark.filterwarnings(SCRIPTED)
@pytest.mark.parametrize(("kind", "how"), HELD)
def test_a_pipeline_gives_the_label_and_probability_of_predict(
    tmp_path: Path, kind: str, how: str
) -> None:
    made = method(tmp_path, kind, pooling=how)
    classify = pipeline("text-classification", saved(made, tmp_path / "saved"), top_k=None)
    told = made.predict(PARTS)
    assert told.probabilities is not None
    for parts, value, chances in zip(PARTS, told.values, told.probabilities, strict=True):
        text = made.text(parts)
        if text is None:
            assert (len(parts["text"]) > 99, how) == (True, "last"), "a row that is not cut"
            continue
        said = chances_of(classify, text)
        assert max(said, key=said.__getitem__) == value
        expected = dict(zip(made.decision.classes, chances, strict=True))
        assert said == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
@pytest.mark.parametrize(
    "config",
    [{"ordinal": "rank"}, {"ordinal": "cumulative"}, {"task": "regression"}],
    ids=["rank", "cumulative", "regression"],
)
def test_a_regression_gives_the_score_of_predict(
    tmp_path: Path, kind: str, config: dict[str, Any]
) -> None:
    made = method(tmp_path, kind, targets=[0, 1, 1, 2, 0, 2, 2, 3], **config)
    folder = saved(made, tmp_path / "saved")
    settings = json.loads(Path(folder, "config.json").read_text())
    assert (settings["problem_type"], settings["id2label"]) == ("regression", {"0": "score"})
    offset = settings.get("score_offset", 0.0)
    assert bool(offset) == (kind == "gpt2" and config != {"ordinal": "rank"})
    scores = made.predict(PARTS).scores
    assert scores is not None
    score = pipeline("text-classification", folder)
    for parts, expected in zip(PARTS, scores, strict=True):
        if text := made.text(parts):
            (told,) = score([text])
            assert told["label"] == "score"
            assert told["score"] + offset == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("kind", "how"), [*HELD, *NOT_HELD])
@pytest.mark.filterwarnings(SCRIPTED)
def test_what_is_loaded_again_says_the_same_to_the_last_bit(
    tmp_path: Path, kind: str, how: str
) -> None:
    made = method(tmp_path, kind, pooling=how)
    before = made.model.state_dict()
    again = Downstream.load(saved(made, tmp_path / "saved"))
    after = again.model.state_dict()
    assert before.keys() == after.keys()
    assert [name for name, value in before.items() if not torch.equal(value, after[name])] == []
    assert again.decision == made.decision


@pytest.mark.parametrize(("kind", "how"), NOT_HELD)
def test_what_no_classifier_can_hold_is_refused_by_transformers(
    tmp_path: Path, kind: str, how: str
) -> None:
    folder = saved(method(tmp_path, kind, pooling=how), tmp_path / "saved")
    with pytest.raises((OSError, ValueError), match="saved"):
        pipeline("text-classification", folder)


def test_rows_of_a_batch_are_read_alike_behind_padding(tmp_path: Path) -> None:
    for kind in ("bert", "gpt2"):
        made = method(tmp_path, kind)
        folder = saved(made, tmp_path / f"saved-{kind}")
        rows = [PARTS[0], PARTS[1], PARTS[3]]
        texts = [text for parts in rows if (text := made.text(parts)) is not None]
        assert len(texts) == 3
        classify = pipeline("text-classification", folder, batch_size=3)
        told = made.predict(rows)
        assert told.probabilities is not None
        assert [one["label"] for one in classify(texts)] == told.values
        expected = pytest.approx(told.probabilities.max(axis=1), abs=1e-5)
        assert [one["score"] for one in classify(texts)] == expected


def test_in_bfloat16_it_is_held_to_the_digits_that_format_has(tmp_path: Path) -> None:
    made = method(tmp_path, "bert", dtype="bfloat16")
    folder = saved(made, tmp_path / "saved")
    classify = pipeline("text-classification", folder, top_k=None)
    told = made.predict(PARTS[:1])
    assert told.probabilities is not None
    said = chances_of(classify, str(made.text(PARTS[0])))
    expected = dict(zip(made.decision.classes, told.probabilities[0], strict=True))
    assert said == pytest.approx(expected, abs=0.05)


def test_a_trained_model_is_left_as_it_was_by_saving_it(tmp_path: Path) -> None:
    made = method(tmp_path, "bert")
    made.model.train()
    before = {name: value.clone() for name, value in made.model.state_dict().items()}
    saved(made, tmp_path / "saved")
    assert made.model.training
    assert all(torch.equal(value, before[name]) for name, value in made.model.state_dict().items())
    assert not hasattr(made.model.encoder.config, "mean_layers")


def test_marks_of_the_tokenizer_within_a_text_are_plain_words(tmp_path: Path) -> None:
    made = method(tmp_path, "bert")
    (ids,) = made.reader.read([PARTS[1]])
    assert 3 not in ids[:-1].tolist(), "[SEP] within a text ended it"
    loaded: Any = pipeline("text-classification", saved(made, tmp_path / "saved")).tokenizer
    assert loaded(made.text(PARTS[1]))["input_ids"] == ids.tolist()
