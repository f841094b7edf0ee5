"""Which prompts a run takes, by what people read of them: sets leave out those found untrue.

A set or a glob leaves out a prompt of which enough was read and too little was true, or of which
hardly anything was accepted, with this very model, prompt, checks and temperature; an id takes it.
What was never read is taken, and said. The bank is left out by family. A run that goes on never
looks here again: its prompts are frozen. A summary is picked by default, and written where nine
tenths of those that were read were true.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.plan import Plan, check_derived, with_candidates
from textcentric.checks.identity import checks_identity
from textcentric.errors import PromptError, option
from textcentric.folders import read_yaml
from textcentric.prompts.calibration import (
    BANK,
    UNREAD,
    Calibration,
    MadeWith,
    Reading,
    families_of,
    family_digest,
    unread_words,
)
from textcentric.prompts.fitted import Fitted, judged_by, weights_in
from textcentric.prompts.library import PromptLibrary
from textcentric.prompts.prompt import Prompt
from textcentric.runs.directory import CONFIG, frozen_prompts


def made_with(config: AugmentConfig, engine: Mapping[str, str]) -> MadeWith:
    """Return what writes and judges: `engine` is the engine's fingerprint, empty without one."""
    return MadeWith(
        model=engine.get("model", ""),
        revision=engine.get("model_revision", ""),
        checks=checks_identity(),
        temperature=config.temperature,
    )


def believed_plan(
    plan: Plan,
    config: AugmentConfig,
    made: MadeWith,
    calibration: Calibration,
    *,
    frozen: bool = False,
) -> Plan:
    """Return the plan with what was read of its prompts, and without those found untrue.

    A prompt that `--prompts` names by its id stays, and so does every one with `--all-prompts`, and
    whatever was `frozen` in a run that goes on. Raises PromptError with the ids where nothing would
    be left.
    """
    taken = None if frozen else _taken_before(config)
    if not frozen:
        plan = _with_written(plan, config, made, calibration, taken)
    own = _own_weights(plan, config, made, calibration)
    plan = replace(plan, own=own, unused=_unused(plan, own, made, calibration))
    read = read_of(plan, made, calibration)
    plan = replace(plan, read=read, misfits=_misfits(plan, read, made, calibration))
    if taken is not None:
        return _only(plan, *taken)
    if config.all_prompts or frozen:
        return plan
    named = _named(config)
    refuted = {
        name: reading
        for name, reading in read.items()
        if reading is not None and reading.left_out and name not in named
    }
    return _without(plan, refuted, named) if refuted else plan


def _own_weights(
    plan: Plan, config: AugmentConfig, made: MadeWith, calibration: Calibration
) -> dict[str, Fitted]:
    """Return the user's own weights by the names of the prompts that they were made for.

    A run that goes on is judged by those that it began with, whatever was kept since.
    """
    before = _weights_before(config)
    names = _digests(plan).items()
    if before is not None:
        return {n: fit for n, digest in names for fit in before if fit.prompts.get(n) == digest}
    held = ((name, calibration.weights_of(name, digest, made)) for name, digest in names)
    return {name: fit for name, fit in held if fit is not None}


def _unused(
    plan: Plan, own: Mapping[str, Fitted], made: MadeWith, calibration: Calibration
) -> dict[str, str]:
    """Say of prompts that have weights which do not hold for them why that is."""
    whys = {
        name: calibration.weights_misfit(name, digest, made)
        for name, digest in _digests(plan).items()
        if name not in own
    }
    return {name: why for name, why in whys.items() if why}


def _weights_before(config: AugmentConfig) -> list[Fitted] | None:
    """Return the weights that a run in the folder asked for began with, None where none is."""
    if config.output_dir is None or config.resume != "auto":
        return None
    saved = read_yaml(Path(config.output_dir) / CONFIG)
    if saved.get("prompts") != config.prompts or "prompt_digests" not in saved:
        return None
    return weights_in(saved)


def _digests(plan: Plan) -> dict[str, str]:
    prompts = (*plan.derive, *plan.variants)
    return {n: d for prompt in prompts for n, d in _names(prompt, plan.library).items()}


def _judged_by(plan: Plan, name: str, made: MadeWith) -> MadeWith:
    """Return what makes and judges the variants of one prompt: its weights are part of that."""
    return replace(made, checks=judged_by(made.checks, plan.own.get(name)))


def read_of(plan: Plan, made: MadeWith, calibration: Calibration) -> dict[str, Reading | None]:
    """Return what was read of each prompt of `plan`, families of the bank among them."""
    read: dict[str, Reading | None] = {}
    for prompt in (*plan.derive, *plan.variants):
        read |= _read(prompt, plan, made, calibration)
    return read


def _read(
    prompt: Prompt, plan: Plan, made: MadeWith, calibration: Calibration
) -> dict[str, Reading | None]:
    front = prompt.front
    made = replace(made, candidates=front.candidates)
    rule = front.writes_by == "rule"
    read = {}
    for name, digest in _names(prompt, plan.library).items():
        at = _judged_by(plan, name, made)
        read[name] = calibration.of(name, digest, front.sampling.temperature, at, rule=rule)
    return read


def _named(config: AugmentConfig) -> set[str]:
    return {term.strip() for term in config.prompts.split(",")}


def _with_written(
    plan: Plan,
    config: AugmentConfig,
    made: MadeWith,
    calibration: Calibration,
    taken: tuple[set[str], set[str]] | None,
) -> Plan:
    """Return the plan with texts that a model writes where it would pick, if they are believed.

    Of what was `taken` before by the run that goes on nothing is changed.
    """
    derive = []
    for prompt in plan.derive:
        written = plan.library.written_for(prompt)
        if written is None or prompt.id in _named(config):
            derive.append(prompt)
            continue
        written = with_candidates(written, config)
        alone = replace(plan, derive=(written,), variants=())
        alone = replace(alone, own=_own_weights(alone, config, made, calibration))
        reading = _read(written, alone, made, calibration)[written.id]
        believed = (
            reading is not None and reading.believed if taken is None else written.id in taken[0]
        )
        derive.append(written if believed else prompt)
    return replace(plan, derive=tuple(derive))


def _names(prompt: Prompt, library: PromptLibrary) -> dict[str, str]:
    if prompt.front.stage != "bank":
        return {prompt.id: prompt.digest}
    return {
        f"{BANK}{family}": family_digest(prompt.digest, family, library.bank)
        for family in sorted({entry.family for entry in library.bank})
    }


def _misfits(
    plan: Plan,
    read: Mapping[str, Reading | None],
    made: MadeWith,
    calibration: Calibration,
) -> dict[str, str]:
    """Say of prompts without a reading which they have that does not fit, and why."""
    digests = _digests(plan)
    whys = {
        name: calibration.misfit(name, digests[name], _judged_by(plan, name, made))
        for name, reading in read.items()
        if reading is None
    }
    return {name: why for name, why in whys.items() if why}


def _without(plan: Plan, refuted: Mapping[str, Reading], named: set[str]) -> Plan:
    """Return the plan without prompts and families that are not worth their requests."""
    derive, variants = (
        tuple(prompt for prompt in prompts if prompt.id not in refuted)
        for prompts in (plan.derive, plan.variants)
    )
    carriers = [p for p in plan.variants if p.front.stage == "bank"]
    library = plan.library
    if carriers and not named & {p.id for p in carriers}:
        bank = tuple(e for e in library.bank if f"{BANK}{e.family}" not in refuted)
        library = replace(library, bank=bank)
        if not bank:
            variants = tuple(p for p in variants if p not in carriers)
    if plan.variants and not variants:
        whys = ", ".join(f"{name} ({of.why()})" for name, of in sorted(refuted.items()))
        raise PromptError(
            f"nothing is left of {option('prompts')}: too little of it was true or accepted:"
            f" {whys}; name one by its id to take it, or give {option('all_prompts', True)}"
        )
    check_derived(derive, variants)
    left_out = tuple(refuted.values())
    return replace(plan, derive=derive, variants=variants, library=library, left_out=left_out)


def _taken_before(config: AugmentConfig) -> tuple[set[str], set[str]] | None:
    """Return the ids of prompts and of instructions that a run in the folder asked for took.

    None where there is none of these prompts yet.
    """
    if config.output_dir is None or config.resume != "auto":
        return None
    folder = Path(config.output_dir)
    saved = read_yaml(folder / CONFIG)
    if saved.get("prompts") != config.prompts or "prompt_digests" not in saved:
        return None
    frozen = frozen_prompts(folder)
    bank = PromptLibrary.load(frozen, packaged=False).bank if frozen.is_dir() else ()
    return set(saved["prompt_digests"]), {entry.id for entry in bank}


def _only(plan: Plan, prompts: set[str], bank: set[str]) -> Plan:
    entries = tuple(e for e in plan.library.bank if e.id in bank or not bank)
    return replace(
        plan,
        derive=tuple(p for p in plan.derive if p.id in prompts),
        variants=tuple(p for p in plan.variants if p.id in prompts),
        library=replace(plan.library, bank=entries),
    )


def read_words(plan: Plan) -> dict[str, str]:
    """Return what is said of each prompt's reading, by the names that outputs have."""
    words = {name: reading.words() if reading else UNREAD for name, reading in plan.read.items()}
    if any(prompt.front.stage == "bank" for prompt in plan.variants):
        families = families_of(plan.library.bank)
        words |= {
            name: words[f"{BANK}{family}"]
            for name, family in families.items()
            if f"{BANK}{family}" in words
        }
    return words


def choice_lines(plan: Plan) -> list[str]:
    """Say what was left out, what was read, what never was, and which readings do not fit.

    Where the variants of classes are counted, these come first.
    """
    lines = [f"variants by each prompt: {plan.shares.words()}"] if plan.shares else []
    lines += [
        f"left out: {reading.prompt} ({reading.words()}); name it, or give"
        f" {option('all_prompts', True)}"
        for reading in plan.left_out
        if reading.untrue
    ]
    lines += _seldom([reading for reading in plan.left_out if not reading.untrue])
    kept = [name for name, of in plan.read.items() if of and of not in plan.left_out]
    lines += [_known(plan, name, words) for name, words in read_words(plan).items() if name in kept]
    lines += [f"a reading of {name} is not used: {why}" for name, why in plan.misfits.items()]
    lines += weights_lines(plan)
    lines += [f"weights of your own are not used for {n}: {why}" for n, why in plan.unused.items()]
    unread = [name for name, reading in plan.read.items() if reading is None]
    return [*lines, unread_words(unread)] if unread else lines


def weights_lines(plan: Plan) -> list[str]:
    """Say which prompts are judged by the user's own weights, and by which."""
    words = {name: fit.words() for name, fit in plan.own.items()}
    return [
        f"judged by {said}: {', '.join(name for name, one in words.items() if one == said)}"
        for said in dict.fromkeys(words.values())
    ]


def _seldom(readings: Sequence[Reading]) -> list[str]:
    """Say in one line which prompts are left out because hardly anything came of them."""
    if not readings:
        return []
    named = ", ".join(f"{reading.prompt} ({reading.yield_words()})" for reading in readings)
    return [
        f"left out, since this model writes hardly anything that is accepted: {named}; name one, or"
        f" give {option('all_prompts', True)}"
    ]


def _known(plan: Plan, name: str, words: str) -> str:
    """Say what is known of a prompt: how much was true, and how much was accepted at all."""
    reading = plan.read[name]
    said = reading.yield_words() if reading else ""
    return f"{name}: {words}" + (f"; {said} with this model" if said else "")
