"""Which accepted variants of a run are believed: those that today's checks pass.

Checks change; what a run accepted stays. So an old run's variants are judged anew, sentence by
sentence where source and variant have as many, and its rows are seen to fall. What a rule made is
believed: no check reads what code carried out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypedDict, get_args

from textcentric.augmentation.reweighing import judge_by, questions_of
from textcentric.checks.edit import Edit, Facts
from textcentric.checks.identity import checks_identity
from textcentric.checks.verdict import Verdict
from textcentric.errors import RunError, StoppedError
from textcentric.experts.sentences import sentence_spans
from textcentric.folders import write_text
from textcentric.prompts.calibration import MadeWith, read_calibration
from textcentric.prompts.fitted import Fitted
from textcentric.prompts.library import PromptLibrary
from textcentric.reading.drawing import pairs_of
from textcentric.reading.groups import bank_of, facts_of, groups_of
from textcentric.reading.sheet import folder_of, totals_of
from textcentric.runs.directory import frozen_prompts
from textcentric.runs.manifest import read_manifest
from textcentric.security.files import read_text
from textcentric.values import Json

Parts = Mapping[str, str]
BELIEVED = "believed.json"
VERSION = 2  # of that file
LOST = Verdict(False, reason="a part is left out")
BATCH = 256  # outputs that are judged together


@dataclass(frozen=True)
class Judging:
    """A variant that is judged: what it changed, and whether a part of its row is `lost`."""

    output: str
    prompt: str
    edits: list[Edit]
    lost: bool


class Call(NamedTuple):
    """Today's verdict on a variant: true, false or, where it cannot be judged, None; and why."""

    output: str
    prompt: str
    true: bool | None
    why: str


class Beliefs(TypedDict):
    """How many variants of a prompt are accepted and believed; why others are not, or not judged.

    What is not judged (its language, its length) is neither believed nor refused.
    """

    accepted: int
    believed: int
    not_believed: dict[str, int]
    not_judged: dict[str, int]


def believed_counts(run: Path) -> dict[str, Beliefs]:
    """Return of each prompt of `run` how many variants are believed, and why others are not."""
    counts: dict[str, Beliefs] = {}
    for call in judged(run):
        line = counts.setdefault(
            call.prompt, {"accepted": 0, "believed": 0, "not_believed": {}, "not_judged": {}}
        )
        line["accepted"] += 1
        line["believed"] += call.true is True
        if call.true is not True:
            whys = line["not_judged"] if call.true is None else line["not_believed"]
            whys[call.why] = whys.get(call.why, 0) + 1
    return dict(sorted(counts.items()))


def known_beliefs(run: Path) -> dict[str, Beliefs]:
    """Return `believed_counts`, kept in the run for as long as run and checks are the same.

    Empty where the run has no variants, or its prompts are gone.
    """
    if not frozen_prompts(run).is_dir():
        return {}
    path = folder_of(run) / BELIEVED
    state: dict[str, Json] = {
        "version": VERSION,
        "checks": checks_identity(),
        **({"weights": weights} if (weights := _digests(weights_today(run))) else {}),
        "totals": totals_of(run),
    }
    if (kept := _kept(path, state)) is not None:
        return kept
    counts = believed_counts(run)
    if counts:
        with suppress(OSError, StoppedError):  # of a run that can only be read
            path.parent.mkdir(exist_ok=True)
            write_text(path, json.dumps({"state": state, "counts": counts}) + "\n")
    return counts


def _kept(path: Path, state: Mapping[str, Json]) -> dict[str, Beliefs] | None:
    """Return the counts that `path` keeps for `state`; None where it keeps none, or other things.

    The folder may be somebody else's, so that each value is looked at.
    """
    try:
        saved = json.loads(read_text(path))
        if saved["state"] != state:
            return None
        return {name: _beliefs(line) for name, line in saved["counts"].items()}
    except (OSError, RunError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _beliefs(line: Mapping[str, Any]) -> Beliefs:
    names = ("not_believed", "not_judged")
    refused, unjudged = ({str(why): int(n) for why, n in line[name].items()} for name in names)
    return Beliefs(
        accepted=int(line["accepted"]),
        believed=int(line["believed"]),
        not_believed=refused,
        not_judged=unjudged,
    )


def judged(run: Path) -> Iterator[Call]:
    """Yield today's verdict of each accepted variant of `run`."""
    held = held_to(run)
    own = weights_today(run)
    batch: list[Judging] = []
    for output, prompt, source, variant in pairs_of(run):
        lost = not set(source).isdisjoint(variant) and not set(source) <= set(variant)
        batch.append(Judging(output, prompt, list(edits_of(source, variant)), lost))
        if len(batch) == BATCH:
            yield from _verdicts(batch, held, own)
            batch = []
    yield from _verdicts(batch, held, own)


def weights_today(run: Path) -> dict[str, Fitted]:
    """Return by prompt the weights of the user's own that would judge the run's variants today."""
    calibration = read_calibration()
    if not calibration.fitted:
        return {}
    bank = bank_of(run)
    fits = {
        name: calibration.weights_of(
            name, group.digest, MadeWith(group.model, group.revision, checks_identity())
        )
        for name, group in groups_of(run, read_manifest(run)).items()
    }
    prompts = [*fits, *bank.families]
    return {prompt: fit for prompt in prompts if (fit := fits.get(bank.group(prompt))) is not None}


def _digests(own: Mapping[str, Fitted]) -> dict[str, Json]:
    return {prompt: fitted.digest for prompt, fitted in own.items()}


def _verdicts(
    batch: list[Judging], held: Mapping[str, tuple[Facts, bool]], own: Mapping[str, Fitted]
) -> Iterator[Call]:
    """Judge a batch, all edits of one kind together; a variant is true where all its edits are."""
    found: dict[int, list[Verdict]] = {}
    kinds = [(*held[b.prompt], own.get(b.prompt)) if b.prompt in held else None for b in batch]
    for kind in [one for at, one in enumerate(kinds) if one and one not in kinds[:at]]:
        of = [(i, e) for i, b in enumerate(batch) if kinds[i] == kind for e in b.edits]
        facts, legible, fit = kind
        weights = questions_of(fit) if fit else {}
        verdicts = judge_by(weights, [edit for _, edit in of], facts, legible)
        for (i, _), said in zip(of, verdicts, strict=True):
            found.setdefault(i, []).append(said)
    for i, one in enumerate(batch):
        lost = one.lost and one.prompt in held and held[one.prompt][0] == "same"
        together = _together([*([LOST] if lost else []), *found.get(i, [])])
        yield Call(one.output, one.prompt, *together)


def _together(verdicts: Sequence[Verdict]) -> tuple[bool | None, str]:
    """Return whether all is true and why not: what is false weighs more than what is open."""
    for true in (False, None):
        whys = [verdict.reason for verdict in verdicts if verdict.true is true]
        if whys:
            return true, whys[0]
    return True, ""


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


def held_to(run: Path) -> dict[str, tuple[Facts, bool]]:
    """Return what each prompt of a run that asks a model, and its bank's lines, are held to."""
    library = PromptLibrary.load(frozen_prompts(run), packaged=False)
    prompts = [prompt for prompt in library.prompts.values() if not prompt.front.rule]
    said = {prompt.id: (facts_of(prompt), prompt.front.legible) for prompt in prompts}
    bank, legible = bank_of(run), {f"bank/{entry.id}": entry.legible for entry in library.bank}
    said |= {name: (facts, legible[name]) for name, facts in bank.facts.items()}
    known: dict[str, Facts] = {name: name for name in get_args(Facts)}
    return {name: (known[facts], plain) for name, (facts, plain) in said.items()}
