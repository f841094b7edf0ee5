"""What is said of findings in sentences: a verdict, who is cheaper and better, what to beware of.

Each sentence follows from figures and has its condition beside it; where that does not hold it is
not said. A difference is only called one where its interval excludes 0, and on fewer than `FEW`
rows (or groups of them) none is: intervals are too narrow there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypedDict

from textcentric.corruption.grid import CLEAN
from textcentric.evaluation.findings import Difference, Findings, Scored
from textcentric.metrics.intervals import FEW, Estimate
from textcentric.metrics.scores import find_score


class Verdict(TypedDict):
    """Whether an arm beats another, in a sentence, and who is cheaper and better.

    `shown` says whether augmentation helped, `outcome` the same in a word or two; None and "" where
    nothing was to be shown: no arm is augmented.
    """

    shown: bool | None
    outcome: str
    sentence: str
    cheap_wins: str


def verdict(
    findings: Findings, arm: str | None, against: str, corruption: str, augmented: Sequence[str]
) -> Verdict:
    """Say in one sentence whether `arm` beats `against`, and in another who is cheaper and better.

    `augmented` are the arms that an LLM writes for. Where `arm` is None there is none of them to
    speak of, and the others are compared with `against`.
    """
    if against not in findings.predicted:
        words = f"{against}, with which methods are compared, is not among them"
        return _nothing(None if arm is None else False, words)
    if arm is None:
        return _without_augmentation(findings, against, corruption)
    found = findings.difference(arm, against, corruption)
    if found is None:
        return _nothing(False, f"{arm} and {against} share no level of {corruption!r}")
    sentence = _claim(findings, found, augmented) + _worth(findings, found)
    low, high = found["interval"]
    outcome = (
        "not shown" if too_few(findings) or low <= 0 <= high else "hurt" if high < 0 else "shown"
    )
    return {
        "shown": outcome == "shown",
        "outcome": outcome,
        "sentence": sentence,
        "cheap_wins": _cheaper(findings, arm, corruption, augmented),
    }


def _nothing(shown: bool | None, why: str) -> Verdict:
    outcome = "" if shown is None else "not shown"
    sentence = f"Nothing was compared: {why}."
    return {"shown": shown, "outcome": outcome, "sentence": sentence, "cheap_wins": ""}


def too_few(findings: Findings) -> bool:
    """Say whether the clean test rows, or groups of them, are too few for their intervals."""
    return findings.units < FEW


def _claim(findings: Findings, found: Difference, augmented: Sequence[str]) -> str:
    """Return the sentence on augmentation: helped, hurt, or not shown."""
    (low, high), arm = found["interval"], found["arm"]
    figures = _figures(
        findings, found, [n for n in findings.predicted if n in augmented and n != found["against"]]
    )
    if too_few(findings):
        return f"Not shown that augmentation helps, {_count_few(findings)} are too few: {figures}."
    if low > 0:
        return f"Augmentation helped: {figures}."
    if high < 0:
        return f"Augmentation hurt: {figures}."
    least = found["smallest_detectable"]
    finds = f"; this test finds differences from {least:.4f} up" if least > 0 else ""
    same = "" if low < high else f"; {arm} and {found['against']} score the same"
    return f"Not shown that augmentation helps: {figures}, an interval that holds 0{finds}{same}."


def _figures(findings: Findings, found: Difference, rivals: Sequence[str]) -> str:
    """Return the difference with its interval, range of levels, seeds and rows."""
    arm, against = found["arm"], found["against"]
    stands = f" (of {', '.join(rivals)})" if len(rivals) > 1 else ""
    favour = "" if findings.higher_is_better else f" (above 0: in favour of {arm})"
    return (
        f"for {arm}{stands}, the area under {findings.metric} {_range(found)} differs from that of"
        f" {against} by {_signed(found['difference'], found['interval'])}{favour}"
        f" (as a mean over these levels {found['mean']:+.4f};"
        f" {_seeds(findings)}, {_count(len(findings.targets), 'test row')})"
    )


def _seeds(findings: Findings) -> str:
    """Return the number of trainings of an arm; the constant prediction has one, whatever it is."""
    return _count(max(map(len, findings.predicted.values())), "seed")


def _range(found: Difference) -> str:
    first, *_, last = found["levels"]
    return f"from level {first:g} to {last:g} of {found['corruption']!r}"


def _worth(findings: Findings, found: Difference) -> str:
    """Say it where the arm of a verdict is not better in area than the constant prediction."""
    arm, levels = found["arm"], found["levels"][1:]
    over = findings.area_over_constant(arm, found["corruption"], levels)
    said = _beside_constant(findings, over)
    return f" There {arm} {said}." if said else ""


def _beside_constant(findings: Findings, over: Estimate) -> str:
    """Say how an arm stands to the constant prediction where it is not shown to be better."""
    low, high = over.interval
    if low > 0:
        return ""
    figures = _signed(over.value, over.interval)
    if high < 0:
        return f"is worse than {_constant(findings)}: {figures}"
    if over.value < 0:
        return f"scores worse than {_constant(findings)}: {figures}, an interval that holds 0"
    return f"is not shown to be better than {_constant(findings)}: {figures}"


def _constant(findings: Findings) -> str:
    """Return what the constant prediction is called."""
    numbers = find_score(findings.metric).kind == "numbers"
    return f"predicting the {'mean' if numbers else 'most frequent class'} of the training rows"


def _without_augmentation(findings: Findings, against: str, corruption: str) -> Verdict:
    """Say how arms that no LLM writes for stand to `against`: none of them is the method."""
    others = [name for name in findings.predicted if name != against]
    found = [findings.difference(name, against, corruption) for name in others]
    known = [one for one in found if one]
    if not others:
        return _nothing(None, f"{against} is the only method")
    if not known:
        return _nothing(None, f"no method shares a level of {corruption!r} with {against}")
    if too_few(findings):
        said = f"{_count_few(findings)} are too few to tell methods apart."
    else:
        rows = _count(len(findings.targets), "test row")
        said = (
            f"Against {against}, in area under {findings.metric} {_range(known[0])}"
            f" ({_seeds(findings)}, {rows}), {_sides(known)}."
        )
    sentence = f"No augmentation was tried. {said}"
    return {"shown": None, "outcome": "", "sentence": sentence, "cheap_wins": ""}


def _sides(found: Sequence[Difference]) -> str:
    """Return who is better, worse, and not told apart."""
    sides: dict[str, list[str]] = {"better": [], "worse": [], "not told apart": []}
    for one in found:
        low, high = one["interval"]
        side = "better" if low > 0 else "worse" if high < 0 else "not told apart"
        sides[side].append(f"{one['arm']} by {_signed(one['difference'], one['interval'])}")
    return "; ".join(f"{side}: {', '.join(names)}" for side, names in sides.items() if names)


def _cheaper(findings: Findings, arm: str, corruption: str, augmented: Sequence[str]) -> str:
    """Name the arms without an LLM that beat `arm`, which has one, and the constant prediction."""
    if too_few(findings):
        return ""
    wins = sorted(_wins(findings, arm, corruption, augmented), key=lambda one: -one["difference"])
    if not wins:
        return ""
    said = ", ".join(
        f"{one['arm']} by {_signed(one['difference'], one['interval'])}" for one in wins
    )
    return f"Cheaper and better in area {_range(wins[0])} than {arm}, without an LLM: {said}."


def _wins(
    findings: Findings, arm: str, corruption: str, augmented: Sequence[str]
) -> Iterator[Difference]:
    levels = findings.levels(corruption, arm)
    for name in findings.predicted:
        found = None if name in augmented else findings.difference(name, arm, corruption)
        if found and found["levels"][1:] == levels and found["interval"][0] > 0:
            over = findings.area_over_constant(name, corruption, levels)
            if over.value > 0:  # which the constant prediction itself is not
                yield found


def warnings(findings: Findings, arms: Iterable[str]) -> list[str]:
    """Say what to beware of: too few test rows, and `arms` not better than the constant."""
    said = []
    if too_few(findings):
        said.append(
            f"{_count_few(findings)} are too few for these intervals: with fewer than {FEW} they"
            " are often too narrow."
        )
    for arm in arms:
        if CLEAN not in findings.cells_of(arm):
            continue
        beside = _beside_constant(findings, findings.over_constant(arm, CLEAN))
        if _predicts_one(findings, arm):
            said.append(f"{arm} predicts the same for every clean row.")
        elif beside:
            said.append(f"In {findings.metric} on clean rows {arm} {beside}.")
    return said


def _predicts_one(findings: Findings, arm: str) -> bool:
    clean = [list(by_cell[CLEAN.name].values()) for by_cell in findings.predicted[arm].values()]
    return all(len(set(told)) == 1 for told in clean) and len(clean[0]) > 1


def loss(findings: Findings, arm: str, cells: Sequence[Scored]) -> str:
    """Say what `arm` scores on the clean rows and where it is hurt most, the constant beside it."""
    own = [entry for entry in cells if entry["arm"] == arm]
    clean = next(entry for entry in own if entry["corruption"] == CLEAN.name)
    said = (
        f"{arm} scores {_score(clean['score'], clean['interval'])} in {findings.metric} on"
        f" {_count(clean['n'], 'clean row')}, where {_constant(findings)} scores"
        f" {clean['constant']:.3f}"
    )
    damaged = [entry for entry in own if entry is not clean]
    if not damaged:
        return f"{said}."
    sign = 1 if findings.higher_is_better else -1
    worst = min(damaged, key=lambda entry: sign * entry["score"])
    if sign * worst["score"] >= sign * clean["score"]:
        return f"{said}; no damage makes it worse."
    what = "+".join(worst["missing"] or ()) or f"{worst['corruption']} {worst['level']:g}"
    what = f"without {what}" if worst["missing"] else what
    that = f"that scores {worst['constant']:.3f}"
    return f"{said}; {worst['score']:.3f} at worst ({what}), where {that}."


def _score(value: float, interval: Sequence[float]) -> str:
    return f"{value:.3f} [{interval[0]:.3f}, {interval[1]:.3f}]"


def _signed(value: float, interval: Sequence[float]) -> str:
    return f"{value:+.4f} [{interval[0]:+.4f}, {interval[1]:+.4f}]"


def _count_few(findings: Findings) -> str:
    """Return how many rows the intervals rest on, or groups of rows where these are fewer."""
    rows, units = len(findings.rows_of(CLEAN)), findings.units
    return _count(rows, "test row") if units == rows else f"{units} groups of {rows} test rows"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
