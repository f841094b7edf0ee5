"""What holds of every variant: it learns, is kept, and reads rows one by one, without labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.support.small_fusion import changes_of, made, rows_of, trained
from textcentric.errors import ConfigError, DataError
from textcentric.methods.fusion import VARIANTS, Crmt, CrmtConfig
from textcentric.methods.fusion.heard import HEARD
from textcentric.rows import Record


@pytest.fixture(scope="module", params=VARIANTS)
def fitted(
    request: pytest.FixtureRequest,
    folder: Path,
    starts: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Crmt, Path, float]:
    """Return a trained model, where it lies, and its held-out loss before."""
    place = tmp_path_factory.mktemp("model")
    method, rows = made(folder, **changes_of(request.param, starts), attack_steps=2)
    held = held_out(folder)
    before = method.evaluate(held, 24)["loss"]
    trained(method, rows, place, held)
    return method, place, before


def held_out(folder: Path) -> list[Record]:
    return rows_of(folder, "image", "audio", split="validation")


Fitted = tuple[Crmt, Path, float]


def test_it_learns_is_kept_and_says_the_same_again(fitted: Fitted, folder: Path) -> None:
    method, place, before = fitted
    held = held_out(folder)
    metrics = method.evaluate(held, 24)
    if method.config.variant == "ensemble":
        assert metrics["loss"] == before
    else:
        assert metrics["loss"] < before
    assert metrics.keys() >= {"accuracy", "accuracy_image", "accuracy_audio", "margin"}
    again = Crmt.load(place, folder)
    assert torch.equal(again.logits(held, 24), method.logits(held, 24))
    if method.fusion.linear:
        assert torch.equal(again.radius(held, 24), method.radius(held, 24))


def test_one_row_and_many_give_the_same_logits(fitted: Fitted, folder: Path) -> None:
    method, held = fitted[0], held_out(folder)
    whole = method.logits(held, 64)
    torch.testing.assert_close(method.logits(held, 1), whole, atol=1e-5, rtol=1e-4)


def test_labels_of_rows_change_no_prediction(fitted: Fitted, folder: Path) -> None:
    method, held = fitted[0], held_out(folder)
    targets = [row.target for row in held]
    turned = [replace(row, target=t) for row, t in zip(held, [*targets[1:], None], strict=True)]
    assert torch.equal(method.logits(turned), method.logits(held))


def test_losses_are_of_rows_and_one_row_is_a_batch(fitted: Fitted, folder: Path) -> None:
    method, rows = fitted[0], rows_of(folder, "image", "audio")
    for some in (rows[:5], rows[:1]):
        losses = losses_in_training(method, some)
        assert losses.shape == (len(some),)
        assert bool(losses.isfinite().all())


def test_what_an_absent_modality_would_hold_changes_no_loss(fitted: Fitted, folder: Path) -> None:
    method, rows = fitted[0], rows_of(folder, "image", "audio")[:6]
    absent = [replace(row, inputs={"image": row.inputs["image"]}) for row in rows[:3]]
    some = [*absent, *rows[3:]]
    clean = losses_in_training(method, some)
    torch.testing.assert_close(losses_in_training(method, some, fill=5.0), clean)


def losses_in_training(method: Crmt, rows: list[Record], fill: float = 0.0) -> Tensor:
    """Return the losses (B,) of a step; `fill` stands where a modality is absent."""
    method.model.train()
    buffers = {name: one.clone() for name, one in method.model.named_buffers()}
    batch = method.collate(rows, epoch=0)
    for at, name in enumerate(method.names):
        batch[name][batch["present"][:, at] == 0] = fill
    torch.manual_seed(0)
    losses = method.loss(method.model, batch).detach()
    for name, one in method.model.named_buffers():
        one.copy_(buffers[name])
    method.model.eval()
    return losses


def test_rules_of_what_is_heard_are_of_settings_that_there_are_and_of_some_variants() -> None:
    for start, (trait, value) in HEARD.items():
        heard = [getattr(variant, trait) == value for variant in VARIANTS.values()]
        assert any(name.startswith(start) for name in CrmtConfig.model_fields), start
        assert any(heard), start
        assert not all(heard), start


def test_one_modality_where_two_are_needed_is_refused_with_what_fits(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"needs 2 modalities.*image alone.*those that fit: jt"):
        made(folder, "image", variant="mcr")


def test_features_of_other_widths_are_refused_where_they_are_compared(folder: Path) -> None:
    encoders = {"image": "conv", "audio": "resnet18"}
    with pytest.raises(ConfigError, match=r"widths are .*512.*those that fit: .*ogm-ge"):
        made(folder, variant="mcr", encoders=encoders)


def test_without_models_to_begin_from_it_says_how_to_make_them(
    folder: Path, starts: dict[str, str]
) -> None:
    with pytest.raises(ConfigError, match=r"audio has none.*--variant jt --modalities audio"):
        made(folder, variant="heads-only", start={"image": starts["image"]})


def test_the_first_logits_are_the_sum_of_those_of_the_single_models(
    folder: Path, starts: dict[str, str]
) -> None:
    method, rows = made(folder, variant="heads-only", start=starts)
    singles = [Crmt.load(place, folder).logits(rows) for place in starts.values()]
    torch.testing.assert_close(method.logits(rows), sum(singles), atol=1e-5, rtol=1e-5)


def test_the_ensemble_is_the_sum_of_the_single_models_and_learns_nothing(
    folder: Path, starts: dict[str, str], tmp_path: Path
) -> None:
    method, rows = made(folder, variant="ensemble", start=starts)
    result = trained(method, rows, tmp_path / "m", held_out(folder), eval_strategy="epoch")
    singles = [Crmt.load(place, folder).logits(rows) for place in starts.values()]
    kept = Crmt.load(tmp_path / "m", folder)
    torch.testing.assert_close(kept.logits(rows), sum(singles), atol=1e-6, rtol=1e-6)
    assert result.step == 0
    assert result.metrics["accuracy"] == kept.evaluate(held_out(folder), 24)["accuracy"]


def test_heads_alone_leave_encoders_bit_for_bit(
    folder: Path, starts: dict[str, str], tmp_path: Path
) -> None:
    method, rows = made(folder, variant="heads-only", start=starts)
    before = {n: v.clone() for n, v in method.fusion.state_dict().items()}
    trained(method, rows, tmp_path / "m")
    moved = [n for n, v in method.fusion.state_dict().items() if not torch.equal(v, before[n])]
    assert sorted(moved) == ["bias", "rows.audio", "rows.image"]


def test_a_start_of_another_kind_is_refused_with_both_values(
    folder: Path, starts: dict[str, str]
) -> None:
    with pytest.raises(ConfigError, match=r"start of image.*width 8, and here it is 12"):
        made(folder, variant="heads-only", start=starts, width=12)
    with pytest.raises(ConfigError, match=r"is variant 'jt' of audio; expected .* image alone"):
        made(folder, variant="heads-only", start={**starts, "image": starts["audio"]})
    rows = rows_of(folder, "image", "audio")
    method, _ = made(folder, variant="jt")
    few = [row for row in rows if row.target != "low"]
    with pytest.raises(ConfigError, match=r"has the classes \['high', 'low', 'middle'\]"):
        Crmt(method.config.model_copy(update={"start": starts}), few, folder)
    some = [row for at, row in enumerate(rows) if at % 2 or row.target == "low"]
    with pytest.raises(ConfigError, match=r"has the mean and deviation \[\["):
        Crmt(method.config.model_copy(update={"start": starts}), some, folder)


def test_a_start_that_is_not_there_is_named_before_rows_are_read(
    folder: Path, starts: dict[str, str]
) -> None:
    none = str(folder / "none")
    with pytest.raises(ConfigError, match=r"unknown fusion model 'none'.*looked in"):
        made(folder, variant="heads-only", start={**starts, "audio": none})
    with pytest.raises(ConfigError, match=r"holds no fusion model .it has no crmt\.json"):
        made(folder, variant="heads-only", start={**starts, "audio": str(folder)})
    with pytest.raises(ConfigError, match=r"start=\['models/image'\]: expected names with a value"):
        CrmtConfig.of({"variant": "heads-only", "start": ["models/image"]})


def test_an_encoder_of_a_start_that_is_the_usual_one_may_be_left_out(
    folder: Path, tmp_path: Path
) -> None:
    named = {"image": "conv", "audio": "resnet18"}
    start = {"audio": str(tmp_path / "audio")}
    single, rows = made(folder, "audio", variant="jt", encoders={"audio": "resnet18"})
    trained(single, rows, Path(start["audio"]))
    made(folder, variant="jt", encoders={"image": "conv"}, start=start)
    with pytest.raises(ConfigError, match=r"has the encoder resnet18, and here it is conv"):
        made(folder, variant="jt", encoders={**named, "audio": "conv"}, start=start)


@pytest.mark.parametrize(
    ("variant", "values", "words"),
    [
        ("pal", {"modality_dropout": 0.3}, r"variant='pal' takes none; leave it at 0"),
        ("ensemble", {"modality_dropout": 0.3}, r"variant='ensemble' takes none"),
        ("pal", {"absent": "nothing"}, r"variant='pal' leaves absent modalities out itself"),
        ("experts", {"absent": "nothing"}, r"variant='experts' leaves absent modalities out"),
    ],
)
def test_a_setting_that_a_variant_does_not_hear_is_refused(
    folder: Path, starts: dict[str, str], variant: str, values: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        made(folder, **changes_of(variant, starts), **values)


def test_experts_begin_from_no_model_of_one_modality(folder: Path, starts: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"begins from none; leave crmt"):
        made(folder, variant="experts", start=starts)


def test_a_start_of_what_is_not_read_is_refused(folder: Path, starts: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"crmt\.start names 'audio', which is not read"):
        made(folder, "image", variant="jt", start=starts)


def test_rows_without_a_class_are_refused_where_labels_are_needed(folder: Path) -> None:
    method, rows = made(folder, variant="jt")
    without = [replace(rows[0], target=None), *rows[1:]]
    with pytest.raises(DataError, match=f"row '{rows[0].id}' has no target"):
        Crmt(method.config, without, folder)
    with pytest.raises(DataError, match=f"row '{rows[0].id}' has no target"):
        method.evaluate(without, 24)
