"""Training a federation: rows of a table become clients, and what they share before round one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from textcentric.command_line import command, schema_flags
from textcentric.data.rows import RowsLike
from textcentric.errors import ConfigError, Say, option
from textcentric.methods.fusion import Crmt
from textcentric.methods.fusion.encoders import DEFAULTS
from textcentric.methods.fusion.federated.clients import Member, members, without_column
from textcentric.methods.fusion.federated.config import FederatedConfig, FederatedTraining
from textcentric.methods.fusion.federated.moments import moments, sums
from textcentric.methods.fusion.federated.rounds import Federation, run
from textcentric.methods.fusion.federated.server import check_heads
from textcentric.methods.fusion.inputs import Senses, make_senses
from textcentric.methods.fusion.training import training_rows
from textcentric.rows import Record
from textcentric.runs.counters import Steps
from textcentric.training.folder import TrainResult
from textcentric.training.plan import Planned, Prepared, device, figures_as_text, holds
from textcentric.training.processes import processes
from textcentric.values import Json

RUNTIME = {"resume", "eval_batch_size"}  # what shapes no weight


@dataclass(frozen=True, kw_only=True)
class PreparedFederation(Prepared):
    """A federation that could begin."""

    federation: Federation

    def run(self, *, quiet: bool = False, steps: Steps | None = None) -> TrainResult:
        """Run all rounds; `steps` is told how far it is."""
        return run(self.federation, self.loop.output_dir, quiet=quiet, steps=steps)


def prepared(
    training: FederatedTraining, say: Say, *, rows: RowsLike | None = None, writes: bool = True
) -> PreparedFederation:
    """Return a federation of which everything is checked; `rows` stand in for the data set named.

    Raises ConfigError where several processes were launched.
    """
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    if processes() > 1:
        raise ConfigError(
            f"{processes()} processes were launched, and the clients of a federation take turns in"
            " one; start it without a launcher"
        )
    split, config, loop = training_rows(training, say, rows), training.method(), training.loop()
    if not split.held_out:
        say(f"no usable row of {split.name} is in the split validation: rounds are not evaluated")
    found = members(split.train, config, split.group)
    held_out = without_column(split.held_out, str(config.client_column))
    federation = federated(config, found, held_out, device(loop))
    federation.method.balance = split.balance
    return PreparedFederation(
        split.name,
        federation.method,
        loop,
        split.train,
        held_out,
        about=f"{config.method} of {len(found)} clients, {config.rounds} rounds",
        counts=(len(split.train), len(held_out)),
        balance=split.balance,
        federation=federation,
    )


def federated(
    config: FederatedConfig,
    found: Sequence[Member],
    held_out: Sequence[Record] = (),
    device: str = "cpu",
    root: str | Path | None = None,
) -> Federation:
    """Return the federation of clients, which have shared their moments; nothing is trained.

    Raises ConfigError where `mfcpl` has no client with all modalities, or heads cannot be shared.
    """
    from textcentric.methods.fusion.federated.client import FusionClient

    names = tuple(n for n in DEFAULTS if any(n in member.modalities for member in found))
    model = config.model().model_copy(update={"modalities": names})
    if config.method == "mfcpl" and all(member.modalities != names for member in found):
        raise ConfigError(
            f"{option('method', 'mfcpl')} makes prototypes of clients with all modalities"
            f" ({', '.join(names)}), and none has them; expected one"
            f" ({option('client_modalities')}), or {option('method', 'fedavg')}"
        )
    raw = make_senses(model, names, root)
    sent = [sums(_own(raw, member), member.rows) for member in found]
    rows = [row for member in found for row in member.rows]
    method = Crmt(model, rows, root, moments=moments(sent))
    method.model.to(device)
    check_heads({name: method.fusion.encoder(name).width for name in names}, config)
    clients = [
        FusionClient(
            member,
            config,
            _own(method.senses, member),
            method.classes,
            complete=member.modalities == names,
            device=device,
        )
        for member in found
    ]
    return Federation(config, method, clients, held_out, _identity(method, config, found, held_out))


def _own(senses: Senses, member: Member) -> Senses:
    """Return what reads the rows of one client, by the moments and columns of all."""
    return Senses(
        senses.config,
        member.modalities,
        root=senses.root,
        tokenizer=senses.tokenizer,
        eyes=senses.eyes,
        moments=senses.moments,
        table=senses.table,
    )


def _identity(
    method: Crmt, config: FederatedConfig, found: Sequence[Member], held_out: Sequence[Record]
) -> dict[str, Json]:
    """Return what must agree between a checkpoint and the federation that goes on from it."""
    ids = repr([row.id for row in held_out]).encode()
    return {
        "method": "federated",
        "fingerprint": method.fingerprint(),
        "train": config.model_dump(mode="json", exclude=RUNTIME),
        "clients": {
            member.name: {"modalities": list(member.modalities), "rows": len(member.rows)}
            for member in found
        },
        "held_out": hashlib.sha256(ids).hexdigest()[:16],
    }


def planned(ready: Prepared) -> dict[str, Json]:
    """Return the figures of a federation that has not begun."""
    assert isinstance(ready, PreparedFederation)
    federation, config = ready.federation, ready.federation.config
    method = federation.method
    return {
        "rows": ready.name,
        "train_rows": len(ready.train),
        "held_out_rows": len(ready.held_out),
        "classes": list(method.classes),
        "modalities": list(method.names),
        "widths": {name: method.fusion.encoder(name).width for name in method.names},
        "clients": {
            client.name: f"{len(client.rows):,} rows, {', '.join(client.modalities)}"
            for client in federation.clients
        },
        "method": config.method,
        "parameters": sum(one.numel() for one in method.fusion.parameters()),
        "rounds": config.rounds,
        "local_epochs": config.local_epochs,
        "device": device(ready.loop),
        "output_dir": str(ready.loop.output_dir),
        "output_dir_holds": holds(ready.loop),
    }


def plan_as_text(plan: Planned) -> str:
    """Return the figures as people read them, a client a line."""
    lines = [f"{'client':<18}{name}: {what}" for name, what in plan["clients"].items()]
    figures = {name: value for name, value in plan.items() if name != "clients"}
    return "\n".join([figures_as_text(figures), *lines])


def then_do(result: TrainResult, training: FederatedTraining) -> str:
    """Return the command that comes after the training."""
    rows = {"dataset": training.dataset, "data_dir": training.data_dir}
    schema = schema_flags(training.table_schema)
    return command("evaluate", "fusion", result.output_dir, **rows, **schema)


def load(folder: Path, files: str | Path | None = None, *, trust_remote_code: bool = False) -> Crmt:
    """Return the trained fusion model; the files of its rows lie in `files`."""
    return Crmt.load(folder, files)
