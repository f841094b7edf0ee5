"""The rounds of a federation in one process: clients train, the server averages, all is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from textcentric.errors import DataError, RunError, option
from textcentric.folders import writing
from textcentric.methods.fusion import Crmt
from textcentric.methods.fusion.federated.checkpoint import Checkpoints, Standing
from textcentric.methods.fusion.federated.config import FederatedConfig
from textcentric.methods.fusion.federated.model import (
    PROTOTYPES,
    UNCERTAINTY,
    ClientModel,
    State,
)
from textcentric.methods.fusion.federated.objective import no_prototypes
from textcentric.methods.fusion.federated.server import Update, next_state
from textcentric.models.loading import seeded
from textcentric.rows import Record
from textcentric.runs.counters import Steps
from textcentric.runs.lock import lock
from textcentric.training.folder import TrainResult, refuse_other_model, write_metadata, write_model
from textcentric.training.held_out import in_words
from textcentric.training.log import TrainLog
from textcentric.training.processes import Interrupts
from textcentric.values import Json

if TYPE_CHECKING:
    from textcentric.methods.fusion.federated.client import FusionClient

FUSION = "fusion."


@dataclass(frozen=True)
class Federation:
    """Clients, the model that comes of them, and the rows by which it is followed."""

    config: FederatedConfig
    method: Crmt
    clients: Sequence[FusionClient]
    held_out: Sequence[Record]
    identity: Mapping[str, Json]

    def begin(self) -> State:
        """Return the first state: the weights of one model of all modalities, by the seed."""
        senses, classes = self.method.senses, len(self.method.classes)
        with seeded(self.config.seed):
            state = ClientModel(self.config, senses, classes).state(senses.names)
        if self.config.method == "mfcpl":
            none = no_prototypes(classes, self.config.prototype_width)
            state |= {name: one.numpy() for name, one in zip(PROTOTYPES, none, strict=True)}
        return state

    @torch.no_grad()
    def put(self, state: State) -> None:
        """Put the state into the model that is kept; it has no bias, as no client has."""
        fusion = self.method.fusion
        own = {
            name.removeprefix(FUSION): torch.from_numpy(value)
            for name, value in state.items()
            if name.startswith(FUSION)
        }
        fusion.load_state_dict(own, strict=False)
        fusion.bias.zero_()

    def figures(self) -> dict[str, float]:
        """Return the figures of held-out rows, none where there are none."""
        if not self.held_out:
            return {}
        self.method.model.eval()
        return self.method.evaluate(self.held_out, self.config.eval_batch_size)


@dataclass(frozen=True)
class Round:
    """What clients returned in a round, their mean loss, and who was lost, with the reason."""

    updates: list[Update]
    loss: float
    lost: dict[str, str]


def run(
    federation: Federation,
    output_dir: Path,
    *,
    quiet: bool = False,
    steps: Steps | None = None,
) -> TrainResult:
    """Run all rounds, or those after the last checkpoint, and write model, history and card.

    A round that is cut short, by Ctrl-C or a kill, is made again. Raises RunError where no client
    lived through a round, or the folder belongs to another federation.
    """
    with (
        lock(output_dir),
        Interrupts() as interrupts,
        TrainLog(output_dir, quiet=quiet, steps=steps) as log,
    ):
        refuse_other_model(output_dir, federation.identity)
        standing = _rounds(federation, output_dir, interrupts, log)
        federation.put(standing.state)
        return _written(federation, output_dir, standing, log)


def _rounds(
    federation: Federation, output_dir: Path, interrupts: Interrupts, log: TrainLog
) -> Standing:
    config = federation.config
    checkpoints = Checkpoints(output_dir, federation.identity)
    found = checkpoints.newest(config.resume)
    standing = found or Standing(0, federation.begin(), 0.0)
    log.begin(standing.rounds, config.rounds)
    if found:
        log.say(f"going on after round {found.rounds} of {config.rounds}, in {checkpoints.folder}")
    began = time.monotonic() - standing.seconds

    def check() -> None:
        if interrupts.asked:
            log.say(f"interrupted; the same command goes on after round {standing.rounds}")
            raise KeyboardInterrupt

    while standing.rounds < config.rounds:
        number = standing.rounds + 1
        told = one_round(federation.clients, standing.state, number, check)
        for name, why in told.lost.items():
            log.say(f"round {number}: client {name} was lost and left out ({why})")
        state = next_state(standing.state, told.updates, config)
        federation.put(state)
        _note(log, number, told, _finite(federation.figures(), number))
        standing = Standing(number, state, time.monotonic() - began)
        checkpoints.save(standing)
    return standing


def _finite(figures: Mapping[str, float], number: int) -> Mapping[str, float]:
    """Return the figures of a round; raises DataError where they are not finite."""
    wrong = [name for name, value in figures.items() if not np.isfinite(value)]
    if wrong:
        raise DataError(
            f"round {number}: {wrong[0]} is {figures[wrong[0]]}, so what was averaged is of no"
            f" use; lower {option('learning_rate')}"
        )
    return figures


def one_round(
    clients: Sequence[FusionClient],
    state: State,
    number: int,
    check: Callable[[], None] = lambda: None,
) -> Round:
    """Have every client train on the state, one after another; one that raises is left out.

    `check` is called before each of them. Raises RunError where none is left.
    """
    updates: list[Update] = []
    lost: dict[str, str] = {}
    losses: list[tuple[float, int]] = []
    for client in clients:
        check()
        try:
            returned, rows, told = client.fit(
                [state[name].copy() for name in client.sent], {"round": number}
            )
        except Exception as error:  # whatever ends a client ends no federation
            lost[client.name] = f"{type(error).__name__}: {error}"
            continue
        if wrong := [
            name
            for name, one in zip(client.returned, returned, strict=True)
            if not np.isfinite(one).all()
        ]:
            lost[client.name] = f"it returned values of {wrong[0]} that are not finite"
            continue
        losses.append((float(told["loss"]), rows))
        updates.append(_update(client, returned, told))
    if not updates:
        name, why = next(iter(lost.items()))
        raise RunError(
            f"round {number}: no client lived through it; the first, {name}, said: {why}"
        )
    total = sum(rows for _, rows in losses)
    return Round(updates, sum(loss * rows for loss, rows in losses) / total, lost)


def _update(
    client: FusionClient, returned: Sequence[np.ndarray], told: Mapping[str, object]
) -> Update:
    arrays = dict(zip(client.returned, returned, strict=True))
    measured = arrays.pop(UNCERTAINTY, np.zeros(0)).tolist()
    rows = {name: int(str(told[f"rows_{name}"])) for name in client.modalities}
    return Update(client.name, arrays, rows, dict(zip(client.measured, measured, strict=True)))


def _note(log: TrainLog, number: int, told: Round, figures: Mapping[str, float]) -> None:
    """Write the line of a round: clients that took part, those lost, and held-out figures."""
    rows = sum(max(one.rows.values()) for one in told.updates)
    log.show(number, number, told.loss, rows)
    log.note(
        number,
        loss=told.loss,
        clients=len(told.updates),
        lost=len(told.lost),
        **{f"eval_{name}": value for name, value in figures.items()},
    )
    if figures:
        log.say(f"round {number}: {in_words(figures)}")


def _written(
    federation: Federation, output_dir: Path, standing: Standing, log: TrainLog
) -> TrainResult:
    """Write the folder of the model; constants tau are the largest of any client's rows."""
    method = federation.method
    rows = [row for client in federation.clients for row in client.rows]
    history = log.lines()
    figures = federation.figures()
    figures |= method.finish(rows, federation.held_out, federation.config.eval_batch_size)
    _finite(figures, standing.rounds)
    figures["clients_lost"] = float(sum(line.get("lost", 0) for line in history))
    result = TrainResult(
        output_dir=output_dir,
        step=standing.rounds,
        metrics=figures,
        best_step=None,
        stopped="",
        train_seconds=standing.seconds,
        history=history,
        metric="accuracy",
    )
    with writing(output_dir):
        write_model(method, output_dir)
        write_metadata("federated", federation.identity, result)
    return result
