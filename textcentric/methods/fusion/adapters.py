"""MMLoRA: low-rank adapters on the encoders of single models, trained together.

After the abstract of Du et al. (arXiv 2310.05193). Of every Linear and Conv2d layer W of an
encoder, W x + (alpha / r) B A x is learnt with W frozen; a convolution is read as the matrix over
its patches. PEFT's layers do it, with alpha = r, A drawn as they draw it and B = 0, so the first
logits are the sum of those of the single models. In the end B A is added to W: what is kept is an
ordinary fusion model.
"""

from __future__ import annotations

from torch import nn

from textcentric.machine import require


def add_adapters(encoders: nn.Module, rank: int) -> None:
    """Freeze `encoders` behind adapters of `rank`; raises ConfigError where PEFT is missing."""
    require("a LoRA adapter")
    from peft import LoraConfig, inject_adapter_in_model

    layers = [n for n, one in encoders.named_modules() if isinstance(one, (nn.Linear, nn.Conv2d))]
    inject_adapter_in_model(LoraConfig(r=rank, lora_alpha=rank, target_modules=layers), encoders)


def merge_adapters(encoders: nn.Module) -> None:
    """Add each adapter to the weights of its layer, which takes its place again."""
    from peft.tuners.lora import LoraLayer

    adapted = {n: one for n, one in encoders.named_modules() if isinstance(one, LoraLayer)}
    for name, layer in adapted.items():
        layer.merge()
        encoders.set_submodule(name, layer.get_base_layer())
