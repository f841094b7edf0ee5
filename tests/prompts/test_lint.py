"""What lint says of a prompt that could not be rendered, or asks for too little."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.own_prompt import BODY, prompt_from
from textcentric.prompts.lint import lint


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (BODY, None),
        ("{{ row }}", "has no {% block user %}; the row and the instruction belong there"),
        ("{% block user %}Rewrite {{ row }}{% endblock %}",
         "the user part begins with text; put the row first"),
        ("{% block user %}{{ summary }}{{ row }}{% endblock %}",
         "the user part begins without the row"),
        (BODY + "{% block user2 %}{% endblock %}",
         "block 'user2' is not read; known: system, user, answer, begin"),
        ("{% block user %}{{ row }}{{ sumary }}{% endblock %}", "unknown variable 'sumary'; did"),
        ("{% block user %}{{ row }}{{ summary }}{% endblock %}",
         "uses 'summary' but does not list it in `reads`"),
        ("{% block user %}{{ parts.text }} Rewrite{% endblock %}",
         "lists 'row' in `reads` but never uses it"),
        ("{% block user %}{{ row }{% endblock %}", "prompt own/one: line 1: "),
        ("{% block user %}{{ row|center }}{% endblock %}", "prompt own/one: line 1: No filter"),
    ],
)  # fmt: skip
def test_lint_says_what_is_wrong(tmp_path: Path, body: str, problem: str | None) -> None:
    found = lint(prompt_from(tmp_path, body=body))
    if problem is None:
        assert found == []
    else:
        assert any(line.startswith(problem) for line in found), found


def test_lint_misses_the_sentence_of_a_sentence_wise_prompt(tmp_path: Path) -> None:
    prompt = prompt_from(tmp_path, "stage: adversarial\nfacts: same\nwrites: text\neach: sentence")
    assert lint(prompt) == ["asks for each sentence but never uses {{ sentence }}"]


@pytest.mark.parametrize("stage", ["align", "summarize", "reason", "adversarial", "bank"])
def test_lint_asks_what_a_prompt_may_do_with_facts(tmp_path: Path, stage: str) -> None:
    (problem,) = lint(prompt_from(tmp_path, f"stage: {stage}"))
    assert problem == (
        "does not say what it may do with facts; add `facts`: same, fewer, beside, changed"
    )
    assert lint(prompt_from(tmp_path, f"stage: {stage}\nfacts: fewer")) == []
