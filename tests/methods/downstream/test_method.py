"""The downstream transformer as a method of the loop: batches, steps, metrics, files."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.support.small_run import KINDS, PLACES, run
from tests.support.small_run import WORDS as MOODS
from tests.support.tiny_models import WORDS, tiny_model
from textcentric.errors import ConfigError, DataError, RunError
from textcentric.methods.downstream import Downstream, DownstreamConfig
from textcentric.methods.downstream.texts import Parts
from textcentric.rows import Example
from textcentric.runs.examples import labelled, read_examples
from textcentric.runs.origin import Origin, read_origin

COLOURS = ["red", "blue", "old", "young"]


def example(number: int, **values: Any) -> Example:
    """Return a row whose target is the colour it names; two variants name it too."""
    colour = COLOURS[number % 4]
    parts = {"table": f"kind : {KINDS[number % 5]} .", "text": f"a very {colour} dog"}
    variants = ({**parts, "text": f"{colour} dog a"}, {"text": f"kind {colour}"})
    known = {"parts": parts, "target": float(number % 4), "variants": variants}
    return Example(f"r{number}", **{**known, **values})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    words = [*WORDS, *KINDS, *MOODS, *PLACES]
    return tiny_model(tmp_path_factory.mktemp("models") / "bert", words=list(dict.fromkeys(words)))


def method(folder: str, rows: list[Example] | None = None, **config: Any) -> Downstream:
    values = {"model": folder, "max_length": 32, "head_dropout": 0.0, **config}
    return Downstream(DownstreamConfig.of(values), rows or [example(n) for n in range(16)])


def fit(one: Downstream, rows: list[Example], epochs: int, rate: float = 3e-3) -> Downstream:
    """Train by the plainest loop there is."""
    torch.manual_seed(0)
    moving = [p for p in one.model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(moving, rate)
    one.model.train()
    for epoch in range(epochs):
        for start in range(0, len(rows), 8):
            batch = one.collate(rows[start : start + 8], epoch)
            one.loss(one.model, batch).mean().backward()
            optimizer.step()
            optimizer.zero_grad()
    return one


def test_a_batch_holds_clean_texts_first_then_the_variants(folder: str) -> None:
    rows = [example(0), example(1, variants=()), replace(example(2), variants=({"text": "red"},))]
    batch = method(folder, variants=2).collate(rows, 0)
    assert batch["place"].tolist() == [[3, 4], [-1, -1], [5, -1]]
    assert batch["targets"].tolist() == [0, 1, 2]
    assert batch["input_ids"].shape == batch["attention_mask"].shape == (6, 14)
    assert batch["attention_mask"].sum(dim=1).tolist()[:3] == [14, 14, 14]


def test_a_batch_depends_on_epoch_and_rows_but_not_on_their_neighbours(folder: str) -> None:
    one = method(folder, variants=1, dropout_levels=[0.3, 0.6], order_shuffle=True)
    rows = [example(n) for n in range(8)]
    together, alone = one.collate(rows, 3), one.collate(rows[5:6], 3)
    at = [5, int(together["place"][5, 0])]
    for pair in zip(at, (0, 1), strict=True):
        ids, mask = together["input_ids"][pair[0]], together["attention_mask"][pair[0]]
        expected = alone["input_ids"][pair[1]][alone["attention_mask"][pair[1]] == 1]
        assert ids[mask == 1].tolist() == expected.tolist()
    assert one.collate(rows, 3)["input_ids"].equal(together["input_ids"])
    assert one.collate(rows, 4)["input_ids"].tolist() != together["input_ids"].tolist()


def test_lengths_are_the_tokens_of_the_clean_rows(folder: str) -> None:
    one = method(folder)
    assert one.lengths([example(0), example(0, parts={"text": "dog"})]) == [14, 5]


def test_one_step_moves_every_parameter(folder: str) -> None:
    one = method(folder, ordinal="cumulative", variants=2, consistency=1.0)
    before = {name: p.detach().clone() for name, p in one.model.named_parameters()}
    fit(one, [example(n) for n in range(8)], epochs=1)
    still = [name for name, p in one.model.named_parameters() if torch.equal(p, before[name])]
    assert still == []


def test_one_call_of_the_model_gives_the_loss_of_every_row(folder: str) -> None:
    one, calls = method(folder, variants=2), []

    class Counted(torch.nn.Module):
        def forward(self, *texts: torch.Tensor) -> torch.Tensor:
            calls.append(texts[0].shape[0])
            losses: torch.Tensor = one.model(*texts)
            return losses

    losses = one.loss(Counted(), one.collate([example(n) for n in range(4)], 0))
    assert losses.shape == (4,)
    assert calls == [12]


@pytest.mark.parametrize(
    "config",
    [
        {"task": "classification", "class_weights": "balanced"},
        {"ordinal": "rank", "objective": "worst"},
        {"ordinal": "cumulative", "consistency": 0.5},
        {"task": "regression"},
        {"lora_r": 8, "task": "classification"},
    ],
    ids=str,
)
def test_a_known_rule_is_learnt(folder: str, config: dict[str, Any]) -> None:
    rows = [example(n) for n in range(32)]
    one = fit(method(folder, rows, variants=1, **config), rows, epochs=12, rate=8e-3)
    metrics = one.evaluate(rows[:20], batch_size=7)
    name = {"classification": "accuracy", "regression": "r2"}.get(one.decision.task)
    assert metrics[name or "quadratic_kappa"] > 0.9
    assert set(metrics) >= {"loss"}
    told = one.predict([row.parts for row in rows[:8]])
    assert np.round(np.array(told.values, float)).tolist() == [0, 1, 2, 3, 0, 1, 2, 3]


def test_words_as_classes_are_predicted_as_words(folder: str) -> None:
    rows = [example(n, target=COLOURS[n % 4]) for n in range(16)]
    one = fit(method(folder, rows), rows, epochs=15)
    told = one.predict([{"text": "a very red dog"}, {"text": "a very old dog"}])
    assert told.values == ["red", "old"]
    assert told.probabilities is not None
    assert told.probabilities.shape == (2, 4)
    assert one.decision.classes == ("blue", "old", "red", "young")


def scores(trained: Downstream, parts: Sequence[Parts], size: int = 64) -> np.ndarray:
    """Return the scores (N, S) of a model that has some."""
    predicted = trained.predict(parts, size).scores
    assert predicted is not None
    return predicted


def test_predictions_keep_the_order_of_the_rows_in_any_batch_size(folder: str) -> None:
    one = method(folder)
    parts = [{"text": "dog " * (1 + n % 5)} for n in range(9)]
    singly, in_fours, at_once = (scores(one, parts, size) for size in (1, 4, 64))
    assert np.allclose(singly, at_once, atol=1e-5)
    assert np.allclose(in_fours, at_once, atol=1e-5)
    assert one.predict([]).values == []


def test_evaluating_leaves_training_as_it_was(folder: str) -> None:
    rows = [example(n) for n in range(16)]
    looked = method(folder, rows)
    fit(looked, rows, 1)
    looked.evaluate(rows[:5], 2)
    assert looked.model.training
    state = torch.get_rng_state()
    again = fit(method(folder, rows), rows, 1)
    assert torch.equal(torch.get_rng_state(), state)
    weights = (trained.model.head.get_parameter("1.weight") for trained in (looked, again))
    assert torch.equal(*weights)


def test_the_cuts_follow_the_weights_and_read_no_target_of_held_out_rows(folder: str) -> None:
    rows = [example(n) for n in range(16)]
    held_out = [example(n, target=None) for n in range(16, 32)]
    one = Downstream(
        DownstreamConfig.of({"model": folder, "max_length": 32}), rows, calibrate_on=held_out
    )
    told = one.predict([row.parts for row in held_out])
    assert [told.values.count(label) for label in one.decision.classes] == [4, 4, 4, 4]
    cuts = one.decision.cuts
    fit(one, rows, 1)
    one.calibrate()
    assert one.decision.cuts != cuts
    assert one.decision.noise == 1.0


@pytest.mark.parametrize("rank", [None, 4], ids=["whole", "adapter"])
@pytest.mark.parametrize(
    "config", [{}, {"ordinal": "cumulative"}, {"task": "classification"}], ids=str
)
def test_scores_are_identical_after_saving_and_loading(
    folder: str, tmp_path: Path, config: dict[str, Any], rank: int | None
) -> None:
    rows = [example(n) for n in range(16)]
    one = fit(method(folder, rows, lora_r=rank, **config), rows, 2)
    one.save(tmp_path / "saved")
    parts = [row.parts for row in rows]
    before, after = one.predict(parts), Downstream.load(tmp_path / "saved").predict(parts)
    assert after.values == before.values
    if before.probabilities is None:
        assert after.probabilities is None
    else:
        assert after.probabilities is not None
        assert np.array_equal(after.probabilities, before.probabilities)


def test_scores_are_the_same_after_merging_saving_and_loading(folder: str, tmp_path: Path) -> None:
    rows = [example(n) for n in range(16)]
    one = fit(method(folder, rows, lora_r=4), rows, 2, rate=1e-2)
    parts = [row.parts for row in rows]
    before, values = scores(one, parts), one.predict(parts).values
    one.merge()
    merged = scores(one, parts)
    one.save(tmp_path / "merged")
    after = Downstream.load(tmp_path / "merged")
    assert np.allclose(merged, before, atol=1e-5)
    assert np.array_equal(scores(after, parts), merged)
    assert after.predict(parts).values == values
    assert not (tmp_path / "merged" / "adapter_config.json").exists()
    with pytest.raises(ConfigError, match="no adapter to merge"):
        one.merge()


# Importing transformers' DeBERTa sets the warning off. The decoder has no token for padding.
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
@pytest.mark.parametrize(("kind", "pooling"), [("gpt2", "last"), ("deberta-v2", "mean")])
def test_other_models_are_trained_saved_and_loaded(kind: str, pooling: str, tmp_path: Path) -> None:
    rows = [example(n) for n in range(16)]
    one = fit(method(tiny_model(tmp_path / kind, kind), rows), rows, 2)
    assert one.model.pooling == pooling
    one.save(tmp_path / "saved")
    parts = [*(row.parts for row in rows), {}]
    loaded = scores(Downstream.load(tmp_path / "saved"), parts)
    assert np.array_equal(loaded, scores(one, parts))
    assert np.isfinite(loaded).all()


def test_parts_are_read_in_the_order_asked_for(folder: str) -> None:
    one = method(folder, parts=["text"])
    row = example(0)
    assert one.predict([row.parts]).scores == one.predict([{"text": row.parts["text"]}]).scores
    both, swapped = method(folder), method(folder, parts=["text", "table"])
    assert both.predict([row.parts]).scores != swapped.predict([row.parts]).scores
    as_they_come = swapped.predict([row.parts], as_ordered=True)
    assert as_they_come.scores == both.predict([row.parts]).scores


def test_a_trained_folder_says_what_made_its_text(folder: str, tmp_path: Path) -> None:
    done = run(tmp_path / "run", 12)
    rows = labelled(read_examples(done.path))
    one = Downstream(
        DownstreamConfig.of({"model": folder, "max_length": 64}),
        rows,
        origin=read_origin(done.path),
    )
    one.save(tmp_path / "saved")
    metadata = json.loads((tmp_path / "saved" / "downstream.json").read_text())
    origin = metadata["origin"]
    assert list(origin["prompts"]) == ["summarize/pick"]
    assert origin["prompts"]["summarize/pick"]["writes"] == "summary"
    assert origin["experts"] == {"table": [["table", "1-skip-300"]], "text": [["text", "1"]]}
    assert origin["engine"]["model"] == "scripted"
    assert (tmp_path / "saved/prompts/summarize/pick.jinja").read_bytes() == (
        done.path / "prompts/summarize/pick.jinja"
    ).read_bytes()
    loaded = Downstream.load(tmp_path / "saved")
    assert replace(loaded.origin, frozen=one.origin.frozen) == one.origin
    loaded.save(tmp_path / "saved")
    loaded.save(tmp_path / "copy")
    assert (tmp_path / "copy/prompts/summarize/pick.jinja").is_file()


def test_a_frozen_prompt_that_was_changed_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path / "run", 2)
    path = done.path / "prompts" / "summarize" / "pick.jinja"
    path.write_text(path.read_text().replace("Summarise.", "Shorten."))
    with pytest.raises(RunError, match="the frozen prompt was changed afterwards"):
        read_origin(done.path)


def test_the_fingerprint_names_configuration_and_rows_but_not_the_weights(folder: str) -> None:
    rows = [example(n) for n in range(16)]
    one = method(folder, rows)
    first = one.fingerprint()
    one.calibrate()
    fit(one, rows, 1)
    one.calibrate()
    assert one.fingerprint() == first == json.loads(json.dumps(first))
    assert method(folder, rows, variants=2).fingerprint() != first
    changed = [*rows[:-1], replace(rows[-1], parts={"text": "other"})]
    assert method(folder, changed).fingerprint() != first


def test_a_row_without_target_or_with_nan_is_refused(folder: str) -> None:
    rows = [example(n) for n in range(8)]
    with pytest.raises(DataError, match="row 'r8' has target nan"):
        method(folder, [*rows, example(8, target=math.nan)])
    with pytest.raises(DataError, match="row 'r8' has no target"):
        method(folder, [*rows, example(8, target=None)])
    with pytest.raises(DataError, match="row 'r8' has target nan"):
        method(folder).evaluate([*rows, example(8, target=math.nan)], 4)


def test_one_class_only_is_refused(folder: str) -> None:
    with pytest.raises(DataError, match="two classes or more"):
        method(folder, [example(n, target=1) for n in range(4)])


def test_a_class_that_only_held_out_rows_have_is_refused(folder: str) -> None:
    with pytest.raises(DataError, match="row 'r9': unknown class '7'"):
        method(folder).evaluate([example(0), example(9, target=7)], 4)


def test_a_class_absent_from_the_held_out_rows_is_told_and_scored_without(folder: str) -> None:
    with pytest.warns(UserWarning, match="no evaluated row has the class 2, 3"):
        metrics = method(folder).evaluate([example(0), example(1)], 4)
    assert all(math.isfinite(value) for value in metrics.values())


def test_a_class_absent_from_the_training_rows_is_told(folder: str) -> None:
    with pytest.warns(UserWarning, match="no training row has the class 4"):
        one = method(folder, classes=[0, 1, 2, 3, 4])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert math.isfinite(one.evaluate([example(0), example(9, target=4)], 4)["loss"])


def test_a_part_that_no_row_has_is_refused(folder: str) -> None:
    with pytest.raises(ConfigError, match="unknown part 'txt'; did you mean 'text'"):
        method(folder, parts=["table", "txt"])


def test_more_tokens_than_the_model_takes_are_refused(folder: str) -> None:
    with pytest.raises(ConfigError, match=r"max_length=65: model .* takes 64 tokens"):
        method(folder, max_length=65)


def test_a_folder_that_holds_no_model_is_refused(folder: str, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="holds no downstream model"):
        Downstream.load(tmp_path)
    (tmp_path / "downstream.json").write_text('{"format": 1')
    with pytest.raises(RunError, match="cannot be read"):
        Downstream.load(tmp_path)
    (tmp_path / "downstream.json").write_text('{"format": 99}')
    with pytest.raises(RunError, match="is not of format 1"):
        Downstream.load(tmp_path)


def test_a_run_directory_is_trained_on_by_the_loop_and_read_back(
    folder: str, tmp_path: Path
) -> None:
    from textcentric.training.config import TrainConfig
    from textcentric.training.loop import train

    done = run(tmp_path / "run", 24)
    rows = labelled(read_examples(done.path))
    values = {"variants": 2, "dropout_levels": [0, 0.3], "consistency": 0.1, "lora_r": 4}
    one = Downstream(
        DownstreamConfig.of({"model": folder, "max_length": 64, **values}),
        rows,
        origin=read_origin(done.path),
    )
    config = TrainConfig(
        output_dir=tmp_path / "model", num_train_epochs=2, metric_for_best_model="quadratic_kappa"
    )
    result = train(one, config, rows, rows[:12], quiet=True)
    scores = {"quadratic_kappa", "accuracy", "macro_f1"}
    assert result.metrics.keys() == {"loss", *scores, *(f"constant_{name}" for name in scores)}
    parts = [row.parts for row in rows]
    told = Downstream.load(tmp_path / "model").predict(parts)
    assert told.values == one.predict(parts).values


@pytest.mark.slow
def test_the_packaged_model_is_fine_tuned_and_its_folder_names_no_machine(tmp_path: Path) -> None:
    from textcentric.models.packaged import packaged_encoder

    rows = [example(n) for n in range(16)]
    one = fit(Downstream(DownstreamConfig.of({"max_length": 32, "lora_r": 4}), rows), rows, 1, 1e-4)
    for merged in (False, True):
        if merged:
            one.merge()
        one.save(tmp_path / "saved")
        written = [path for path in (tmp_path / "saved").rglob("*.json") if path.is_file()]
        assert all(str(packaged_encoder()) not in path.read_text() for path in written)
        parts = [row.parts for row in rows]
        loaded = Downstream.load(tmp_path / "saved")
        assert np.array_equal(scores(loaded, parts), scores(one, parts))


def test_choices_of_a_classification_are_no_order_of_classes(folder: str) -> None:
    rows = [example(n, target=COLOURS[n % 4]) for n in range(16)]
    config = DownstreamConfig.of({"model": folder, "max_length": 32, "task": "ordinal"})
    with pytest.raises(ConfigError, match="ordinal classes in words need their order"):
        Downstream(config, rows, origin=of_task("classification"))
    known = Downstream(config, rows, origin=of_task("ordinal"))
    assert known.decision.classes == tuple(COLOURS)


def of_task(task: str) -> Origin:
    return Origin(schema={"task": task, "choices": COLOURS})
