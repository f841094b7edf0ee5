"""The lines of a card that load the model are run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.methods.downstream.test_ordinary import PARTS, method, moved
from tests.support.tiny_models import WORDS
from textcentric.methods.downstream import Downstream

CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)
NUMBERS = [0, 1, 1, 2, 0, 2, 2, 3]


def lines_of(card: str) -> str:
    """Return the one piece of code in a card: three lines."""
    (code,) = CODE.findall(card)
    assert len(code.splitlines()) == 3
    return str(code)


def run(made: Downstream, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Save, and run the lines of the card where it lies; return what they named."""
    made.save(folder)
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    exec(lines_of(made.usage(folder)), names)
    return names


def test_the_lines_of_classes_give_label_and_probability(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = method(tmp_path, "bert")
    names = run(made, tmp_path / "saved", monkeypatch)
    told = made.predict([{"table": "...", "text": "..."}, PARTS[0]])
    assert told.probabilities is not None
    assert f"'label': '{told.values[0]}'" in capsys.readouterr().out
    (said,) = names["classify"]([made.text(PARTS[0])])
    assert said["label"] == told.values[1]
    assert said["score"] == pytest.approx(told.probabilities[1].max(), abs=1e-5)


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
@pytest.mark.parametrize("link", ["rank", "cumulative"])
def test_the_cuts_of_a_card_turn_the_score_into_the_class_of_predict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, link: str
) -> None:
    made = method(tmp_path, kind, targets=NUMBERS, ordinal=link)
    names = run(made, tmp_path / "saved", monkeypatch)
    card = made.usage(tmp_path / "saved")
    offset = float((re.findall(r"`score ([+-]\S+)`", card) or ["0"])[0])
    cuts = [(int(label), float(cut)) for label, cut in re.findall(r"`(\d)` below (\S+?)[,;]", card)]
    (highest,) = re.findall(r"else `(\d)`\.", card)
    rows = [{"table": "kind : dog .", "text": f"a {word} dog"} for word in WORDS]
    told = made.predict(rows)
    assert told.scores is not None
    compared = []
    for row, value, expected in zip(rows, told.values, told.scores, strict=True):
        (said,) = names["classify"]([made.text(row)])
        score = said["score"] + offset
        assert score == pytest.approx(expected, abs=1e-5)
        if min(abs(score - cut) for _, cut in cuts) > 1e-4:  # not on a cut
            assert next((label for label, cut in cuts if score < cut), int(highest)) == value
            compared.append(value)
    assert len({*compared}) > 1


@pytest.mark.parametrize(
    ("transform", "said"),
    [
        ("none", "`score` is the score of `textcentric predict`, the prediction"),
        ("log", "`exp(score)`"),
        ("log1p", "`exp(score) - 1`"),
    ],
)
def test_a_card_says_how_a_number_comes_from_the_score(
    tmp_path: Path, transform: str, said: str
) -> None:
    targets = [n + 1.5 for n in NUMBERS]
    made = method(tmp_path, "bert", targets=targets, target_transform=transform)
    made.save(tmp_path / "saved")
    assert said in made.usage(tmp_path / "saved")


def test_the_lines_of_an_adapter_give_the_features_under_its_head(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = method(tmp_path, "bert", lora_r=2)
    names = run(made, tmp_path / "saved", monkeypatch)
    batch = made._padded(made.reader.read(PARTS[:2]))
    hidden = names["encoder"].eval()(**batch).last_hidden_state
    expected = made.model.eval().encoder(**batch).last_hidden_state
    assert torch.allclose(hidden, expected, atol=1e-6)


def test_the_packaged_model_is_named_as_others_load_it(tmp_path: Path) -> None:
    made = method(tmp_path, "bert", lora_r=2)
    made.config = made.config.model_copy(update={"model": "packaged"})
    made.save(tmp_path / "saved")
    named = 'AutoModel.from_pretrained("sentence-transformers/all-MiniLM-L6-v2")'
    assert named in made.usage(tmp_path / "saved")


def test_what_transformers_cannot_hold_is_loaded_by_this_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = moved(method(tmp_path, "gpt2", pooling="mean"))
    run(made, tmp_path / "saved", monkeypatch)
    (value,) = made.predict([{"table": "...", "text": "..."}]).values
    assert f"values=['{value}']" in capsys.readouterr().out
