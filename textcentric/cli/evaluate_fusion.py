"""`textcentric evaluate fusion`: what attacks leave of fusion models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Unpack

import typer

from textcentric.cli.options import Shown, configured
from textcentric.cli.terminal import columns, show, show_json, telling
from textcentric.evaluation.config import EvaluateFusionConfig
from textcentric.machine import require
from textcentric.training.processes import alone

APART = 0.01  # of accuracy: attacks that should agree


@configured("evaluation.config")
def fusion(
    config: EvaluateFusionConfig,
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="Folders of fusion models.")
    ],
    **shown: Unpack[Shown],
) -> None:
    """Attack fusion models as hard as is known, and take modalities away.

    Robust accuracy is what no attack of the suite flips; the paper's attacks are printed beside it,
    and the certified radius, which is heuristic.

    Example: textcentric evaluate fusion models/clips --dataset clips.csv --target class
    """
    require("evaluate fusion")
    raise typer.Exit(fusion_command(models, config, **shown))


def fusion_command(
    models: Sequence[str],
    config: EvaluateFusionConfig,
    *,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Attack models on rows and say what is left; return the exit code."""
    from textcentric.evaluation.fusion_models import PICTURE, RESULTS, evaluate_fusion

    if not alone():
        return 0
    output = config.output_dir
    with telling(quiet=quiet, verbose=verbose) as tell:
        results = evaluate_fusion(models, config, say=tell)
    if as_json:
        show_json(results)
    else:
        show(as_text(results))
    if output is not None and not as_json:
        show(f"\ncurves     {output / PICTURE}\nfigures    {output / RESULTS}")
    return 0


def as_text(results: Mapping[str, Any]) -> str:
    """Return what attacks leave, as people read it."""
    from textcentric.evaluation.fusion import nine_metrics
    from textcentric.report.pictures import threats_of

    at = f"{next(iter(results.values()))['radii'][0]:g}"
    metrics = {name: nine_metrics(found) for name, found in results.items()}
    heads = list(dict.fromkeys(head for of in metrics.values() for head in of))
    rows = [
        [name, *(f"{of[head]:.3f}" if head in of else "" for head in heads)]
        for name, of in metrics.items()
    ]
    parts = [
        f"Paper's own attacks at radius {at}, and missing modalities\n"
        + columns(rows, ["model", *heads])
        + f"\n{_constants(results)}"
    ]
    parts += [
        _curves(threat, {name: of for name, of in results.items() if threat in of["threats"]})
        for threat in threats_of(results)
    ]
    parts += [line for name, found in results.items() for line in _notes(name, found)]
    return "\n\n".join(parts)


def _constants(results: Mapping[str, Any]) -> str:
    """Say what always naming one class comes to, and whether models were attacked on other rows."""
    rows = {name: (of["constant"], of["rows"]) for name, of in results.items()}
    if len(set(rows.values())) == 1:
        constant, _ = next(iter(rows.values()))
        return f"The commonest class of these rows is that of {constant:.3f} of them."
    told = ", ".join(f"{constant:.3f} of {many:,} ({n})" for n, (constant, many) in rows.items())
    return (
        "These are not the same rows, so models do not compare: the commonest class is that of"
        f" {told}."
    )


def _curves(threat: str, results: Mapping[str, Any]) -> str:
    """Return robust accuracy by radius under a threat, the paper's and the certified beside it."""
    from textcentric.report.pictures import certified_shares

    radii = next(iter(results.values()))["radii"]
    rows: list[list[str]] = []
    for name, found in results.items():
        told = found["threats"][threat]
        rows.append([name, *map(_interval, told["estimates"])])
        rows.append(["  paper's PGD", *(f"{value:.3f}" for value in told["paper"]["pgd"])])
        if certified := found["certified"].get(threat):
            share = certified_shares(certified["certified"], radii)
            rows.append(["  certified", *(f"{value:.3f}" for value in share)])
    heads = [f"{threat}: accuracy at radius", *(f"{radius:g}" for radius in radii)]
    return columns(rows, heads)


def _notes(name: str, found: Mapping[str, Any]) -> list[str]:
    """Return the certified radii, and what rows and attacks say against these figures."""
    lines = [f"{name}: {line}" for line in _doubts(found)]
    certified = {threat: of for threat, of in found["certified"].items() if threat != "means"}
    lines += [f"{name}, {threat}: {_certified(of)}" for threat, of in certified.items()]
    if means := found["certified"].get("means"):
        lines.append(f"           {means}" if certified else f"{name}: {means}")
    for threat, of in found["threats"].items():
        lines += [f"{name}, {threat}: {warning}" for warning in of["warnings"]]
    for threat, by in found["sanity"]["by_temperature"].items():
        least, most = min(by.values()), max(by.values())
        if most - least > APART:
            lines.append(
                f"{name}, {threat}: cross-entropy over temperatures leaves {least:.3f} to"
                f" {most:.3f} at the largest radius; do not trust such an attack alone"
            )
    left = found["sanity"]["accuracy_under_a_huge_attack"]
    if left > 0:
        lines.append(
            f"{name}: {left:.3f} survive an attack without bounds: these figures are too high"
        )
    return ["\n".join(lines)] if lines else []


def _doubts(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield why the figures say little: few rows, or no more right than a constant has."""
    from textcentric.metrics.intervals import FEW

    rows, units = found["rows"], found["units"]
    if units < FEW:
        few = f"{rows} rows" if units == rows else f"{units} groups of {rows} rows"
        yield f"{few} are too few for these intervals: with fewer than {FEW} they say little"
    if 0 < found["groups"] < 3:
        many = f"{found['groups']} group{'s' * (found['groups'] > 1)}"
        yield f"intervals are over rows, of {many} alone: they know nothing of other groups"
    clean, constant = found["clean"], found["constant"]
    if clean["interval"][0] <= constant:
        yield (
            f"accuracy {_interval(clean)} on clean rows is not shown to be better than the"
            f" {constant:.3f} of always naming their commonest class"
        )


def _certified(of: Mapping[str, Any]) -> str:
    """Say how many rows are certified, how far, and how many attacks flipped all the same."""
    if not of["share"]:
        return "no row is certified, since none is predicted rightly"
    return (
        f"{of['share']:.3f} of the rows are predicted rightly and certified, to a median radius of"
        f" {of['median_right']:.3f}; {of['flips_within']} were flipped inside their own"
    )


def _interval(of: Mapping[str, Any]) -> str:
    low, high = of["interval"]
    return f"{of['value']:.3f} [{low:.2f}, {high:.2f}]"
