"""The configuration of a training, under the names of transformers' TrainingArguments."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import model_validator

from textcentric import fields
from textcentric.errors import ConfigError, option
from textcentric.folders import fingerprint
from textcentric.security.owned import check_owned
from textcentric.settings import Given, Settings, Values, setting

# What may change between a checkpoint and the training that goes on from it.
RUNTIME = frozenset(
    "output_dir resume report_to logging_steps save_strategy save_steps save_total_limit"
    " per_device_eval_batch_size".split()
)
# Files of a training's folder that no other one has, and those of one that has just begun.
MARKS = ("train.json", "downstream.json", "reward.json", "crmt.json", "align.json", "words", "logs")
BEGUN = ("metrics.jsonl",)
When = Literal["epoch", "steps", "no"]
LORA_RATE = 1e-3  # the default of an adapter: at that of all weights it learns nothing in an hour
# Names of TrainingArguments for what has another one here, and what their values are there.
ALIASES: dict[str, tuple[str, dict[bool, str | None]]] = {
    "bf16": ("mixed_precision", {True: "bf16", False: None}),
    "fp16": ("mixed_precision", {True: "fp16", False: None}),
    "resume_from_checkpoint": ("resume", {True: "always", False: "never"}),
}


class TrainConfig(Settings):
    """Everything that the training loop can be told, whatever the method.

    A global batch is `per_device_train_batch_size` x processes x `gradient_accumulation_steps`
    rows. With `metric_for_best_model` the best weights are restored at the end.
    """

    called = "train"
    panel = "Training loop"
    aliases: ClassVar = {
        "bf16": "The same as --mixed-precision bf16.",
        "fp16": "The same as --mixed-precision fp16.",
        "resume_from_checkpoint": "The same as --resume always, or never.",
    }

    output_dir: Path = fields.output_dir("Folder of the trained model.", ...)
    seed: int = setting(0, "Decides every draw.", ge=0, lt=2**32)
    learning_rate: float = setting(
        5e-5, "Its highest value.", gt=0, shown=f"5e-05; of a LoRA adapter {LORA_RATE:g}"
    )
    weight_decay: float = setting(0.01, "Of AdamW.", ge=0)
    num_train_epochs: float = setting(3.0, "Times that every row is seen.", gt=0)
    max_steps: int = setting(
        -1, "Optimiser steps, in place of the epochs; 0: none.", ge=-1, shown="by the epochs"
    )
    per_device_train_batch_size: int = setting(16, "Rows of a micro-batch.", ge=1)
    per_device_eval_batch_size: int = setting(64, "Rows at a time when evaluating.", ge=1)
    gradient_accumulation_steps: int = setting(1, "Micro-batches of a step.", ge=1)
    max_grad_norm: float = setting(1.0, "Clip gradients there; 0 does not clip.", ge=0)
    warmup_steps: float = setting(
        0.1, "Steps of growing learning rate; below 1 a share of all steps.", ge=0
    )
    lr_scheduler_type: Literal[
        "linear", "cosine", "polynomial", "constant", "constant_with_warmup", "inverse_sqrt"
    ] = setting("cosine", "How the learning rate falls.")
    mixed_precision: Literal["no", "bf16", "fp16"] = setting(
        None,
        "Number format of the computation.",
        shown="no, or that of accelerate launch",
        default_factory=lambda: os.environ.get("ACCELERATE_MIXED_PRECISION", "no"),
        validate_default=True,
    )
    use_cpu: bool = setting(False, "Leave accelerators alone.")
    metric_for_best_model: str | None = setting(
        None, "Keep the best weights by this metric.", shown="keep the last"
    )
    greater_is_better: bool | None = setting(
        None, "How the metric is read.", off="--lower-is-better", shown="by its name"
    )
    early_stopping_patience: int | None = setting(
        None, "Stop after so many evaluations without a gain.", ge=1
    )
    eval_strategy: When = setting("epoch", "When held-out rows are evaluated.")
    eval_steps: int = setting(500, "Steps between two evaluations.", ge=1)
    save_strategy: When = setting("epoch", "When a checkpoint is saved.")
    save_steps: int = setting(500, "Steps between two checkpoints.", ge=1)
    save_total_limit: int | None = setting(1, "Checkpoints to keep, beside the model.", ge=1)
    logging_steps: int = setting(10, "Steps between two lines of figures.", ge=1)
    report_to: Literal["none", "tensorboard", "wandb"] = setting(
        "none", "Where figures go besides metrics.jsonl."
    )
    train_sampling_strategy: Literal["random", "group_by_length"] = setting(
        "group_by_length", "Batches of random rows, or of rows of like length."
    )
    resume: Literal["auto", "never", "always"] = setting(
        "auto", "Go on from the newest checkpoint: where there is one, never, or refuse without."
    )

    @classmethod
    def translated(cls, values: Values) -> Values:
        """Return `values` with the names of this package alone."""
        own = {name: value for name, value in values.items() if name not in ALIASES}
        for alias in (name for name in values if name in ALIASES):
            name, meanings = ALIASES[alias]
            flag = values[alias]
            if not isinstance(flag, bool):
                where = "; checkpoints lie beside output_dir" if name == "resume" else ""
                raise ConfigError(
                    f"train.{alias} is {values[alias]!r}, expected true or false{where}"
                )
            meant = meanings[flag]
            if meant is not None and own.setdefault(name, meant) != meant:
                raise ConfigError(
                    f"train.{alias} is {values[alias]} and {name} {own[name]!r}; give one of them"
                )
        return own

    @model_validator(mode="after")
    def _fits_together(self) -> TrainConfig:
        if self.early_stopping_patience and not self.metric_for_best_model:
            raise ValueError("early_stopping_patience needs metric_for_best_model")
        if self.metric_for_best_model and self.eval_strategy == "no":
            raise ValueError("metric_for_best_model needs an eval_strategy other than 'no'")
        return self

    def identity(self) -> Values:
        """Return what shapes the weights, as plain JSON values."""
        return self.model_dump(mode="json", exclude=set(RUNTIME))


def train_config(values: Given) -> TrainConfig:
    """Return the configuration that `values` give.

    Raises ConfigError, with the nearest name for an unknown key and with the value otherwise.

    >>> train_config({"output_dir": "models/first", "max_steps": 10}).max_steps
    10
    """
    return TrainConfig.of(values)


class TrainingSettings(Settings, ABC):
    """What `train NAME` is told whatever the method: the loop, the seed, and where it goes.

    A method's own settings are in the section `part`. Keys of the loop and of the method may
    stand outside their section, in a file as on the command line. `sources` are the fields that
    name what is learnt from, raw rows last, and `asked` asks for one of them; `help` is what the
    command says of itself.
    """

    part: ClassVar[str]
    marks: ClassVar[tuple[str, ...]] = MARKS  # names that only its folder has
    sources: ClassVar[tuple[str, ...]] = ("dataset",)
    asked: ClassVar[str] = "which rows? Give {}, a table or the name of a data set"
    help: ClassVar[str] = ""

    seed: int = fields.seed("Training loop")
    output_dir: Path | None = fields.output_dir(
        "Folder of the trained model.", shown="models/ROWS-FINGERPRINT"
    )
    train: Values = setting({}, "Settings of the training loop.", flags=())

    @model_validator(mode="after")
    def _one_folder(self) -> TrainingSettings:
        if "output_dir" in self.train:
            raise ConfigError(f"train.output_dir: give {option('output_dir')} outside the section")
        return self

    @abstractmethod
    def name(self) -> str:
        """Return how the folder of the model is named, before its fingerprint."""

    def check(self) -> None:
        """Raise ConfigError where what is learnt from is missing, or settings do not fit."""
        if all(getattr(self, source) is None for source in self.sources):
            raise self.without_source()
        self.method()
        check_owned(self.loop().output_dir, self.marks, "folder of this command", BEGUN)

    def without_source(self) -> ConfigError:
        """Return the error that asks what to learn from."""
        return ConfigError(self.asked.format(*map(option, self.sources)))

    def method(self) -> Any:
        """Return the configuration of the method."""
        return self.sections[self.part].of({"seed": self.seed, **getattr(self, self.part)})

    def adapts(self) -> bool:
        """Say whether a LoRA adapter is trained in place of all weights."""
        return False

    def loop_values(self) -> Values:
        """Return what the loop is told, with the method's own defaults."""
        own = {key.partition(".")[2]: value for key, value in self.defaults.items()}
        rate = {"learning_rate": LORA_RATE} if self.adapts() else {}
        return rate | own | self.train

    def loop(self) -> TrainConfig:
        """Return the configuration of the loop; the folder is named after everything."""
        values = {"seed": self.seed, **self.loop_values()}
        config = train_config(values | {"output_dir": self.output_dir or "models"})
        if self.output_dir is not None:
            return config
        apart = {"train", self.part, "output_dir", "export"}
        named = {name: v for name, v in self.identity_values().items() if name not in apart}
        named |= {"train": config.identity(), self.part: self.method().identity_values()}
        folder = Path("models") / f"{self.name()}-{fingerprint(named)}"
        return config.model_copy(update={"output_dir": folder})
