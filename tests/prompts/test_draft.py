"""New prompt files: that they lint, and what they keep of the prompt that they are made after."""

from __future__ import annotations

from pathlib import Path

import pytest

from textcentric.prompts.draft import drafted
from textcentric.prompts.library import PromptLibrary
from textcentric.prompts.lint import lint
from textcentric.prompts.prompt import Prompt, read_prompt

SHIPPED = PromptLibrary.load().prompts


def made(folder: Path, like: Prompt | None = None) -> Prompt:
    path = folder / "one.jinja"
    path.write_text(drafted("own/one", like), encoding="utf-8")
    return read_prompt(path)


def test_a_new_prompt_says_the_same_without_new_numbers(tmp_path: Path) -> None:
    prompt = made(tmp_path)
    assert lint(prompt) == []
    assert (prompt.id, prompt.front.version, prompt.front.facts) == ("own/one", 1, "same")
    assert prompt.front.checks.new_numbers == 0
    assert prompt.front.sampling.stop == ("\n",)
    assert "# What the change may do with what the row says.\n#   same: Says all" in drafted("a")


@pytest.mark.parametrize("like", SHIPPED.values(), ids=SHIPPED)
def test_a_copy_of_any_prompt_lints_and_does_the_same(tmp_path: Path, like: Prompt) -> None:
    prompt = made(tmp_path, like)
    assert lint(prompt) == []
    assert prompt.body == like.body
    own = {"id", "version", "note", "facts", "checks"}
    assert prompt.front.model_dump(exclude=own) == like.front.model_dump(exclude=own)
    assert prompt.front.facts == like.front.facts
