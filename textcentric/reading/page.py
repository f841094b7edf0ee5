"""What the page shows: a variant beside its source, part by part, differences marked."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from textcentric.reading.exchange import reordered
from textcentric.reading.items import Item
from textcentric.report.differences import word_differences
from textcentric.report.formats import visible

HERE = Path(__file__).parent
Shown = list[tuple[str, str]]  # pieces: "same", "gone" or "new", and the text


@cache
def page() -> tuple[str, str]:
    """Return the page and the policy that lets it load its own script and style alone."""
    style, script = ((HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    html = (HERE / "page.html").read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; script-src {_digest(script)}; style-src {_digest(style)};"
        " connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    )
    return html.replace("/*style*/", style).replace("/*script*/", script), policy


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def shown(item: Item) -> dict[str, object]:
    """Return a pair as the page shows it, without its kind, prompt and verdict.

    Parts that differ come first: on a phone they are what is seen at once.
    """
    names = dict.fromkeys((*item.source, *item.variant))
    return {
        "item": item.item,
        "declared": visible("; ".join(filter(None, (item.declared, reordered(item))))),
        "parts": [
            {"name": name, **_part(item.source, item.variant, name)}
            for name in sorted(names, key=lambda n: item.source.get(n) == item.variant.get(n))
        ],
        "text": dict(item.variant),
    }


def _part(source: Mapping[str, str], variant: Mapping[str, str], name: str) -> dict[str, object]:
    """Return both sides of a part; a variant that shares no part with its row is new as a whole."""
    old, new = source.get(name), variant.get(name)
    apart = set(source).isdisjoint(variant)
    if old is None or new is None:
        kinds = ("same", "same") if apart else ("gone", "new")
        return {
            "equal": False,
            "source": None if old is None else [(kinds[0], visible(old))],
            "variant": None if new is None else [(kinds[1], visible(new))],
            "absent": new is None and not apart,
        }
    pieces = [(kind, visible(text)) for kind, text in word_differences(old, new)]
    return {
        "equal": old == new,
        "source": [piece for piece in pieces if piece[0] != "new"],
        "variant": [piece for piece in pieces if piece[0] != "gone"],
        "absent": False,
    }
