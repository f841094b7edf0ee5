"""Pictures as a reward model reads them: features of a frozen encoder, in the place of tokens.

The features pass a projector and become embeddings that the text model reads before the text
(LLaVA, arXiv 2304.08485; the projector's layers are those of InternVL, arXiv 2404.16821).
Legend: N texts, T tokens, P features a picture, M features of all texts, F their width, D width
of the text model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from textcentric.data.pictures import open_picture
from textcentric.errors import ConfigError
from textcentric.experts.digest import digest_files
from textcentric.methods.loading import PACKAGED, found, quiet

if TYPE_CHECKING:
    from PIL.Image import Image

BLANK = "\0"  # in place of a file, which cannot be called so: a white picture, the same for all
SIDE = 224  # pixels of the blank picture
BATCH = 16
MOST_KEPT = 2**31  # bytes of features


class Eyes:
    """A frozen vision encoder that sees each picture once.

    `name` is "packaged" (EfficientNet-Lite0, one feature a picture), a hub name or a folder (every
    patch is a feature). Files are read inside `folder` alone. The newest features are kept in
    memory, in half precision, up to `MOST_KEPT` bytes; a picture beyond that is seen again.
    """

    def __init__(self, name: str, folder: str | Path | None = None, **options: Any):
        self.folder = folder
        self._see = _packaged if name == PACKAGED else _encoder(name, **options)
        self._known: dict[str, Tensor] = {}
        self._known[BLANK] = self._seen([_white()])[0]

    @property
    def shape(self) -> tuple[int, int]:
        """Return (P, F), the same for all pictures."""
        count, width = self._known[BLANK].shape
        return count, width

    def look(self, files: Sequence[str]) -> None:
        """Compute the features of `files`; raises PictureError for one that cannot be used."""
        new = iter([file for file in dict.fromkeys(files) if file not in self._known])
        while batch := list(islice(new, BATCH)):
            features = self._seen([self._opened(file) for file in batch])
            self._known.update(zip(batch, features, strict=True))
            self._forget()

    def features(self, files: Sequence[str]) -> Tensor:
        """Return the features (P x files, F) of one text's pictures, in float32."""
        self.look(files)
        return torch.cat([self._known[file] for file in files]).float()

    def digest(self, files: Sequence[str]) -> str:
        """Return a digest of the files' bytes, wherever they lie."""
        folder = Path(self.folder or "")
        return digest_files([folder / file for file in files], folder)

    def _forget(self) -> None:
        """Drop the oldest features where there are too many."""
        most = max(BATCH, MOST_KEPT // self._known[BLANK].nbytes)
        for file in [one for one in self._known if one != BLANK][: max(0, len(self._known) - most)]:
            del self._known[file]

    def _opened(self, file: str) -> Image:
        if self.folder is None:
            raise ConfigError(f"picture {file!r}: the model reads pictures; give their image_dir")
        return open_picture(Path(self.folder) / file, self.folder)

    def _seen(self, pictures: Sequence[Image]) -> Tensor:
        with torch.inference_mode():
            return self._see(pictures).half().cpu()  # (pictures, P, F)


class Projector(nn.Sequential):
    """From features (M, F) to embeddings (M, D): layer norm, linear, GELU, linear."""

    def __init__(self, features: int, width: int):
        super().__init__(
            nn.LayerNorm(features), nn.Linear(features, width), nn.GELU(), nn.Linear(width, width)
        )

    def start_like(self, embeddings: nn.Module) -> None:
        """Scale the last layer so that its outputs begin about as large as token embeddings."""
        weight = embeddings.weight
        assert isinstance(weight, Tensor)
        first, last = self[1], self[-1]
        assert isinstance(first, nn.Linear)
        assert isinstance(last, nn.Linear)
        with torch.no_grad():
            spread = self(torch.randn(64, first.in_features)).std()
            last.weight *= weight.float().std().cpu() / spread
            nn.init.zeros_(last.bias)


@contextmanager
def in_place(embeddings: nn.Module, places: Tensor, vectors: Tensor) -> Iterator[None]:
    """Let `embeddings` give `vectors` (M, D) at the `places` (N, T) that are True, in order.

    Whatever token stands there is not read, so any model of transformers takes part as it is.
    """

    def put(module: nn.Module, args: Any, told: Tensor) -> Tensor:
        return told.masked_scatter(places[..., None], vectors.to(told.dtype))

    handle = embeddings.register_forward_hook(put)
    try:
        yield
    finally:
        handle.remove()


def _white() -> Image:
    from PIL import Image as pillow

    return pillow.new("RGB", (SIDE, SIDE), "white")


def _packaged(pictures: Sequence[Image]) -> Tensor:
    from textcentric.experts.classifier import picture_features

    return picture_features(pictures)[:, None]


def _encoder(name: str, **options: Any) -> Any:
    """Return what a vision model of transformers sees: pictures to features (pictures, P, F)."""
    from transformers import AutoImageProcessor, AutoModel

    with quiet():
        model = found(AutoModel, name, name, **options)
        processor = found(AutoImageProcessor, name, name, **options)
    model = getattr(model, "vision_model", model).eval().requires_grad_(False)
    if torch.cuda.is_available():
        model = model.cuda()

    def see(pictures: Sequence[Image]) -> Tensor:
        pixels = processor(images=list(pictures), return_tensors="pt")["pixel_values"]
        device = next(model.parameters()).device
        features: Tensor = model(pixel_values=pixels.to(device)).last_hidden_state
        if features.ndim == 4:  # (N, F, H, W)
            return features.flatten(2).transpose(1, 2)
        return features

    return see
