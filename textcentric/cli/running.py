"""A run of `textcentric augment`: to its end, with progress, and what came of it in words."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textcentric.augmentation.config import AugmentConfig
from textcentric.cli.progress import Progress, duration
from textcentric.cli.terminal import say, show, show_json, terminable
from textcentric.errors import EngineError, StoppedError

if TYPE_CHECKING:
    from textcentric.augmentation.driver import Job
    from textcentric.augmentation.forecast import Estimated, Expected
    from textcentric.augmentation.run import Opened
    from textcentric.runs.manifest import Manifest

MOST_REASONS = 3  # that the last lines of a run list


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
    from textcentric.augmentation.forecast import PILOT_ROWS
    from textcentric.augmentation.run import finished_manifest, opened, wrap_up

    tell = (lambda line: None) if quiet else say
    with opened(config, say=tell, **stand_ins) as run:
        if retry_failed:
            run = _without_failures(run, tell)
        done = finished_manifest(run.job)
        if done is not None:
            tell(_finished_already(run.job.folder, done))
            return _close(run.job, done, as_json)
        _tell_start(run, tell)
        if estimate:
            run.job.budget = replace(run.job.budget, rows=PILOT_ROWS)
        again = f"; run the same command again to go on in {run.job.folder}"
        try:
            manifest = drive(run, quiet=quiet, when_interrupted=again)
        except StoppedError as stop:
            raise _with_what_is_pending(run.job, stop) from stop
        wrap_up(run.job, manifest)
        if estimate:
            show_estimate(run.job, as_json=as_json)
            return verdict(run.job, manifest)
        _tell_end(run, tell)
        return _close(run.job, manifest, as_json)


def _finished_already(folder: Path, manifest: Manifest) -> str:
    """Return why nothing is done; outputs that failed are asked for again on request only."""
    from textcentric.runs.listing import status, what_failed

    failed = manifest["totals"]["failed"]
    state = "has failed" if status(folder, manifest) == "failed" else "is finished already"
    return f"{folder} {state}{f': {what_failed(folder, manifest)}' if failed else ''}"


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


def drive(run: Opened, *, quiet: bool, when_interrupted: str = "") -> Manifest:
    """Run to the end with progress on stderr; return the manifest."""
    from textcentric.augmentation.run import run_to_end

    job = run.job
    total = min(job.dataset.count() - run.finished, job.budget.rows or sys.maxsize)
    with Progress(total, quiet=quiet) as progress, terminable():
        job.on_progress, job.on_row = progress, job.on_row or progress.show_row
        try:
            return run_to_end(job)
        except KeyboardInterrupt:
            say(f"textcentric: interrupted{when_interrupted}")
            raise


def _with_what_is_pending(job: Job, stop: StoppedError) -> StoppedError:
    """Return what to say of an engine that is gone: no row has failed for it, some are pending."""
    from textcentric.command_line import command
    from textcentric.engines.openai import OpenAIEngine

    if not isinstance(stop.__cause__, EngineError):
        return stop
    finished, rows = job.journal.finished_rows(), job.dataset.count()
    moved = " (with --base-url ADDRESS where the server has moved)"
    return StoppedError(
        f"{stop.__cause__}. {finished} of {rows} rows are finished, the others are pending:"
        f" `{command('runs', 'resume', job.folder)}` asks for them again"
        f"{moved if isinstance(job.engine, OpenAIEngine) else ''}"
    )


def _tell_start(run: Opened, tell: Any) -> None:
    from textcentric.augmentation.choice import choice_lines

    job = run.job
    if run.changed:
        tell(f"the configuration changed: {'; '.join(run.changed)}")
        tell(f"{run.answers} answers are kept; those whose key is unchanged are reused")
    elif run.going_on:
        tell(f"going on: {run.finished} rows are finished, {run.answers} answers are kept")
    names = ", ".join(prompt.id for prompt in job.plan.variants) or "no variants"
    model = job.engine.fingerprint()
    tell(f"{job.dataset.count()} rows of {job.dataset.name} through {names}")
    for line in choice_lines(job.plan):
        tell(line)
    if job.config.limit and (kept := sum(not job.plan.wanted(record) for record in job.dataset)):
        tell(unperturbed(kept, job.dataset.count()))
    tell(f"{engine_in_words(model)}, into {job.folder}")


def engine_in_words(named: Mapping[str, str | None]) -> str:
    """Say which engine and model an engine's fingerprint names.

    >>> engine_in_words({"engine": None, "model": None})
    'no engine: rules ask no model'
    """
    if not (named.get("engine") or named.get("model")):
        return "no engine: rules ask no model"
    return f"engine {named.get('engine', '')}, model {named.get('model', '')}"


def unperturbed(rows: int, of: int) -> str:
    """Say that so many of the rows stay as they are, and how to have them perturbed."""
    return (
        f"{rows} of these {of} rows will not be perturbed: they are of no training split"
        " (--split train takes rows that are, --perturb all perturbs every row)"
    )


def _tell_end(run: Opened, tell: Any) -> None:
    sent, reused = run.job.metrics.sent, run.job.metrics.reused  # of this process alone
    if run.going_on:
        obsolete = max(0, run.answers - reused) if run.changed else 0
        tell(f"answers: {reused} reused, {sent} new, {obsolete} obsolete")


def _close(job: Job, manifest: Manifest, as_json: bool) -> int:
    """Say what came of the run; return its exit code."""
    from textcentric.data.balance import in_words
    from textcentric.runs.failures import failure_lines
    from textcentric.runs.listing import what_failed
    from textcentric.runs.manifest import derived_words

    if as_json:
        show_json({"path": str(job.folder), **manifest})
    else:
        show(f"{_balance(manifest)}, in {duration(manifest['seconds'])}")
        rows = manifest["dataset"].get("balance")
        if rows and (rows["left_out"] or "unread" in rows):
            show(in_words(rows))
        reasons = (*_rejected(manifest), *derived_words(manifest).values())
        for line in (*reasons, *_read(job.folder, manifest)):
            show(line)
        for line in failure_lines(manifest.get("said", {}), manifest["errors"]):
            show(line)
        show(f"data    {job.folder / 'data'}")
        show(f"report  {job.folder / 'report.html'}")
        _print_rest(job, manifest)
    if manifest["status"] == "stopped":
        raise StoppedError(f"{manifest['stopped']}; run the same command again to go on")
    if manifest["status"] == "failed":
        say(f"textcentric: the run has failed: {what_failed(job.folder, manifest)}")
    return verdict(job, manifest)


def _balance(manifest: Manifest) -> str:
    """Return what became of the variants, and of the clean rows beside them."""
    from textcentric.runs.directory import variants_and_clean
    from textcentric.runs.manifest import STATUSES

    variants, clean = variants_and_clean(manifest["counts"])
    of_clean = f"{clean['accepted']} accepted"
    of_clean += "".join(f" + {clean[s]} {s}" for s in ("failed", "pending") if clean[s])
    if not variants["requested"]:
        return f"{clean['requested']} clean rows = {of_clean}"
    fates = " + ".join(f"{variants[fate]} {fate}" for fate in STATUSES[1:])
    return (
        f"{variants['requested']} variants requested = {fates}\n"
        f"{clean['requested']} clean rows = {of_clean}"
    )


def _rejected(manifest: Manifest) -> list[str]:
    """Return why variants are rejected, where more of them are than accepted."""
    from textcentric.runs.counters import ranked
    from textcentric.runs.directory import variants_and_clean
    from textcentric.runs.shards import NOTHING

    variants, _ = variants_and_clean(manifest["counts"])
    if variants["rejected"] <= variants["accepted"]:
        return []
    reasons: Counter[str] = Counter()
    for prompt, of_prompt in manifest.get("reasons", {}).items():
        pieces = Counter(manifest.get("pieces", {}).get(prompt, {})).most_common(1)
        for reason, count in of_prompt.items():
            whole = reason == NOTHING and pieces
            reasons[f"{reason} ({pieces[0][0]})" if whole else reason] += count
    return [f"rejected: {ranked(dict(reasons.most_common(MOST_REASONS)))}"]


def _read(folder: Path, manifest: Manifest) -> list[str]:
    """Return how many variants of each prompt were accepted, and what was read of it before."""
    from textcentric.command_line import command
    from textcentric.prompts.calibration import UNREAD, unread_words

    read, counts = manifest.get("read", {}), manifest["counts"]
    shown = [name for name in read if counts.get(name, {}).get("accepted")]
    known = [name for name in shown if read[name] != UNREAD]
    lines = [f"{name}: accepted {counts[name]['accepted']}; {read[name]}" for name in known]
    some = {"accepted": 1}  # of a prompt that writes into clean rows nothing is counted here
    unread = [n for n in read if read[n] == UNREAD and counts.get(n, some)["accepted"]]
    return [*lines, f"{unread_words(unread)}: `{command('review', folder)}`"] if unread else lines


def verdict(job: Job, manifest: Manifest) -> int:
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


def _print_rest(job: Job, manifest: Manifest) -> None:
    """After a run over some of the rows, say how to run all of them and how long it would take.

    Rows that a program handed in have no name that a command could give.
    """
    from textcentric.augmentation.command_line import augment_command
    from textcentric.data.dataset import Dataset

    limit, dataset = job.config.limit, job.dataset
    if limit is None or not isinstance(dataset, Dataset) or not job.metrics.rows:
        return
    rows = dataset.matching  # unknown where a modality is required: counting would read the table
    if rows is None:
        show(f"these were {dataset.count()} rows (--limit); all of them:")
    elif limit < rows:
        seconds = job.metrics.busy_seconds * rows / job.metrics.rows
        whole = duration((job.metrics.first_answer or 0.0) + seconds)
        show(f"these were {limit} of {rows} rows (--limit); all of them, about {whole}:")
    else:
        return
    show(f"  {augment_command(of_all_rows(job.config, job.folder))}")


def of_all_rows(config: AugmentConfig, folder: Path) -> AugmentConfig:
    """Return `config` without its limit, in a folder of its own, with the answers in `folder`."""
    reuse = (*config.reuse, str(folder))
    return config.model_copy(
        update={"limit": None, "output_dir": None, "resume": "auto", "reuse": reuse}
    )


def _common_errors(manifest: Manifest) -> str:
    errors = sorted(manifest["errors"].items(), key=lambda item: -item[1])
    return ", ".join(f"{kind} ({n})" for kind, n in errors[:3])


def show_estimate(job: Job, *, as_json: bool) -> None:
    """Print tokens and time for all rows; the pilot's answers stay in the run and are reused."""
    from textcentric.augmentation.forecast import estimate_run

    estimate = estimate_run(job)
    if not estimate["output_tokens"]["mean"]:
        say(f"no answer of the model stands in {job.folder}: there is nothing to estimate from")
    if as_json:
        show_json(estimate)
    else:
        show(_estimate_as_text(estimate))


def _estimate_as_text(estimate: Estimated) -> str:
    pilot, rows = estimate["pilot_rows"], estimate["rows"]
    start = estimate["start_seconds"]
    left = f"{rows - pilot:,} rows are left: without --estimate the same command goes on with them"
    return "\n".join(
        [
            f"pilot: the first {pilot:,} of {rows:,} rows, kept in {estimate['path']}",
            f"all {rows:,} rows (95 % intervals):",
            f"  prompt tokens  {_with_interval(estimate['prompt_tokens'], '{:,}'.format)}",
            f"  output tokens  {_with_interval(estimate['output_tokens'], '{:,}'.format)}",
            *_costs(estimate),
            f"  time           {_with_interval(estimate['seconds'], duration)},"
            f" {duration(start)} of it until the first answer",
            left if pilot < rows else "no row is left: the run is finished",
        ]
    )


def _costs(estimate: Estimated) -> list[str]:
    from textcentric.runs.prices import money

    cost = estimate["cost"]
    if cost is None:
        return []
    low, high = map(money, cost["interval"])
    return [f"  cost           about {money(cost['mean'])} ({low} to {high})"]


def _with_interval(value: Expected, words: Callable[[float], str]) -> str:
    low, high = map(words, value["interval"])
    return f"about {words(value['mean'])} ({low} to {high})"
