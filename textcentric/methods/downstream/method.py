"""A transformer fine-tuned on text rows, as a method of the training loop.

>>> examples = read_examples("runs/first")                                     # doctest: +SKIP
>>> method = Downstream(DownstreamConfig(variants=4), of_split(examples, "train"))  # doctest: +SKIP
>>> train(method, TrainConfig(output_dir="models/first"), method.rows)         # doctest: +SKIP
>>> Downstream.load("models/first").predict([{"text": "A calm dog."}]).values  # doctest: +SKIP
[3]

Legend: B rows, K variants, N texts, T tokens, C classes, W outputs of a text.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from textcentric.errors import ConfigError, RunError
from textcentric.folders import write_text
from textcentric.methods.downstream.card import usage
from textcentric.methods.downstream.config import DownstreamConfig
from textcentric.methods.downstream.decision import Decision, Predictions, learn_decision
from textcentric.methods.downstream.model import (
    TextModel,
    build_model,
    load_model,
    merge_adapter,
    save_model,
)
from textcentric.methods.downstream.objective import objective, row_losses
from textcentric.methods.downstream.outputs import OutputMemory
from textcentric.methods.downstream.seen import FILE as SEEN
from textcentric.methods.downstream.seen import digests, read_digests
from textcentric.methods.downstream.texts import (
    Parts,
    TextReader,
    check_parts,
    chosen,
    drawn_variants,
    training_parts,
)
from textcentric.metrics.scores import METRICS, SCORES
from textcentric.models.loading import load_tokenizer, longest_text, source
from textcentric.models.received import check_model, code_allowed, needs_word
from textcentric.models.tokens import padded
from textcentric.rows import Example
from textcentric.runs.journal import Journal
from textcentric.runs.origin import Origin
from textcentric.security.foreign import foreign
from textcentric.security.trust import is_trusted, writing_ours
from textcentric.training.constant import CONSTANT
from textcentric.training.folder import read_metadata
from textcentric.values import Json

PAPERS, FORMAT = "downstream.json", 1
NEEDS = ("config", "decision", "parts", "origin", "data")  # keys of that file


class Downstream:
    """A text model, how it reads rows and how it decides.

    `examples` are the training rows. `calibrate_on` are rows, best not trained on, whose scores
    place the quantile cuts of ordinal classes (their targets are not read for that); without
    them a sample of the training rows does. `origin` says what put the rows into words.
    Raises ConfigError or DataError for what cannot be trained on.
    """

    name = "downstream"
    notes: tuple[str, ...] = ()
    on_batch: Callable[[int, int], None] | None = None  # told how many of how many are read
    _memory: OutputMemory | None = None
    seen: np.ndarray | None  # digests of the rows of the training, None where it kept none

    def __init__(
        self,
        config: DownstreamConfig,
        examples: Sequence[Example],
        *,
        calibrate_on: Sequence[Example] | None = None,
        origin: Origin | None = None,
    ):
        self.config = config
        self.origin = origin or Origin()
        self.known = check_parts(config, examples)
        schema = self.origin.schema
        ordered = schema.get("task") == "ordinal"  # else choices are in no order that counts
        order = tuple(schema.get("choices") or ()) if ordered else ()
        self.decision = learn_decision(config, examples, schema.get("task"), order)
        self.model = build_model(config, self.decision)
        self.reader = _reader(config, self.model, source(config.model))
        self._calibrate_on = calibrate_on or _sample(config, examples)
        self._calibrated_for = b""
        self._data = _digest(examples)
        self.seen = digests([*examples, *(calibrate_on or ())], rewritten=self.origin.rewrites())
        self._tell_absent("training", {int(p) for p in self.decision.encode(examples)})

    def collate(self, rows: Sequence[Example], epoch: int) -> dict[str, Tensor]:
        """Return a micro-batch: B clean texts, then the variants drawn for this epoch.

        `input_ids`, `attention_mask` (N, T); `targets` (B,); `place` (B, K), see `objective`.
        """
        texts = [self._training_text(row, row.parts, epoch, 0) for row in rows]
        drawn = [drawn_variants(row, self.config, epoch) for row in rows]
        place = np.full((len(rows), max(map(len, drawn))), -1, np.int64)  # (B, K)
        for at, (row, variants) in enumerate(zip(rows, drawn, strict=True)):
            for number, variant in enumerate(variants):
                place[at, number] = len(texts)
                texts.append(self._training_text(row, variant, epoch, number + 1))
        ids = self.reader.read(texts, remember=not any(self.config.dropout_levels))
        targets = self.decision.encode(rows).astype(np.float32)
        return {
            **self._padded(ids),
            "targets": torch.from_numpy(targets),
            "place": torch.from_numpy(place),
        }

    def loss(self, model: torch.nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the objective of each row (B,); clean texts and variants go through together."""
        outputs = model(batch["input_ids"], batch["attention_mask"])  # (N, W)
        return objective(self.config, self.decision, outputs, batch["targets"], batch["place"])

    def lengths(self, rows: Sequence[Example]) -> list[int]:
        """Return the tokens of each clean row."""
        return [len(ids) for ids in self.reader.read([self._clean(row.parts) for row in rows])]

    def evaluate(self, rows: Sequence[Example], batch_size: int) -> dict[str, float]:
        """Return the loss of the clean rows and the metrics of the task.

        Regression is scored on the transformed scale: R2 of the logarithm under `log`.
        Raises DataError for rows without a target or of a class that no training row has.
        """
        targets = self.decision.encode(rows)
        if self.decision.classes:
            self._tell_absent("evaluated", {int(place) for place in targets})
        self.calibrate(batch_size)
        outputs = self._outputs([self._clean(row.parts) for row in rows], batch_size)
        losses = row_losses(self.decision, torch.from_numpy(outputs), torch.from_numpy(targets))
        true, told = self._comparable(rows, self.decision.decide(outputs))
        scores = {name: SCORES[name](true, told) for name in METRICS[self.decision.task]}
        return {"loss": float(losses.mean()), **scores}

    def predict(
        self, parts: Sequence[Parts], batch_size: int = 64, *, as_ordered: bool = False
    ) -> Predictions:
        """Return predictions for rows of parts, in the order of the rows.

        `as_ordered` reads the blocks of a row in the order they come in, whatever `parts` of the
        configuration says: that is how orders are compared.
        """
        self.calibrate(batch_size)
        if as_ordered and self.config.parts is not None:
            parts = [{k: v for k, v in row.items() if k in self.config.parts} for row in parts]
        else:
            parts = [self._clean(row) for row in parts]
        return self.decision.decide(self._outputs(parts, batch_size))

    def text(self, parts: Parts) -> str | None:
        """Return the text that `transformers.pipeline` reads as `predict` reads the row.

        None where there is none, see `TextReader.text`.
        """
        return self.reader.text(self._clean(parts))

    @contextmanager
    def remembering(self, journal: Journal) -> Iterator[None]:
        """Compute what `journal` does not hold yet, and keep it there; weights must not change."""
        self._memory = OutputMemory(journal, self.model)
        try:
            yield
        finally:
            self._memory = None

    def calibrate(self, batch_size: int = 64) -> None:
        """Place the quantile cuts for the weights as they are; does nothing if they fit."""
        if self.decision.task != "ordinal" or not self._calibrate_on:
            return
        weights = self._head_digest()
        if weights != self._calibrated_for:
            rows = self._calibrate_on
            outputs = self._outputs([self._clean(row.parts) for row in rows], batch_size)
            self.decision = self.decision.calibrated(outputs, rows)
            self._calibrated_for = weights

    def merge(self) -> None:
        """Fold the LoRA adapter into the model's weights; scores stay, up to rounding."""
        if self.config.lora_r is None:
            raise ConfigError("there is no adapter to merge: lora_r is not set")
        self.calibrate()
        merge_adapter(self.model)
        self.config = self.config.model_copy(update={"lora_r": None})

    def finish(
        self, rows: Sequence[Example], held_out: Sequence[Example], batch_size: int
    ) -> dict[str, float]:
        """Return the metrics of the best constant prediction of the held-out rows."""
        classes = self.decision.classes
        if not held_out or not set(self.decision.unseen(held_out)) <= set(classes):
            return {}
        true = self.decision.encode(held_out) if classes else self.decision.measured(held_out)
        constant = self.decision.constant
        told = [classes.index(constant) if classes else constant] * len(held_out)  # type: ignore[arg-type]
        scores = {name: SCORES[name](true, told) for name in METRICS[self.decision.task]}
        return {f"{CONSTANT}{name}": value for name, value in scores.items()}

    def save(self, folder: str | Path) -> None:
        """Write model (or adapter), head, tokenizer, prompts and `downstream.json`."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.calibrate()
        said_by = self.origin.said_by
        with writing_ours(folder, said_by is None or is_trusted(said_by)):
            save_model(self.model, self.config, self.decision, self._some_texts(), folder)
            self.reader.save(folder)
            if self.seen is not None:
                np.save(folder / SEEN, self.seen)
            metadata = {
                "format": FORMAT,
                "config": self.config.model_dump(mode="json"),
                "decision": self.decision.to_json(),
                "parts": sorted(self.known),
                "origin": self.origin.save(folder),
                "data": self._data,
            }
            write_text(folder / PAPERS, json.dumps(metadata, indent=2, ensure_ascii=False) + "\n")

    def usage(self, folder: Path) -> str:
        """Return how what was saved in `folder` is loaded without this package, as Markdown."""
        parts = self.config.parts or self.known
        length, headers = self.config.max_length, self.config.headers
        return usage(folder, self.decision, parts, length, headers=headers)

    @classmethod
    def load(cls, folder: str | Path, *, trust_remote_code: bool = False) -> Downstream:
        """Return what `save` wrote, ready to predict; raises RunError where it cannot be read.

        Code in the folder runs with `trust_remote_code`, or where the folder is trusted; raises
        TrustError where it is needed and neither holds.
        """
        folder = Path(folder)
        check_model(folder)
        metadata = _metadata(folder)
        method = cls.__new__(cls)
        with foreign(str(folder / PAPERS), RunError, cure="; copy the folder again"):
            config = DownstreamConfig.of(metadata["config"])
            method.decision = Decision.from_json(metadata["decision"])
            method.known = frozenset(metadata["parts"])
            method.origin = Origin.load(metadata["origin"], folder)
        needs_word(folder, config)
        allowed = code_allowed(folder, config.trust_remote_code, trust_remote_code)
        method.config = config.model_copy(update={"trust_remote_code": allowed})
        method.model = load_model(method.config, method.decision, folder)
        method.reader = _reader(method.config, method.model, str(folder))
        method._calibrate_on, method._calibrated_for = [], b""
        method._data = metadata["data"]
        method.seen = read_digests(folder)
        return method

    def fingerprint(self) -> dict[str, Json]:
        """Return configuration, what the targets taught, and a digest of the training rows."""
        decision = self.decision.to_json()
        for moving in ("cuts", "noise"):  # they follow the weights
            del decision[moving]
        return {
            "method": self.name,
            "config": self.config.model_dump(mode="json"),
            "decision": json.loads(json.dumps(decision)),
            "data": self._data,
        }

    def _training_text(self, row: Example, parts: Parts, epoch: int, number: int) -> Parts:
        parts = chosen(parts, self.config.parts, self.known if number else frozenset())
        return training_parts(parts, self.config, epoch, row.id, number)

    def _clean(self, parts: Parts) -> Parts:
        return chosen(parts, self.config.parts)

    def _padded(self, ids: Sequence[np.ndarray]) -> dict[str, Tensor]:
        filled, mask = padded(ids, self.reader.pad)
        return {"input_ids": torch.from_numpy(filled), "attention_mask": torch.from_numpy(mask)}

    def _some_texts(self) -> dict[str, Tensor]:
        """Return a short and a longer text, by which what is saved is compared with the model."""
        first, *_ = names = sorted(self.known)
        longer = dict.fromkeys(names, "a young dog, 3 months old; it likes people " * 3)
        return self._padded(self.reader.read([{first: "a"}, longer]))

    def _outputs(self, parts: Sequence[Parts], batch_size: int) -> np.ndarray:
        """Return the model's outputs (N, W), rows of like length together, dropout off."""
        if batch_size < 1:
            raise ConfigError(f"batch_size is {batch_size}, expected a number of rows from 1 up")
        ids = self.reader.read(parts, remember=False)
        known = self._memory.recall(ids) if self._memory else {}
        order = sorted(set(range(len(ids))) - known.keys(), key=lambda at: len(ids[at]))
        found = np.zeros((len(ids), self.decision.width), np.float32)
        for at, row in known.items():
            found[at] = row
        training, device = self.model.training, next(self.model.parameters()).device
        self.model.eval()
        try:
            with torch.inference_mode():
                for start in range(0, len(order), batch_size):
                    places = order[start : start + batch_size]
                    batch = self._padded([ids[one] for one in places])
                    outputs = self.model(**{k: v.to(device) for k, v in batch.items()})
                    found[places] = outputs.float().cpu().numpy()
                    if self._memory:
                        self._memory.keep(ids, {one: found[one] for one in places})
                    if self.on_batch:
                        self.on_batch(start + len(places), len(order))
        finally:
            self.model.train(training)
        return found

    def _comparable(self, rows: Sequence[Example], told: Predictions) -> tuple[Any, Any]:
        """Return targets and predictions as the metrics compare them: class numbers or numbers."""
        if not self.decision.classes:
            return self.decision.measured(rows), told.scores
        places = {label: place for place, label in enumerate(self.decision.classes)}
        return self.decision.encode(rows), [places[value] for value in told.values]  # type: ignore[index]

    def _tell_absent(self, which: str, seen: set[int]) -> None:
        absent = [c for place, c in enumerate(self.decision.classes) if place not in seen]
        if absent:
            warnings.warn(
                f"no {which} row has the class {', '.join(map(repr, absent))}: nothing is"
                f" {'learnt' if which == 'training' else 'measured'} of it",
                stacklevel=3,
            )

    def _head_digest(self) -> bytes:
        """Return a digest of the head, which every step of training changes."""
        digest = hashlib.blake2b(digest_size=16)
        for value in self.model.head.state_dict().values():
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        return digest.digest()


def saved_origin(folder: Path) -> Origin:
    """Return what put the training rows of a saved model into words; its weights are not loaded."""
    return Origin.load(_metadata(folder)["origin"], folder)


def _metadata(folder: Path) -> Mapping[str, Any]:
    return read_metadata(folder, PAPERS, FORMAT, "downstream model", "train downstream", NEEDS)


def _reader(config: DownstreamConfig, model: TextModel, name: str) -> TextReader:
    tokenizer = load_tokenizer(config, name)
    limit = longest_text(model.encoder, tokenizer)
    if limit is not None and config.max_length > limit:
        raise ConfigError(
            f"max_length={config.max_length}: model {config.model!r} takes {limit} tokens at most"
        )
    return TextReader(tokenizer, max_length=config.max_length, headers=config.headers)


def _sample(config: DownstreamConfig, examples: Sequence[Example]) -> list[Example]:
    """Return up to `calibration_rows` rows, drawn by a hash of their ids."""

    def draw(example: Example) -> bytes:
        return hashlib.blake2b(f"{config.seed}\0{example.id}".encode(), digest_size=8).digest()

    return sorted(examples, key=draw)[: config.calibration_rows]


def _digest(examples: Sequence[Example]) -> str:
    """Return a digest of everything that training reads of the rows."""
    total = hashlib.blake2b(digest_size=8)
    for row in examples:
        total.update(repr((row.id, dict(row.parts), row.target, row.variants)).encode())
    return total.hexdigest()
