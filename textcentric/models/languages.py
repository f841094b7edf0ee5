"""Which languages a model says it knows, so that a row in another one can be warned about once."""

from __future__ import annotations

import re
from pathlib import Path

from textcentric.models.packaged import FULL_NAME

ENGLISH = frozenset(["en"])


def model_languages(engine: object) -> frozenset[str] | None:
    """Return the languages that the model's card lists, None where it lists none.

    The packaged model is trained on English; a folder's `README.md` is its card.
    """
    model = getattr(engine, "model", None)
    if getattr(model, "name", None) == FULL_NAME:
        return ENGLISH
    folder = getattr(model, "folder", None)
    return None if folder is None else card_languages(Path(folder) / "README.md")


def card_languages(card: Path) -> frozenset[str] | None:
    """Return the `language` entry of a model card's front matter."""
    import yaml

    if not card.is_file():
        return None
    found = re.match(r"---\n(.*?)\n---", card.read_text(encoding="utf-8"), re.DOTALL)
    values = yaml.safe_load(found[1]) if found else None
    listed = values.get("language") if isinstance(values, dict) else None
    languages = [listed] if isinstance(listed, str) else listed
    return frozenset(languages) if languages else None
