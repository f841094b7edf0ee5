"""Engines: one protocol, many back ends. `open_engine` picks one by name."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from textcentric.engines.arguments import check_arguments, check_settings
from textcentric.engines.closing import close_at_exit
from textcentric.engines.event_loop import run_in_background
from textcentric.engines.protocol import Engine, Limits, Message, Request, Response, Sampling
from textcentric.engines.scripted import ScriptedEngine
from textcentric.errors import ConfigError, Say, unknown
from textcentric.machine import PARTS, require
from textcentric.settings import Given

__all__ = [
    "Engine",
    "Limits",
    "Message",
    "Request",
    "Response",
    "Sampling",
    "ScriptedEngine",
    "open_engine",
]

# Loaded when they are asked for: the libraries behind them take seconds to import.
_ENGINES = {
    "openai": ("textcentric.engines.openai", "OpenAIEngine"),
    "scripted": ("textcentric.engines.scripted", "ScriptedEngine"),
    "transformers": ("textcentric.engines.transformers", "TransformersEngine"),
    "vllm": ("textcentric.engines.vllm", "VllmEngine"),
}


class NamesEngine(Protocol):
    """Settings that name an engine and its language model, both of them where they differ."""

    @property
    def engine(self) -> str | None: ...
    @property
    def llm(self) -> str | None: ...
    @property
    def base_url(self) -> str | None: ...
    @property
    def engine_settings(self) -> Given: ...


def chosen_engine(name: str) -> str:
    """Return the engine that `name` stands for: what is installed, for `auto`."""
    if name != "auto":
        return name
    return "vllm" if find_spec("vllm") is not None else "transformers"


def open_engine(name: str = "auto", model: str | Path | None = None, **settings: Any) -> Engine:
    """Return the engine `name` for `model`; it loads the model with its first request.

    `auto` takes vLLM where it is installed, else transformers. `model` is `smollm2` (the packaged
    default), a folder or a hub name; `settings` are the engine's own.

    Raises:
        ConfigError: an unknown engine or setting of it, or a package that is not installed.
        EngineError: the model cannot be found.

    >>> engine = open_engine("scripted", answer="A calm dog.")
    """
    name = chosen_engine(name)
    if name not in _ENGINES:
        raise ConfigError(unknown("engine", name, ["auto", *_ENGINES]))
    if f"--engine {name}" in PARTS:
        require(f"--engine {name}")
    module, attribute = _ENGINES[name]
    make: Callable[..., Engine] = getattr(importlib.import_module(module), attribute)
    if model is not None:
        settings["model"] = model
    check_arguments(make, name, settings)
    return close_at_exit(make(**settings))


def telling(engine: Engine, say: Say) -> Engine:
    """Return `engine`, which tells `say` where it sends rows and what its model or server lacks."""
    if hasattr(engine, "say"):
        engine.say = say
    return engine


@contextmanager
def lent_engine(
    given: Engine | None, named: NamesEngine, say: Say = lambda line: None
) -> Iterator[Engine | None]:
    """Lend the engine given, or the one that settings name, which is closed again.

    None where they name nothing of one. It tells `say` what there is to say of it.
    """
    if given is not None or not (named.engine or named.llm or named.engine_settings):
        yield given
        return
    check_settings(named.engine_settings)
    address = {"base_url": named.base_url} if named.base_url else {}
    engine = open_engine(named.engine or "auto", named.llm, **named.engine_settings, **address)
    try:
        yield telling(engine, say)
    finally:
        run_in_background(engine.close)
