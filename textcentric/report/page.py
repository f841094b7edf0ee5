"""How a page is made: one template, one style, one script, and nothing from outside.

Everything that comes from data passes through `visible` and Jinja's autoescape, and the page's
policy admits only the script and the style sheet that are shipped here, by their digests.
"""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from textcentric.report.formats import count, duration, figure, isotime, share, visible
from textcentric.settings import Given

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent


def render(
    template: str,
    view: Given,
    styles: Sequence[str],
    script: str | None,
    *,
    pictures: bool,
) -> str:
    """Render `template` of this folder with style sheets and a script, if any, of this folder.

    `pictures` admits images that the page itself holds, as data addresses.
    """
    from markupsafe import Markup

    style = "".join((HERE / name).read_text(encoding="utf-8") for name in styles)
    code = (HERE / script).read_text(encoding="utf-8") if script else ""
    return (
        _environment()
        .get_template(template)
        .render(
            view, style=Markup(style), script=Markup(code), policy=_policy(style, code, pictures)
        )
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
        quoted=shlex.quote,
    )
    return environment


def _policy(style: str, script: str, pictures: bool) -> str:
    images = " img-src data:;" if pictures else ""
    scripts = f" script-src {_digest(script)};" if script else ""
    return (
        f"default-src 'none';{scripts} style-src {_digest(style)};{images}"
        " base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
