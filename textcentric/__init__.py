"""Text-centric robustness for models over pictures, tables, sound and text.

>>> import textcentric as tc                                                   # doctest: +SKIP
>>> rows = tc.load("petfinder", split="train", limit=24)                       # doctest: +SKIP
>>> run = tc.augment(rows, prompts=["adversarial"], output_dir="runs/first")   # doctest: +SKIP
>>> run.dataset[0]["text"]                                                     # doctest: +SKIP

Names are imported when they are first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textcentric.api import Run, augment, stream
    from textcentric.augmentation.config import AugmentConfig
    from textcentric.data import load
    from textcentric.engines import (
        Engine,
        Message,
        Request,
        Response,
        Sampling,
        ScriptedEngine,
        open_engine,
    )
    from textcentric.errors import (
        ConfigError,
        DataError,
        EngineError,
        PromptError,
        RequestError,
        RunError,
        StoppedError,
        TextCentricError,
    )
    from textcentric.prompts.library import PromptLibrary
    from textcentric.prompts.prompt import Prompt
    from textcentric.rows import Pair, Record, TextRow

_HOMES = {
    "textcentric.api": ["Run", "augment", "stream"],
    "textcentric.augmentation.config": ["AugmentConfig"],
    "textcentric.data": ["load"],
    "textcentric.engines": [
        "Engine",
        "Message",
        "Request",
        "Response",
        "Sampling",
        "ScriptedEngine",
        "open_engine",
    ],
    "textcentric.errors": [
        "ConfigError",
        "DataError",
        "EngineError",
        "PromptError",
        "RequestError",
        "RunError",
        "StoppedError",
        "TextCentricError",
    ],
    "textcentric.prompts.library": ["PromptLibrary"],
    "textcentric.prompts.prompt": ["Prompt"],
    "textcentric.rows": ["Pair", "Record", "TextRow"],
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AugmentConfig",
    "ConfigError",
    "DataError",
    "Engine",
    "EngineError",
    "Message",
    "Pair",
    "Prompt",
    "PromptError",
    "PromptLibrary",
    "Record",
    "Request",
    "RequestError",
    "Response",
    "Run",
    "RunError",
    "Sampling",
    "ScriptedEngine",
    "StoppedError",
    "TextCentricError",
    "TextRow",
    "augment",
    "load",
    "open_engine",
    "stream",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    """List the public names for completion."""
    return __all__
