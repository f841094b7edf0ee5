"""Any Hugging Face encoder or decoder with a head of our own, perhaps behind a LoRA adapter.

Encoders are read by the mean over their tokens or by the first one, decoders by the last. What is
saved is an ordinary classifier of transformers where its architecture can hold that.
Legend: N texts, T tokens, D width, W outputs.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from textcentric.errors import ConfigError, RunError
from textcentric.machine import require
from textcentric.methods.downstream.card import OFFSET
from textcentric.methods.downstream.config import DownstreamConfig
from textcentric.methods.downstream.decision import LEAST_SHARE, Decision
from textcentric.methods.downstream.ordinary import classifier_of, encoder_alone, without_mean
from textcentric.models.loading import (
    Network,
    checked_layers,
    dropout_settings,
    found,
    hub_name,
    quiet,
    seeded,
    source,
)
from textcentric.models.received import ADAPTER, adapted

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedConfig, PreTrainedModel

HEAD = "head.safetensors"
ENCODER = "encoder"  # where it lies, if no classifier of transformers can hold the model


class TextModel(nn.Module):
    """An encoder (or decoder), how its tokens are pooled, and a head."""

    encoder: Any  # a transformers or PEFT model
    head: nn.Module

    def __init__(self, encoder: Any, head: nn.Module, pooling: str):
        super().__init__()
        self.encoder = encoder
        self.head = head
        self.pooling = pooling
        self.global_first = encoder.config.model_type == "longformer"

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return outputs (N, W) for token ids and mask (N, T), padding on the right."""
        pooled = self.pooled(input_ids, attention_mask)
        outputs: Tensor = self.head(pooled.to(next(self.head.parameters()).dtype))  # (N, W)
        return outputs

    def pooled(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the texts (N, D), read from their tokens (N, T)."""
        extra = {}
        if self.global_first:  # all tokens see the first one, and it sees all of them
            extra["global_attention_mask"] = torch.zeros_like(input_ids)
            extra["global_attention_mask"][:, 0] = 1
        told = self.encoder(input_ids=input_ids, attention_mask=attention_mask, **extra)
        hidden = told.last_hidden_state  # (N, T, D)
        return POOLINGS[self.pooling](hidden, attention_mask)


def mean_tokens(hidden: Tensor, mask: Tensor) -> Tensor:
    """Return the mean (N, D) over the tokens that are not padding."""
    weights = mask.to(hidden.dtype)[:, :, None]  # (N, T, 1)
    return (hidden * weights).sum(dim=1) / weights.sum(dim=1)


def first_token(hidden: Tensor, mask: Tensor) -> Tensor:
    """Return the first token (N, D)."""
    return hidden[:, 0]


def last_token(hidden: Tensor, mask: Tensor) -> Tensor:
    """Return the last token (N, D) that is not padding."""
    rows = torch.arange(len(hidden), device=hidden.device)
    return hidden[rows, mask.sum(dim=1) - 1]


POOLINGS = {"mean": mean_tokens, "cls": first_token, "last": last_token}


class CumulativeHead(nn.Module):
    """Logits of P(class <= k) = cut_k - score, the cuts rising by construction.

    The cuts begin where the class shares put them, the first one plus positive steps.
    """

    def __init__(self, width: int, shares: np.ndarray):
        super().__init__()
        below = np.cumsum(np.clip(shares, LEAST_SHARE, None))[:-1]
        below = np.clip(below, LEAST_SHARE, 1 - LEAST_SHARE)
        cuts = np.log(below / (1 - below))
        steps = np.log(np.expm1(np.maximum(np.diff(cuts), LEAST_SHARE)))  # softplus inverted
        self.score = nn.Linear(width, 1, bias=False)
        self.first = nn.Parameter(torch.tensor(cuts[:1], dtype=torch.float32))
        self.steps = nn.Parameter(torch.tensor(steps, dtype=torch.float32))

    def forward(self, pooled: Tensor) -> Tensor:
        """Return logits (N, C - 1) of pooled texts (N, D)."""
        score: Tensor = self.score(pooled)  # (N, 1)
        return self.cuts() - score

    def cuts(self) -> Tensor:
        """Return the rising cuts (C - 1,)."""
        return torch.cat([self.first, nn.functional.softplus(self.steps)]).cumsum(0)


def build_model(config: DownstreamConfig, decision: Decision) -> TextModel:
    """Return the model that `config` names, with a fresh head (and adapter)."""
    encoder: Network = load_encoder(config, source(config.model))
    how = pooling(config, encoder.config)
    with seeded(config.seed):
        head = make_head(config, decision, encoder.config, bias=how != "last")
        if config.lora_r is not None:
            encoder = with_adapter(encoder, config)
    return TextModel(encoder, head, how)


def load_model(config: DownstreamConfig, decision: Decision, folder: Path) -> TextModel:
    """Return the model that `save_model` wrote into `folder`.

    Raises RunError where a file is absent or cut short.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if (folder / ADAPTER).is_file():
            encoder: Network = adapted(load_encoder(config, source(config.model)), folder)
        else:
            inside = (folder / ENCODER).is_dir()
            encoder = load_encoder(config, str(folder / ENCODER if inside else folder), saved=True)
        weights = load_file(folder / HEAD)
        head = make_head(config, decision, encoder.config, bias="1.bias" in weights)
        head.load_state_dict(weights)
    except (ConfigError, SafetensorError, OSError, RuntimeError) as error:
        raise RunError(
            f"the model in {folder} cannot be loaded ({error}); a file is missing, cut short or of"
            " another model: copy the folder again, or train again"
        ) from error
    return TextModel(encoder, head, pooling(config, encoder.config))


def save_model(
    model: TextModel,
    config: DownstreamConfig,
    decision: Decision,
    texts: Mapping[str, Tensor],
    folder: Path,
) -> None:
    """Write a classifier of transformers, or an adapter alone, and the head as it was trained.

    The classifier gives the logits of classes, or the score of ordered ones and of numbers. Where
    its architecture cannot hold that, by what it says of `texts` (`input_ids`, `attention_mask`
    (N, T)), the encoder alone lies in a folder inside, so that nothing loads it for the whole.
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    if config.lora_r is not None:
        _save_adapter(model, config, folder)
    else:
        (folder / ADAPTER).unlink(missing_ok=True)
        classifier = _classifier(model, decision, texts)
        with quiet():
            (classifier or model.encoder).save_pretrained(_place(model, folder, classifier))
    weights = {name: value.contiguous().cpu() for name, value in model.head.state_dict().items()}
    save_file(weights, folder / HEAD)


def _save_adapter(model: TextModel, config: DownstreamConfig, folder: Path) -> None:
    adapter = model.encoder.peft_config["default"]
    adapter.base_model_name_or_path = hub_name(config.model)  # not where it lay on this machine
    adapter.revision = config.revision
    model.encoder.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)  # PEFT's empty card; ours follows


def _place(model: TextModel, folder: Path, classifier: object) -> Path:
    """Return where the weights go; code that a model brings is looked for in `folder` itself."""
    alone = classifier is None and not getattr(model.encoder.config, "auto_map", None)
    return folder / ENCODER if alone else folder


def _classifier(
    model: TextModel, decision: Decision, texts: Mapping[str, Tensor]
) -> PreTrainedModel | None:
    settings: dict[str, Any] = decision.labels()
    last = scoring(model.head, decision)
    if model.pooling == "last":
        ids, mask = texts["input_ids"], texts["attention_mask"]
        settings["pad_token_id"] = int(ids[mask == 0][0])  # by it decoders find the last token
        if decision.kind != "classification" and last.bias is not None:
            settings[OFFSET] = last.bias.item()
            last.register_parameter("bias", None)
    place, training = next(model.encoder.parameters()).device, model.training
    given = {name: one.to(place) for name, one in texts.items()}
    try:
        return classifier_of(model.eval(), last, given, **settings)
    finally:
        model.train(training)


@torch.no_grad()
def scoring(head: nn.Module, decision: Decision) -> nn.Linear:
    """Return the linear layer behind `Predictions.scores`, or behind the logits of classes."""
    trained: Any = head[-1]  # type: ignore[index]
    if decision.kind == "cumulative":
        weight, bias = trained.score.weight, -trained.cuts().mean()[None]
    elif decision.kind == "regression":
        weight, bias = trained.weight * decision.spread, trained.bias
        bias = (0.0 if bias is None else bias) * decision.spread + decision.mean
        bias = torch.as_tensor(bias, device=weight.device).reshape(1)
    else:
        weight, bias = trained.weight, trained.bias
    layer = nn.Linear(weight.shape[1], len(weight), bias=bias is not None, device="meta")
    layer.weight = nn.Parameter(weight.detach().clone())
    if bias is not None:
        layer.bias = nn.Parameter(bias.detach().clone().to(weight))
    return layer


def merge_adapter(model: TextModel) -> None:
    """Fold the adapter into the weights of the encoder, in place."""
    model.encoder = model.encoder.merge_and_unload()


def load_encoder(config: DownstreamConfig, name: str, *, saved: bool = False) -> Any:
    """Load the body of a model, without the pooler that nothing here reads.

    Raises ConfigError where there is no such model, or it has both encoder and decoder.
    """
    from transformers import AutoConfig, AutoModel

    options: dict[str, Any] = {"trust_remote_code": config.trust_remote_code}
    if config.revision is not None and not saved:
        options["revision"] = config.revision
    with quiet():
        settings = found(AutoConfig, name, config.model, **options)
        if settings.is_encoder_decoder:
            raise ConfigError(
                f"model {config.model!r} has an encoder and a decoder; expected one of the two,"
                " such as a BERT, DeBERTa, Longformer, GPT-2 or Llama"
            )
        if _takes_pooler(settings):
            options["add_pooling_layer"] = False
        if config.attn_implementation is not None:
            options["attn_implementation"] = config.attn_implementation
        if config.layers is not None:
            options["num_hidden_layers"] = checked_layers(config.layers, settings, config.model)
        if config.encoder_dropout is not None:
            options |= dropout_settings(config.encoder_dropout, settings)
        if saved:
            options |= {"use_safetensors": True, **encoder_alone(settings)}
        dtype = getattr(torch, config.dtype)
        model: Any = found(AutoModel, name, config.model, dtype=dtype, **options)
    if getattr(model, "pooler", None) is not None:
        model.pooler = None  # it would never get a gradient
    if hasattr(model.config, "use_cache"):
        model.config.use_cache = False
    return without_mean(model)


def pooling(config: DownstreamConfig, settings: PreTrainedConfig) -> str:
    """Return how the tokens are pooled: "auto" is the mean, for decoders the last one."""
    if config.pooling != "auto":
        return config.pooling
    from transformers.models.auto import modeling_auto

    kind = type(settings)
    causal = kind in modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING
    masked = kind in modeling_auto.MODEL_FOR_MASKED_LM_MAPPING
    auto_map = getattr(settings, "auto_map", None) or {}
    causal = causal or "AutoModelForCausalLM" in auto_map
    return "last" if causal and not (masked or "AutoModelForMaskedLM" in auto_map) else "mean"


def make_head(
    config: DownstreamConfig, decision: Decision, settings: PreTrainedConfig, *, bias: bool = True
) -> nn.Module:
    """Return a fresh head in float32: one linear layer, or ordered cuts under a score.

    That of a decoder has no `bias`, as in transformers.
    """
    width = settings.get_text_config().hidden_size
    if decision.kind == "cumulative":
        last: nn.Module = CumulativeHead(width, decision.shares)
    else:
        last = nn.Linear(width, decision.width, bias=bias)
    return nn.Sequential(nn.Dropout(config.head_dropout), last)


def with_adapter(encoder: Network, config: DownstreamConfig) -> PeftModel:
    """Return `encoder` frozen behind a fresh LoRA adapter (Hu et al. 2021, arXiv 2106.09685)."""
    require("a LoRA adapter")
    from peft import LoraConfig, TaskType, get_peft_model

    assert config.lora_r is not None
    targets = config.lora_target_modules
    adapter = LoraConfig(
        task_type=TaskType.FEATURE_EXTRACTION,
        r=config.lora_r,
        lora_alpha=config.lora_alpha or 2 * config.lora_r,
        lora_dropout=config.lora_dropout,
        target_modules=targets if isinstance(targets, str) else list(targets),
    )
    try:
        return get_peft_model(encoder, adapter)
    except ValueError as error:
        raise ConfigError(f"lora_target_modules={targets!r}: {error}") from error


def _takes_pooler(settings: PreTrainedConfig) -> bool:
    from transformers.models.auto.modeling_auto import MODEL_MAPPING

    if type(settings) not in MODEL_MAPPING:
        return False
    built: Any = MODEL_MAPPING[type(settings)]
    return "add_pooling_layer" in inspect.signature(built).parameters
