"""The arguments of an engine, checked before it is opened: every name, and the types of our own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from pydantic import ConfigDict, ValidationError, create_model

from textcentric.errors import ConfigError, cut, option, unknown
from textcentric.settings import Given, first_problem

# Of `open_engine` itself, and the setting that gives each.
ELSEWHERE = {"name": "engine", "model": "model"}
STRICT = ConfigDict(strict=True, arbitrary_types_allowed=True, protected_namespaces=())


def check_settings(settings: Given) -> None:
    """Raise ConfigError for what settings of an engine cannot give: it is a setting of its own."""
    for name in settings.keys() & ELSEWHERE.keys():
        given = option(ELSEWHERE[name])
        raise ConfigError(
            f"engine.{name}={cut(settings[name])!r}: give it as {given}, which also names it in the"
            " manifest"
        )


def check_arguments(engine: Callable[..., object], name: str, given: Given) -> None:
    """Raise ConfigError for an argument that `engine` does not take, the nearest one named.

    An engine that passes arguments on says by `foreign_arguments` which ones there are, or None
    where it cannot tell; those of its own are also checked by their type.
    """
    parameters = inspect.signature(engine, eval_str=True).parameters.values()
    own = {p.name: p for p in parameters if p.kind is not p.VAR_KEYWORD}
    names: Callable[[], frozenset[str] | None] = getattr(engine, "foreign_arguments", frozenset)
    foreign = names()
    for argument in given:
        if foreign is not None and argument not in own and argument not in foreign:
            raise ConfigError(unknown(f"setting of engine {name}", argument, {*own, *foreign}))
    fields: dict[str, Any] = {key: (p.annotation, p.default) for key, p in own.items()}
    model = create_model("Arguments", __config__=STRICT, **fields)
    try:
        model.model_validate({key: value for key, value in given.items() if key in own})
    except ValidationError as error:
        raise ConfigError(f"engine.{first_problem(error, name)}") from error
