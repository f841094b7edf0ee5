"""Prompts that cannot be used, read as far as they go, so that lint says all at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, nodes
from pydantic import ValidationError

from textcentric.errors import PromptError
from textcentric.prompts.prompt import (
    ENVIRONMENT,
    FRONT,
    Front,
    Prompt,
    front_problems,
    read_source,
)
from textcentric.prompts.templates import refused
from textcentric.security.yaml import Unreadable, load

FILLED = {"id": "x", "version": 1, "stage": "adversarial", "intent": ""}


def in_spite(path: Path) -> tuple[Prompt | None, list[str]]:
    """Return the prompt of a file without the keys that do not fit, and what is wrong with them.

    None where nothing can be made of it.
    """
    try:
        found = FRONT.match(read_source(path).replace("\r\n", "\n"))
        values = load(found[1]) if found else None
    except (PromptError, Unreadable):
        return None, []
    if not found or not isinstance(values, dict):
        return None, []
    try:
        Front.model_validate(values)
    except ValidationError as error:
        bad = {str(one["loc"][0]) for one in error.errors() if one["loc"]}
        kept = {key: value for key, value in values.items() if key not in bad}
        if not bad:  # keys that do not go together, who writes above all
            apart = ("writes_by", "rule", "pick", "level", "candidates")
            kept = {key: value for key, value in values.items() if key not in apart}
        return _prompt({**FILLED, **kept}, found[2], path), front_problems(error)
    return None, []


def _prompt(values: dict[str, object], body: str, path: Path) -> Prompt | None:
    try:
        return Prompt(Front.model_validate(values), body, "", path)
    except ValidationError:
        return None


def broken(prompt: Prompt) -> list[str]:
    """Return why the body of a prompt cannot be used: every construct, filter and test."""
    try:
        _ = prompt.template
    except PromptError as error:
        first = str(error)
    else:
        return []
    try:
        tree = ENVIRONMENT.parsed(prompt.body)
    except PromptError:
        return [first]
    others = [f"prompt {prompt.id}: {problem}" for problem in (*refused(tree), *_absent(tree))]
    return list(dict.fromkeys([first, *others]))


def _absent(tree: nodes.Template) -> Iterator[str]:
    for kind, known in (("filter", ENVIRONMENT.filters), ("test", ENVIRONMENT.tests)):
        for node in tree.find_all(nodes.Filter if kind == "filter" else nodes.Test):
            if node.name not in known:
                yield f"line {node.lineno}: No {kind} named {node.name!r}."


def lenient_tree(body: str) -> nodes.Template:
    """Parse a body in which any filter and test may stand; raises PromptError, TemplateError."""
    tree = ENVIRONMENT.parsed(body)
    lenient = Environment(trim_blocks=True, lstrip_blocks=True)
    lenient.filters |= dict.fromkeys([one.name for one in tree.find_all(nodes.Filter)], str.strip)
    lenient.tests |= dict.fromkeys([one.name for one in tree.find_all(nodes.Test)], str.isalpha)
    return lenient.parse(body)
