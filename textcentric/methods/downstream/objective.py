"""The objective: L = clean + weight x (mean or worst of K variants) + consistency x divergence.

The label is that of the clean row throughout. All texts of a batch, clean ones first, go through
the model together; `place` says where the variants of each row stand among them.
Legend: B rows, K variants, N texts (clean ones first), C classes, W outputs of a text.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from textcentric.methods.downstream.config import DownstreamConfig
from textcentric.methods.downstream.decision import Decision

LEAST_GAP = 1e-6  # between two cuts: their logarithm stays finite


def objective(
    config: DownstreamConfig, decision: Decision, outputs: Tensor, targets: Tensor, place: Tensor
) -> Tensor:
    """Return the loss of each row (B,).

    `outputs` (N, W), `targets` (B,) as `Decision.encode` gives them, `place` (B, K) the number of
    each variant's text, -1 for none. A row without variants counts its clean loss only.
    """
    rows = len(targets)
    known = place >= 0  # (B, K)
    at = place.clamp(min=0)
    owner = torch.arange(rows, device=place.device)
    whose = torch.zeros(len(outputs), dtype=torch.long, device=place.device)  # (N,)
    whose[:rows] = owner
    whose[place[known]] = owner[:, None].expand_as(place)[known]
    losses = row_losses(decision, outputs.float(), targets[whose])  # (N,)
    total = losses[:rows]
    if place.shape[1] == 0:
        return total
    total = total + config.variant_weight * AGGREGATES[config.objective](losses[at], known)
    if config.consistency:
        clean = outputs[:rows, None].expand(-1, place.shape[1], -1)  # (B, K, W)
        apart = divergence(decision, clean.float(), outputs[at].float())  # (B, K)
        total = total + config.consistency * mean_of(apart, known)
    return total


def row_losses(decision: Decision, outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the loss (N,) of outputs (N, W) for targets (N,), times the weight of its class."""
    if decision.kind == "regression":
        return (outputs[:, 0] - targets).square()
    if decision.kind == "rank":
        losses = (outputs[:, 0] - (targets - decision.mean) / decision.spread).square()
    else:
        classes = targets.long()[:, None]
        losses = -log_probabilities(decision, outputs).gather(1, classes)[:, 0]
    if not decision.weights:
        return losses
    return losses * torch.tensor(decision.weights, device=outputs.device)[targets.long()]


def log_probabilities(decision: Decision, outputs: Tensor) -> Tensor:
    """Return log P(class) (..., C) of outputs (..., W) of a classification or cumulative head."""
    if decision.kind == "classification":
        return functional.log_softmax(outputs, dim=-1)
    return cumulative_log_probabilities(outputs)


def cumulative_log_probabilities(logits: Tensor) -> Tensor:
    """Return log P(class) (..., C) of logits (..., C - 1) of P(class <= k), rising in k.

    The proportional-odds model (McCullagh 1980, J. R. Stat. Soc. B 42:109). A difference of two
    sigmoids is sigmoid(a) sigmoid(-b) (1 - e^(b - a)), which keeps its digits as a logarithm.
    """
    below, above = functional.logsigmoid(logits), functional.logsigmoid(-logits)
    apart = (logits[..., :-1] - logits[..., 1:]).clamp(max=-LEAST_GAP)
    gap = torch.log(-torch.expm1(apart))
    between = below[..., 1:] + above[..., :-1] + gap  # (..., C - 2)
    return torch.cat([below[..., :1], between, above[..., -1:]], dim=-1)


def divergence(decision: Decision, clean: Tensor, variant: Tensor) -> Tensor:
    """Return how far two predictions (..., W) are apart (...).

    For classes half the symmetric KL divergence (R-Drop, arXiv 2106.14448, equation 2), for
    one latent score or a number the squared difference.
    """
    if decision.kind in ("regression", "rank"):
        return (clean - variant)[..., 0].square()
    p, q = log_probabilities(decision, clean), log_probabilities(decision, variant)
    return 0.5 * ((p.exp() - q.exp()) * (p - q)).sum(dim=-1)


def mean_of(values: Tensor, known: Tensor) -> Tensor:
    """Return the mean (B,) of the known values (B, K), 0 where a row has none."""
    return (values * known).sum(dim=1) / known.sum(dim=1).clamp(min=1)


def worst_of(values: Tensor, known: Tensor) -> Tensor:
    """Return the highest (B,) of the known values (B, K), 0 where a row has none."""
    highest = values.masked_fill(~known, -torch.inf).amax(dim=1)
    return torch.where(known.any(dim=1), highest, torch.zeros_like(highest))


AGGREGATES = {"mean": mean_of, "worst": worst_of}
