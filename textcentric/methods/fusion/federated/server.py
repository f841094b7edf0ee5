"""The server: what clients return becomes what they are sent next.

Encoders and heads are averaged by modality, over the clients that have it. HA-Fedformer, after its
abstract, weighs a client's tensor by n (1 / uncertainty)^kappa and lets heads of all modalities
share; MFCPL, after its abstract, averages the prototypes of complete clients by rows and class.
Statistics of batch normalisation are always weighted by rows. Legend: C classes, Q width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from textcentric.errors import ConfigError
from textcentric.methods.fusion.federated.config import FederatedConfig
from textcentric.methods.fusion.federated.model import PROTOTYPES, State

TINY = 1e-30  # uncertainty of weights that do not move at all


class Update(NamedTuple):
    """What a client returned: arrays by name, rows by modality, uncertainty by name."""

    client: str
    state: State
    rows: Mapping[str, int]
    uncertainty: Mapping[str, float]


def next_state(state: State, updates: Sequence[Update], config: FederatedConfig) -> State:
    """Return the state after a round; what no client returned stays as it is.

    The order of `updates` changes nothing: they are taken by the names of clients.
    """
    updates = sorted(updates, key=lambda one: one.client)
    names = [name for name in state if name not in PROTOTYPES]
    found = {name: _averaged(name, state[name], updates, config.kappa) for name in names}
    if config.method == "ha-fed" and config.rho:
        found |= shared_heads(found, config.rho)
    if PROTOTYPES[0] in state:
        found |= _prototypes(state, updates)
    return found


def _averaged(name: str, before: np.ndarray, updates: Sequence[Update], kappa: float) -> np.ndarray:
    """Return the mean of a tensor over the clients that have it, by Flower."""
    from textcentric.methods.fusion.federated.flower import aggregate

    having = [one for one in updates if name in one.state and one.rows[modality_of(name)]]
    if not having:
        return before
    counts = [one.rows[modality_of(name)] for one in having]
    weights: Sequence[float] = counts
    if kappa and all(name in one.uncertainty for one in having):
        weights = weighted(counts, [one.uncertainty[name] for one in having], kappa)
    results = [([one.state[name]], weight) for one, weight in zip(having, weights, strict=True)]
    (mean,) = aggregate(results)  # type: ignore[arg-type, unused-ignore]
    return np.asarray(mean, before.dtype)


def weighted(counts: Sequence[int], uncertainty: Sequence[float], kappa: float) -> list[float]:
    """Return n (u_least / u)^kappa of each client: in proportion to n (1 / u)^kappa.

    Equal uncertainties give the counts themselves, to the bit.

    >>> weighted([2, 1], [0.5, 0.25], 1.0)
    [1.0, 1.0]
    """
    known = [max(one, TINY) for one in uncertainty]
    least = min(known)
    return [n * (least / u) ** kappa for n, u in zip(counts, known, strict=True)]


def shared_heads(state: State, rho: float) -> State:
    """Return heads psi_m <- (1 - rho) psi_m + rho mean over modalities, of equal widths (C, D)."""
    heads = {name: value for name, value in state.items() if name.startswith("fusion.rows.")}
    mean = sum(heads.values()) / len(heads)
    return {
        name: np.asarray((1 - rho) * value + rho * mean, value.dtype)
        for name, value in heads.items()
    }


def check_heads(widths: Mapping[str, int], config: FederatedConfig) -> None:
    """Raise ConfigError where heads shall share and differ in width."""
    if config.method == "ha-fed" and config.rho and len(set(widths.values())) > 1:
        raise ConfigError(
            f"rho={config.rho:g} averages heads across modalities, and their widths are"
            f" {dict(widths)}; give encoders of one width, or rho=0"
        )


def _prototypes(state: State, updates: Sequence[Update]) -> State:
    """Return P_k = sum_c n_ck P_ck / sum_c n_ck; a class that nobody returned keeps its own."""
    means, rows = (state[name] for name in PROTOTYPES)
    sent = [
        [one.state[name] for name in PROTOTYPES] for one in updates if PROTOTYPES[0] in one.state
    ]
    total = sum((own_rows for _, own_rows in sent), np.zeros_like(rows))
    sums = sum((own * own_rows[:, None] for own, own_rows in sent), np.zeros_like(means))
    seen = total > 0
    kept = np.where(seen[:, None], sums / np.maximum(total, 1)[:, None], means)
    return dict(zip(PROTOTYPES, (kept, np.where(seen, total, rows)), strict=True))


def modality_of(name: str) -> str:
    """Return the modality that an array belongs to.

    >>> modality_of("fusion.encoders.image.body.0.weight"), modality_of("projections.text.weight")
    ('image', 'text')
    """
    parts = name.split(".")
    return parts[1] if parts[0] == "projections" else parts[2]
