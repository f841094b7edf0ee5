"""What is trained: a fusion model under an objective, over clean, adversarial or mixed inputs.

One call of it returns the losses of a batch, so that processes share all gradients.
Legend: B rows, M modalities, C classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

import torch
from torch import Tensor, nn

from textcentric.methods.fusion.config import CrmtConfig
from textcentric.methods.fusion.crmt.objective import (
    classification_loss,
    hinge_loss,
    margin_loss,
    mixed,
)
from textcentric.methods.fusion.model import FusionModel, Output

Box = tuple[Tensor, Tensor]  # the lowest and highest value of inputs


class Objective(nn.Module):
    """Cross-entropy, plus rho times the margin loss where the variant has it."""

    def __init__(self, config: CrmtConfig):
        super().__init__()
        self.rho = config.rho if config.method.margin else 0.0
        self.hinge, self.eps = config.margin == "hinge", config.margin_eps

    def forward(self, output: Output, labels: Tensor) -> Tensor:
        """Return the loss of each row (B,)."""
        losses = classification_loss(output.logits, labels)
        if not self.rho:
            return losses
        if self.hinge:
            return losses + self.rho * hinge_loss(output.scores, labels)
        return losses + self.rho * margin_loss(output.scores, labels, self.eps)


class Learner(nn.Module):
    """A fusion model and its objective; `boxes` bound the inputs of a modality."""

    def __init__(
        self,
        fusion: FusionModel,
        objective: nn.Module,
        config: CrmtConfig,
        boxes: Mapping[str, Box],
    ):
        super().__init__()
        self.fusion, self.objective = fusion, objective
        self.kind = config.method.inputs
        self.still = config.method.trains != "all"  # encoders keep their statistics
        if config.method.trains == "nothing":
            fusion.requires_grad_(False)
        elif config.method.trains == "heads":
            fusion.encoders.requires_grad_(False)
        self.radius, self.steps = config.attack_radius, config.attack_steps
        self.whole = config.attack_loss == "objective"
        self.boxes = {name: tuple(side for side in box) for name, box in boxes.items()}

    def train(self, mode: bool = True) -> Learner:
        """Set training or evaluation; encoders whose own weights are frozen stay in the latter."""
        super().train(mode)
        if self.still:
            self.fusion.encoders.eval()
        return self

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the loss of each row (B,); in evaluation, of the clean inputs."""
        labels = batch["labels"]
        opened = self.fusion.opened(batch)
        if not self.training or self.kind == "clean":
            return self._losses(self._read(opened), labels)
        if self.kind == "adversarial":
            return self._losses(self._read(self._attacked(opened, labels)), labels)
        return self._of_mixed(opened, labels, batch["share"])

    def _read(self, opened: Mapping[str, Tensor]) -> Output:
        """Return what the model says; of one row, with the statistics of those before it.

        A batch of one row has none of its own, where a picture ends as a single value a channel.
        """
        lone = len(opened["present"]) == 1
        if lone:
            self.fusion.encoders.eval()
        output = self.fusion.read(opened)
        self.train(self.training)
        return output

    def _losses(self, output: Output, labels: Tensor) -> Tensor:
        losses: Tensor = self.objective(output, labels)
        return losses

    def _of_mixed(self, opened: Mapping[str, Tensor], labels: Tensor, share: Tensor) -> Tensor:
        """Mix the first half of a batch with its second, one share for all modalities of a row."""
        half = len(share)
        blended = {
            name: _blend(opened[name][:half], opened[name][half:], share)
            for name in self.fusion.names
        }
        masks = {
            name: torch.maximum(value[:half], value[half:])
            for name, value in opened.items()
            if name.endswith("_mask")
        }
        present = torch.maximum(opened["present"][:half], opened["present"][half:])
        output = self._read(blended | masks | {"present": present})
        return mixed(
            self._losses(output, labels[:half]), self._losses(output, labels[half:]), share
        )

    def _attacked(self, opened: dict[str, Tensor], labels: Tensor) -> dict[str, Tensor]:
        """Return the batch after l2 gradient ascent in the joint ball (arXiv 1706.06083).

        It climbs cross-entropy alone, as the released trainer of CRMT does, or the whole objective.
        Gradients are of the sum over rows, so that one does not weaken another's; each row's joint
        gradient over the modalities that it has is of length 1. Statistics of batches stay out.
        """
        names = self.fusion.names
        there = {name: opened["present"][:, at] for at, name in enumerate(names)}  # (B,) each
        start = {name: opened[name].detach() for name in names}
        deltas = {name: torch.zeros_like(value) for name, value in start.items()}
        self.fusion.eval()
        for _ in range(self.steps):
            moved = {n: (start[n] + deltas[n]).requires_grad_() for n in names}
            climbed = self._climbed(self.fusion.read({**opened, **moved}), labels)
            found = torch.autograd.grad(climbed.sum(), [moved[n] for n in names])
            ways = {n: _each(one, there[n]) for n, one in zip(names, found, strict=True)}
            steps = self.radius / self.steps / _joint_length(list(ways.values())).clamp(min=1e-12)
            deltas = {n: deltas[n] + _each(ways[n], steps) for n in names}
            deltas = {n: _each(self._clamped(n, start[n], deltas[n]), there[n]) for n in names}
        self.train(self.training)
        return {**opened, **{name: opened[name] + deltas[name] for name in names}}

    def _climbed(self, output: Output, labels: Tensor) -> Tensor:
        if self.whole:
            return self._losses(output, labels)
        return classification_loss(output.logits, labels)

    def _clamped(self, name: str, start: Tensor, delta: Tensor) -> Tensor:
        if name not in self.boxes:
            return delta
        low, high = (side.to(start) for side in self.boxes[name])
        return (start + delta).clamp(low, high) - start


def _each(values: Tensor, factors: Tensor) -> Tensor:
    """Return values (B, ...) times a factor of each row (B,)."""
    return values * factors.view(-1, *[1] * (values.ndim - 1)).to(values.dtype)


def _blend(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    return _each(first, share) + _each(second, 1 - share)


def _joint_length(gradients: Sequence[Tensor]) -> Tensor:
    """Return the l2 length (B,) over all modalities of each row."""
    return reduce(torch.add, (each.flatten(1).square().sum(dim=1) for each in gradients)).sqrt()
