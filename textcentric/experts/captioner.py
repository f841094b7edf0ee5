"""A captioner from Hugging Face by name or folder: BLIP and its family, or a small chat VLM."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from textcentric.experts.image import Sight
from textcentric.models.loading import load_model, revision

if TYPE_CHECKING:
    from PIL.Image import Image

_BATCH = 8
_LONGEST = 40  # new tokens
_QUESTION = "Describe this picture in one sentence."


class Captioner:
    """Caption pictures with the image-to-text model `model`, greedily.

    Raises ConfigError where the model cannot be loaded.
    """

    def __init__(self, model: str):
        self.model = model

    @cached_property
    def version(self) -> str:
        """Return the commit of a hub model, or a digest of a folder's weights."""
        return revision(self.model)

    def see(self, albums: Sequence[Sequence[Image]]) -> list[list[Sight]]:
        """Return one caption a picture, row by row."""
        captions = iter(self._caption([picture for album in albums for picture in album]))
        return [[Sight(next(captions)) for _ in album] for album in albums]

    def _caption(self, pictures: Sequence[Image]) -> list[str]:
        starts = range(0, len(pictures), _BATCH)
        return [words for i in starts for words in self._generate(pictures[i : i + _BATCH])]

    def _generate(self, pictures: Sequence[Image]) -> list[str]:
        import torch

        processor, model = self._loaded
        question = _question(processor)
        texts = {"text": [question] * len(pictures)} if question else {}
        batch = processor(images=list(pictures), return_tensors="pt", **texts)
        with torch.inference_mode():
            tokens = model.generate(
                **batch.to(model.device, model.dtype), max_new_tokens=_LONGEST, do_sample=False
            )
        asked = batch["input_ids"].shape[1] if question else 0
        captions = processor.batch_decode(tokens[:, asked:], skip_special_tokens=True)
        return [caption.strip() for caption in captions]

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        return load_model(
            self.model,
            "AutoModelForImageTextToText",
            expert="image",
            expected="a model for image-text-to-text",
        )


def _question(processor: Any) -> str | None:
    """Return the prompt of a chat model, None for a pure captioner."""
    if not getattr(processor, "chat_template", None):
        return None
    content = [{"type": "image"}, {"type": "text", "text": _QUESTION}]
    turn = [{"role": "user", "content": content}]
    return str(processor.apply_chat_template(turn, add_generation_prompt=True, tokenize=False))
