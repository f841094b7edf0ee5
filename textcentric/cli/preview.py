"""`augment --preview N`: a few rows on the screen; the run they need is thrown away."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any

from textcentric.api import InHand
from textcentric.augment import Job
from textcentric.cli.run_augment import drive, unperturbed, verdict
from textcentric.cli.terminal import Tell, say
from textcentric.config import AugmentConfig
from textcentric.errors import StoppedError
from textcentric.runs import variants_and_clean
from textcentric.session import opened
from textcentric.shards import Failure, Output


def show_preview(config: AugmentConfig, rows: int, *, as_json: bool, quiet: bool) -> int:
    """Print the outputs of the first `rows` that will be perturbed; return the exit code."""

    def show(outputs: Sequence[Output | Failure]) -> None:
        lines = map(_as_json, outputs) if as_json else [row_as_text(outputs)]
        print(*lines, sep="\n", flush=True)

    tell = (lambda line: None) if quiet else say
    with tempfile.TemporaryDirectory(prefix="textcentric-") as folder:
        config = config.model_copy(update={"output_dir": folder, "resume": "auto"})
        with opened(config, on_row=show, say=tell) as run:
            run.job.dataset = _first_perturbed(run.job, rows, tell)
            model = run.job.engine.fingerprint()
            tell(f"engine {model.get('engine', '')}, model {model.get('model', '')}")
            try:
                manifest = drive(run, quiet=quiet, when_interrupted="; a preview keeps nothing")
            except StoppedError as stop:
                raise StoppedError(f"{stop.__cause__ or stop}; a preview keeps nothing") from stop
            tell(_summary(run.job.metrics.rows, manifest))
            return verdict(run.job, manifest)


def _first_perturbed(job: Job, count: int, tell: Tell) -> InHand:
    """Return the first rows that will be perturbed; where none will be, the first of all."""
    dataset = job.dataset
    records = list(islice(filter(job.plan.wanted, dataset), count))
    if not records:
        records = list(islice(dataset, count))
        tell(unperturbed(len(records), len(records)))
    return InHand(records, dataset.schema, dataset.name, dataset.origin, dataset.path)


def row_as_text(outputs: Sequence[Output | Failure]) -> str:
    """Return the outputs of one row: the row whole, of its variants only what is new in them."""
    clean = next((o for o in outputs if isinstance(o, Output) and o.prompt == "clean"), None)
    source = json.loads(clean.parts) if clean else {}
    return "\n".join(line for output in outputs for line in _lines(output, source))


def _lines(output: Output | Failure, source: Mapping[str, str]) -> list[str]:
    if isinstance(output, Failure):
        return [f"\n== {output.id}: failed at {output.stage}: {output.message}"]
    fate = f"rejected: {output.reason}" if output.reason else "accepted"
    parts = json.loads(output.parts)
    if output.prompt != "clean":
        parts = {name: text for name, text in parts.items() if source.get(name) != text}
    lines = [f"[{name}] {text}" for name, text in parts.items()]
    return [f"\n== {output.id}: {fate}", *(lines or ["(nothing differs from the row)"])]


def _as_json(output: Output | Failure) -> str:
    return json.dumps(asdict(output), ensure_ascii=False)


def _summary(rows: int, manifest: Mapping[str, Any]) -> str:
    variants, _ = variants_and_clean(manifest["counts"])
    counts = ", ".join(f"{variants[fate]} {fate}" for fate in ("accepted", "rejected", "failed"))
    early = f"; {manifest['stopped']}" if manifest["stopped"] else ""
    number = "1 row" if rows == 1 else f"{rows} rows"
    return f"\n{number}, variants: {counts}{early}; this was a preview, nothing is kept"
