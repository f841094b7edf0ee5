"""What can be chosen about a federation: its clients, its rounds, and how the server averages."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import model_validator

from textcentric import fields
from textcentric.errors import ConfigError, option
from textcentric.methods.fusion.config import CrmtConfig, FusionTraining, Shape
from textcentric.settings import Settings, Values, setting

Averaging = Literal["fedavg", "mfcpl", "ha-fed"]


class Rounds(Settings):
    """How often the server averages, and what clients do between."""

    called = "train"
    panel = "Training loop"

    rounds: int = setting(20, "Times that clients train and the server averages.", ge=1)
    local_epochs: int = setting(1, "Epochs of a client in a round.", ge=1)
    learning_rate: float = setting(0.1, "Of the clients' SGD.", gt=0)
    momentum: float = setting(0.9, "Of the clients' SGD; it starts anew each round.", ge=0, lt=1)
    batch_size: int = fields.batch_size(32, "Rows of a client")
    eval_batch_size: int = fields.batch_size(64, "Held-out rows")
    resume: Literal["auto", "never", "always"] = setting(
        "auto", "Go on after the last whole round: where there is one, never, or refuse without."
    )
    use_cpu: bool = setting(False, "Leave accelerators alone.")


class Clients(Shape):
    """Who the clients are, how their models meet, and the model.

    FedAvg (McMahan et al., arXiv 1602.05629) by modality; MFCPL and HA-Fedformer after their
    abstracts, so defaults are this project's own.
    """

    called = "federated"

    method: Averaging = setting(
        "fedavg", "How models meet: by FedAvg, with prototypes, or weighted by uncertainty."
    )
    client_column: str | None = setting(
        None, "Column whose values are the clients.", panel="Data", metavar="NAME"
    )
    client_modalities: str | None = setting(
        None,
        "Modalities of a value's clients, a client for each set: audio|image, audio+image.",
        panel="Data",
        metavar="SETS",
        shown="one client with all that its rows have",
    )
    kappa: float = setting(
        0.0, "Of ha-fed: weights are n (1/uncertainty)^kappa; 0 is FedAvg.", ge=0, le=1
    )
    rho: float = setting(
        0.1, "Of ha-fed: share of a head that is the mean over modalities.", ge=0, le=1
    )
    uncertainty_samples: int = setting(10, "Of ha-fed: samples of the weights.", ge=2)
    uncertainty_temperature: float = setting(1e-4, "Of ha-fed: of Langevin's noise.", gt=0)

    prototype_width: int = setting(32, "Of mfcpl: width that modalities are projected to.", ge=2)
    prototype_regularization: float = setting(
        0.1, "Of mfcpl: weight of the distance to them.", ge=0
    )
    prototype_contrast: float = setting(
        0.5, "Of mfcpl: weight of the contrast with prototypes.", ge=0
    )
    prototype_temperature: float = setting(0.5, "Of mfcpl: of that contrast.", gt=0)
    prototype_alignment: float = setting(
        0.1, "Of mfcpl: weight of the distance between modalities of complete rows.", ge=0
    )
    seed: int = fields.seed()

    @model_validator(mode="after")
    def _kappa_is_of_one_method(self) -> Clients:
        if self.kappa and self.method != "ha-fed":
            raise ValueError(
                f"kappa={self.kappa:g} is of method='ha-fed', and method is {self.method!r}"
            )
        return self


class FederatedConfig(Clients, Rounds):
    """All that a federation is told."""

    called = "federated"

    def model(self) -> CrmtConfig:
        """Return the configuration of the fusion model: a sum over the modalities there are."""
        shape = {name: getattr(self, name) for name in Shape.model_fields}
        return CrmtConfig(**shape, variant="jt", absent="nothing", seed=self.seed)


class FederatedTraining(FusionTraining):
    """Raw rows of a table with its files, which clients share; and how they train."""

    called = "train federated"
    part = "federated"
    help: ClassVar = """\
    Train a fusion model over clients that keep their rows and have different modalities.

    Flower's clients and averaging, in one process: FedAvg by modality, prototypes (after MFCPL),
    or weights by uncertainty (after HA-Fedformer).

    Example: textcentric train federated --dataset clips.csv --target class --client-column speaker
    """
    sections: ClassVar = {"train": Rounds, "federated": Clients}

    federated: Values = setting({}, "Settings of the method.", flags=())

    def name(self) -> str:
        """Return the name of the rows and of the method."""
        return f"{Path(str(self.dataset)).stem}-{self.method().method}"

    def check(self) -> None:
        """Raise ConfigError where it is not said who the clients are, too."""
        if self.method().client_column is None:
            raise ConfigError(
                f"who are the clients? Give {option('client_column')}, a column with their names"
            )
        super().check()

    def method(self) -> FederatedConfig:
        """Return the configuration of both sections."""
        return FederatedConfig.of({"seed": self.seed, **self.train, **self.federated})

    def loop_values(self) -> Values:
        """Return what the loop of other trainings has in common with this one."""
        return {"use_cpu": self.method().use_cpu}
