"""What can be chosen about a reward model, under the names of TRL where it has them."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import model_validator

from textcentric import fields
from textcentric.errors import ConfigError
from textcentric.settings import Settings, Values, setting
from textcentric.training.config import TrainConfig, TrainingSettings

EPSILON = 1e-7  # of the shortcut-failure coefficient, as in the paper's code


class RewardConfig(Settings):
    """Model, reading, objective and proxy; the defaults are those of the paper.

    Of a text that is too long the description is cut first, then the prompt at its beginning, a
    response never. The proxy reads the same text without the descriptions `proxy_fields`.
    """

    called = "reward"

    model_name_or_path: str = setting(
        "packaged", "packaged (MiniLM), a folder or OWNER/NAME.", panel="Model"
    )
    revision: str | None = fields.revision()
    trust_remote_code: bool = fields.trust_remote_code()
    attn_implementation: str | None = fields.attn_implementation()
    dtype: Literal["float32", "bfloat16"] = fields.dtype()
    layers: int | None = fields.layers()
    disable_dropout: bool = setting(True, "Train without the model's dropout.", panel="Model")
    gradient_checkpointing: bool = setting(False, "Less memory, more time.", panel="Model")
    max_length: int = setting(
        512, "Tokens of a text at most; a response is never cut.", panel="Model", ge=8
    )
    vision_model: str | None = setting(
        None,
        "Frozen encoder of the pictures: packaged (EfficientNet), a folder or OWNER/NAME.",
        panel="Model",
        shown="no pictures",
    )

    use_peft: bool = setting(False, "Train a LoRA adapter and the head.", panel="Model")
    lora_r: int = setting(16, "Rank of the adapter.", panel="Model", ge=1)
    lora_alpha: int = setting(32, "Scale of the adapter, over its rank.", panel="Model", ge=1)
    lora_dropout: float = setting(0.05, "Before the adapter, 0 to 1.", panel="Model", ge=0, lt=1)
    lora_target_modules: str | tuple[str, ...] = fields.lora_target_modules()

    reward_objective: Literal["bt", "sfc"] = setting(
        "bt", "Bradley-Terry, or shortcut-aware by a proxy that lacks the descriptions."
    )
    center_rewards_coefficient: float = setting(
        0.0, "Weight of keeping the sum of a pair's rewards near 0.", ge=0
    )
    proxy_model_name_or_path: str | None = setting(
        None, "What the proxy starts from.", shown="that of the model"
    )
    proxy_fields: tuple[str, ...] | None = setting(
        None, "Descriptions that the proxy lacks: image,table.", shown="all"
    )
    proxy_input: Literal["placeholder", "drop", "blank_image"] = setting(
        "placeholder", "In their place: a fixed phrase, nothing, or they and a blank picture."
    )
    proxy_schedule: Literal["joint", "frozen"] = setting(
        "joint", "Train the proxy along, or take a finished reward model as it is."
    )
    sfc_eps: float = setting(EPSILON, "Epsilon of the weights.", gt=0)
    sfc_normalize: bool = setting(False, "Divide the weights of a micro-batch by their mean.")
    sfc_ema: float = setting(0.0, "Smooth a pair's losses over epochs, 0 to 1.", ge=0, lt=1)
    sfc_shuffle: bool = setting(False, "Give each pair the weight of another one (placebo).")
    save_proxy: bool = setting(False, "Keep the proxy beside the model.")
    seed: int = fields.seed()

    @property
    def model(self) -> str:
        """Return the model as messages call it."""
        return self.model_name_or_path

    @property
    def proxied(self) -> bool:
        """Say whether a proxy is trained, or asked, beside the model."""
        return self.reward_objective == "sfc"

    @property
    def shares_backbone(self) -> bool:
        """Say whether model and proxy are two adapters on one frozen backbone."""
        return (
            self.proxied
            and self.use_peft
            and self.proxy_schedule == "joint"
            and self.proxy_model_name_or_path in (None, self.model_name_or_path)
        )

    @property
    def hidden_fields(self) -> tuple[str, ...] | None:
        """Return the descriptions that the proxy lacks, None for all of them."""
        if self.proxy_input == "blank_image" and self.proxy_fields is None:
            return ()
        return self.proxy_fields

    @model_validator(mode="after")
    def _blank_image_of_pictures(self) -> RewardConfig:
        if self.proxy_input == "blank_image" and self.vision_model is None:
            raise ValueError(
                "proxy_input='blank_image' is for models that see pictures: give vision_model, or"
                " take 'placeholder'"
            )
        return self

    @model_validator(mode="after")
    def _proxy_for_sfc(self) -> RewardConfig:
        if self.proxy_schedule == "frozen" and self.proxy_model_name_or_path is None:
            raise ValueError(
                "proxy_schedule='frozen' needs proxy_model_name_or_path, a reward model that was"
                " trained without the descriptions"
            )
        of_proxy = ("proxy_model_name_or_path", "save_proxy", "sfc_normalize", "sfc_shuffle")
        for name in of_proxy:
            if getattr(self, name) and not self.proxied:
                raise ValueError(f"{name} is of the shortcut-aware objective: reward_objective=sfc")
        return self


class RewardTraining(TrainingSettings):
    """Pairs of a file, a hub data set or a run directory; and how to train on them."""

    called = "train reward"
    part = "reward"
    sources = ("run", "dataset_name")
    asked = "which pairs? Give either {1} or {0}"
    help: ClassVar = """\
    Train a reward model on pairs of responses of which one is preferred; a model folder.

    Layouts of TRL, RLHF-V, RLAIF-V, VLFeedback, ms-swift and LLaMA-Factory are known.
    The same as: accelerate launch pipelines/train.py reward ...

    Example: textcentric train reward --dataset-name pairs.jsonl --reward-objective sfc
    """
    sections: ClassVar = {"train": TrainConfig, "reward": RewardConfig}

    dataset_name: str | None = setting(None, "Pairs: a file, a folder or OWNER/NAME.", panel="Data")
    layout: str | None = fields.layout()
    run: str | None = setting(
        None, "Run whose clean texts are preferred to variants.", panel="Data", metavar="RUN"
    )
    only: Literal["read-true", "believed"] | None = fields.only()
    eval_dataset: tuple[str, ...] = setting(
        (), "Held-out pairs: FILE,FILE.", panel="Data", shown="split validation"
    )
    image_dir: str | None = fields.image_dir()
    image_expert: str = fields.image_expert()
    train_rows: int | None = fields.at_most("pairs to learn from")
    held_out_rows: int | None = fields.at_most("held-out pairs")
    held_out_share: float = setting(
        0.1,
        "Share of the pairs, whole prompts or groups, held out where the data name none; 0: none.",
        panel="Data",
        ge=0,
        lt=1,
    )
    reward: Values = setting({}, "Settings of the method.", flags=())

    def name(self) -> str:
        """Return the name of the pairs and of the method."""
        rows = Path(str(self.run or self.dataset_name)).name.split(".")[0]
        return f"{rows}-reward"

    def adapts(self) -> bool:
        """Say whether a LoRA adapter is trained."""
        return bool(self.method().use_peft)

    def check(self) -> None:
        """Raise ConfigError where pairs or settings are missing, or do not fit together."""
        if self.dataset_name is not None and self.run is not None:
            raise self.without_source()
        if self.run is not None and self.layout is not None:
            raise ConfigError(f"layout={self.layout!r} is of files; a run has a layout of its own")
        fields.check_only(self.only, self.run, "pairs of a file or in hand")
        super().check()
