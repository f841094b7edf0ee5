"""What can be chosen about latents: which rows, which two modalities, and who encodes them."""

from __future__ import annotations

from pathlib import Path

from textcentric import fields
from textcentric.settings import Settings, Values, setting


class LatentsConfig(Settings):
    """Rows of which each is a pair, and the frozen encoders of its two sides."""

    called = "latents"

    dataset: str = fields.dataset(...)
    data_dir: str | None = fields.data_dir()
    table_schema: Values | str | None = fields.table_schema()
    split: str | None = fields.split()
    limit: int | None = fields.limit()
    modalities: tuple[str, ...] | None = setting(
        None, "Two of image, text, audio.", panel="Model", shown="those there are"
    )
    image_encoder: str | None = setting(
        None, "packaged (EfficientNet), a folder or OWNER/NAME.", panel="Model", shown="packaged"
    )
    text_encoder: str | None = setting(
        None, "packaged (MiniLM), a folder or OWNER/NAME.", panel="Model", shown="packaged"
    )
    audio_encoder: str | None = setting(
        None, "log-mel, a folder or OWNER/NAME.", panel="Model", shown="log-mel"
    )
    trust_remote_code: bool = fields.trust_remote_code()
    output_dir: Path | None = fields.output_dir("Folder of the latents.", shown="latents/DATASET")

    def encoders(self) -> dict[str, str | None]:
        """Return the encoder of each modality, None where none is named."""
        named = {"image": self.image_encoder, "text": self.text_encoder}
        return {**named, "audio": self.audio_encoder}
