"""The page of a search: queries, and what was found, with the pictures themselves.

Small copies of the pictures are in the page; nothing is loaded from outside.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from textcentric.report.page import render

if TYPE_CHECKING:
    from PIL import Image

SIDE = 320  # pixels of a copy
Picture: TypeAlias = "Callable[[str], Image.Image]"


def search_page(
    title: str, queries: Sequence[Mapping[str, Any]], open_query: Picture, open_hit: Picture
) -> str:
    """Return the page; a query holds `modality`, `value`, `target` (of the hits) and `hits`.

    A hit holds `rank`, `cosine` and `value`; the values of pictures are paths, which `open_query`
    and `open_hit` take.
    """
    shown = [
        {
            **query,
            "picture": _picture(query["modality"], query["value"], open_query),
            "hits": [
                {**hit, "picture": _picture(query["target"], hit["value"], open_hit)}
                for hit in query["hits"]
            ],
        }
        for query in queries
    ]
    styles = ["page.css", "search.css"]
    view = {"title": title, "queries": shown}
    return render("search.html.jinja", view, styles, [], pictures=True)


def _picture(modality: str, value: str, open_picture: Picture) -> str | None:
    """Return a picture as an address that holds it, None for what is none."""
    if modality != "image":
        return None
    picture = open_picture(value)
    picture.thumbnail((SIDE, SIDE))
    held = io.BytesIO()
    picture.save(held, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(held.getvalue()).decode()}"
