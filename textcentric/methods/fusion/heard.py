"""Which settings a variant hears. Others are told and not refused: a file may serve several."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from textcentric.methods.fusion.config import CrmtConfig, Variant

HEARD: Mapping[str, Callable[[Variant], bool]] = {  # by how names of settings begin
    "rho": lambda variant: variant.margin,
    "margin": lambda variant: variant.margin,
    "orthogonality": lambda variant: variant.orthogonal,
    "weights_start": lambda variant: variant.orthogonal,
    "bound": lambda variant: variant.last == "second step",
    "second_": lambda variant: variant.last == "second step",
    "attack_": lambda variant: variant.inputs == "adversarial",
    "lora_": lambda variant: variant.trains == "adapters",
    "experts_": lambda variant: variant.fusion == "experts",
    "pal_": lambda variant: variant.fusion == "ridge",
    "ogm_": lambda variant: variant.rival == "ogm-ge",
    "pmr_": lambda variant: variant.rival == "pmr",
    "mcr_": lambda variant: variant.rival == "mcr",
    "mfcpl_": lambda variant: variant.rival == "mfcpl",
    "cib_": lambda variant: variant.rival == "cib",
    "umurl_": lambda variant: variant.rival == "umurl",
}


def unheard(config: CrmtConfig, given: Iterable[str]) -> list[str]:
    """Return those of the settings `given`, set to other than the usual, that change nothing."""
    return [
        name
        for name in given
        for start, heard in HEARD.items()
        if name.startswith(start)
        and not heard(config.method)
        and getattr(config, name) != CrmtConfig.model_fields[name].default
    ]
