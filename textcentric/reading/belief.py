"""Which accepted variants of a run are believed: passed by today's checks, or read and found true.

Checks change; what a run accepted stays. So an old run's variants are judged anew, sentence by
sentence where source and variant have as many, and its rows are seen to fall. What a rule made is
believed: no check reads what code carried out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from textcentric.checks import verdict
from textcentric.checks.edit import Edit, Facts
from textcentric.errors import DataError, Say, option
from textcentric.experts.sentences import sentence_spans
from textcentric.folders import write_text
from textcentric.prompts.library import PromptLibrary
from textcentric.reading.agreement import truths
from textcentric.reading.answers import Answer, read_answers
from textcentric.reading.drawing import pairs_of
from textcentric.reading.groups import bank_of, facts_of
from textcentric.reading.items import READ
from textcentric.reading.sheet import FOLDER, Sheet, sheets, totals_of
from textcentric.rows import Example
from textcentric.runs.directory import frozen_prompts
from textcentric.runs.examples import read_examples
from textcentric.runs.manifest import read_manifest
from textcentric.values import Json

Only = Literal["read-true", "believed"]
Parts = Mapping[str, str]
BELIEVED = "believed.json"
BATCH = 256  # outputs that are judged together


@dataclass(frozen=True)
class Judging:
    """A variant that is judged: what it changed, and whether a part of its row is `lost`."""

    output: str
    prompt: str
    edits: list[Edit]
    lost: bool


@dataclass
class Kept:
    """The variants that are taken, with a reader's text where one was mended; and how many not."""

    outputs: dict[str, Parts | None] = field(default_factory=dict)
    of: int = 0
    unjudged: int = 0
    edited: int = 0

    def words(self, only: Only) -> str:
        """Say what is left."""
        what = "read and true" if only == "read-true" else "passed by today's checks"
        said = f"{len(self.outputs)} of {self.of} accepted variants are {what}"
        said += f", {self.edited} as a reader mended them" if self.edited else ""
        return said + (f"; {self.unjudged} could not be judged" if self.unjudged else "")


def kept(run: Path, only: Only) -> Kept:
    """Return the accepted variants of `run` that `only` takes; DataError where there is none."""
    found = _read_true(run) if only == "read-true" else _believed(run)
    if not found.outputs:
        how = (
            f"read some first: `textcentric review {run}`"
            if only == "read-true"
            else f"see `textcentric runs show {run}` for what was accepted and believed"
        )
        raise DataError(
            f"{option('only', only)} leaves nothing of {run}: {found.words(only)}; {how}"
        )
    return found


def only_true(run: Path, only: Only, say: Say) -> list[Example]:
    """Return the rows of `run` with the variants that `only` takes; say what is left."""
    taken = kept(run, only)
    say(taken.words(only))
    return read_examples(run, only=taken.outputs)


def believed_counts(run: Path) -> dict[str, dict[str, int]]:
    """Return of each prompt of `run` how many variants are accepted, and how many believed."""
    counts: dict[str, dict[str, int]] = {}
    for _, prompt, true in judged(run):
        line = counts.setdefault(prompt, {"accepted": 0, "believed": 0, "unjudged": 0})
        line["accepted"] += 1
        line["believed"] += true is True
        line["unjudged"] += true is None
    return dict(sorted(counts.items()))


def known_beliefs(run: Path) -> dict[str, dict[str, int]]:
    """Return `believed_counts`, kept in the run for as long as run and checks are the same.

    Empty where the run has no variants or none that could be judged.
    """
    path = run / FOLDER / BELIEVED
    state: dict[str, Json] = {"checks": verdict.DIGEST, "totals": totals_of(run)}
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        saved = {}
    if saved.get("state") == state:
        counts: dict[str, dict[str, int]] = saved["counts"]
        return counts
    counts = believed_counts(run)
    if all(line["unjudged"] == line["accepted"] for line in counts.values()):
        return {}
    path.parent.mkdir(exist_ok=True)
    write_text(path, json.dumps({"state": state, "counts": counts}) + "\n")
    return counts


def judged(run: Path) -> Iterator[tuple[str, str, bool | None]]:
    """Yield id, prompt and today's verdict of each accepted variant of `run`."""
    held = _held_to(run)
    batch: list[Judging] = []
    for output, prompt, source, variant in pairs_of(run):
        lost = not set(source).isdisjoint(variant) and not set(source) <= set(variant)
        batch.append(Judging(output, prompt, list(edits_of(source, variant)), lost))
        if len(batch) == BATCH:
            yield from _verdicts(batch, held)
            batch = []
    yield from _verdicts(batch, held)


def _verdicts(
    batch: list[Judging], held: Mapping[str, tuple[Facts, bool]]
) -> Iterator[tuple[str, str, bool | None]]:
    """Judge a batch, all edits of one kind together; a variant is true where all its edits are."""
    found: dict[int, list[bool | None]] = {}
    for kind in {held[one.prompt] for one in batch if one.prompt in held}:
        of = [(i, e) for i, b in enumerate(batch) if held.get(b.prompt) == kind for e in b.edits]
        verdicts = verdict.judge([edit for _, edit in of], kind[0], kind[1])
        for (i, _), said in zip(of, verdicts, strict=True):
            found.setdefault(i, []).append(said.true)
    for i, one in enumerate(batch):
        calls = found.get(i, [])
        lost = one.lost and one.prompt in held and held[one.prompt][0] == "same"
        true = False if lost or False in calls else None if None in calls else True
        yield one.output, one.prompt, true


def edits_of(source: Parts, variant: Parts) -> Iterator[Edit]:
    """Yield what a variant changed: sentences where both have as many, else whole parts."""
    row = "\n\n".join(source.values())
    for name, new in variant.items():
        old = source.get(name)
        if old == new:
            continue
        if old is None:
            yield Edit(row, new, row)
            continue
        before = [old[slice(*span)] for span in sentence_spans(old, whole=True)]
        after = [new[slice(*span)] for span in sentence_spans(new, whole=True)]
        for one, other in _pairs(before, after) or [(old, new)]:
            yield Edit(one, other, row)


def _pairs(before: list[str], after: list[str]) -> list[tuple[str, str]]:
    """Return the sentences that differ; those that changed places together, none of other counts.

    >>> _pairs(["One.", "Two.", "Three."], ["One.", "Three.", "Two."])
    [('Two. Three.', 'Three. Two.')]
    """
    if len(before) != len(after):
        return []
    differ = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    old, new = [one for one, _ in differ], [other for _, other in differ]
    return [(" ".join(old), " ".join(new))] if old and sorted(old) == sorted(new) else differ


def _held_to(run: Path) -> dict[str, tuple[Facts, bool]]:
    """Return what each prompt of a run that asks a model, and its bank's lines, are held to."""
    library = PromptLibrary.load(frozen_prompts(run), packaged=False)
    prompts = [prompt for prompt in library.prompts.values() if not prompt.front.rule]
    said = {prompt.id: (facts_of(prompt), prompt.front.legible) for prompt in prompts}
    bank, legible = bank_of(run), {f"bank/{entry.id}": entry.legible for entry in library.bank}
    said |= {name: (facts, legible[name]) for name, facts in bank.facts.items()}
    known: dict[str, Facts] = {name: name for name in get_args(Facts)}
    return {name: (known[facts], plain) for name, (facts, plain) in said.items()}


def _believed(run: Path) -> Kept:
    found = Kept()
    for output, _, true in judged(run):
        found.of += 1
        found.unjudged += true is None
        if true:
            found.outputs[output] = None
    return found


def _read_true(run: Path) -> Kept:
    """Take what readers found true, and what one of them mended, from all sheets of this run."""
    manifest = read_manifest(run)
    counts = manifest.get("counts", {})
    found = Kept(of=sum(c.get("accepted", 0) for name, c in counts.items() if name != "clean"))
    for sheet in sheets(run):
        if sheet.run != manifest.get("fingerprint", ""):
            continue
        answers = read_answers(run, sheet)
        true, mended = truths(sheet, answers), _mended(sheet, answers)
        for item in sheet.items:
            if item.kind not in READ or sheet.groups[item.group].part:
                continue
            if item.item in mended or (true.get(item.item) and item.kind == READ[0]):
                found.outputs[item.output] = mended.get(item.item)
    found.edited = sum(parts is not None for parts in found.outputs.values())
    return found


def _mended(sheet: Sheet, answers: list[Answer]) -> dict[str, Parts]:
    return {answer.item: answer.edited for answer in answers if answer.edited}
