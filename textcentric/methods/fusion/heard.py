"""Which settings a variant hears. Others are told and not refused: a file may serve several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from textcentric.methods.fusion.config import CrmtConfig

HEARD: Mapping[str, tuple[str, object]] = {  # how names begin, and what a variant that hears has
    "rho": ("margin", True),
    "margin": ("margin", True),
    "orthogonality": ("orthogonal", True),
    "weights_start": ("orthogonal", True),
    "bound": ("last", "second step"),
    "second_": ("last", "second step"),
    "attack_": ("inputs", "adversarial"),
    "lora_": ("trains", "adapters"),
    "experts_": ("fusion", "experts"),
    "pal_": ("fusion", "ridge"),
    "ogm_": ("rival", "ogm-ge"),
    "pmr_": ("rival", "pmr"),
    "mcr_": ("rival", "mcr"),
    "mfcpl_": ("rival", "mfcpl"),
    "cib_": ("rival", "cib"),
    "umurl_": ("rival", "umurl"),
}


def unheard(config: CrmtConfig, given: Iterable[str]) -> list[str]:
    """Return those of the settings `given`, set to other than the usual, that change nothing."""
    return [
        name
        for name in given
        for start, (trait, value) in HEARD.items()
        if name.startswith(start)
        and getattr(config.method, trait) != value
        and getattr(config, name) != CrmtConfig.model_fields[name].default
    ]
