"""What `textcentric evaluate fusion` does: fusion models and rows in, what attacks leave out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textcentric.cli.terminal import columns, telling
from textcentric.errors import ConfigError, DataError, Say, unknown
from textcentric.evaluation.config import EvaluateFusionConfig
from textcentric.folders import write_text
from textcentric.training.processes import alone

if TYPE_CHECKING:
    from textcentric.methods.fusion import Crmt
    from textcentric.rows import Record

RESULTS, PICTURE = "fusion.json", "radius.svg"
APART = 0.01  # of accuracy: attacks that should agree


def evaluate_fusion(
    names: Sequence[str],
    config: EvaluateFusionConfig,
    *,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Attack models on rows and say what is left; return the exit code."""
    from textcentric.evaluation.fusion import robustness
    from textcentric.methods.fusion import Crmt
    from textcentric.methods.fusion.method import PAPERS
    from textcentric.report.pictures import radius_curves
    from textcentric.training.folder import find_model_folder

    if not alone():
        return 0
    output = config.output_dir
    with telling(quiet=quiet, verbose=verbose) as tell:
        folders = {_name(n): find_model_folder(n, PAPERS, "fusion model") for n in names}
        rows = _rows(config, tell)
        results: dict[str, Any] = {}
        for name, folder in folders.items():
            method = Crmt.load(folder, config.data_dir)
            known = known_rows(method, rows, tell)
            tell(f"attacking {name} ({method.config.variant}) on {len(known):,} rows ...")
            results[name] = robustness(
                method,
                known,
                config.radii,
                only=_threats(method, config.threats),
                seed=config.seed,
                note=tell,
            )
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        write_text(output / RESULTS, json.dumps(results) + "\n")
        write_text(output / PICTURE, radius_curves(results).decode())
    print(json.dumps(results) if as_json else as_text(results))
    if output is not None and not as_json:
        print(f"\ncurves     {output / PICTURE}\nfigures    {output / RESULTS}")
    return 0


def known_rows(method: Crmt, rows: Sequence[Record], tell: Say) -> list[Record]:
    """Return the rows of classes that the model knows, with something that it reads.

    Raises DataError where none is left.
    """
    found = [
        row
        for row in rows
        if str(row.target) in method.classes and any(n in row.inputs for n in method.names)
    ]
    if len(found) < len(rows):
        tell(f"{len(rows) - len(found):,} rows left out: of unknown class, or with nothing to read")
    if not found:
        raise DataError(
            f"none of {len(rows)} rows has a class of the model ({', '.join(method.classes[:5])},"
            f" ...) and one of its modalities ({', '.join(method.names)})"
        )
    return found


def as_text(results: Mapping[str, Any]) -> str:
    """Return what attacks leave, as people read it."""
    from textcentric.evaluation.fusion import nine_metrics

    first = next(iter(results.values()))
    at = f"{first['radii'][0]:g}"
    metrics = {name: nine_metrics(found) for name, found in results.items()}
    heads = list(next(iter(metrics.values())))
    rows = [
        [name, *(f"{metrics[name].get(head, float('nan')):.3f}" for head in heads)]
        for name in results
    ]
    parts = [
        f"Paper's own attacks at radius {at}, and missing modalities\n"
        + columns(rows, ["model", *heads])
    ]
    parts += [_curves(threat, results) for threat in first["threats"]]
    parts += [line for name, found in results.items() for line in _notes(name, found)]
    return "\n\n".join(parts)


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
    """Return the certified radius, and what the attacks say against themselves."""
    from textcentric.evaluation.fusion import HEURISTIC

    lines = []
    for threat, of in found["certified"].items():
        if threat != "means":
            lines.append(
                f"{name}, {threat}: median certified radius {of['median']:.3f},"
                f" {of['flips_within']} rows flipped inside their own"
            )
    lines += [f"           {HEURISTIC}"] if lines else []
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


def _interval(of: Mapping[str, Any]) -> str:
    low, high = of["interval"]
    return f"{of['value']:.3f} [{low:.2f}, {high:.2f}]"


def _rows(config: EvaluateFusionConfig, tell: Say) -> list[Record]:
    from textcentric.data import load

    found = load(
        config.dataset,
        data_dir=config.data_dir,
        schema=config.table_schema,
        split=config.split,
        limit=config.limit,
    )
    for note in found.notes:
        tell(note)
    if found.schema.target is None:
        raise ConfigError("what is right? Give --target, the class of each row")
    rows = [row for row in found if row.target is not None]
    if not rows:
        raise DataError(f"no row of {found.name} has a class, so there is nothing to attack")
    return rows


def _threats(method: Crmt, names: Sequence[str] | None) -> Sequence[str] | None:
    """Return the names of the threats to try, None for all."""
    from textcentric.evaluation.fusion_attacks import threats

    known = [one.name for one in threats(method.names)]
    for name in names or ():
        if name not in known:
            raise ConfigError(unknown("threat", name, known))
    return names


def _name(model: str) -> str:
    return Path(model).name
