"""PAL: its head is the ridge regression of all rows, in whatever order their classes come."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from tests.methods.references import pal
from tests.support.small_fusion import changes_of, made, rows_of, single_models, trained
from textcentric.errors import ConfigError, DataError, RunError
from textcentric.methods.fusion import Crmt
from textcentric.methods.fusion.encoders import Mlp
from textcentric.methods.fusion.ridge import BLOCK, Ridge, RidgeFusion
from textcentric.rows import Record

Rows = list[Record]


def drawn(rows: int, width: int, classes: int) -> tuple[Tensor, Tensor]:
    """Return what a random layer could say of rows, and their one-hot classes."""
    generator = torch.Generator().manual_seed(rows)
    x = torch.randn(rows, width, generator=generator, dtype=torch.float64).relu()
    labels = torch.randint(classes, (rows,), generator=generator)
    return x, functional.one_hot(labels, classes).double()


def names(x: Tensor, task: object = "") -> list[str]:
    return [f"{task}/{at}" for at in range(len(x))]


def test_rows_added_one_after_another_weigh_as_in_a_slow_solution_of_all() -> None:
    x, y = drawn(7, 4, 3)
    state = Ridge.begin(4, 3, 10.0)
    for at in range(7):
        state = state.added(x[at : at + 1], y[at : at + 1], [str(at)])
    slow = torch.tensor(pal.ridge(x.tolist(), y.tolist(), 10.0), dtype=torch.float64)
    torch.testing.assert_close(state.weights, slow, atol=1e-12, rtol=0)
    inverse = torch.linalg.inv(x.T @ x + 10 * torch.eye(4, dtype=torch.float64))
    torch.testing.assert_close(state.inverse, inverse, atol=1e-12, rtol=0)


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (3, 1, 4, 0, 2)])
def test_five_tasks_in_any_order_give_the_weights_of_all_rows_at_once(
    order: tuple[int, ...],
) -> None:
    width = 60
    tasks = [drawn(BLOCK + 40 + task, width, 2) for task in range(5)]
    state = Ridge.begin(width, 0, 10.0)
    for at, task in enumerate(order):
        x, y = tasks[task]
        state = state.widened(2 * at + 2)
        state = state.added(x, functional.pad(y, (2 * at, 0)), names(x, task))
    x = torch.cat([tasks[task][0] for task in order])
    y = torch.block_diag(*(tasks[task][1] for task in order))
    at_once = torch.linalg.solve(x.T @ x + 10 * torch.eye(width, dtype=torch.float64), x.T @ y)
    assert float((state.weights - at_once).abs().max()) < 1e-8
    assert len(state.counted) == sum(len(one) for one, _ in tasks)


def test_a_class_may_come_again() -> None:
    x, y = drawn(50, 12, 3)
    state = Ridge.begin(12, 3, 2.0)
    for part in (slice(0, 20), slice(20, 50)):  # each has rows of all classes
        state = state.added(x[part], y[part], names(x)[part])
    torch.testing.assert_close(
        state.weights, Ridge.begin(12, 3, 2.0).added(x, y, names(x)).weights, atol=1e-12, rtol=0
    )


def test_the_random_layer_reads_what_is_there_and_scores_are_of_one_modality_alone() -> None:
    torch.manual_seed(0)
    model = RidgeFusion({"image": Mlp(4, 3), "audio": Mlp(5, 2)}, 3, width=6)
    model.solution = torch.randn(6, 3)
    batch = {"image": torch.randn(4, 4), "audio": torch.randn(4, 5)}
    batch["present"] = torch.tensor([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    said = model(batch)
    weights = model.projection.tolist()
    for row in range(4):
        features = [said.features[name][row].tolist() for name in ("image", "audio")]
        present = batch["present"][row].tolist()
        x = torch.tensor(pal.layer(features, present, weights))
        torch.testing.assert_close(said.logits[row], x @ model.solution)
        for at in range(2):
            alone = [there * (m == at) for m, there in enumerate(present)]
            x = torch.tensor(pal.layer(features, alone, weights))
            torch.testing.assert_close(said.scores[row, at], x @ model.solution)
    assert model.projection.shape == (5, 6)


@pytest.fixture(scope="module")
def first(folder: Path, starts: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a model of two classes, whose encoders know three."""
    place = tmp_path_factory.mktemp("models") / "first"
    method, rows = made(folder, **changes_of("pal", starts), pal_width=40)
    few = [row for row in rows if row.target != "high"]
    trained(Crmt(method.config, few, folder), few, place)
    return place


def more(place: Path, folder: Path, rows: Rows, to: Path) -> Crmt:
    """Return the model of `place` with `rows` added, as it was kept in `to`."""
    method = Crmt.load(place, folder)
    method.take(rows)
    trained(method, rows, to)
    return Crmt.load(to, folder)


def test_a_task_added_without_old_rows_gives_the_model_of_all_rows(
    first: Path, folder: Path, starts: dict[str, str], tmp_path: Path
) -> None:
    rows = rows_of(folder, "image", "audio")
    later = more(first, folder, [row for row in rows if row.target == "high"], tmp_path / "later")
    whole, _ = made(folder, **changes_of("pal", starts), pal_width=40)
    trained(whole, rows, tmp_path / "whole")
    assert later.classes == ["low", "middle", "high"]
    places = [later.classes.index(name) for name in whole.classes]
    assert later.ridge is not None
    assert whole.ridge is not None
    torch.testing.assert_close(
        later.ridge.weights[:, places], whole.ridge.weights, atol=1e-6, rtol=1e-5
    )
    test = rows_of(folder, "image", "audio", split="test")
    torch.testing.assert_close(
        later.logits(test)[:, places], whole.logits(test), atol=1e-5, rtol=1e-4
    )
    assert later.evaluate(test, 24)["accuracy"] > 0.9


def test_figures_and_card_say_how_many_rows_the_head_stands_for(
    first: Path, folder: Path, tmp_path: Path
) -> None:
    rows = [row for row in rows_of(folder, "image", "audio") if row.target == "high"]
    method = Crmt.load(first, folder)
    method.take(rows)
    result = trained(method, rows, tmp_path / "second")
    assert (result.metrics["rows_added"], result.metrics["rows_in_head"]) == (8, 24)
    assert "| rows\\_in\\_head | 24.0000 |" in (tmp_path / "second" / "README.md").read_text()
    assert "tau_mean" not in result.metrics
    with pytest.raises(ConfigError, match=r"sums of scores by weights, and those of variant 'pal'"):
        method.radius(rows)


def test_rows_that_are_counted_already_are_refused_by_their_ids(
    first: Path, folder: Path, tmp_path: Path
) -> None:
    rows = rows_of(folder, "image", "audio")
    words = r"16 of 24 rows are counted in the model already \(train0, train1, train3.*id="
    with pytest.raises(DataError, match=words):
        Crmt.load(first, folder).take(rows)
    method = Crmt.load(first, folder)
    again = [replace(row, id=f"new {row.id}") for row in rows]
    method.take(again)
    trained(method, again, tmp_path / "m")
    with pytest.raises(DataError, match="24 of 24 rows are counted"):
        trained(method, again, tmp_path / "n")


def test_a_model_without_the_state_of_its_head_predicts_and_takes_no_rows(
    first: Path, folder: Path, starts: dict[str, str], tmp_path: Path
) -> None:
    rows = [replace(row, id="new") for row in rows_of(folder, "image", "audio")[:1]]
    with pytest.raises(ConfigError, match="variant 'jt' has no state of a ridge head"):
        Crmt.load(starts["image"], folder).take(rows)
    without = changed(first, tmp_path, lambda w: [w.pop(n) for n in [*w] if n.startswith("ridge.")])
    bare = Crmt.load(without, folder)
    assert torch.equal(bare.logits(rows), Crmt.load(first, folder).logits(rows))
    with pytest.raises(ConfigError, match="variant 'pal' has no state of a ridge head"):
        bare.take(rows)


def test_a_state_of_another_shape_is_refused(first: Path, folder: Path, tmp_path: Path) -> None:
    def narrow(weights: dict[str, Tensor]) -> None:
        weights["ridge.inverse"] = weights["ridge.inverse"][:, :5].contiguous()

    with pytest.raises(RunError, match=r"cannot be loaded .*ridge.inverse is .*\(40, 5\)"):
        Crmt.load(changed(first, tmp_path, narrow), folder)


def changed(place: Path, to: Path, change: Any) -> Path:
    """Return a copy of a model's folder with its weights changed."""
    weights = load_file(place / "model.safetensors")
    change(weights)
    save_file(weights, to / "model.safetensors")
    (to / "crmt.json").write_bytes((place / "crmt.json").read_bytes())
    return to


def test_rows_of_other_modalities_are_refused(first: Path, folder: Path) -> None:
    def of(*modalities: str) -> Rows:
        return [replace(row, id=f"new {row.id}") for row in rows_of(folder, *modalities)]

    with pytest.raises(DataError, match="these rows have image, and the model reads audio, image"):
        Crmt.load(first, folder).take(of("image"))
    with pytest.raises(DataError, match="these rows have audio, image, table, and the model reads"):
        Crmt.load(first, folder).take(of("image", "audio", "table"))
    few = of("image", "audio")
    few[0] = replace(few[0], inputs={"image": few[0].inputs["image"]})
    Crmt.load(first, folder).take(few)  # some may lack one


def test_a_table_of_other_columns_is_refused(folder: Path, tmp_path: Path) -> None:
    start = single_models(folder, tmp_path, "table")
    method, rows = made(folder, "table", variant="pal", start=start)
    trained(method, rows, tmp_path / "m")
    other = [replace(row, id=f"new {row.id}", inputs={"table": {"weight": 2}}) for row in rows]
    with pytest.raises(DataError, match="table of these rows has weight, and the model reads age"):
        Crmt.load(tmp_path / "m", folder).take(other)


def test_starts_give_their_encoders_and_normalisation_and_may_know_other_classes(
    folder: Path, starts: dict[str, str]
) -> None:
    method, rows = made(folder, **changes_of("pal", starts))
    some = [replace(row, target=f"is {row.target}") for row in rows[:12]]
    other = Crmt(method.config, some, folder)
    start = Crmt.load(starts["audio"], folder)
    assert other.senses.moments["audio"] == start.senses.moments["audio"]
    read = other.fusion.encoder("audio").state_dict()
    for name, one in start.fusion.encoder("audio").state_dict().items():
        assert torch.equal(read[name], one)
    assert other.classes == ["is high", "is low", "is middle"]
    with pytest.raises(ConfigError, match="width 8, and here it is 12"):
        made(folder, **changes_of("pal", starts), width=12)


def test_it_needs_models_to_begin_from(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"variant='pal' begins from models of single modalities"):
        made(folder, variant="pal")
