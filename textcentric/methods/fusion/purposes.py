"""What each variant of a fusion model is for, and what a step of it costs."""

from __future__ import annotations

from typing import NamedTuple

from textcentric.methods.fusion.config import VARIANTS, Variant


class Purpose(NamedTuple):
    """What a variant is for, in a line, and its cost: a step's time over that of `jt`.

    Costs are medians of `python -m benchmarks step_time` on two CPU cores, small conv encoders.
    """

    about: str
    cost: float


PURPOSES: dict[str, Purpose] = {
    "jt": Purpose("joint training: one linear layer over all features", 1.0),
    "ojt": Purpose("the same with orthogonal class rows and a weight a class", 1.0),
    "crmt-step-1": Purpose("ojt, and a margin in every modality", 1.0),
    "crmt-step-2": Purpose("ojt, then weights of the widest certified radius", 1.0),
    "crmt-jt": Purpose("both steps: an attack on one modality", 1.1),
    "crmt-at": Purpose("both steps on attacked inputs: an attack", 5.0),
    "crmt-mix": Purpose("both steps on mixed inputs: an attack on one modality", 1.1),
    "mmat": Purpose("adversarial training: an attack", 4.7),
    "mixup": Purpose("rows mixed in pairs", 1.0),
    "ogm-ge": Purpose("slows the modality that leads: a weaker one that lags", 1.0),
    "pmr": Purpose("pulls the modality that lags to prototypes", 1.1),
    "gradient-blending": Purpose("weighs modalities by what they generalise", 1.0),
    "mcr": Purpose("contrast and a game between modalities: a weaker one that lags", 1.0),
    "mfcpl": Purpose("prototypes of complete rows: training rows that lack a modality", 1.0),
    "cib": Purpose("less of the input in features: speakers, places never seen", 1.2),
    "umurl": Purpose("ties modalities without labels: few rows have one", 1.2),
    "experts": Purpose("a gate between modalities: one of them spoilt, row by row", 1.0),
    "heads-only": Purpose("class rows over encoders that were trained alone", 0.3),
    "mmlora": Purpose("the same, and adapters in the encoders", 1.3),
    "ensemble": Purpose("the sum of models that were trained alone; trains nothing", 0.0),
    "pal": Purpose("ridge regression over frozen encoders: classes that come later", 0.0),
}


def lines() -> list[tuple[str, str, str, str]]:
    """Return each variant with what it is for, what rows must have, and its cost."""
    return [
        (name, PURPOSES[name].about, _needs(one), f"{PURPOSES[name].cost:.1f}")
        for name, one in VARIANTS.items()
    ]


def _needs(variant: Variant) -> str:
    found = [f"{variant.least} modalities" if variant.least > 1 else "a modality"]
    found += ["features of one width"] * variant.one_width
    found += ["complete rows among them"] * variant.complete
    found += ["a model of each modality alone"] * variant.starts
    found += ["a class of some rows" if variant.unlabelled else "a class of each row"]
    return ", ".join(found)
