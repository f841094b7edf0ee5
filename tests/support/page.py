"""A page as a browser without scripts sees it: its tags and its text."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

BREAKS = ("dd", "dt", "td", "th", "br")  # tags that part words


class Page(HTMLParser):
    """The tags, in order, and the text; where `every_tag` parts words, spaces are folded too."""

    def __init__(self, html: str, *, every_tag: bool = False):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.every_tag = every_tag
        self.feed(html)
        if every_tag:
            self.text = re.sub(r"\s+", " ", self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.text += " " if self.every_tag or tag in BREAKS else ""

    def handle_data(self, data: str) -> None:
        self.text += data.replace("\u00a0", " ")

    def variants(self) -> list[dict[str, str | None]]:
        """Return the attributes of the sections that show a variant."""
        return [attrs for tag, attrs in self.tags if tag == "section" and "data-status" in attrs]

    def scripts(self) -> list[str | None]:
        """Return the type of each script; one without a type runs, one of JSON holds data."""
        return [attrs.get("type") for tag, attrs in self.tags if tag == "script"]

    def pictures(self) -> list[bytes]:
        """Return the drawings that stand in the page."""
        sources = [attrs["src"] or "" for tag, attrs in self.tags if tag == "img"]
        return [base64.b64decode(s.removeprefix("data:image/svg+xml;base64,")) for s in sources]
