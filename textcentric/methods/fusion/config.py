"""What can be chosen about a fusion model: encoders, classifier, and how it is trained."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import field_validator

from textcentric import fields
from textcentric.errors import unknown
from textcentric.settings import Given, Key, Settings, Values, setting
from textcentric.training.config import TrainConfig, TrainingSettings

Inputs = Literal["clean", "adversarial", "mixed"]
Over = Literal["minimum", "runner-up"]
AttackLoss = Literal["cross-entropy", "objective"]
TauKind = Literal["correct", "released"]
Trains = Literal["all", "adapters", "heads", "nothing"]
LastStep = Literal["second step", "merge", "ridge"]
Fusion = Literal["linear", "experts", "ridge"]
Absent = Literal["zeros", "nothing"]
Orthogonality = Literal["own", "rownorm", "none"]
MARGIN_EPS = 1e-5  # inside of the logarithm, as released; 0 is the printed equation
UNLABELLED = -1  # the label of a row without a class
ENCODERS = {
    "image_encoder": Key("image", "resnet18 (where none is named), conv or packaged."),
    "audio_encoder": Key("audio", "resnet18 (where none is named) or conv."),
    "text_encoder": Key("text", "packaged (MiniLM, where none is named), a folder or OWNER/NAME."),
    "table_encoder": Key("table", "mlp, the only one."),
}
STARTS = {
    f"{name}_start": Key(name, f"Model folder (variant jt) of {what} alone, to begin from.")
    for name, what in {
        "image": "pictures",
        "audio": "sounds",
        "text": "texts",
        "table": "tables",
    }.items()
}


SINCE: dict[str, tuple[str, ...]] = {  # settings that came with another way to train a variant
    "crmt-at": ("attack_loss",),
    "ogm-ge": ("ogm_first_epoch", "ogm_last_epoch"),
    "pmr": ("pmr_entropy", "pmr_entropy_epochs"),
    "mcr": ("mcr_temperature", "mcr_reconstruction"),
}
ADDED = (  # settings that came with an option or a variant of their own
    *("start", "lora_r", "absent", "modality_dropout"),
    *("mfcpl_width", "mfcpl_momentum", "mfcpl_regularization", "mfcpl_contrast"),
    *("mfcpl_temperature", "mfcpl_alignment"),
    *("cib_beta", "umurl_weight", "umurl_width"),
    *("experts_top", "experts_single", "experts_balance"),
    *("pal_width", "pal_penalty"),
)


@dataclass(frozen=True)
class Variant:
    """A method of the paper or a rival: what it adds to cross-entropy on joined features.

    `orthogonal` keeps weights a and a normalised classifier, `margin` adds the first step's loss;
    `rival` names the file of a rival's objective, `fusion` what joins modalities. It needs `least`
    modalities, of `one_width` where features are compared, `complete` rows where it learns from all
    modalities of a row together, and models of single modalities to begin from where it has
    `starts`; of the model it `trains` all, low-rank adapters of the encoders and the class rows,
    those alone, or nothing, then takes a `last` step. Rows without a class count where it takes
    them `unlabelled`; `loop` has its own defaults of the training loop.
    """

    orthogonal: bool = False
    margin: bool = False
    inputs: Inputs = "clean"
    rival: str | None = None
    fusion: Fusion = "linear"
    least: int = 1
    one_width: bool = False
    complete: bool = False
    starts: bool = False
    trains: Trains = "all"
    last: LastStep | None = None
    unlabelled: bool = False
    loop: Given = field(default_factory=dict)


VARIANTS: dict[str, Variant] = {
    "jt": Variant(),
    "ojt": Variant(orthogonal=True),
    "crmt-step-1": Variant(orthogonal=True, margin=True),
    "crmt-step-2": Variant(orthogonal=True, last="second step"),
    "crmt-jt": Variant(orthogonal=True, margin=True, last="second step"),
    "crmt-at": Variant(orthogonal=True, margin=True, last="second step", inputs="adversarial"),
    "crmt-mix": Variant(orthogonal=True, margin=True, last="second step", inputs="mixed"),
    "mmat": Variant(inputs="adversarial"),
    "mixup": Variant(inputs="mixed"),
    "ogm-ge": Variant(rival="ogm-ge", least=2),
    "pmr": Variant(rival="pmr", least=2),
    "gradient-blending": Variant(rival="gradient-blending", least=2),
    "mcr": Variant(rival="mcr", least=2, one_width=True),
    "mfcpl": Variant(rival="mfcpl", least=2, complete=True),
    "cib": Variant(rival="cib", least=2, one_width=True),
    "umurl": Variant(rival="umurl", least=2, one_width=True, unlabelled=True),
    "experts": Variant(rival="experts", fusion="experts", least=2),
    "heads-only": Variant(starts=True, trains="heads"),
    "mmlora": Variant(
        starts=True,
        trains="adapters",
        last="merge",
        loop={"learning_rate": 5e-4, "num_train_epochs": 10.0},
    ),
    "ensemble": Variant(starts=True, trains="nothing", loop={"max_steps": 0}),
    "pal": Variant(
        fusion="ridge", starts=True, trains="nothing", last="ridge", loop={"max_steps": 0}
    ),
}


class Shape(Settings):
    """Modalities, their encoders, and the sizes of what those read."""

    called = "crmt"

    modalities: tuple[str, ...] | None = setting(
        None, "Those to read: image,audio.", panel="Model", shown="all that training rows have"
    )
    encoders: dict[str, str] = setting(
        {}, "Encoder of a modality.", panel="Model", flags=(), keys=ENCODERS
    )
    width: int = setting(
        512, "Features of a modality, where the encoder leaves it open.", panel="Model", ge=2
    )
    image_side: int = setting(
        224, "Pixels a side that pictures are brought to.", panel="Model", ge=8
    )
    image_channels: Literal[1, 3] = setting(3, "Grey or colour.", panel="Model")
    mel_bins: int = setting(128, "Log-mel bins of sounds.", panel="Model", ge=8)
    mel_frames: int = setting(1024, "Frames of 10 ms.", panel="Model", ge=8)
    max_length: int = setting(128, "Tokens of a text at most.", panel="Model", ge=8)
    layers: int | None = fields.layers()


class CrmtConfig(Shape):
    """Modalities and encoders, classifier, first and second step, training inputs, rivals."""

    added = frozenset({*ADDED, *(name for names in SINCE.values() for name in names)})

    variant: str = setting("crmt-jt", f"Method or rival: {', '.join(VARIANTS)}.", metavar="NAME")
    start: dict[str, str] = setting(
        {}, "Models of single modalities to begin from.", panel="Model", flags=(), keys=STARTS
    )
    lora_r: int = setting(4, "Rank of MMLoRA's adapters.", panel="Model", ge=1)
    absent: Absent = setting(
        "zeros",
        "What a modality adds that a row lacks: scores of zeros, or nothing.",
        panel="Model",
    )

    orthogonality: Orthogonality = setting(
        "own", "Classifier: of the paper, of the released code, or none."
    )
    weights_start: float = setting(0.1, "First value of every modality weight a.", gt=0)
    rho: float = setting(2.0, "Weight of the margin loss of the first step.", ge=0)
    margin: Literal["logsumexp", "hinge"] = setting("logsumexp", "Form of the margin loss.")
    margin_eps: float = setting(
        MARGIN_EPS, "Inside of its logarithm, as released; 0: as printed.", ge=0, lt=1
    )

    bound: Over = setting("minimum", "Of the second step: minimum, or runner-up as released.")
    tau: TauKind = setting("correct", "Lipschitz constants: correct, or as released.")
    second_steps: int = setting(400, "Steps of Adam in the second step.", ge=1)
    second_learning_rate: float = setting(0.01, "Learning rate of the second step.", gt=0)

    attack_radius: float = setting(
        0.1, "l2 length that adversarial training inputs are moved by.", gt=0
    )
    attack_steps: int = setting(5, "Steps of gradient ascent to them.", ge=1)
    attack_loss: AttackLoss = setting(
        "cross-entropy", "What they climb: cross-entropy, as released, or the whole objective."
    )
    modality_dropout: float = setting(
        0.0, "Chance, 0 to 1, that a modality of a training row is left out.", ge=0, le=1
    )

    ogm_alpha: float = setting(0.3, "Strength of OGM-GE.", panel="Rivals", ge=0)
    ogm_first_epoch: int = setting(0, "First that OGM-GE modulates.", panel="Rivals", ge=0)
    ogm_last_epoch: int = setting(50, "Last that it modulates.", panel="Rivals", ge=0)
    pmr_weight: float = setting(0.6, "Weight of PMR's prototypes.", panel="Rivals", ge=0)
    pmr_momentum: float = setting(0.5, "Share of PMR's old prototypes.", panel="Rivals", ge=0, lt=1)
    pmr_entropy: float = setting(
        0.01, "Weight of the strongest modality's entropy in PMR.", panel="Rivals", ge=0
    )
    pmr_entropy_epochs: int = setting(5, "First epochs that have it.", panel="Rivals", ge=0)
    mcr_weight: float = setting(0.01, "Weight of MCR's game.", panel="Rivals", ge=0)
    mcr_contrast: float = setting(1.0, "Weight of MCR's contrast.", panel="Rivals", ge=0)
    mcr_temperature: float = setting(0.5, "Of MCR's contrast.", panel="Rivals", gt=0)
    mcr_reconstruction: float = setting(
        0.0, "Weight of MCR's reconstruction.", panel="Rivals", ge=0
    )
    mcr_single: float = setting(0.01, "Weight of MCR's single modalities.", panel="Rivals", ge=0)
    mcr_game: Literal[-1, 0, 1] = setting(-1, "Which of MCR's games.", panel="Rivals")
    mcr_permutations: int = setting(32, "Permutations of a batch in MCR.", panel="Rivals", ge=1)
    mfcpl_width: int = setting(32, "Width of MFCPL's projections.", panel="Rivals", ge=1)
    mfcpl_momentum: float = setting(
        0.9, "Share of MFCPL's old prototypes.", panel="Rivals", ge=0, lt=1
    )
    mfcpl_regularization: float = setting(
        0.1, "Weight of MFCPL's distance to the own prototype.", panel="Rivals", ge=0
    )
    mfcpl_contrast: float = setting(
        0.5, "Weight of MFCPL's contrast with prototypes.", panel="Rivals", ge=0
    )
    mfcpl_temperature: float = setting(0.5, "Of MFCPL's contrast.", panel="Rivals", gt=0)
    mfcpl_alignment: float = setting(
        0.1, "Weight of MFCPL's distance between modalities.", panel="Rivals", ge=0
    )
    cib_beta: float = setting(1e-3, "Weight of CIB's bottleneck.", panel="Rivals", ge=0)
    umurl_weight: float = setting(0.1, "Weight of UmURL's consistency.", panel="Rivals", ge=0)
    umurl_width: int = setting(256, "Of UmURL's projections.", panel="Rivals", ge=2)
    experts_top: int = setting(2, "Experts that a row is read by.", panel="Rivals", ge=1)
    experts_single: float = setting(
        0.3, "Weight of the loss of each expert alone.", panel="Rivals", ge=0
    )
    experts_balance: float = setting(
        0.01, "Weight of the loss that balances experts.", panel="Rivals", ge=0
    )
    pal_width: int = setting(800, "Width of PAL's random layer.", panel="Rivals", ge=1)
    pal_penalty: float = setting(10.0, "Of squared weights in PAL.", panel="Rivals", gt=0)
    seed: int = fields.seed()

    @field_validator("variant")
    @classmethod
    def _known_variant(cls, value: str) -> str:
        if value not in VARIANTS:
            raise ValueError(unknown("variant", value, VARIANTS))
        return value

    def identity_values(self) -> Values:
        """Return the values that tell a training from others, with those that changed its variant.

        What was begun before them went another way, also where they have their defaults.
        """
        since = {name: getattr(self, name) for name in SINCE.get(self.variant, ())}
        return super().identity_values() | since

    @property
    def method(self) -> Variant:
        """Return what the variant is made of."""
        return VARIANTS[self.variant]


class FusionTraining(TrainingSettings):
    """Raw rows of a table with its files, to train a fusion model on."""

    dataset: str | None = fields.dataset()
    data_dir: str | None = fields.data_dir()
    table_schema: Values | str | None = fields.table_schema()
    train_rows: int | None = fields.at_most("rows of split train")
    held_out_rows: int | None = fields.at_most("rows of split validation")


class CrmtTraining(FusionTraining):
    """Raw rows of a table with its files; and how to train on them."""

    called = "train crmt"
    part = "crmt"
    help: ClassVar = """\
    Train a fusion model of pictures, sounds, texts and tables.

    CRMT (Yang et al. 2024), its variants and rivals; split validation guards its second step.
    The same as: accelerate launch pipelines/train.py crmt ...

    Example: textcentric train crmt --dataset clips.csv --target class --variant crmt-jt
    """
    sections: ClassVar = {"train": TrainConfig, "crmt": CrmtConfig}
    added: ClassVar = frozenset({"add_to"})

    add_to: str | None = setting(
        None,
        "Model folder (variant pal) that these rows and their classes are added to; it stays.",
        panel="Data",
        metavar="FOLDER",
    )
    crmt: Values = setting({}, "Settings of the method.", flags=())

    def method(self) -> CrmtConfig:
        """Return the configuration of the method; rows are added by PAL alone."""
        own = {"variant": "pal"} if self.add_to is not None else {}
        return CrmtConfig.of({"seed": self.seed, **own, **self.crmt})

    def loop_values(self) -> Values:
        """Return what the loop is told, with the variant's own defaults."""
        return {**self.method().method.loop, **super().loop_values()}

    def name(self) -> str:
        """Return the name of the rows and of the method."""
        return f"{Path(str(self.dataset)).stem}-{self.method().variant}"
