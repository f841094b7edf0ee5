"""A prompt of one's own, made of its front matter and its body."""

from __future__ import annotations

from pathlib import Path

from tests.support.small_run import write_prompts
from textcentric.prompts.prompt import Prompt, read_prompt

BODY = "{% block user %}{{ row }}\n\nRewrite it.{% endblock %}\n"


def prompt_from(
    folder: Path, front: str = "stage: adversarial\nfacts: same", body: str = BODY
) -> Prompt:
    write_prompts(folder, {"own/one": f"{front}\n---\n{body}"})
    return read_prompt(folder / "own" / "one.jinja")
