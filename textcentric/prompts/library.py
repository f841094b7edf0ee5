"""The prompt library: the packaged prompts, folders that add to them, and the bank.

A user's folder adds prompts or overrides them by id.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from textcentric.errors import PromptError, quoted, unknown
from textcentric.prompts.prompt import (
    FACTS,
    LABELS,
    PACKAGED,
    STAGES,
    SUMMARIES,
    Prompt,
    digest_texts,
    read_prompt,
    read_source,
)

BANK_VALUES = {
    "kind": ("random", "instruction"),
    "label": LABELS,
    "writes": ("text", "table", "image", "audio", "row", "modality"),
    "facts": tuple(FACTS),
}
OPTIONAL = ("facts", "legible")
BANK = "bank/"
# Of a set whose prompts all write the same part; those of a user's folder come before it. The
# others are taken by their ids, or by a glob that fits them and not the default.
DEFAULTS = {"summarize": "summarize/pick"}
WRITTEN = {"summarize/pick": "summarize/brief"}  # what a model writes freely in its place


@dataclass(frozen=True, slots=True)
class Instruction:
    """One line of the bank: an instruction in a family, random or instruction-based."""

    id: str
    family: str
    kind: str
    label: str
    writes: str
    instruction: str
    facts: str | None = None
    legible: bool = True


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
    def load(
        cls,
        *folders: str | Path,
        packaged: bool = True,
        tell: Callable[[PromptError], None] | None = None,
    ) -> PromptLibrary:
        """Load the packaged library, then each of `folders`, later ones winning by id.

        Without `packaged` only `folders` count: the frozen prompts of a run are all it needs.
        `tell` is told of files that cannot be used, which are left out; without it they raise.
        """
        prompts: dict[str, Prompt] = {}
        bank: dict[str, Instruction] = {}
        for folder in (*([packaged_prompts()] if packaged else []), *map(Path, folders)):
            if not folder.is_dir():
                raise PromptError(f"prompt folder {str(folder)!r} does not exist")
            for path in sorted(folder.rglob("*.jinja")):
                with _telling(tell):
                    prompt = read_prompt(path)
                    prompts[prompt.id] = prompt
            for path in sorted(folder.rglob("instructions.jsonl")):
                with _telling(tell):
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
        return sorted(chosen.values(), key=lambda prompt: [*STAGES].index(prompt.front.stage))

    def _match(self, term: str) -> list[Prompt]:
        if term in self.prompts:
            return [self.prompts[term]]
        found = [p for p in self.prompts.values() if p.front.stage == term] or [
            p
            for p in self.prompts.values()
            if fnmatchcase(p.id, term)
            and p.front.stage not in ("bank", "expand")
            and p.front.rule not in SUMMARIES
        ]
        if not found:
            sets = {p.front.stage for p in self.prompts.values()}
            raise PromptError(unknown("prompt or set", term, sets | set(self.prompts)), prompt=term)
        return _without_rivals(found)

    def is_default(self, prompt: Prompt) -> bool:
        """Say whether the name of its set chooses `prompt` among others that write the same part.

        >>> library = PromptLibrary.load()
        >>> library.is_default(library["summarize/pick"])
        True
        """
        stage = prompt.front.stage
        return stage in DEFAULTS and prompt in self._match(stage)

    def written_for(self, prompt: Prompt) -> Prompt | None:
        """Return the packaged prompt that writes freely what `prompt`, a default, picks."""
        name = WRITTEN.get(prompt.id)
        return None if name is None or _is_own(prompt) else self.prompts.get(name)

    def from_bank(self, carrier: Prompt, seed: int) -> Prompt:
        """Return `carrier` with an instruction of the bank drawn by `seed`."""
        if not self.bank:
            raise PromptError("the bank of instructions is empty; add an instructions.jsonl")
        entry = random.Random(seed).choice(self.bank)
        return with_instruction(carrier, entry)


@contextmanager
def _telling(tell: Callable[[PromptError], None] | None) -> Iterator[None]:
    """Tell of a file that cannot be used, if anybody is to be told."""
    try:
        yield
    except PromptError as error:
        if tell is None:
            raise
        tell(error)


def _without_rivals(found: Sequence[Prompt]) -> list[Prompt]:
    """Return `found` with one of the packaged prompts that write the same part, or a user's own."""
    left_out: set[str] = set()
    for stage, default in DEFAULTS.items():
        rivals = {p.id for p in found if p.front.stage == stage}
        own = {p.id for p in found if p.id in rivals and _is_own(p)}
        left_out |= rivals - (own or rivals & {default} or rivals)
    return [prompt for prompt in found if prompt.id not in left_out]


def _is_own(prompt: Prompt) -> bool:
    return prompt.path is not None and not prompt.path.is_relative_to(packaged_prompts())


def with_instruction(carrier: Prompt, entry: Instruction) -> Prompt:
    """Return the prompt that asks for `entry`, under the id `bank/<entry>`."""
    own = ("label", "writes", "facts", "legible")
    front = carrier.front.model_copy(update={name: getattr(entry, name) for name in own})
    added = [str(value) for value in as_line(entry).values()][6:]  # what older banks do not have
    texts = (entry.id, entry.instruction, entry.label, entry.writes)
    digest = digest_texts(carrier.digest, *texts, *added)
    return replace(
        carrier,
        front=front,
        digest=digest,
        instruction=entry.instruction,
        name=f"bank/{entry.id}",
    )


def as_line(entry: Instruction) -> dict[str, str | bool]:
    """Return the line of the bank, without the optional keys that say nothing."""
    line = asdict(entry)
    return {key: value for key, value in line.items() if value not in (None, True)}


def packaged_prompts() -> Path:
    """Return the folder of the shipped prompts, in a wheel or in a checkout."""
    return next(folder for folder in PACKAGED if folder.is_dir())


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
    for number, line in enumerate(read_source(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            yield _instruction(json.loads(line))
        except (ValueError, RecursionError, PromptError) as error:
            yield PromptError(f"{path}, line {number}: {error}")


def _instruction(value: Any) -> Instruction:
    known = [one.name for one in fields(Instruction)]
    if not isinstance(value, dict):
        raise PromptError(
            f"{quoted(value, 80)}: expected an object with the keys {', '.join(known)}"
        )
    problems = [unknown("key", key, known) for key in value if key not in known]
    for key in known:
        text = value.get(key)
        if key == "legible":
            if not isinstance(value.get(key, True), bool):
                problems.append(f"legible is {quoted(text, 80)}; expected true or false")
            continue
        if key in OPTIONAL and key not in value:
            continue
        if not isinstance(text, str) or not text.strip():
            given = f"is {quoted(text, 80)}" if key in value else "is missing"
            problems.append(f"{key} {given}; expected a text that is not empty")
        elif key in BANK_VALUES and text not in BANK_VALUES[key]:
            problems.append(unknown(key, text, BANK_VALUES[key]))
    if problems:
        raise PromptError("; ".join(problems))
    return Instruction(**value)


def open_library(
    prompt_dir: str | None, tell: Callable[[PromptError], None] | None = None
) -> PromptLibrary:
    """Load the packaged library and the user's folder, if one is given; `tell` as in `load`."""
    return PromptLibrary.load(*([prompt_dir] if prompt_dir else []), tell=tell)


def instruction(library: PromptLibrary, name: str) -> Instruction:
    """Return the instruction `bank/ID`; raises PromptError with the nearest id."""
    entries = {f"{BANK}{entry.id}": entry for entry in library.bank}
    if name not in entries:
        raise PromptError(unknown("instruction", name, entries), prompt=name)
    return entries[name]
