"""Fusion models by name, attacked on rows by name: figures and curves of what is left."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from textcentric.data.memory import InHand, named_or
from textcentric.data.rows import RowsLike, tell_notes
from textcentric.data.tables.left_out import LeftOut
from textcentric.errors import ConfigError, DataError, Say, check_known, option
from textcentric.evaluation.config import EvaluateFusionConfig
from textcentric.evaluation.fusion import robustness
from textcentric.evaluation.fusion_attacks import threats
from textcentric.folders import write_text, writing
from textcentric.methods.fusion import Crmt
from textcentric.methods.fusion.method import PAPERS
from textcentric.report.pictures import radius_curves
from textcentric.rows import Record
from textcentric.runs.counters import Steps
from textcentric.security.outputs import check_ours, head
from textcentric.training.folder import find_model_folder

RESULTS, PICTURE = "fusion.json", "radius.svg"


def evaluate_fusion(
    models: Sequence[str | Path],
    config: EvaluateFusionConfig,
    rows: RowsLike | None = None,
    *,
    say: Say = lambda line: None,
    steps: Steps | None = None,
) -> dict[str, Any]:
    """Return what attacks leave of each model; into `output_dir`, if there is one, it is written.

    `rows` stand in for those that settings name. Raises RunError where files of other people lie
    there under the names of ours.
    """
    if not models:
        raise ConfigError("there is no model to attack; name the folder of a fusion model")
    _refuse_other_files(config.output_dir)
    methods = {name: Crmt.load(folder, config.data_dir) for name, folder in _folders(models)}
    chosen = {name: _threats(name, methods, config.threats) for name in methods}
    read = _rows(config, rows, say)
    usable = {
        name: known_rows(name, method, read, say, chosen[name]) for name, method in methods.items()
    }
    results: dict[str, Any] = {}
    for number, (name, method) in enumerate(methods.items()):
        if steps is not None:
            steps("models attacked", number, len(methods))
        say(f"attacking {name} ({method.config.variant}) on {len(usable[name]):,} rows ...")
        results[name] = robustness(
            method,
            usable[name],
            config.radii,
            only=chosen[name],
            seed=config.seed,
            note=say,
        )
    if config.output_dir is not None:
        with writing(config.output_dir):
            config.output_dir.mkdir(parents=True, exist_ok=True)
        write_text(config.output_dir / RESULTS, json.dumps(results) + "\n")
        write_text(config.output_dir / PICTURE, radius_curves(results).decode())
    return results


def _folders(models: Sequence[str | Path]) -> Iterator[tuple[str, Path]]:
    """Yield the folder of each model by its last name, by its path where two have the same."""
    found = [find_model_folder(str(n), PAPERS, "fusion model") for n in models]
    folders = list({folder.resolve(): folder for folder in found}.values())
    counts = Counter(folder.name for folder in folders)
    for folder in folders:
        yield folder.name if counts[folder.name] == 1 else str(folder), folder


def _refuse_other_files(folder: Path | None) -> None:
    if folder is None:
        return
    if any(one.exists() and not one.is_dir() for one in (folder, *folder.parents)):
        raise ConfigError(f"{option('output_dir', str(folder))}: a file is there; name a folder")
    check_ours(folder / RESULTS, "a result", lambda path: b'"radii": ' in head(path))
    if not (folder / RESULTS).exists():
        check_ours(folder / PICTURE, "a result", lambda path: False)


def known_rows(
    name: str, method: Crmt, rows: Sequence[Record], tell: Say, chosen: Sequence[str] | None = None
) -> list[Record]:
    """Return the rows of classes that the model knows, with something that it reads.

    Raises DataError where no row is left, and where none has a modality that the `chosen` threats
    (all, for None) are of.
    """
    found, gone = [], LeftOut()
    for row in rows:
        if str(row.target) not in method.classes:
            gone.add("row(s) of a class that the model does not know", text=row.id)
        elif not any(one in row.inputs for one in method.names):
            gone.add(f"row(s) without any of {', '.join(method.names)}", text=row.id)
        else:
            found.append(row)
    for note in gone.notes():
        tell(f"{name}: {note}")
    if not found:
        raise DataError(
            f"none of {len(rows)} rows has a class of {name} ({', '.join(method.classes[:5])},"
            f" ...) and one of its modalities ({', '.join(method.names)})"
        )
    _check_present(name, method, found, tell, chosen)
    return found


def _check_present(
    name: str, method: Crmt, found: Sequence[Record], tell: Say, chosen: Sequence[str] | None
) -> None:
    """Say how many rows lack a modality, which no attack changes; raise where all of them do."""
    for one in method.names:
        lacking = sum(one not in row.inputs for row in found)
        if lacking == len(found) and (chosen is None or one in chosen):
            raise DataError(
                f"none of {len(found)} rows has {one}, which {name} reads, so nothing could be"
                f" attacked there; name its column ({option(one)}), or attack"
                f" {', '.join(n for n in method.names if n != one)} alone ({option('threats')})"
            )
        if lacking:
            tell(f"{name}: {lacking:,} of {len(found):,} rows lack {one}, which stays as it is")


def _rows(config: EvaluateFusionConfig, given: RowsLike | None, tell: Say) -> list[Record]:
    found = named_or(given, config)
    tell_notes(found, tell)
    if found.schema.target is None and not isinstance(found, InHand):
        raise ConfigError(f"what is right? Give {option('target')}, the class of each row")
    rows = [row for row in found if row.target is not None]
    if without := found.count() - len(rows):
        tell(f"left out {without:,} row(s) without a class")
    if not rows:
        raise DataError(f"no row of {found.name} has a class, so there is nothing to attack")
    return rows


def _threats(
    name: str, methods: Mapping[str, Crmt], names: Sequence[str] | None
) -> Sequence[str] | None:
    """Return those of the threats to try that the model `name` has, None for all."""
    if names is None:
        return None
    of = {model: [one.name for one in threats(method.names)] for model, method in methods.items()}
    for threat in names:
        check_known("threat", threat, sorted(set().union(*of.values())))
    found = [threat for threat in names if threat in of[name]]
    if not found:
        raise ConfigError(
            f"{option('threats', ','.join(names))}: {name} has {', '.join(of[name])} alone; leave"
            " it out, or attack what it reads"
        )
    return found
