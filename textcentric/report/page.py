"""How a page is made: one template, one style, one script, and nothing from outside.

Everything that comes from data passes through `visible` and Jinja's autoescape, and the page's
policy admits only the script and the style sheet that are shipped here, by their digests.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from textcentric.command_line import quoted
from textcentric.report.formats import count, duration, figure, isotime, share, visible
from textcentric.security.outputs import head
from textcentric.settings import Given

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent
COLOURS = b'<meta name="color-scheme" content="light dark">'  # in the head of every page


def render(
    template: str,
    view: Given,
    styles: Sequence[str],
    scripts: Sequence[str],
    *,
    pictures: bool,
    loads: bool = False,
) -> str:
    """Render `template` of this folder with style sheets and scripts of this folder.

    `pictures` admits images that the page itself holds, as data addresses; `loads` admits what
    the page's own scripts load, and nothing else.
    """
    from markupsafe import Markup

    style = "".join((HERE / name).read_text(encoding="utf-8") for name in styles)
    code = "".join((HERE / name).read_text(encoding="utf-8") for name in scripts)
    policy = _policy(style, code, pictures, loads)
    return (
        _environment()
        .get_template(template)
        .render(view, style=Markup(style), script=Markup(code), policy=policy)
    )


@cache
def _environment() -> Environment:
    """Return the environment that keeps compiled templates, so that each is compiled once."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        count=count,
        share=share,
        duration=duration,
        isotime=isotime,
        figure=figure,
        quoted=quoted,
    )
    return environment


def is_page(path: Path) -> bool:
    """Say whether a file begins as a page of ours does."""
    begun = head(path)
    return b'http-equiv="Content-Security-Policy"' in begun and COLOURS in begun


def _policy(style: str, script: str, pictures: bool, loads: bool) -> str:
    """Return the policy of a page.

    A page that is opened as a file cannot check the digests of files beside it (browsers check
    them on servers only), and its 'self' is every file of the machine. 'strict-dynamic' admits
    what a script that is admitted by its digest loads itself, and no other file.
    """
    images = " img-src data:;" if pictures else ""
    loaded = " 'strict-dynamic'" if loads else ""
    scripts = f" script-src {_digest(script)}{loaded};" if script else ""
    return (
        f"default-src 'none';{scripts} style-src {_digest(style)};{images}"
        " base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
