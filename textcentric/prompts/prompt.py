"""One prompt: front matter that says what it does, and a bounded body.

A prompt is data: it names the variables it reads, the part it writes, its effect on the label
and the checks that its output must pass.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

from jinja2 import Template, nodes
from jinja2.runtime import Context
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from textcentric.errors import PromptError, RunError, quoted, unknown
from textcentric.prompts.answer_schema import schema_problems
from textcentric.prompts.templates import BoundedEnvironment, context_of, render
from textcentric.rows import MODALITIES
from textcentric.security.files import read_bytes
from textcentric.security.yaml import parse
from textcentric.values import Variables

# What a stage does, in the order in which prompts are run and listed.
STAGES = {
    "align": "Tell each modality in one manner.",
    "summarize": "Add the part `summary` to the row.",
    "reason": "Add a guess at the target and why, as the part `reason`.",
    "adversarial": "Write a variant of the row.",
    "rule": "Write a variant of the row by a rule, without a model.",
    "bank": "Write a variant by an instruction of the bank, drawn for each row.",
    "expand": "Write more instructions for the bank.",
    "judge": "Say whether a variant keeps its row's label.",
    "caption": "Describe pictures, for a vision-language model.",
}
BLOCKS = {
    "system": "The system turn.",
    "user": "The user turn: the row first, then the task.",
    "answer": "The beginning of the answer, which is not part of the text: examples, say.",
    "begin": "The row's own first words, from which the model goes on; part of the text.",
}
VARIABLES = {
    "row": "The whole row in words.",
    "parts": "The row's parts by name.",
    "part": "The part that is written.",
    "rest": "The row without the modality that was drawn.",
    "modality": "The name of that modality.",
    "sentence": "The sentence to rewrite, with `each: sentence`.",
    "sentences": "The sentences of the passage, with `each: passage`.",
    "summary": "What a `summarize` prompt wrote.",
    "reason": "What a `reason` prompt wrote.",
    "instruction": "The instruction drawn from the bank.",
    "columns": "Columns that `reads` lists, by name, in words; in `columns.raw` their values.",
    "task": "The question that the target answers.",
    "choices": "The answers that are allowed.",
    "variant": "The variant to judge.",
    "examples": "Instructions of the bank.",
}
LABELS = ("keep", "unsure", "changes")
WRITERS = ("text", "pick", "rule")
RULES = ("typing", "recognition", "dropping", "order", "first-sentence", "first-columns")
SUMMARIES = ("first-sentence", "first-columns")  # without a model, to compare with
WITHOUT_LEVEL = ("order", *SUMMARIES)
PICKS = ("word", "mark", "sentence", "fact", "value")
LEVEL = 0.2  # of a rule whose file gives none
FACTS = {
    "same": "Says all of it and nothing else.",
    "fewer": "Says nothing that the source does not.",
    "beside": "Leaves the row's words alone and adds something unrelated.",
    "changed": "Changes what it names and nothing else.",
}
# The stages whose text stands for the row's, so that it must say what it does to the facts.
FACTUAL = ("align", "summarize", "reason", "adversarial", "rule", "bank")
FRONT = re.compile(r"\A---\n(.*?)\n---\n(.*)\Z", re.DOTALL)
ENVIRONMENT = BoundedEnvironment()
UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # its byte order marks
MOST_BYTES = 4 << 20  # of a prompt file or a bank
# The folder of the shipped prompts, in a wheel or in a checkout.
PACKAGED = (Path(__file__).parent / "texts", Path(__file__).parents[2] / "prompts")


class SamplingDefaults(BaseModel):
    """Sampling values a prompt asks for; flags of the command line win over them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    temperature: float = Field(0.7, ge=0, le=2, description="0 takes the likeliest token.")
    top_p: float = Field(
        1.0, gt=0, le=1, description="Share of the probability that is drawn from."
    )
    top_k: int = Field(0, ge=0, description="Tokens that are drawn from; 0: all.")
    min_p: float = Field(0.0, ge=0, le=1, description="Least probability, over the likeliest's.")
    repetition_penalty: float = Field(1.0, gt=0, le=2, description="Above 1 repeats less.")
    max_tokens: int = Field(256, ge=1, description="Tokens of an answer.")
    stop: tuple[str, ...] = Field((), description="Texts at which the answer ends.")


class Checks(BaseModel):
    """What the written text must pass, beyond the checks that every text must pass.

    None switches a check off.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    similarity: tuple[float, float] | None = Field(
        (0.4, 0.99), description="Lowest and highest cosine to the source."
    )
    length: tuple[float, float] | None = Field(
        None, description="Least and greatest number of words, over the source's."
    )
    words: tuple[int, int] | None = Field(None, description="Least and greatest number of words.")
    sibling: float | None = Field(
        0.985, ge=0, le=1.01, description="Highest cosine to an earlier variant of the row."
    )
    new_numbers: int | None = Field(
        None, ge=0, description="Numbers that may appear and are not in the row."
    )
    new_words: tuple[float, float] | None = Field(
        None, description="Least and greatest share of words that the source does not have."
    )
    moved: float | None = Field(
        None, ge=0, le=1, description="Least share of neighbouring words in another order."
    )
    kept_facts: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Least share of the source's numbers and table values that remain.",
    )
    min_written: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Least share of the sentences that are written well; not with `facts`.",
    )


class Front(BaseModel):
    """The front matter of a prompt file."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    id: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]*([/.][a-z0-9_-]+)*$",
        description="Its name, such as adversarial/noise.",
    )
    version: int = Field(ge=1, description="Raised when its text changes.")
    stage: Literal[tuple(STAGES)] = Field(description="What it is run for.")  # type: ignore[valid-type]
    intent: str = Field(description="What it does, in a sentence for people.")
    label: Literal[LABELS] = Field(  # type: ignore[valid-type]
        "keep", description="What the change does to the row's label."
    )
    writes_by: Literal[WRITERS] = Field(  # type: ignore[valid-type]
        "text",
        description="Who makes the variant: the model's own `text`, code that carries out what the"
        " model `pick`s, or a `rule` without a model.",
    )
    rule: Literal[RULES] | None = Field(  # type: ignore[valid-type]
        None,
        description="What a rule does: misspelt, misread, left out, another order; as a summary,"
        " the first sentence or the first two columns.",
    )
    level: float | None = Field(
        None,
        description="Share of the pieces that a rule touches, above 0 to 1, as `evaluate` means it."
        f" Without: {LEVEL}.",
    )
    pick: Literal[PICKS] | None = Field(  # type: ignore[valid-type]
        None, description="What the model picks from the row, with `writes_by: pick`."
    )
    candidates: int = Field(
        1, ge=1, description="Answers to one request, of which the truest counts."
    )
    facts: Literal[tuple(FACTS)] | None = Field(  # type: ignore[valid-type]
        None, description="What the change may do with what the row says, see below."
    )
    legible: bool = Field(
        True, description="No where misspelling is the aim: altered words then stay near the row's."
    )
    reads: tuple[str, ...] = Field(
        ("row",),
        description="The variables that its body uses; columns of the table as `columns.NAME`.",
    )
    writes: str = Field(
        "row", description="The part that the answer becomes: text, summary, modality, row, ..."
    )
    each: Literal["sentence", "passage"] | None = Field(
        None, description="Ask once for each sentence, or for one run of neighbouring sentences."
    )
    take: int | None = Field(None, ge=1, description="Sentences that are taken at most, drawn.")
    sampling: SamplingDefaults = Field(
        SamplingDefaults(), description="Sampling values, see below."
    )
    checks: Checks = Field(Checks(), description="What the answer must pass, see below.")
    answer_schema: dict[str, Any] | None = Field(
        None, alias="schema", description="JSON schema of the answer."
    )
    note: str = Field("", description="What a reader should know besides.")

    @field_validator("answer_schema")
    @classmethod
    def _has_the_shape(cls, schema: dict[str, Any] | None) -> dict[str, Any] | None:
        if schema is not None and (problems := [*schema_problems(schema)]):
            raise ValueError("; ".join(problems[:3]))
        return schema

    @model_validator(mode="after")
    def _fits(self) -> Front:
        """Refuse keys that do not go with who makes the variant."""
        if problems := list(self._misfits()):
            raise ValueError("; ".join(problems))
        return self

    def _misfits(self) -> Iterator[str]:
        for writer, name in (("rule", "rule"), ("pick", "pick")):
            if (self.writes_by == writer) != (getattr(self, name) is not None):
                yield f"`writes_by: {writer}` and the key `{name}` go together"
        if self.candidates > 1 and (self.writes_by == "pick" or self.answer_schema):
            yield "`candidates` are free answers; picks and schemas give one"
        if self.writes_by == "rule":
            yield from self._misfits_of_rule()
        elif self.level is not None:
            yield "`level` is a rule's strength; it goes with `writes_by: rule`"

    def _misfits_of_rule(self) -> Iterator[str]:
        asking = {"candidates", "each", "reads", "sampling", "answer_schema", "take"}
        if extra := sorted(asking & self.model_fields_set):
            yield f"a rule asks no model; leave out {', '.join(extra)}"
        if self.level is not None and self.rule in WITHOUT_LEVEL:
            yield f"`rule: {self.rule}` has no `level`: it is followed or not"
        if (self.stage == "summarize") != (self.rule in SUMMARIES):
            yield f"a rule of the stage summarize is one of {', '.join(SUMMARIES)}"
        if self.level is not None and not 0 < self.level <= 1:
            yield (
                f"the level of a rule is {self.level:g}, expected a share above 0 up to 1: at 0 it"
                " would change nothing"
            )

    @property
    def strength(self) -> float:
        """Return the level of a rule."""
        return LEVEL if self.level is None else self.level


def usual_facts(front: Front) -> str | None:
    """Return what a prompt is held to that says nothing of `facts`; None where it is to nothing."""
    if front.stage not in FACTUAL or front.label != "keep":
        return None
    if front.stage in ("summarize", "reason"):
        return "fewer"
    apart = front.writes not in (*MODALITIES, "row", "modality")
    return "beside" if apart else "same"


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

    @cached_property
    def tree(self) -> nodes.Template:
        """Parse the body once, as it is written: the template's has its bounds built in."""
        return ENVIRONMENT.parsed(self.body)

    def render(self, variables: Variables) -> Rendered:
        """Render the blocks; raises PromptError for a missing variable or a refused construct.

        `answer` and `begin` together are the beginning of the answer, a last `assistant` turn;
        `begin` is the part of it that belongs to the text: the row's own first words.
        """
        if self.instruction is not None:
            variables = {**variables, "instruction": self.instruction}
        context = context_of(self.template, variables)
        texts = {name: self._block(name, variables, context) for name in BLOCKS}
        turns = [(role, texts[role]) for role in ("system", "user") if texts[role]]
        opening = " ".join(filter(None, (texts["answer"], texts["begin"])))
        return Rendered((*turns, ("assistant", opening)) if opening else (*turns,), texts["begin"])

    @cached_property
    def _constants(self) -> dict[str, str]:
        """Render the blocks that are plain text, once for all rows."""
        plain = (nodes.Output, nodes.TemplateData)
        return {
            block.name: render(self.template, block.name, {})
            for block in self.tree.find_all(nodes.Block)
            if all(isinstance(node, plain) for node in block.find_all(nodes.Node))
        }

    def _block(self, name: str, variables: Variables, context: Context) -> str:
        if name not in self.template.blocks:
            return ""
        if name in self._constants:
            return self._constants[name]
        try:
            return render(self.template, name, variables, context)
        except PromptError as error:
            raise PromptError(f"prompt {self.id}: {error}", prompt=self.id) from error


def read_prompt(path: Path) -> Prompt:
    """Read one prompt file; raises PromptError naming the file and what is wrong in it."""
    return _parsed(read_source(path), path)


@lru_cache(maxsize=1024)
def _parsed(source: str, path: Path) -> Prompt:
    """Return the prompt of a file's text: one object, with its template, for a text read twice."""
    found = FRONT.match(source.replace("\r\n", "\n"))
    if not found:
        raise PromptError(f"{path}: must begin with front matter between two lines of '---'")
    values = parse(found[1], f"{path}: the front matter", PromptError) or {}
    try:
        front = Front.model_validate(values)
    except ValidationError as error:
        raise PromptError(f"{path}: {front_problems(error)[0]}") from error
    if front.writes_by == "rule" and found[2].strip():
        raise PromptError(f"{path}: a rule asks no model, so its file ends with the front matter")
    return Prompt(front, found[2], digest_texts(source), path)


def read_source(path: Path) -> str:
    """Read a file of the library: its text without a byte order mark, its lines ended by "\\n".

    So a file says the same, and has the same digest, whichever editor saved it as UTF-8. Raises
    PromptError where it is no file of UTF-8 text.
    """
    try:
        content = read_bytes(path.resolve() if _is_packaged(path) else path, MOST_BYTES)
        if content.startswith(UTF_16) or b"\0" in content:
            raise PromptError(f"{path}: cannot be read as UTF-8 text (it is UTF-16); save it so")
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except RunError as error:
        raise PromptError(str(error)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"{path}: cannot be read as UTF-8 text ({error}); save it so") from error


def _is_packaged(path: Path) -> bool:
    """Say whether a file is one of the package's, which an installer may have put as a link."""
    return any(path.is_relative_to(folder) for folder in PACKAGED)


def front_problems(error: ValidationError) -> list[str]:
    """Return what is wrong with front matter, unknown keys first: they explain missing ones."""
    found = sorted(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    return [_front_problem(problem) for problem in found]


def _front_problem(problem: ErrorDetails) -> str:
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    where = ".".join(str(piece) for piece in problem["loc"])
    if problem["type"] == "extra_forbidden":
        models: dict[str, type[BaseModel]] = {"sampling": SamplingDefaults, "checks": Checks}
        model = models.get(str(problem["loc"][0]), Front) if len(problem["loc"]) > 1 else Front
        return unknown("key", str(problem["loc"][-1]), model.model_fields)
    given = "" if problem["type"] == "missing" else f" (given: {quoted(problem['input'], 80)})"
    return f"{where}: {problem['msg']}{given}"


def digest_texts(*texts: str) -> str:
    """Return sixteen hex digits that stand for `texts`."""
    return hashlib.blake2b("\0".join(texts).encode(), digest_size=8).hexdigest()
