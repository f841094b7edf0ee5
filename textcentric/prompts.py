"""The prompt library: one file a prompt, front matter that says what it does, a bounded body.

A prompt is data: it names the variables it reads, the part it writes, its effect on the label
and the checks that its output must pass. A user's folder adds prompts or overrides them by id.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import yaml
from jinja2 import Template, meta, nodes
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from textcentric.errors import PromptError, unknown
from textcentric.templates import BoundedEnvironment, render

STAGES = ("align", "summarize", "reason", "adversarial", "bank", "expand", "judge", "caption")
BLOCKS = ("system", "user", "answer", "begin")
VARIABLES = frozenset(
    "row parts rest part sentence sentences modality summary reason instruction choices task"
    " variant examples".split()
)
LABELS = ("keep", "unsure", "changes")
BANK_VALUES = {
    "kind": ("random", "instruction"),
    "label": LABELS,
    "writes": ("text", "table", "image", "audio", "row", "modality"),
}
ROW_VARIABLES = frozenset(["row", "rest", "parts", "part"])
ROWLESS = ("caption", "expand")  # stages whose prompts show pictures or instructions, no row
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


@dataclass(frozen=True, slots=True)
class Instruction:
    """One line of the bank: an instruction in a family, random or instruction-based."""

    id: str
    family: str
    kind: str
    label: str
    writes: str
    instruction: str


@dataclass(frozen=True)
class PromptLibrary:
    """All prompts by id and the bank of adversarial instructions.

    >>> library = PromptLibrary.load()
    >>> [prompt.id for prompt in library.select("adversarial/n*")]
    ['adversarial/noise']
    """

    prompts: Mapping[str, Prompt]
    bank: tuple[Instruction, ...] = ()
    warnings: tuple[str, ...] = field(default=())

    @classmethod
    def load(cls, *folders: str | Path, packaged: bool = True) -> PromptLibrary:
        """Load the packaged library, then each of `folders`, later ones winning by id.

        Without `packaged` only `folders` count: the frozen prompts of a run are all it needs.
        """
        prompts: dict[str, Prompt] = {}
        bank: dict[str, Instruction] = {}
        for folder in (*([packaged_prompts()] if packaged else []), *map(Path, folders)):
            if not folder.is_dir():
                raise PromptError(f"prompt folder {str(folder)!r} does not exist")
            for path in sorted(folder.rglob("*.jinja")):
                prompt = read_prompt(path)
                prompts[prompt.id] = prompt
            for path in sorted(folder.rglob("instructions.jsonl")):
                bank.update((entry.id, entry) for entry in read_bank(path))
        return cls(prompts, tuple(bank.values()))

    def __getitem__(self, name: str) -> Prompt:
        if name not in self.prompts:
            raise PromptError(unknown("prompt", name, self.prompts), prompt=name)
        return self.prompts[name]

    def select(self, terms: str | Sequence[str]) -> list[Prompt]:
        """Return the prompts that `terms` (sets, ids, globs; comma-separated) name, by stage."""
        names = terms.split(",") if isinstance(terms, str) else terms
        chosen = {p.id: p for term in names if term.strip() for p in self._match(term.strip())}
        if not chosen:
            raise PromptError("no prompts chosen; name at least one set, id or glob")
        return sorted(chosen.values(), key=lambda prompt: STAGES.index(prompt.front.stage))

    def _match(self, term: str) -> list[Prompt]:
        if term in self.prompts:
            return [self.prompts[term]]
        found = [p for p in self.prompts.values() if p.front.stage == term]
        found = found or [
            p
            for p in self.prompts.values()
            if fnmatchcase(p.id, term) and p.front.stage not in ("bank", "expand")
        ]
        if not found:
            sets = {p.front.stage for p in self.prompts.values()}
            raise PromptError(unknown("prompt or set", term, sets | set(self.prompts)), prompt=term)
        return found

    def from_bank(self, carrier: Prompt, seed: int) -> Prompt:
        """Return `carrier` with an instruction of the bank drawn by `seed`."""
        if not self.bank:
            raise PromptError("the bank of instructions is empty; add an instructions.jsonl")
        entry = random.Random(seed).choice(self.bank)
        return with_instruction(carrier, entry)


def with_instruction(carrier: Prompt, entry: Instruction) -> Prompt:
    """Return the prompt that asks for `entry`, under the id `bank/<entry>`."""
    front = carrier.front.model_copy(update={"label": entry.label, "writes": entry.writes})
    digest = _digest(carrier.digest, entry.id, entry.instruction, entry.label, entry.writes)
    return replace(
        carrier,
        front=front,
        digest=digest,
        instruction=entry.instruction,
        name=f"bank/{entry.id}",
    )


def packaged_prompts() -> Path:
    """Return the folder of the shipped prompts, in a wheel or in a checkout."""
    package = Path(__file__).parent
    inside = package / "library"
    return inside if inside.is_dir() else package.parent / "prompts"


def read_prompt(path: Path) -> Prompt:
    """Read one prompt file; raises PromptError naming the file and what is wrong in it."""
    source = _read(path)
    found = FRONT.match(source.replace("\r\n", "\n"))
    if not found:
        raise PromptError(f"{path}: must begin with front matter between two lines of '---'")
    try:
        front = Front.model_validate(yaml.safe_load(found[1]) or {})
    except yaml.YAMLError as error:
        raise PromptError(f"{path}: the front matter is not YAML: {error}") from error
    except ValidationError as error:
        raise PromptError(f"{path}: {_first_problem(error)}") from error
    return Prompt(front, found[2], _digest(source), path)


def read_bank(path: Path) -> list[Instruction]:
    """Read an `instructions.jsonl`; raises PromptError naming the line that does not fit."""
    entries = []
    for entry in check_bank(path):
        if isinstance(entry, PromptError):
            raise entry
        entries.append(entry)
    return entries


def check_bank(path: Path) -> Iterator[Instruction | PromptError]:
    """Yield each line of a bank as an instruction, or as what is wrong with it."""
    for number, line in enumerate(_read(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            yield _instruction(json.loads(line))
        except (json.JSONDecodeError, PromptError) as error:
            yield PromptError(f"{path}, line {number}: {error}")


def _instruction(value: Any) -> Instruction:
    known = [one.name for one in fields(Instruction)]
    if not isinstance(value, dict):
        raise PromptError(f"{value!r:.80}: expected an object with the keys {', '.join(known)}")
    problems = [unknown("key", key, known) for key in value if key not in known]
    for key in known:
        text = value.get(key)
        if not isinstance(text, str) or not text.strip():
            given = f"is {text!r:.80}" if key in value else "is missing"
            problems.append(f"{key} {given}; expected a text that is not empty")
        elif key in BANK_VALUES and text not in BANK_VALUES[key]:
            problems.append(unknown(key, text, BANK_VALUES[key]))
    if problems:
        raise PromptError("; ".join(problems))
    return Instruction(**value)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"{path}: cannot be read as UTF-8 text ({error})") from error


def lint(prompt: Prompt) -> list[str]:
    """Return what is wrong with a prompt, worst first; an empty list means none was found."""
    try:
        blocks = set(prompt.template.blocks)
        tree = ENVIRONMENT.parse(prompt.body)
    except PromptError as error:
        return [str(error)]
    problems = []
    if "user" not in blocks:
        problems.append("has no {% block user %}; the row and the instruction belong there")
    problems += [
        f"block {name!r} is not read; known: {', '.join(BLOCKS)}" for name in blocks - {*BLOCKS}
    ]
    used = meta.find_undeclared_variables(tree)
    problems += [unknown("variable", name, VARIABLES) for name in sorted(used - VARIABLES)]
    reads = set(prompt.front.reads)
    problems += [f"uses {name!r} but does not list it in `reads`" for name in sorted(used - reads)]
    problems += [f"lists {name!r} in `reads` but never uses it" for name in sorted(reads - used)]
    unit = {"sentence": "sentence", "passage": "sentences"}.get(prompt.front.each or "")
    if unit and unit not in used:
        problems.append(f"asks for each {prompt.front.each} but never uses {{{{ {unit} }}}}")
    return problems + ([] if prompt.front.stage in ROWLESS else _row_first(tree))


def _row_first(tree: nodes.Template) -> list[str]:
    """Prompts of one row share its text as a prefix only where the row comes first."""
    for block in tree.find_all(nodes.Block):
        if block.name != "user":
            continue
        for output in block.find_all(nodes.Output):
            for piece in output.nodes:
                if isinstance(piece, nodes.TemplateData):
                    if piece.data.strip():
                        return ["the user part begins with text; put the row first"]
                else:
                    names = {name.name for name in piece.find_all(nodes.Name)}
                    names |= {piece.name} if isinstance(piece, nodes.Name) else set()
                    return [] if names & ROW_VARIABLES else ["the user part begins without the row"]
    return []


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


def _digest(*texts: str) -> str:
    return hashlib.blake2b("\0".join(texts).encode(), digest_size=8).hexdigest()
