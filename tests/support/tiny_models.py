"""Tiny transformers with random weights and a tokenizer of a few words, made on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    GenerationConfig,
    PreTrainedTokenizerFast,
)
from transformers.models.auto.configuration_auto import AutoConfig

WORDS = "a calm bold shy dog cat bird age kind red blue old young very : .".split()
WORDS += "table text image summary".split()
TURNS = "{% for turn in messages %}{{ turn.content }}\n{% endfor %}"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
SMALL: dict[str, dict[str, Any]] = {
    "bert": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    | {"intermediate_size": 64, "max_position_embeddings": 64},
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64}
    | {"bos_token_id": 2, "eos_token_id": 3},
    "longformer": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    | {"intermediate_size": 64, "max_position_embeddings": 66, "attention_window": 8}
    | {"pad_token_id": 0, "sep_token_id": 3},
    "deberta-v2": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    | {"intermediate_size": 64, "max_position_embeddings": 64, "type_vocab_size": 0}
    | {"relative_attention": True, "position_buckets": 16, "position_biased_input": False}
    | {"share_att_key": True, "pos_att_type": ["p2c", "c2p"], "norm_rel_ebd": "layer_norm"}
    | {"pad_token_id": 0},
    "roberta": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    | {"intermediate_size": 64, "max_position_embeddings": 66, "pad_token_id": 0},
    "distilbert": {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64}
    | {"max_position_embeddings": 64},
    "electra": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    | {"intermediate_size": 64, "max_position_embeddings": 64, "embedding_size": 16},
    "mpnet": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    | {"intermediate_size": 64, "max_position_embeddings": 66, "pad_token_id": 0},
    "llama": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    | {"intermediate_size": 64, "max_position_embeddings": 64}
    | {"bos_token_id": 2, "eos_token_id": 3},
    "t5": {"d_model": 32, "num_layers": 1, "num_heads": 2, "d_kv": 16, "d_ff": 32},
}


def tiny_tokenizer(kind: str = "bert", words: list[str] = WORDS, longest: int = 64) -> Any:
    """Return a tokenizer of whole words; a decoder's adds no special tokens and cannot pad."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    vocabulary = {word: at for at, word in enumerate([*SPECIAL, *words])}
    fast = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    fast.normalizer = normalizers.Lowercase()
    fast.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    if kind == "gpt2":
        return PreTrainedTokenizerFast(tokenizer_object=fast, unk_token="[UNK]", eos_token="[SEP]")
    fast.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=fast,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=longest,
    )


def tiny_model(folder: Path, kind: str = "bert", words: list[str] = WORDS, **values: Any) -> str:
    """Write a tiny model of that kind into `folder` and return its path."""
    tokenizer = tiny_tokenizer(kind, words, values.get("max_position_embeddings", 64))
    values = {**SMALL[kind], "vocab_size": len(tokenizer), **values}
    config = AutoConfig.for_model(kind, **values)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        AutoModel.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def byte_tokenizer(template: str = TURNS) -> Any:
    """Return a tokenizer of single bytes with a chat template: it spells anything."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: at for at, letter in enumerate(["<|end|>", "<|pad|>", *letters])}
    fast = Tokenizer(models.BPE(vocabulary, merges=[]))
    fast.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    fast.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=fast, eos_token="<|end|>", pad_token="<|pad|>", chat_template=template
    )


def tiny_chat_model(folder: Path, **generation: Any) -> str:
    """Write a tiny language model that chats, in bytes, into `folder` and return its path.

    `generation` is what its folder suggests for sampling, beside the end of an answer.
    """
    tokenizer = byte_tokenizer()
    values = {**SMALL["gpt2"], "n_positions": 512, "bos_token_id": 0, "eos_token_id": 0}
    config = AutoConfig.for_model("gpt2", **values, vocab_size=len(tokenizer) + 6)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    GenerationConfig(eos_token_id=0, **generation).save_pretrained(folder)
    return str(folder)
