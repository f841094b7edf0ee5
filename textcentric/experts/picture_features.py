"""Features of pictures by a frozen vision encoder, each picture seen once.

Legend: P features a picture, F their width.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textcentric.data.media.digests import digest_files
from textcentric.data.media.pictures import open_picture
from textcentric.data.pairs.pictures import root_of
from textcentric.errors import ConfigError, option
from textcentric.models.loading import PACKAGED, found, quiet

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

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
        import torch

        self.look(files)
        return torch.cat([self._known[file] for file in files]).float()

    def digest(self, files: Sequence[str]) -> str:
        """Return a digest of the files' bytes, wherever they lie."""
        roots = {root_of(file, self.folder) or Path() for file in files}
        if len(roots) > 1:
            return "".join(self.digest([file]) for file in files)
        root = next(iter(roots), Path())
        return digest_files([root / file for file in files], root)

    def _forget(self) -> None:
        """Drop the oldest features where there are too many."""
        most = max(BATCH, MOST_KEPT // self._known[BLANK].nbytes)
        for file in [one for one in self._known if one != BLANK][: max(0, len(self._known) - most)]:
            del self._known[file]

    def _opened(self, file: str) -> Image:
        root = root_of(file, self.folder)
        if root is None:
            raise ConfigError(
                f"picture {file!r} is to be seen: give {option('image_dir')}, the folder it is in"
            )
        return open_picture(root / file, root)

    def _seen(self, pictures: Sequence[Image]) -> Tensor:
        import torch

        with torch.inference_mode():
            return self._see(pictures).half().cpu()  # (pictures, P, F)


def _white() -> Image:
    from PIL import Image as pillow

    return pillow.new("RGB", (SIDE, SIDE), "white")


def _packaged(pictures: Sequence[Image]) -> Tensor:
    from textcentric.experts.classifier import picture_features

    return picture_features(pictures)[:, None]


def _encoder(name: str, **options: Any) -> Any:
    """Return what a vision model of transformers sees: pictures to features (pictures, P, F)."""
    import torch
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
