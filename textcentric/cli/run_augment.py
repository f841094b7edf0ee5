"""What `textcentric augment` does with its flags: run, plan, estimate or preview."""

from __future__ import annotations

import json
import logging
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from textcentric.augment import Job
from textcentric.cli.progress import Progress, duration
from textcentric.config import AugmentConfig, resolve
from textcentric.errors import StoppedError
from textcentric.session import (
    Opened,
    finished_manifest,
    load_rows,
    opened,
    run_to_end,
    wrap_up,
)

PILOT_ROWS = 20


def augment_command(
    file: Path | None,
    flags: Mapping[str, Any],
    mode: str,
    *,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Run one mode of `augment`; return the exit code."""
    config = resolve(file, flags)
    if mode == "dry-run":
        from textcentric.cli.plan import show_plan

        return show_plan(config, as_json=as_json)
    silence(verbose)
    if mode == "preview":
        from textcentric.cli.preview import show_preview

        return show_preview(config, as_json=as_json, quiet=quiet)
    return run_config(config, estimate=mode == "estimate", as_json=as_json, quiet=quiet)


def say(line: str) -> None:
    """Print a message for people."""
    print(line, file=sys.stderr, flush=True)


def run_config(
    config: AugmentConfig,
    *,
    estimate: bool = False,
    retry_failed: bool = False,
    as_json: bool = False,
    quiet: bool = False,
    **stand_ins: Any,
) -> int:
    """Run `config` to its end and say what came of it; return the exit code.

    `retry_failed` asks for failed outputs again; `stand_ins` are those of `opened`.
    """
    tell = (lambda line: None) if quiet else say
    with opened(config, say=tell, **stand_ins) as run:
        if retry_failed:
            run = _without_failures(run, tell)
        done = finished_manifest(run.job)
        if done is not None:
            tell(f"{run.job.folder} is finished already")
            return _close(run.job, done, as_json)
        _tell_start(run, tell)
        if estimate:
            run.job.budget = replace(run.job.budget, rows=PILOT_ROWS)
        again = f"; run the same command again to go on in {run.job.folder}"
        manifest = drive(run, quiet=quiet, when_interrupted=again)
        wrap_up(run.job, manifest)
        if estimate:
            from textcentric.cli.estimate import show_estimate

            show_estimate(run.job, as_json=as_json)
            return verdict(run.job, manifest)
        _tell_end(run, tell)
        return _close(run.job, manifest, as_json)


def _without_failures(run: Opened, tell: Any) -> Opened:
    """Forget all outputs if some failed: they are built anew, answers that are kept stay."""
    counts = run.job.journal.counts().items()
    failed = sum(n for (_, status, _), n in counts if status == "failed")
    if not failed:
        tell("no output has failed; nothing to ask for again")
        return run
    tell(f"asking again for {failed} failed outputs; {run.answers} answers are kept")
    run.job.journal.forget_outputs()
    return replace(run, finished=0)


def drive(run: Opened, *, quiet: bool, when_interrupted: str = "") -> dict[str, Any]:
    """Run to the end with progress on stderr; return the manifest."""
    job = run.job
    total = min(job.dataset.count() - run.finished, job.budget.rows or sys.maxsize)
    with Progress(total, quiet=quiet) as progress, terminable():
        job.on_progress = progress
        try:
            return run_to_end(job)
        except KeyboardInterrupt:
            say(f"textcentric: interrupted{when_interrupted}")
            raise


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM end what is done inside the way Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _tell_start(run: Opened, tell: Any) -> None:
    job = run.job
    if run.changed:
        tell(f"the configuration changed: {'; '.join(run.changed)}")
        tell(f"{run.answers} answers are kept; those whose key is unchanged are reused")
    elif run.going_on:
        tell(f"going on: {run.finished} rows are finished, {run.answers} answers are kept")
    names = ", ".join(prompt.id for prompt in job.plan.variants) or "no variants"
    model = job.engine.fingerprint()
    tell(f"{job.dataset.count()} rows of {job.dataset.name} through {names}")
    tell(f"engine {model.get('engine', '')}, model {model.get('model', '')}, into {job.folder}")


def _tell_end(run: Opened, tell: Any) -> None:
    sent, reused = run.job.metrics.sent, run.job.metrics.reused  # of this process alone
    if run.going_on:
        obsolete = max(0, run.answers - reused) if run.changed else 0
        tell(f"answers: {reused} reused, {sent} new, {obsolete} obsolete")


def _close(job: Job, manifest: Mapping[str, Any], as_json: bool) -> int:
    """Say what came of the run; return its exit code."""
    totals = manifest["totals"]
    if as_json:
        print(json.dumps({"path": str(job.folder), **manifest}, ensure_ascii=False))
    else:
        print(
            f"{totals['requested']} requested = {totals['accepted']} accepted"
            f" + {totals['rejected']} rejected + {totals['failed']} failed"
            f" + {totals['pending']} pending, in {duration(manifest['seconds'])}"
        )
        print(f"data    {job.folder / 'data'}")
        print(f"report  {job.folder / 'report.html'}")
        _print_rest(job, manifest)
    if manifest["status"] == "stopped":
        raise StoppedError(f"{manifest['stopped']}; run the same command again to go on")
    return verdict(job, manifest)


def verdict(job: Job, manifest: Mapping[str, Any]) -> int:
    """Return the exit code by the share of failures; say which they are where it is too high."""
    totals = manifest["totals"]
    done = totals["requested"] - totals["pending"]
    if totals["failed"] > job.config.max_failed * done:
        say(
            f"textcentric: {totals['failed']} of {done} outputs failed, more than"
            f" --max-failed {job.config.max_failed:g}: {_common_errors(manifest)}"
        )
        return 3
    return 0


def _print_rest(job: Job, manifest: Mapping[str, Any]) -> None:
    """After a run over some of the rows, say how to run all of them and how long it would take."""
    limit, rows = job.config.limit, job.dataset.rows
    if limit is None or limit >= rows or not job.metrics.rows:
        return
    start = job.metrics.first_answer or 0.0
    seconds = start + job.metrics.busy_seconds * rows / job.metrics.rows
    flags = f"--dataset {job.config.dataset} --prompts {job.config.prompts}"
    flags += f" --data-dir {job.config.data_dir}" if job.config.data_dir else ""
    print(f"these were {limit} of {rows} rows (--limit); all of them, about {duration(seconds)}:")
    print(f"  textcentric augment {flags}")


def _common_errors(manifest: Mapping[str, Any]) -> str:
    errors = sorted(manifest["errors"].items(), key=lambda item: -item[1])
    return ", ".join(f"{kind} ({n})" for kind, n in errors[:3])


def describe_command(file: Path | None, flags: Mapping[str, Any], *, as_json: bool) -> None:
    """Print rows in the experts' words."""
    from textcentric.cli.rows_in_words import in_words

    config = resolve(file, flags)
    dataset = load_rows(config)
    for note in dataset.notes:
        say(note)
    for _, described in in_words(config, dataset):
        if described is not None:
            _print_row(described, as_json)


def _print_row(described: Any, as_json: bool) -> None:
    row = described.row
    if as_json:
        value = {"id": row.id, "parts": dict(row.parts), "experts": described.experts}
        print(json.dumps(value | {"notes": described.notes}, ensure_ascii=False))
        return
    print(f"\n== {row.id}")
    for name, text in row.parts.items():
        print(f"[{name}] {text}")


def silence(verbose: bool) -> None:
    """Keep libraries' own logs and bars off the screen, unless asked for."""
    import os

    if verbose:
        return
    for name in ("transformers", "sentence_transformers", "httpx", "openai", "huggingface_hub"):
        logging.getLogger(name).setLevel(logging.ERROR)
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
