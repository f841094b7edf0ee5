"""What is read together: the variants of a prompt, of a family of the bank, the summaries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from textcentric.folders import read_yaml
from textcentric.prompts.calibration import families_of, family_digest, group_of
from textcentric.prompts.fitted import judged_by, weights_in
from textcentric.prompts.library import PromptLibrary, with_instruction
from textcentric.prompts.prompt import Prompt, usual_facts
from textcentric.runs.directory import frozen_prompts
from textcentric.runs.manifest import Manifest

WRITTEN = ("summarize", "reason")  # stages whose text stands in the clean rows
TRUE_WORDS = {
    "same": ("same",),
    "fewer": ("same", "less"),
    "beside": ("same",),
    "changed": ("same",),
}


@dataclass(frozen=True, slots=True)
class Group:
    """A prompt, or a family of the bank, as its variants are read.

    `facts` says what each may do with the row's: of a family those of most of its instructions.
    `part` is the part of the clean rows that it wrote, "" where it wrote variants.
    """

    prompt: str
    digest: str
    facts: str
    model: str
    revision: str
    checks: str
    temperature: float
    candidates: int = 1
    part: str = ""


def groups_of(run: Path, manifest: Manifest) -> dict[str, Group]:
    """Return what may be read of `run`, by the name under which it is counted."""
    library = PromptLibrary.load(frozen_prompts(run), packaged=False)
    saved = read_yaml(run / "run.yaml")
    engine, checks = manifest.get("engine", {}), str(manifest.get("checks") or "")
    weights = weights_in(saved)
    groups: dict[str, Group] = {}
    for prompt in library.prompts.values():
        if prompt.front.stage not in ("adversarial", "rule", "bank", *WRITTEN):
            continue
        asked = saved.get("temperature")
        temperature = prompt.front.sampling.temperature if asked is None else float(asked)
        rule = prompt.front.writes_by == "rule"
        for name, digest in _names(prompt, library).items():
            own = next((one for one in weights if one.prompts.get(name) == digest), None)
            groups[name] = Group(
                prompt=name,
                digest=digest,
                facts=facts_of(prompt),
                model="" if rule else engine.get("model") or "",
                revision="" if rule else engine.get("model_revision") or "",
                checks=judged_by(checks, own),
                temperature=temperature,
                candidates=_candidates(prompt, saved.get("candidates")),
                part=prompt.front.writes if prompt.front.stage in WRITTEN else "",
            )
    return groups


def _candidates(prompt: Prompt, asked: int | None) -> int:
    """Return how many answers a variant was taken of: free ones alone are asked for again."""
    front = prompt.front
    free = front.writes_by == "text" and not front.answer_schema
    return asked if free and asked is not None else front.candidates


def _names(prompt: Prompt, library: PromptLibrary) -> dict[str, str]:
    """Return {name: digest}: the prompt itself, or each family that it carries."""
    if prompt.front.stage != "bank":
        return {prompt.id: prompt.digest}
    families = sorted({entry.family for entry in library.bank})
    return {f"bank/{f}": family_digest(prompt.digest, f, library.bank) for f in families}


@dataclass(frozen=True)
class Bank:
    """The instructions of a run's bank: family and facts of each, as outputs name them."""

    families: Mapping[str, str]
    facts: Mapping[str, str]

    def group(self, prompt: str) -> str:
        """Return the name under which an output of `prompt` is read."""
        return group_of(prompt, self.families)


def bank_of(run: Path) -> Bank:
    """Return the bank that was frozen in `run`, an empty one where it draws from none."""
    library = PromptLibrary.load(frozen_prompts(run), packaged=False)
    carriers = [p for p in library.prompts.values() if p.front.stage == "bank"]
    told = [with_instruction(carriers[0], entry) for entry in library.bank if carriers]
    return Bank(families_of(library.bank), {prompt.id: facts_of(prompt) for prompt in told})


def facts_of(prompt: Prompt) -> str:
    """Return what a prompt is held to; where it is held to nothing, all it says must stand."""
    return prompt.front.facts or usual_facts(prompt.front) or "fewer"
