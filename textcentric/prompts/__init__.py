"""Prompts as data: files with front matter, a sandboxed template, a library, a lint."""

from typing import TYPE_CHECKING

from textcentric.machine import importing

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

__getattr__ = importing(
    __name__,
    {
        "library": ["Instruction", "PromptLibrary", "read_bank"],
        "prompt": ["Checks", "Front", "Prompt", "SamplingDefaults", "read_prompt"],
    },
)
