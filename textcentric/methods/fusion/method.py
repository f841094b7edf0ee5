"""Fusion models as a method of the training loop: CRMT, its variants and its rivals.

>>> rows = list(load("digits.csv", data_dir="digits", split="train"))           # doctest: +SKIP
>>> method = Crmt(CrmtConfig(variant="crmt-jt"), rows, root="digits")           # doctest: +SKIP
>>> train(method, TrainConfig(output_dir="models/digits"), rows)                # doctest: +SKIP
>>> Crmt.load("models/digits", root="digits").logits(rows[:2]).shape            # doctest: +SKIP
torch.Size([2, 10])

Legend: B, N rows, M modalities, C classes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random

import torch
from torch import Tensor, nn

from textcentric.errors import ConfigError, RunError, check_known
from textcentric.folders import write_text
from textcentric.methods.fusion.adapters import add_adapters
from textcentric.methods.fusion.config import UNLABELLED, CrmtConfig
from textcentric.methods.fusion.crmt.objective import classification_loss
from textcentric.methods.fusion.crmt.radius import (
    LINEAR_ALONE,
    Head,
    lipschitz,
    radius,
    released_lipschitz,
)
from textcentric.methods.fusion.crmt.step_two import Cached
from textcentric.methods.fusion.encoders import DEFAULTS, check_encoders
from textcentric.methods.fusion.fit import check_complete, check_fit
from textcentric.methods.fusion.heads import begin_state, make_fusion
from textcentric.methods.fusion.inputs import TEXT, Moments, left_out, make_senses, modalities
from textcentric.methods.fusion.labels import check_labelled, classes_of, place_of
from textcentric.methods.fusion.last_steps import LAST_STEPS
from textcentric.methods.fusion.learner import Learner, Objective
from textcentric.methods.fusion.model import FusionModel, Output
from textcentric.methods.fusion.ridge import Ridge, RidgeFusion
from textcentric.methods.fusion.rivals import RIVALS
from textcentric.methods.fusion.rivals.balancing import Balancing
from textcentric.methods.fusion.rivals.gradient_blending import GradientBlending, counted
from textcentric.methods.fusion.starts import begin_from, check_starts, read_as
from textcentric.methods.fusion.tables import TableNumbers
from textcentric.methods.fusion.tasks import check_more
from textcentric.models.loading import seeded
from textcentric.models.received import check_model, refuse_names
from textcentric.rows import Balance, Record
from textcentric.security.foreign import foreign
from textcentric.security.trust import writing_ours
from textcentric.training.folder import find_model_folder, read_metadata
from textcentric.values import Json

PAPERS, WEIGHTS, FORMAT = "crmt.json", "model.safetensors", 1
NEEDS = ("config", "classes", "modalities", "moments", "table", "data")  # keys of that file


class Crmt:
    """A fusion model, its objective, and how rows become its inputs.

    `rows` are those of training, by which modalities, classes and normalisation are found. Their
    files were found inside the data folder; with `root` they must also lie in that one. `moments`
    are the normalisation of a modality, where it is known already. Raises
    DataError for rows that nothing can be learnt from, ConfigError for what does not fit together.
    """

    name = "crmt"
    notes: tuple[str, ...] = ()
    balance: Balance | None = None  # of the rows that were trained on, where it is known

    def __init__(
        self,
        config: CrmtConfig,
        rows: Sequence[Record],
        root: str | Path | None = None,
        moments: Moments | None = None,
    ):
        check_encoders(config)
        self.config = config
        starts = _starts(config, root)
        self.classes = classes_of(rows, unlabelled=config.method.unlabelled)
        names = modalities(config, rows)
        self.senses = make_senses(config, names, root, moments=moments)
        self.senses.fit(rows)
        if config.method.fusion == "ridge":
            read_as(starts, self.senses)
        self.tau: Tensor | None = None  # (M, C), once measured
        self._rows = list(rows)
        self._data = _digest(rows, names)
        with seeded(config.seed):
            fusion = make_fusion(config, self.senses, len(self.classes))
            check_fit(config, {name: fusion.encoder(name).width for name in names})
            check_complete(config, names, rows)
            begin_from(fusion, starts, config, self.classes, self.senses)
            if config.method.trains == "adapters":
                add_adapters(fusion.encoders, config.lora_r)
            rival = config.method.rival
            objective = RIVALS[rival](fusion, config) if rival else Objective(config)
        self.ridge = begin_state(config, len(self.classes))
        boxes = {name: box for name in names if (box := self.senses.box(name)) is not None}
        self.model = Learner(fusion, objective, config, boxes)

    @property
    def fusion(self) -> FusionModel:
        """Return the model that is kept."""
        return self.model.fusion

    @property
    def names(self) -> tuple[str, ...]:
        """Return the modalities, in the order of scores."""
        return self.fusion.names

    def collate(self, rows: Sequence[Record], epoch: int) -> dict[str, Tensor]:
        """Return the inputs of rows and their labels; where inputs are mixed, of partners too.

        Each row has a partner and a share ~ Beta(1, 1) of its own, by seed, epoch and id (the paper
        draws one share a batch and partners inside it).
        """
        if isinstance(self.model.objective, Balancing):
            self.model.objective.epoch = epoch
        if not self.model.training:
            return self._batch(rows)
        if self.config.method.inputs != "mixed":
            return self._batch(rows, epoch)
        partners, shares = [], []
        for row in rows:
            rng = Random(f"mix/{self.config.seed}/{epoch}/{row.id}")
            partners.append(rng.choice(self._rows))
            shares.append(rng.random())  # Beta(1, 1)
        return {**self._batch([*rows, *partners], epoch), "share": torch.tensor(shares)}

    def loss(self, model: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the loss of each row (B,)."""
        told: Tensor = model(batch)
        return told

    def lengths(self, rows: Sequence[Record]) -> list[int]:
        """Return 1 for each row, or the tokens of its text where that is read."""
        if TEXT not in self.senses.names:
            return [1] * len(rows)
        return [len(self.senses.read(row).get(TEXT, "")) for row in rows]

    def evaluate(self, rows: Sequence[Record], batch_size: int) -> dict[str, float]:
        """Return loss, accuracy, that of each modality where it is there, and the mean margin.

        Raises DataError for a row without a class.
        """
        check_labelled(rows)
        outputs = list(self.outputs(rows, batch_size))
        logits, scores, present = (
            torch.cat([getattr(one, k) for one in outputs]) for k in ("logits", "scores", "present")
        )
        labels = self.labels(rows)
        if isinstance(self.model.objective, GradientBlending):
            self._blend(rows, batch_size)
        rivals = logits.scatter(1, labels[:, None], -torch.inf).amax(dim=1)
        alone = {
            f"accuracy_{name}": _share_right(scores[has, at], labels[has])
            for at, name in enumerate(self.names)
            if len(has := present[:, at].nonzero()[:, 0])
        }
        return {
            "loss": float(classification_loss(logits, labels).mean()),
            "accuracy": _share_right(logits, labels),
            "margin": float((logits.gather(1, labels[:, None])[:, 0] - rivals).mean()),
            **alone,
        }

    def finish(
        self, rows: Sequence[Record], held_out: Sequence[Record], batch_size: int
    ) -> dict[str, float]:
        """Take the last step of the variant, where it has one; return what it changed.

        The constants tau are measured of every linear model: the bound needs them.
        """
        told: dict[str, float] = {}
        if self.fusion.linear:
            self.tau = self._lipschitz(rows, batch_size)
            told["tau_mean"] = float(self.tau.mean())
        last = self.config.method.last
        return told | (LAST_STEPS[last](self, rows, held_out, batch_size) if last else {})

    def outputs(self, rows: Sequence[Record], batch_size: int = 64) -> Iterator[Output]:
        """Yield what the model says of batches of rows, on the CPU, in evaluation mode."""
        for opened in self.opened(rows, batch_size):
            with torch.no_grad():
                output = self.fusion.read(opened)
            features = {name: one.cpu() for name, one in output.features.items()}
            present = output.present.cpu()
            yield Output(output.logits.cpu(), output.scores.cpu(), features, present)

    def logits(self, rows: Sequence[Record], batch_size: int = 64) -> Tensor:
        """Return the logits (N, C) of rows."""
        return torch.cat([one.logits for one in self.outputs(rows, batch_size)])

    def cached(self, rows: Sequence[Record], batch_size: int = 64) -> Cached:
        """Return the scores (N, M, C) and labels (N,) of rows."""
        scores = torch.cat([one.scores for one in self.outputs(rows, batch_size)])
        return Cached(scores, self.labels(rows))

    def opened(self, rows: Sequence[Record], batch_size: int = 64) -> Iterator[dict[str, Tensor]]:
        """Yield batches whose modalities are what an attack may change, where the model is."""
        device = next(self.model.parameters()).device
        training = self.model.training
        self.model.eval()
        try:
            for start in range(0, len(rows), batch_size):
                batch = self._batch(rows[start : start + batch_size])
                with torch.no_grad():
                    yield self.fusion.opened({k: v.to(device) for k, v in batch.items()})
        finally:
            self.model.train(training)

    def labels(self, rows: Sequence[Record]) -> Tensor:
        """Return the places (N,) of the rows' classes; raises DataError for an unknown one.

        A row without a class has `UNLABELLED` in its place.
        """
        places = {name: at for at, name in enumerate(self.classes)}
        return torch.tensor(
            [UNLABELLED if row.target is None else place_of(row, places) for row in rows]
        )

    def head(self) -> Head:
        """Return weights and bias as they are, on the CPU."""
        return Head(*(one.detach().cpu() for one in self.fusion.head))

    def radius(
        self, rows: Sequence[Record], batch_size: int = 64, modality: int | None = None
    ) -> Tensor:
        """Return the heuristic certified radius r (N,) of rows, the minimum over other classes.

        Raises ConfigError for a model that has none: it was not finished, or is not linear.
        """
        if not self.fusion.linear:
            raise ConfigError(
                f"{LINEAR_ALONE}, and those of variant {self.config.variant!r} are not; take one"
                " that is, such as jt"
            )
        if self.tau is None:
            raise ConfigError("tau has not been measured; finish the training first")
        known = self.cached(rows, batch_size)
        return radius(known.scores, self.head(), self.tau, known.labels, modality=modality)

    def save(self, folder: str | Path) -> None:
        """Write the fusion model's weights, tau, and `crmt.json`."""
        from safetensors.torch import save_file

        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with writing_ours(folder):
            weights = {name: one.contiguous() for name, one in self.fusion.state_dict().items()}
            if self.tau is not None:
                weights["tau"] = self.tau.cpu().contiguous()
            if self.ridge is not None:
                weights |= self.ridge.tensors()
            save_file(weights, folder / WEIGHTS)
            if self.senses.tokenizer is not None:
                self.senses.tokenizer.save_pretrained(folder)
            metadata = {
                "format": FORMAT,
                "config": self.config.model_dump(mode="json"),
                "classes": self.classes,
                "modalities": list(self.names),
                "moments": self.senses.moments,
                "table": self.senses.table.plain(),
                "data": self._data,
                "balance": self.balance,
            }
            write_text(folder / PAPERS, json.dumps(metadata, indent=2, ensure_ascii=False) + "\n")

    @classmethod
    def load(cls, folder: str | Path, root: str | Path | None = None) -> Crmt:
        """Return what `save` wrote, ready to predict; raises RunError where it cannot be used.

        Raises TrustError where it names a text encoder and nobody here said so.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        folder = Path(folder)
        check_model(folder)
        metadata = read_metadata(folder, PAPERS, FORMAT, "fusion model", "train crmt", NEEDS)
        method = cls.__new__(cls)
        with foreign(str(folder / PAPERS), RunError, cure="; copy the folder again"):
            method.config = config = CrmtConfig.of(metadata["config"])
            moments = {name: (one[0], one[1]) for name, one in metadata["moments"].items()}
            table = TableNumbers.from_plain(metadata["table"])
            method.classes = list(map(str, metadata["classes"]))
            for name in metadata["modalities"]:
                check_known("modality", name, DEFAULTS)
        method._data, method._rows = metadata["data"], []
        method.balance = metadata.get("balance")
        if TEXT in metadata["modalities"]:
            refuse_names(folder, {"encoders.text": config.encoders.get(TEXT)})
        method.senses = make_senses(config, metadata["modalities"], root, folder, moments, table)
        fusion = make_fusion(config, method.senses, len(method.classes))
        try:
            weights = load_file(folder / WEIGHTS)
            method.tau = weights.pop("tau", None)
            method.ridge = Ridge.of(weights, begin_state(config, len(method.classes)))
            fusion.load_state_dict(weights)
        except (OSError, SafetensorError, RuntimeError, ValueError) as error:
            raise RunError(
                f"the fusion model in {folder} cannot be loaded ({error}); copy the folder again,"
                " or train again"
            ) from error
        method.model = Learner(fusion, Objective(config), config, {}).eval()
        return method

    def take(self, rows: Sequence[Record]) -> None:
        """Make ready to add `rows` and their classes to the head; those before are not needed.

        Raises ConfigError for a model without the state of such a head, DataError for rows that
        cannot be added.
        """
        check_labelled(rows)
        check_more(self, rows)
        assert self.ridge is not None
        assert isinstance(self.fusion, RidgeFusion)
        new = {str(row.target) for row in rows} - {*self.classes}
        self.classes = [*self.classes, *sorted(new)]
        self.ridge = self.ridge.widened(len(self.classes))
        self.fusion.take(self.ridge)
        self._rows, self._data = list(rows), _digest(rows, self.names, self._data)

    def fingerprint(self) -> dict[str, Json]:
        """Return the configuration and a digest of the training rows."""
        config = self.config.identity_values()
        return {"method": self.name, "config": config, "data": self._data}

    def _batch(self, rows: Sequence[Record], epoch: int | None = None) -> dict[str, Tensor]:
        """Return rows as tensors; in an `epoch` of training without what it leaves out of them."""
        without = [] if epoch is None else [self._left_out(row, epoch) for row in rows]
        return {**self.senses.batch(rows, without), "labels": self.labels(rows)}

    def _left_out(self, row: Record, epoch: int) -> set[str]:
        """Return the modalities that a training row is read without, by seed, epoch and its id."""
        rng = Random(f"leave out/{self.config.seed}/{epoch}/{row.id}")
        names = [name for name in self.names if name in row.inputs]
        return left_out(names, self.config.modality_dropout, rng)

    def _lipschitz(self, rows: Sequence[Record], batch_size: int) -> Tensor:
        """Return tau (M, C) of training rows, as configured, on the CPU."""
        batches = self.opened(rows, batch_size)
        if self.config.tau == "released":
            return released_lipschitz(
                self.fusion.scores, self.fusion.head, batches, self.names
            ).cpu()
        return lipschitz(self.fusion.scores, batches, self.names).cpu()

    @torch.no_grad()
    def _blend(self, rows: Sequence[Record], batch_size: int) -> None:
        """Tell gradient blending the held-out losses of its branches."""
        objective = self.model.objective
        assert isinstance(objective, GradientBlending)
        losses, counts = [], []
        for opened in self.opened(rows, batch_size):
            output = self.fusion.read(opened)
            losses.append(objective.branches(output, opened["labels"]))
            counts.append(counted(output))
        objective.update(torch.cat(losses).sum(dim=0), torch.cat(counts).sum(dim=0))


def _starts(config: CrmtConfig, root: str | Path | None) -> dict[str, Crmt]:
    """Return the models of single modalities to begin from, opened before any row is read."""
    folders = {
        name: find_model_folder(start, PAPERS, "fusion model")
        for name, start in config.start.items()
    }
    starts = {name: Crmt.load(folder, root) for name, folder in folders.items()}
    check_starts(starts, config)
    return starts


def _digest(rows: Sequence[Record], names: Sequence[str], before: str = "") -> str:
    """Return a digest of what training reads of the rows; of files, their names.

    `before` is that of the rows before these.
    """
    total = hashlib.blake2b(before.encode(), digest_size=8)
    for row in rows:
        read = {name: row.inputs[name] for name in names if name in row.inputs}
        total.update(repr((row.id, row.target, sorted(read.items(), key=str))).encode())
    return total.hexdigest()


def _share_right(logits: Tensor, labels: Tensor) -> float:
    return float((logits.argmax(dim=1) == labels).double().mean())
