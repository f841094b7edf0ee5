"""A trained text model as an ordinary sequence classifier of transformers, by weights alone.

Ours pools tokens and puts a linear layer W on top. Classifiers of transformers read one token,
encoders through a dense layer and an activation f. They compute the same with these weights:

- the last token: `score`, the linear layer of decoders, is W;
- the first token: the dense layer gives W h and -W h, so small that f is linear there, and
  f(u) - f(-u) is u for ReLU and GELU, 2 u for a small u under tanh;
- the mean: one more layer, whose queries and keys are 0, attends to all tokens alike and adds the
  mean of W h, and of -W h beside it. Its norms are linear because two anchors, 1 and -1, hold all
  of their variance; how these round is the same for both of a pair, whose difference is read.
  What the residual carries is 2^-24 of them, as the norm before it is scaled by a power of two,
  which is undone without loss when the encoder is loaded again.

Whether it computes the same is measured on texts, so an architecture that cannot hold it is found
out by that. The numbers need the exponents of float32 or bfloat16; float16 has too few.
Legend: N texts, T tokens, D width, O outputs.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

ADDED = "mean_layers"  # key of config.json: how many of its layers only take the mean
SMALL = 2.0**-16  # scale of outputs where norms and activations are linear
FADED = SMALL * 2.0**-24  # scale of the hidden states that the residual carries beside them
SLOPES = (1.0, 2.0)  # of f(u) - f(-u) at 0: ReLU and GELU, tanh
CLOSE = {torch.float32: 1e-5, torch.bfloat16: 0.1}  # how far outputs may be off, over their size
VALUES = ("attention.self.value", "attention.self.value_proj", "attention.v_lin")
GLOBAL_VALUES = ("attention.self.value_global",)
BESIDE = ("attention.output.dense", "attention.out_lin")
FIRST_NORM = ("attention.output.LayerNorm", "sa_layer_norm")
SECOND_NORM = ("output.LayerNorm", "output_layer_norm")


class Pools(Protocol):
    """A model that reads a text by an encoder and pools its tokens."""

    encoder: Any
    pooling: str

    def pooled(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor: ...


@torch.no_grad()
def classifier_of(
    model: Pools, last: nn.Linear, texts: Mapping[str, Tensor], **settings: Any
) -> PreTrainedModel | None:
    """Return a classifier that gives the outputs of `last` (D to O) for pooled texts.

    None where the architecture cannot, by what it says of `texts` (`input_ids`, `attention_mask`
    (N, T)). `settings` are set in its configuration. A decoder shares the weights of `model`.
    """
    from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING

    kind = type(model.encoder.config)
    if kind not in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING:
        return None
    config = copy.deepcopy(model.encoder.config)
    config.update({"num_labels": last.out_features, **settings})
    built: Any = MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING[kind]
    with torch.device("meta"):  # its weights are put in their places, none is drawn
        empty = built(config).eval()
    expected = last(model.pooled(**texts).to(last.weight.dtype))  # (N, O)
    for classifier in _filled(empty, config, model, last):
        if _close(_told(classifier, texts), expected, model.encoder.dtype):
            return classifier
    return None


def _told(classifier: Any, texts: Mapping[str, Tensor]) -> Tensor:
    """Return the logits (N, O), none where it cannot read texts of several lengths at once."""
    try:
        logits: Tensor = classifier(**texts).logits
    except ValueError:
        return torch.empty(0)
    return logits


def _close(told: Tensor, expected: Tensor, dtype: torch.dtype) -> bool:
    if told.shape != expected.shape:
        return False
    size = max(1.0, float(expected.abs().max()))
    return bool((told.to(expected.dtype) - expected).abs().max() <= CLOSE[dtype] * size)


def _filled(
    empty: Any, config: PreTrainedConfig, model: Pools, last: nn.Linear
) -> Iterator[PreTrainedModel]:
    """Yield what may compute the same: as a decoder does, or an encoder with either kind of f."""
    prefix = empty.base_model_prefix
    dense, *outs = _own_linears(empty)
    if not outs:
        setattr(empty, prefix, model.encoder)
        _put(empty, dense, _copied(last.weight, None if _bare(empty, dense) else last.bias, model))
        yield empty
        return
    outputs, width = last.weight.shape
    if len(outs) > 1 or 2 * outputs + 2 > width:
        return
    encoder = copy.deepcopy(model.encoder).eval()
    if pooler := getattr(getattr(empty, prefix), "pooler", None):
        encoder.pooler = pooler
    inner = last.weight.float() * SMALL
    if model.pooling == "mean":
        if not _add_mean(encoder, config, inner):
            return
        pairs = _twice(torch.eye(outputs, device=inner.device), width).T  # without what both share
        inner = pairs / 2
    setattr(empty, prefix, encoder)
    _put(empty, dense, _copied(_twice(inner, width), inner.new_zeros(width), model))
    signs = _twice(torch.eye(outputs, device=inner.device), width).T / SMALL
    for slope in SLOPES:
        _put(empty, outs[0], _copied(signs / slope, last.bias, model))
        yield empty


def _own_linears(classifier: Any) -> list[str]:
    """Return the names of the linear layers behind the encoder, the pooler's among them."""
    prefix = classifier.base_model_prefix
    names = [name for name, one in classifier.named_modules() if isinstance(one, nn.Linear)]
    pooler = [name for name in names if name.startswith(f"{prefix}.pooler")]
    return pooler + [name for name in names if not name.startswith(f"{prefix}.")]


def _bare(classifier: nn.Module, name: str) -> bool:
    return classifier.get_submodule(name).bias is None


def _put(classifier: nn.Module, name: str, layer: nn.Linear) -> None:
    parent, _, child = name.rpartition(".")
    setattr(classifier.get_submodule(parent), child, layer)


def _copied(weight: Tensor, bias: Tensor | None, model: Pools) -> nn.Linear:
    """Return a linear layer with these weights, where the encoder is and in its number format."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta")
    place = next(model.encoder.parameters())
    layer.weight = nn.Parameter(weight.detach().to(place).clone())
    if bias is not None:
        layer.bias = nn.Parameter(bias.detach().to(place).clone())
    return layer


def _twice(rows: Tensor, width: int) -> Tensor:
    """Return (D, D') with `rows` (O, D') first, then minus them, then zeros."""
    rest = rows.new_zeros(width - 2 * len(rows), rows.shape[1])
    return torch.cat([rows, -rows, rest])


def _layers(encoder: nn.Module, count: int) -> nn.ModuleList | None:
    lists = [one for one in encoder.modules() if isinstance(one, nn.ModuleList)]
    return next((one for one in lists if len(one) == count), None)


def _named(layer: nn.Module, names: tuple[str, ...]) -> Any:
    modules = dict(layer.named_modules())
    return next((modules[name] for name in names if name in modules), None)


def _add_mean(encoder: Any, config: PreTrainedConfig, small: Tensor) -> bool:
    """Put a layer on `encoder` that gives `small` (O, D) of the mean, and minus it, at all tokens.

    False where its layers are not those of BERT and its kin: attention, norm, dense, norm.
    """
    layers = _layers(encoder, config.num_hidden_layers)
    if layers is None or scaled_norm(layers[-1], 1.0) is None:
        return False
    layer = copy.deepcopy(layers[-1])
    for one in layer.parameters():
        one.zero_()
    norms = [_named(layer, FIRST_NORM), _named(layer, SECOND_NORM)]
    values = [_named(layer, VALUES), _named(layer, GLOBAL_VALUES)]
    beside = _named(layer, BESIDE)
    if None in (*norms, values[0], beside):
        return False
    scaled_norm(layers[-1], FADED)
    outputs, width = small.shape
    for value in filter(None, values):
        value.weight.copy_(_twice(small / FADED, width))
    beside.weight.copy_(torch.eye(width))
    beside.bias[-2:] = torch.tensor([1.0, -1.0])
    for norm in norms:
        norm.weight[[*range(2 * outputs), -2, -1]] = (2 / width + norm.eps) ** 0.5
    layers.append(layer)
    config.update({ADDED: 1, "num_hidden_layers": len(layers)})
    if isinstance(getattr(config, "attention_window", None), list):
        config.attention_window = [*config.attention_window, config.attention_window[-1]]
    encoder.config = config
    return True


def encoder_alone(settings: PreTrainedConfig) -> dict[str, Any]:
    """Return the options that load a saved encoder without the layer that takes the mean."""
    if not getattr(settings, ADDED, 0):
        return {}
    options: dict[str, Any] = {"num_hidden_layers": settings.num_hidden_layers - 1}
    windows = getattr(settings, "attention_window", None)
    return options | ({"attention_window": windows[:-1]} if isinstance(windows, list) else {})


def without_mean(encoder: Any) -> Any:
    """Return an encoder that was loaded so, its last layer scaled as it was trained."""
    if encoder.config.__dict__.pop(ADDED, 0):
        layers = _layers(encoder, encoder.config.num_hidden_layers)
        assert layers is not None
        scaled_norm(layers[-1], 1 / FADED)
    return encoder


def scaled_norm(layer: nn.Module, factor: float) -> Any:
    """Scale what a layer's last norm gives, in place; None where it has no such norm."""
    norm: Any = _named(layer, SECOND_NORM)
    if norm is not None:
        with torch.no_grad():
            norm.weight *= factor
            norm.bias *= factor
    return norm
