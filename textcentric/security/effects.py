"""What settings say that has effect beyond a folder, line by line, as a person reads it.

However a value is nested or padded, the hosts and the variables in it are shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from textcentric.security.headers import REFERENCE
from textcentric.security.visible import in_line

# Names of settings that act, as wholes or as the end of a name, and those in which all acts.
ACTING = re.compile(
    r"(?:^|[._])(?:url|host|proxy|engine|model|expert|encoder|tokenizer|backbone|dataset|dir|folder"
    r"|file|path|schema|reuse|repo|implementation|kernel|remote_code)s?$",
    re.IGNORECASE,
)
WHOLLY = re.compile(r"^(?:auto_map|engine_settings|encoders|headers|extra_body)$", re.IGNORECASE)
ADDRESS = re.compile(r"\w{1,20}://[^\s\"'<>]+")
PATH = re.compile(r"(?:/|~|\.\.?[/\\]|[A-Za-z]:[\\/]).")
LONGEST, START, END = 120, 70, 30  # characters of a value, and those of a longer one
LONGEST_HOST = 260  # characters; names have 253 at most
DEEPEST = 64


class Effect(NamedTuple):
    """A setting, what it says, and which hosts and variables of the environment that names."""

    name: str
    value: str
    hosts: tuple[str, ...]
    variables: tuple[str, ...]

    def lines(self, between: str = ": ") -> Iterator[str]:
        """Yield the setting with its value, and a line for each variable that would be sent."""
        shown = shortened(self.value)
        unseen = [host for host in self.hosts if host not in shown]
        asks = f" (host {', '.join(map(in_line, unseen))})" if unseen else ""
        yield f"{shortened(self.name)}{between}{shown}{asks}"
        for name in self.variables:
            yield f"{shortened(self.name)} sends the environment variable {in_line(name)}"


def effects(values: object, *, all_act: bool = False) -> Iterator[Effect]:
    """Yield the settings that act and say something; with `all_act`, all that say something.

    Raises RecursionError for what is nested more than 64 deep.
    """
    yield from _effects(values, (), all_act)


def by_weight(said: Iterable[Effect]) -> tuple[list[Effect], list[Effect]]:
    """Return those that name hosts or variables, and the others, the outermost first."""
    ordered = sorted(said, key=lambda effect: effect.name.count("."))
    asked = [effect for effect in ordered if effect.hosts or effect.variables]
    return asked, [effect for effect in ordered if not (effect.hosts or effect.variables)]


def _effects(values: object, names: tuple[str, ...], acts: bool) -> Iterator[Effect]:
    if len(names) > DEEPEST:
        raise RecursionError
    if isinstance(values, Mapping):
        for name, value in values.items():
            wholly = acts or any(map(WHOLLY.search, str(name).split(".")))
            yield from _effects(value, (*names, str(name)), wholly)
    elif isinstance(values, list | tuple | set) and values:
        plain = all(isinstance(each, str) and not PATH.match(each) for each in values)
        if plain and len(", ".join(values)) <= LONGEST:
            yield from _effects(", ".join(values), names, acts)
            return
        for number, value in enumerate(values):
            yield from _effects(value, (*names, str(number)), acts)
    elif values is not None and values is not False and values not in ("", (), []):
        yield from _said(str(values), names, acts)


def _said(value: str, names: tuple[str, ...], acts: bool) -> Iterator[Effect]:
    meant = [name for name in names if not name.isdigit()]
    named = bool(meant) and bool(ACTING.search(meant[-1]))
    if acts or named or ADDRESS.search(value) or PATH.match(value):
        references = REFERENCE.findall(value) if "headers" in ".".join(names).lower() else []
        variables = dict.fromkeys(braced or plain for braced, plain in references)
        hosts = dict.fromkeys(_hosts(value, meant[-1] if meant else ""))
        yield Effect(".".join(names), value, tuple(hosts), tuple(variables))


def _hosts(value: str, name: str) -> Iterator[str]:
    """Yield the hosts of the addresses in a value; that of a setting `..._url` needs no scheme."""
    found = ADDRESS.findall(value)
    if not found and name.lower().endswith(("url", "host", "proxy")):
        found = [f"//{value.strip()}"]
    for address in found:
        try:
            host = urlsplit(address).netloc.rpartition("@")[2]
        except ValueError:
            host = address
        yield shortened(host, LONGEST_HOST)


def shortened(value: str, most: int = LONGEST) -> str:
    """Return a value in one line, without the middle where it is longer than `most`.

    >>> shortened("a" * 200, most=120)[68:]
    'aa ... (100 characters) ... aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
    """
    if len(value) <= most:
        return in_line(value)
    rest = len(value) - START - END
    return f"{in_line(value[:START])} ... ({rest:,} characters) ... {in_line(value[-END:])}"
