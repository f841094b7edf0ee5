"""Which languages a model says it knows, so that a row in another one can be warned about once."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from textcentric.errors import DataError
from textcentric.models.packaged import FULL_NAME
from textcentric.security.foreign import foreign
from textcentric.security.yaml import load

MOST = 2**20  # bytes of a card
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
    """Return the `language` entry of a model card's front matter, None where it cannot be read."""
    listed = card_front(card).get("language")
    languages = [listed] if isinstance(listed, str) else listed
    if not isinstance(languages, list):
        return None
    return frozenset(name for name in languages if isinstance(name, str)) or None


def card_front(card: Path) -> dict[str, object]:
    """Return the front matter of a model's card, {} where there is none that can be read."""
    with suppress(DataError), foreign("a model's card"):
        if card.is_file():  # or a link to one, as in the cache of the hub
            with card.open("rb") as file:
                text = file.read(MOST).decode("utf-8")
            front = re.match(r"---\r?\n(.*?)\n---", text, re.DOTALL)
            values = load(front[1]) if front else None
            return values if isinstance(values, dict) else {}
    return {}
