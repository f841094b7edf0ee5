"""The mathematics of a federation: averages, prototypes, uncertainty, shared moments."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import Tensor

from tests.methods.references import federated as reference
from tests.support.small_federation import federation
from tests.support.small_fusion import made, rows_of
from textcentric.errors import ConfigError
from textcentric.methods.fusion.federated.client import FusionClient
from textcentric.methods.fusion.federated.config import FederatedConfig
from textcentric.methods.fusion.federated.flower import NumPyClient
from textcentric.methods.fusion.federated.model import PROTOTYPES, State
from textcentric.methods.fusion.federated.objective import (
    Prototypes,
    own_losses,
    prototype_losses,
    prototypes_of,
)
from textcentric.methods.fusion.federated.rounds import one_round
from textcentric.methods.fusion.federated.server import (
    Update,
    next_state,
    shared_heads,
    weighted,
)
from textcentric.methods.fusion.federated.uncertainty import uncertainty

BOTH = ("image", "audio")


def same(one: State, other: State) -> None:
    assert one.keys() == other.keys()
    for name in one:
        assert_array_equal(one[name], other[name], err_msg=name)


def update(client: str, value: np.ndarray, rows: int, u: float = 1.0) -> Update:
    name = "fusion.rows.image"
    return Update(client, {name: value.astype(np.float32)}, {"image": rows}, {name: u})


def test_the_server_averages_by_rows_as_loops_do() -> None:
    rng = np.random.default_rng(0)
    arrays, counts = [rng.normal(size=7) for _ in range(3)], [5, 1, 30]
    sent = [update(str(at), *of) for at, of in enumerate(zip(arrays, counts, strict=True))]
    state = {"fusion.rows.image": np.zeros(7, np.float32)}
    found = next_state(state, sent, FederatedConfig())
    expected = reference.averaged([one.tolist() for one in arrays], counts)
    assert_allclose(found["fusion.rows.image"], expected, rtol=1e-6)


def test_weights_by_uncertainty_are_those_of_loops() -> None:
    rng = np.random.default_rng(1)
    arrays, counts, u = [rng.normal(size=7) for _ in range(3)], [5, 1, 30], [0.1, 2.0, 0.7]
    sent = [update(str(at), *of) for at, of in enumerate(zip(arrays, counts, u, strict=True))]
    state = {"fusion.rows.image": np.zeros(7, np.float32)}
    config = FederatedConfig(method="ha-fed", kappa=0.5, rho=0)
    found = next_state(state, sent, config)["fusion.rows.image"]
    listed = [one.tolist() for one in arrays]
    assert_allclose(found, reference.averaged_by_uncertainty(listed, counts, u, 0.5), rtol=1e-5)


def test_equal_uncertainty_or_kappa_0_is_fedavg_to_the_bit() -> None:
    rng = np.random.default_rng(2)
    arrays, counts = [rng.normal(size=50) for _ in range(3)], [7, 13, 29]
    state = {"fusion.rows.image": np.zeros(50, np.float32)}
    plain = [update(str(at), *of) for at, of in enumerate(zip(arrays, counts, strict=True))]
    fedavg = next_state(state, plain, FederatedConfig())
    equal = [one._replace(uncertainty={"fusion.rows.image": 3e-7}) for one in plain]
    apart = [
        one._replace(uncertainty={"fusion.rows.image": 0.1 * at + 0.1})
        for at, one in enumerate(plain)
    ]
    for kappa, sent in ((0.7, equal), (0.0, apart)):
        config = FederatedConfig(method="ha-fed", kappa=kappa, rho=0)
        same(next_state(state, sent, config), fedavg)
    other = next_state(state, apart, FederatedConfig(method="ha-fed", kappa=0.7, rho=0))
    assert not np.array_equal(other["fusion.rows.image"], fedavg["fusion.rows.image"])


def test_an_uncertainty_of_zero_is_a_small_one() -> None:
    assert weighted([3, 3], [0.0, 0.0], 0.5) == [3, 3]


def test_heads_share_a_part_of_their_mean() -> None:
    heads = {"fusion.rows.image": np.ones((2, 3)), "fusion.rows.audio": 3 * np.ones((2, 3))}
    found = shared_heads(heads, 0.1)
    assert_allclose(found["fusion.rows.image"], 1.1)
    assert_allclose(found["fusion.rows.audio"], 2.9)


def test_heads_of_other_widths_cannot_be_shared(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"rho=0.1 averages heads.*'image': 512.*'audio': 8"):
        federation(folder, method="ha-fed", encoders={"image": "resnet18", "audio": "conv"})


@pytest.mark.parametrize("method", ["fedavg", "mfcpl", "ha-fed"])
def test_the_order_of_clients_changes_nothing(folder: Path, method: str) -> None:
    fed = federation(folder, method=method, kappa=0.5 if method == "ha-fed" else 0)
    state = fed.begin()
    forth, back = list(fed.clients), list(fed.clients)[::-1]
    for number in (1, 2):
        one = next_state(state, one_round(forth, state, number).updates, fed.config)
        other = next_state(state, one_round(back, state, number).updates, fed.config)
        same(one, other)
        state = one


def test_one_client_and_one_round_are_local_training(folder: Path) -> None:
    fed = federation(folder, {"west": BOTH, "east": BOTH}, momentum=0.5, batch_size=3)
    client = fed.clients[1]
    state = fed.begin()
    found = next_state(state, one_round([client], state, 1).updates, fed.config)

    model = client._model()
    model.take(state)
    model.train()
    rows = list(client.rows)
    Random(f"federated/0/1/{client.name}/0").shuffle(rows)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.5)
    places = {name: at for at, name in enumerate(fed.method.classes)}
    for start in range(0, len(rows), 3):
        batch = rows[start : start + 3]
        scores = model.fusion(client.senses.batch(batch)).scores  # (B, M, C)
        loss = torch.zeros(())
        for at, row in enumerate(batch):
            for m in range(2):
                loss = loss - scores[at, m].log_softmax(0)[places[str(row.target)]]
        optimizer.zero_grad()
        (loss / len(batch)).backward()
        optimizer.step()
    expected = model.state(BOTH)
    for name, value in found.items():
        assert_allclose(value, expected[name], rtol=1e-4, atol=1e-6, err_msg=name)


def test_statistics_of_batches_are_averaged_by_rows_whatever_the_uncertainty(
    folder: Path,
) -> None:
    fed = federation(folder, {"west": ("image",), "east": ("image",)}, method="ha-fed", kappa=1)
    state = fed.begin()
    updates = one_round(fed.clients, state, 1).updates
    found = next_state(state, updates, fed.config)
    name = "fusion.encoders.image.body.1.running_mean"
    expected = reference.averaged(
        [one.state[name].tolist() for one in updates], [one.rows["image"] for one in updates]
    )
    assert_allclose(found[name], expected, rtol=1e-5)
    assert len({one.state[name].tobytes() for one in updates}) == 2


def test_each_row_learns_from_the_modalities_it_has() -> None:
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(3, 2, 4))
    present, labels = [[1, 1], [0, 1], [1, 0]], [2, 0, 3]
    found = own_losses(torch.tensor(scores), torch.tensor(present).double(), torch.tensor(labels))
    expected = [reference.own_loss(scores[at].tolist(), present[at], labels[at]) for at in range(3)]
    assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("known", [(0, 1, 2), (0, 2), ()])
def test_terms_of_prototypes_are_those_of_loops(known: tuple[int, ...]) -> None:
    rng = np.random.default_rng(4)
    projected, means = rng.normal(size=(5, 2, 6)), rng.normal(size=(3, 6))
    present, labels = [[1, 1], [1, 0], [0, 1], [1, 1], [1, 1]], [0, 0, 1, 1, 2]
    config = FederatedConfig(method="mfcpl", prototype_regularization=0.3, prototype_contrast=0.7)
    rows = torch.tensor([4.0 if k in known else 0.0 for k in range(3)])
    found = prototype_losses(
        torch.tensor(projected),
        torch.tensor(present).double(),
        torch.tensor(labels),
        Prototypes(torch.tensor(means), rows),
        config,
        complete=True,
    )
    expected = [
        reference.prototype_loss(
            [projected[at, m].tolist() if present[at][m] else None for m in range(2)],
            labels[at],
            {k: means[k].tolist() for k in known},
            (0.3, 0.7, 0.1),
            0.5,
        )
        for at in range(5)
    ]
    assert_allclose(found, expected, rtol=1e-6)


def test_terms_of_prototypes_have_the_right_gradient() -> None:
    torch.manual_seed(0)
    projected = torch.randn(4, 2, 3, dtype=torch.float64, requires_grad=True)
    means = torch.randn(3, 3, dtype=torch.float64)
    present = torch.tensor([[1.0, 1], [1, 0], [0, 1], [1, 1]]).double()
    labels, rows = torch.tensor([0, 1, 2, 1]), torch.tensor([2.0, 1.0, 0.0])

    def terms(given: Tensor) -> Tensor:
        told = Prototypes(means, rows)
        return prototype_losses(
            given, present, labels, told, FederatedConfig(method="mfcpl"), complete=True
        )

    assert torch.autograd.gradcheck(terms, projected)
    terms(projected).sum().backward()
    assert projected.grad is not None
    assert float(projected.grad[1, 1].abs().sum()) == 0  # what a row lacks is taught nothing


def test_prototypes_are_of_complete_rows_alone_and_merge_by_rows() -> None:
    rng = np.random.default_rng(5)
    sent, listed = [], []
    for size in (6, 9):
        projected = rng.normal(size=(size, 2, 4))
        present = np.array([[1, at % 3 > 0] for at in range(size)])
        labels = rng.integers(0, 2, size)
        found = prototypes_of(
            torch.tensor(projected), torch.tensor(present).double(), torch.tensor(labels), 3
        )
        of = dict(zip(PROTOTYPES, (one.numpy() for one in found), strict=True))
        sent.append(Update(str(size), of, {}, {}))
        rows = [
            (
                int(labels[at]),
                [projected[at, m].tolist() if present[at][m] else None for m in range(2)],
            )
            for at in range(size)
        ]
        listed.append(reference.prototypes(rows))
    before = dict(zip(PROTOTYPES, (np.full((3, 4), 9.0), np.array([0.0, 0, 2])), strict=True))
    merged = next_state(before, sent, FederatedConfig(method="mfcpl"))
    expected = reference.merged(listed)
    for label, (mean, count) in expected.items():
        assert_allclose(merged["prototypes"][label], mean, rtol=1e-6)
        assert merged["prototype_rows"][label] == count
    assert sorted(expected) == [0, 1]
    assert_array_equal(merged["prototypes"][2], np.full(4, 9.0))  # nobody returned this class
    assert merged["prototype_rows"][2] == 2


def test_only_complete_clients_send_prototypes(folder: Path) -> None:
    fed = federation(folder, method="mfcpl")
    updates = one_round(fed.clients, fed.begin(), 1).updates
    assert {one.client: PROTOTYPES[0] in one.state for one in updates} == {
        "east": False,
        "north": False,
        "west": True,
    }


def test_prototypes_change_what_clients_of_one_modality_learn(folder: Path) -> None:
    fed = federation(folder, method="mfcpl")
    client, state = fed.clients[0], fed.begin()
    assert client.name == "east"
    after = next_state(state, one_round(fed.clients, state, 1).updates, fed.config)
    none = {**after, "prototype_rows": np.zeros_like(after["prototype_rows"])}
    name = "projections.image.weight"
    (one,), (other,) = (one_round([client], s, 2).updates for s in (after, none))
    assert_array_equal(other.state[name], after[name])  # nothing pulls without prototypes
    assert np.abs(one.state[name] - after[name]).max() > 1e-4


def test_uncertainty_is_the_temperature_by_the_curvature() -> None:
    curvature = torch.tensor([0.0, 3.0])
    weights = {name: torch.zeros(4000, requires_grad=True) for name in ("flat", "steep")}

    def loss() -> Tensor:
        each = torch.stack([weights["flat"], weights["steep"]])
        return 0.5 * (curvature[:, None] * each.square()).sum()

    def endless() -> object:
        while True:
            yield loss

    found = uncertainty(
        weights,
        endless(),  # type: ignore[arg-type]
        samples=400,
        temperature=1e-2,
        learning_rate=0.05,
        generator=torch.Generator().manual_seed(0),
    )
    assert found["flat"] == pytest.approx(1e-2, rel=0.08)
    assert found["steep"] == pytest.approx(1e-2 / 4, rel=0.15)
    assert all(not weight.detach().any() for weight in weights.values())  # as before


def test_moments_of_all_clients_are_those_of_all_rows(folder: Path) -> None:
    fed = federation(folder, {"west": BOTH, "east": BOTH})
    senses = fed.clients[0].senses
    raw = type(senses)(senses.config, BOTH, root=folder)
    rows = rows_of(folder, *BOTH)
    for name in BOTH:
        stacked = np.stack([raw.read(row)[name] for row in rows]).astype(np.float64)
        over = tuple(axis for axis in range(stacked.ndim) if axis != 1)
        mean, deviation = fed.method.senses.moments[name]
        assert_allclose(mean, stacked.mean(axis=over), rtol=1e-8)
        assert_allclose(deviation, stacked.std(axis=over), rtol=1e-6)


def test_a_client_is_one_of_flowers(folder: Path) -> None:
    from flwr.common import Code, FitIns, ndarrays_to_parameters, parameters_to_ndarrays

    fed = federation(folder)
    client, state = fed.clients[0], fed.begin()
    assert isinstance(client, NumPyClient)
    assert isinstance(client, FusionClient)
    sent = ndarrays_to_parameters([state[name] for name in client.sent])
    answered = client.to_client().fit(FitIns(sent, {"round": 1}))
    (direct,) = one_round([client], state, 1).updates
    assert answered.status.code == Code.OK
    assert (answered.num_examples, answered.metrics["rows_image"]) == (6, 6)
    for name, array in zip(
        client.returned, parameters_to_ndarrays(answered.parameters), strict=True
    ):
        assert_array_equal(array, direct.state[name])


def test_what_a_row_lacks_adds_nothing_to_its_logits(folder: Path) -> None:
    fed = federation(folder)
    rows = rows_of(folder, "audio")[:3]
    (output,) = fed.method.outputs(rows)
    at = fed.method.names.index("audio")
    assert_array_equal(output.logits, output.scores[:, at])
    assert float(output.scores[:, 1 - at].abs().sum()) == 0


def test_experts_leave_out_what_is_absent_themselves(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent='nothing' is of sums of scores"):
        made(folder, variant="experts", absent="nothing")


def test_predictions_are_by_the_sum_of_log_probabilities(folder: Path) -> None:
    fed = federation(folder)
    (output,) = fed.method.outputs(rows_of(folder, *BOTH)[:5])
    summed = output.scores.log_softmax(dim=2).sum(dim=1)
    assert_allclose(output.logits.log_softmax(1), summed.log_softmax(1), atol=1e-5)
