"""One prompt: front matter that says what it does, and a bounded body.

A prompt is data: it names the variables it reads, the part it writes, its effect on the label
and the checks that its output must pass.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import yaml
from jinja2 import Template, nodes
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from textcentric.errors import PromptError, unknown
from textcentric.prompts.templates import BoundedEnvironment, render

STAGES = ("align", "summarize", "reason", "adversarial", "bank", "expand", "judge", "caption")
BLOCKS = ("system", "user", "answer", "begin")
VARIABLES = frozenset(
    "row parts rest part sentence sentences modality summary reason instruction choices task"
    " variant examples".split()
)
LABELS = ("keep", "unsure", "changes")
FRONT = re.compile(r"\A---\n(.*?)\n---\n(.*)\Z", re.DOTALL)
ENVIRONMENT = BoundedEnvironment()


class SamplingDefaults(BaseModel):
    """Sampling values a prompt asks for; flags of the command line win over them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    temperature: float = Field(0.7, ge=0, le=2)
    top_p: float = Field(1.0, gt=0, le=1)
    top_k: int = Field(0, ge=0)
    min_p: float = Field(0.0, ge=0, le=1)
    repetition_penalty: float = Field(1.0, gt=0, le=2)
    max_tokens: int = Field(256, ge=1)
    stop: tuple[str, ...] = ()


class Checks(BaseModel):
    """What the written text must pass, beyond the checks that every text must pass.

    `similarity` bounds the cosine to the source, `length` the ratio of words to the source,
    `words` their number, `sibling` the highest cosine to another variant of the row;
    `new_numbers` is how many numbers may appear that the row does not have, `kept_facts` the
    share of the source's numbers and table values that must remain, `min_written` the share of
    sentences that must have been written well. None switches a check off.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    similarity: tuple[float, float] | None = (0.4, 0.99)
    length: tuple[float, float] | None = None
    words: tuple[int, int] | None = None
    sibling: float | None = Field(0.985, ge=0, le=1.01)
    new_numbers: int | None = Field(None, ge=0)
    new_words: tuple[float, float] | None = None
    moved: float | None = Field(None, ge=0, le=1)
    kept_facts: float | None = Field(None, ge=0, le=1)
    min_written: float = Field(0.5, ge=0, le=1)


class Front(BaseModel):
    """The front matter of a prompt file."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*([/.][a-z0-9_-]+)*$")
    version: int = Field(ge=1)
    stage: Literal[STAGES]  # type: ignore[valid-type]
    intent: str
    label: Literal[LABELS] = "keep"  # type: ignore[valid-type]
    reads: tuple[str, ...] = ("row",)
    writes: str = "row"
    each: Literal["sentence", "passage"] | None = None
    take: int | None = Field(None, ge=1)
    sampling: SamplingDefaults = SamplingDefaults()
    checks: Checks = Checks()
    answer_schema: dict[str, Any] | None = Field(None, alias="schema")
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A prompt in (role, text) turns, and the words that the answer already begins with."""

    turns: tuple[tuple[str, str], ...]
    begin: str = ""


@dataclass(frozen=True)
class Prompt:
    """A prompt as loaded: front matter, body and the digest of both."""

    front: Front
    body: str
    digest: str
    path: Path | None = None
    instruction: str | None = None
    name: str = ""

    @property
    def id(self) -> str:
        """Return the id under which outputs are counted."""
        return self.name or self.front.id

    @cached_property
    def template(self) -> Template:
        """Compile the body once, on first use."""
        try:
            return ENVIRONMENT.bounded(self.body)
        except PromptError as error:
            raise PromptError(f"prompt {self.id}: {error}", prompt=self.id) from error

    def render(self, variables: Mapping[str, Any]) -> Rendered:
        """Render the blocks; raises PromptError for a missing variable or a refused construct.

        `answer` and `begin` together are the beginning of the answer, a last `assistant` turn;
        `begin` is the part of it that belongs to the text: the row's own first words.
        """
        if self.instruction is not None:
            variables = {**variables, "instruction": self.instruction}
        texts = {name: self._block(name, variables) for name in BLOCKS}
        turns = [(role, texts[role]) for role in ("system", "user") if texts[role]]
        opening = " ".join(filter(None, (texts["answer"], texts["begin"])))
        return Rendered((*turns, ("assistant", opening)) if opening else (*turns,), texts["begin"])

    @cached_property
    def _constants(self) -> dict[str, str]:
        """Render the blocks that are plain text, once for all rows."""
        plain = (nodes.Output, nodes.TemplateData)
        return {
            block.name: render(self.template, block.name, {})
            for block in ENVIRONMENT.parse(self.body).find_all(nodes.Block)
            if all(isinstance(node, plain) for node in block.find_all(nodes.Node))
        }

    def _block(self, name: str, variables: Mapping[str, Any]) -> str:
        if name not in self.template.blocks:
            return ""
        if name in self._constants:
            return self._constants[name]
        try:
            return render(self.template, name, variables)
        except PromptError as error:
            raise PromptError(f"prompt {self.id}: {error}", prompt=self.id) from error


def read_prompt(path: Path) -> Prompt:
    """Read one prompt file; raises PromptError naming the file and what is wrong in it."""
    source = read_source(path)
    found = FRONT.match(source.replace("\r\n", "\n"))
    if not found:
        raise PromptError(f"{path}: must begin with front matter between two lines of '---'")
    try:
        front = Front.model_validate(yaml.safe_load(found[1]) or {})
    except yaml.YAMLError as error:
        raise PromptError(f"{path}: the front matter is not YAML: {error}") from error
    except ValidationError as error:
        raise PromptError(f"{path}: {_first_problem(error)}") from error
    return Prompt(front, found[2], digest_texts(source), path)


def read_source(path: Path) -> str:
    """Read a file of the library; raises PromptError where it is no UTF-8 text."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"{path}: cannot be read as UTF-8 text ({error})") from error


def _first_problem(error: ValidationError) -> str:
    problems = error.errors()  # a misspelt key comes before the key that is therefore missing
    problem = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])
    where = ".".join(str(piece) for piece in problem["loc"])
    if problem["type"] == "extra_forbidden":
        models: dict[str, type[BaseModel]] = {"sampling": SamplingDefaults, "checks": Checks}
        model = models.get(str(problem["loc"][0]), Front) if len(problem["loc"]) > 1 else Front
        return unknown("key", str(problem["loc"][-1]), model.model_fields)
    given = "" if problem["type"] == "missing" else f" (given: {problem['input']!r:.80})"
    return f"{where}: {problem['msg']}{given}"


def digest_texts(*texts: str) -> str:
    """Return sixteen hex digits that stand for `texts`."""
    return hashlib.blake2b("\0".join(texts).encode(), digest_size=8).hexdigest()
