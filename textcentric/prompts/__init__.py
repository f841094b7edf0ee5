"""Prompts as data: files with front matter, a sandboxed template, a library, a lint."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textcentric.prompts.library import Instruction, PromptLibrary, read_bank
    from textcentric.prompts.prompt import Checks, Front, Prompt, SamplingDefaults, read_prompt

__all__ = [
    "Checks",
    "Front",
    "Instruction",
    "Prompt",
    "PromptLibrary",
    "SamplingDefaults",
    "read_bank",
    "read_prompt",
]

_HOME = {
    **dict.fromkeys(("Instruction", "PromptLibrary", "read_bank"), "library"),
    **dict.fromkeys(("Checks", "Front", "Prompt", "SamplingDefaults", "read_prompt"), "prompt"),
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that importing the package costs nothing."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
