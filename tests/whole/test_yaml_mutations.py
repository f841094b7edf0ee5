"""Mutated YAML, prompt files and templates: each is read, or is one error of ours."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from textcentric.augmentation.config import AugmentConfig
from textcentric.data.schema import read_schema
from textcentric.errors import ConfigError, PromptError, RunError, cut, quoted
from textcentric.folders import read_yaml
from textcentric.prompts.lint import check_file
from textcentric.prompts.prompt import read_prompt
from textcentric.security.yaml import Unreadable, load
from textcentric.settings import read

CONFIG = "seed: 3\nprompts: adversarial\nlimit: 24\nengine_settings: {batch: 8, stop: [a, 'b']}\n"
SCHEMA = "id: name\ntarget: price\ntask: regression\ntext: [title]\ncolumns:\n  size: {unit: m}\n"
PROMPT = """\
---
id: own/one
version: 1
stage: adversarial
intent: Say it in other words.
reads: [row, parts]
writes: row
schema: {type: object, properties: {a: {enum: ["yes", "no"]}}, required: [a]}
---
{% block user %}{{ row }}{% for name, text in parts.items() %}{{ name | upper }}: {{ text[:9] }}
{% endfor %}Rewrite it, {{ range(3) | join(', ') }}.{% endblock %}
"""
PIECES = [
    *(":", ": ", "- ", "? ", "[", "]", "{", "}", ",", "&a ", "*a", "!!", "!!int ", "!!set ", "|"),
    *(">", "'", '"', "#", "%", "---\n", "...\n", "\n", "\n  ", "\t", "\\", "<<: *a", "~", "null"),
    *("2001-99-99", "12:30:99", "9" * 5000, "1e999", ".nan", "0o8", "yes", "\x00", "\ufeff", "é"),
    *("\ud800", "{{ ", " }}", "{% ", " %}", "{% for a in range(99999) %}", "{% endfor %}", "|max"),
    *("['__class__']", ".__init__", " ** 99", " * 99999", "'a' * ", " ~ row", "namespace(a=1)"),
    *("{% set a = ", "{% block b %}", "{{ self.user() }}", "{# ", "{% raw %}", "{% include 'a' %}"),
]
EDITS = some.lists(
    some.tuples(
        some.integers(0, 1 << 16), some.integers(0, 12), some.sampled_from(PIECES) | some.text()
    ),
    min_size=1,
    max_size=6,
)
BOUNDED = settings(
    max_examples=300,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
pytestmark = pytest.mark.slow


def mutated(text: str, edits: list[tuple[int, int, str]]) -> str:
    """Return `text` with pieces in the place of some of its characters."""
    for at, gone, piece in edits:
        place = at % (len(text) + 1)
        text = text[:place] + piece + text[place + gone :]
    return text


def written(path: Path, text: str) -> Path:
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return path


@BOUNDED
@given(edits=EDITS)
def test_yaml_is_a_value_or_unreadable(edits: list[tuple[int, int, str]]) -> None:
    for words in (False, True):
        with suppress(Unreadable):
            value = load(mutated(CONFIG + SCHEMA, edits), words=words)
            assert len(cut(value)) <= 700  # signs that do not print are written as their codes
            assert len(quoted(value)) <= 60


READERS: list[tuple[str, Callable[[Path], object], type[Exception]]] = [
    (CONFIG, lambda path: read(AugmentConfig, path, environment=False), ConfigError),
    (CONFIG, read_yaml, RunError),
    (SCHEMA, read_schema, ConfigError),
    (PROMPT, read_prompt, PromptError),
]


@pytest.mark.parametrize(("text", "reader", "problem"), READERS)
@BOUNDED
@given(edits=EDITS)
def test_a_mutated_file_is_read_or_told_of(
    edits: list[tuple[int, int, str]],
    text: str,
    reader: Callable[[Path], object],
    problem: type[Exception],
    tmp_path: Path,
) -> None:
    path = written(tmp_path / "one.jinja", mutated(text, edits))
    said: list[str] = []
    try:
        reader(path)
    except problem as error:
        said.append(str(error))
    assert all(len(each) < 5000 for each in said)


@BOUNDED
@given(edits=EDITS)
def test_a_mutated_prompt_is_rendered_or_told_of(
    edits: list[tuple[int, int, str]], tmp_path: Path
) -> None:
    path = written(tmp_path / "one.jinja", mutated(PROMPT, edits))
    assert all(isinstance(problem, str) for problem in check_file(path))
    try:
        turns = read_prompt(path).render({"row": "A dog.", "parts": {"text": "A dog."}}).turns
        said = [text for _, text in turns]
    except PromptError as error:
        said = [str(error)]
    assert not any("object at 0x" in text for text in said)
